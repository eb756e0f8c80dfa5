package p2p

import (
	"context"
	"time"
)

func newPairing(e *Endpoint) *pairing {
	return makePairing(pairingConfig{
		Identity:   e.config.Identity,
		Manager:    e.config.Manager,
		Turns:      e.turns,
		Dial:       e.dialPair,
		News:       e.news,
		Checks:     e.checkPairing,
		DialNearby: e.dialNearby,
		Met:        e.met,
		Paired:     e.kick,
		Log:        e.config.Log,
	})
}

// Pair carries out an invitation that this device's person accepted: it dials
// the inviter, and answers it where it dials. It returns the record once it is
// Paired, a [*PairingError] where the inviter refuses for good or the
// invitation expires, and goes on for as long as neither is so and ctx lives.
// A later call for the same inviter takes the place of this one.
func (e *Endpoint) Pair(ctx context.Context, inv Invitation) (Record, error) {
	return e.pairing.pair(ctx, inv)
}

// PairDial dials a peer that sent an answer letter to one of our invitations,
// so that it can use it. It returns nil once the peer's record is saved, and an
// error when the invitation no longer stands or ctx is done.
func (e *Endpoint) PairDial(ctx context.Context, id PeerID, token Token) error {
	return e.pairing.pairDial(ctx, id, token)
}

// Settle has the endpoint find out what became of a Pending or Unconfirmed
// record of an earlier start: it asks the peer at every contact, and in between
// ever more rarely, up to an hour. A Pending record is given up at until, a day
// after its invitation expired. It returns at once; the result comes by
// PairingSave and PeerPaired, or PeerPairedRollback. It is called before
// [Endpoint.Pair] of the same invitation.
func (e *Endpoint) Settle(r Record, until time.Time) { e.pairing.settle(r, until) }

// servePair handles an inbound link that speaks the protocol of pairing.
func (e *Endpoint) servePair(ctx context.Context, c *pairLink) {
	if isNearby(c.tls) {
		e.pairing.serveNearby(ctx, c)
		return
	}
	e.pairing.serve(ctx, c)
}
