package p2p

import (
	"context"
	"math/rand/v2"
	"time"
)

// Times between two tries to reach a peer for pairing. A device that is not
// paired may be anybody's address that a letter named, so it is called often
// only for a while after a person did something.
const (
	eagerTime    = 5 * time.Minute  // after a person's action or a new candidate
	eagerMin     = time.Second      // first wait, doubling
	pokePause    = time.Second / 4  // between two tries in any case
	eagerMax     = 15 * time.Second // last wait within eagerTime
	patientWait  = 5 * time.Minute  // wait after it, until the invitation expires
	settleMax    = time.Hour        // last wait for a STATUS, from eagerMin, doubling
	pendingGrace = 24 * time.Hour   // how long a pending record outlives its invitation
)

// schedule says when to try again to reach a peer that is not paired yet.
type schedule struct {
	since time.Time // of the action or candidate
	wait  time.Duration
}

func newSchedule(now time.Time) *schedule { return &schedule{since: now} }

// next returns how long to wait after a try that ended now.
func (s *schedule) next(now time.Time) time.Duration {
	if now.Sub(s.since) >= eagerTime {
		return patientWait
	}
	s.wait = min(max(2*s.wait, eagerMin), eagerMax)
	return s.wait*3/4 + rand.N(s.wait/2) // two that call each other at once must part
}

// news is what may cut a wait for a peer short.
type news struct {
	here, there <-chan struct{} // of pairing, of the endpoint; closed when there is some
}

// watch begins to wait for news of a peer. It is called before a try, so that
// what happens meanwhile counts.
func (p *pairing) watch(id PeerID) news {
	n := news{here: p.poked(id)}
	if p.config.News != nil {
		n.there = p.config.News(id)
	}
	return n
}

// cuts waits for d, or until ctx or done end. It tells whether news cut the
// wait short; then some time has passed too, because news come in swarms.
func (n news) cuts(ctx context.Context, d time.Duration, done <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-done:
		return false
	case <-timer.C:
		return false
	case <-n.here:
	case <-n.there:
	}
	timer.Reset(pokePause)
	select {
	case <-ctx.Done():
	case <-done:
	case <-timer.C:
	}
	return true
}

// poked returns a channel that is closed by the next poke of a peer.
func (p *pairing) poked(id PeerID) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pokes[id] == nil {
		p.pokes[id] = make(chan struct{})
	}
	return p.pokes[id]
}

// poke lets everyone who waits for a peer look again.
func (p *pairing) poke(id PeerID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.pokes[id]; c != nil {
		close(c)
		delete(p.pokes, id)
	}
}
