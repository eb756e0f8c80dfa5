package p2p

import "time"

// A Tried is a candidate of a peer with what came of it.
type Tried struct {
	Candidate
	Dials    int       // by QUIC, since it was told
	DialsTCP int       // the same by TCP
	Checks   int       // STUN checks sent, since it was told
	Answered time.Time // a check; zero: none was
	Linked   bool      // the peer itself was there
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
		list = append(list, Tried{Candidate: k.Candidate, Dials: k.tries, DialsTCP: k.byTCP, Checks: k.probes, Answered: k.answered, Linked: k.proven})
	}
	return list
}
