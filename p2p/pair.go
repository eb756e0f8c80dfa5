package p2p

import "context"

// pairing is the state of the pairings that go on at an endpoint.
type pairing struct{}

func newPairing(*Endpoint) *pairing { return &pairing{} }

// servePair refuses to pair.
func (e *Endpoint) servePair(_ context.Context, c pairConn) { c.Close(PairingRefused) }
