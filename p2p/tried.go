package p2p

import (
	"context"
	"errors"
	"net"
	"time"
)

// A Tried is a candidate of a peer with what came of it.
type Tried struct {
	Candidate
	Dials    int   // by QUIC, since it was told
	DialsTCP int   // the same by TCP
	Failed   error // why the last dial by QUIC came to nothing; nil: none did

	FailedTCP error     // the same by TCP
	Checks    int       // STUN checks sent, since it was told
	Answered  time.Time // a check; zero: none was
	Linked    bool      // the peer itself was there
}

// errNoAnswer reports an address where nobody answers, or that nothing reaches.
var errNoAnswer = errors.New("no answer")

// failure is what a dial that failed says of its address, which is not in it;
// nil: nothing.
func failure(err error) error {
	if errors.Is(err, context.Canceled) || err == net.ErrClosed {
		return nil // another one was faster, or all ends
	}
	if t, ok := errors.AsType[net.Error](err); ok && t.Timeout() {
		return errNoAnswer
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

// failedBy notes that a dial to the candidate failed.
func (k *known) failedBy(tcp bool, err error) {
	if tcp {
		k.failedTCP = failure(err)
	} else {
		k.failed = failure(err)
	}
}

// Tried returns the candidates of a peer, for who wants to know why there is
// no link.
func (e *Endpoint) Tried(id PeerID) []Tried {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.peers[id]
	if p == nil {
		return nil
	}
	var list []Tried
	for _, k := range p.candidates {
		list = append(list, Tried{
			Candidate: k.Candidate, Dials: k.tries, DialsTCP: k.byTCP, Failed: k.failed, FailedTCP: k.failedTCP,
			Checks: k.probes, Answered: k.answered, Linked: k.proven,
		})
	}
	return list
}
