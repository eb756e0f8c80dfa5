package p2p

import (
	"context"
	"errors"
	"slices"
	"time"
)

// A peer can be reached by several links at once. New streams go over the
// primary one. The side with the smaller id leads: it says which that is, and
// closes the links beside it (PROTOCOL.md, "Several links").

// class orders links by how well they can be expected to carry.
type class uint8

const (
	onNetwork class = iota // QUIC on a network of ours
	direct                 // QUIC
	directTCP
	relayed
)

func (l *link) class(n network) class {
	switch l.conn.kind() {
	case kindRelay:
		return relayed
	case kindTCP:
		return directTCP
	}
	if n.onLink(l.conn.remote().Addr()) {
		return onNetwork
	}
	return direct
}

// rttMargin is by how much a round trip must be shorter to count.
const rttMargin = 5 * time.Millisecond

// before tells whether a link is the better one for new streams.
func (l *link) before(o *link, n network, self PeerID) bool {
	if dead, odead := l.conn.err() != nil, o.conn.err() != nil; dead != odead {
		return odead
	}
	if l.stalled != o.stalled {
		return o.stalled
	}
	if lc, oc := l.class(n), o.class(n); lc != oc {
		return lc < oc
	}
	if l.number == o.number { // both called at once
		if a, b := l.conn.rtt(), o.conn.rtt(); a > 0 && b > 0 && (a-b).Abs() >= rttMargin {
			return a < b
		}
	}
	return l.rank(self).over(o.rank(self))
}

// choose sets a peer's primary link: the one that the leader named, while it
// works, else the best. The leader names it.
func (e *Endpoint) choose(p *peer) {
	leads := less(e.id, p.id)
	var best *link
	for _, l := range p.links {
		if best == nil || l.before(best, e.network, e.id) {
			best = l
		}
	}
	if n := p.named; !leads && n != nil && slices.Contains(p.links, n) && !n.stalled && n.conn.err() == nil {
		best = n
	}
	if p.link == best {
		return
	}
	p.link = best
	p.notify()
	if leads && best != nil && len(p.links) > 1 {
		best.send(control{Type: controlPrimary})
	}
}

// namedPrimary notes that the leader chose a link.
func (e *Endpoint) namedPrimary(l *link) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.peerLocked(l.peer)
	if less(e.id, p.id) || !slices.Contains(p.links, l) {
		return
	}
	p.named = l
	e.choose(p)
}

// settled tells whether there is nothing better to look for than what is there.
func (p *peer) settled() bool {
	return p.link != nil && p.link.conn.kind() == kindQUIC && !p.link.stalled
}

// nearby tells whether the peer says, in a network that both are in, where it
// is, while its link leads elsewhere.
func (p *peer) nearby(n network) bool {
	return p.link.class(n) == direct && slices.ContainsFunc(p.candidates, func(k *known) bool { return k.nearby(n) })
}

// nearby tells whether a candidate was heard in a network of ours.
func (k *known) nearby(n network) bool {
	return k.Source == "lan" && n.onLink(k.Addr.Addr()) && n.usable(k.Addr) == nil
}

// upgradeEvery is how often a direct path is looked for while there is a worse one.
const upgradeEvery = time.Minute

// wants returns how a peer is to be called now, none while its link will do,
// and until when that holds; zero: until something changes.
func (p *peer) wants(n network, now time.Time, urgent bool) (means, time.Time) {
	switch {
	case p.link == nil || p.link.stalled:
		return means{quic: true, tcp: true}, time.Time{}
	case p.settled() && !p.nearby(n):
		return means{}, time.Time{}
	case !urgent && now.Before(p.upgrade):
		return means{}, p.upgrade
	case p.settled():
		return means{quic: true, near: true}, time.Time{}
	}
	return means{quic: true, tcp: p.link.conn.kind() == kindRelay}, time.Time{}
}

// over returns the links of a peer that end because of a new one, with the
// code that says why; false if it is the new one that ends. e.mu is held.
func (e *Endpoint) over(p *peer, l *link) (ends map[*link]CloseCode, ok bool) {
	ends = make(map[*link]CloseCode)
	for _, o := range p.links {
		switch {
		case o.hello.Start != l.hello.Start, o.conn.err() != nil:
			ends[o] = CloseDuplicate
		case o.conn.kind() == l.conn.kind():
			if !l.replaces(o, e.id) {
				return nil, false
			}
			ends[o] = CloseDuplicate
		case o.stalled:
			ends[o] = CloseDead
		}
	}
	return ends, true
}

// install takes a new link into use, or closes it because of another one. It
// tells which.
func (e *Endpoint) install(l *link) bool {
	m := e.config.Manager
	e.mu.Lock()
	p := e.peerLocked(l.peer)
	if p.revision != l.revision {
		e.mu.Unlock()
		l.close(CloseRevoked)
		return false
	}
	p.clock = max(p.clock, l.number)
	ends, ok := e.over(p, l)
	if !ok {
		e.mu.Unlock()
		l.close(CloseDuplicate)
		return false
	}
	restarted := p.link != nil && p.link.hello.Start != l.hello.Start
	p.links = slices.DeleteFunc(p.links, func(o *link) bool { _, over := ends[o]; return over })
	p.links = append(p.links, l)
	p.kept, p.hold = true, time.Time{}
	p.candidates.prove(l.peer, l.reachable(), l.since)
	p.link = nil // so that the choice is told
	e.choose(p)
	if p.cancelDial != nil && p.settled() {
		p.cancelDial()
	}
	if p.up && restarted {
		e.turns.add(l.peer, func() { m.PeerDisconnected(l.peer, errRestarted) })
		p.up = false
	}
	if up := p.up; !e.turns.add(l.peer, func() {
		if !up {
			m.PeerConnected(l.peer)
		}
		close(l.ready)
	}) {
		close(l.ready)
	}
	p.up = true
	if len(p.links) > 1 && e.run != nil {
		r := e.run
		r.wg.Go(func() { e.tidy(r.ctx, p) })
	}
	e.servers.poke() // the link may show what our routers do
	e.mu.Unlock()
	for o, code := range ends {
		o.close(code)
	}
	return true
}

var errRestarted = errors.New("the peer's program was started again")

// tidy closes the links beside the primary one when what was under way on them
// had a moment to end. It is for the leader to do; the other side sees to what
// the leader does not know.
func (e *Endpoint) tidy(ctx context.Context, p *peer) {
	moment := handover
	if !less(e.id, p.id) {
		moment *= 5
	}
	sleep(ctx, nil, time.Now().Add(moment))
	e.mu.Lock()
	var ends []*link
	for _, l := range p.links {
		if p.link != nil && l != p.link && !p.link.stalled {
			ends = append(ends, l)
		}
	}
	e.mu.Unlock()
	for _, l := range ends {
		l.close(CloseDuplicate)
	}
}

// detach takes a link that ended out of use and reports that the peer is gone,
// unless another link is there or comes at once.
func (e *Endpoint) detach(l *link, reason error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.peerLocked(l.peer)
	if i := slices.Index(p.bulk, l); i >= 0 {
		p.bulk = slices.Delete(p.bulk, i, i+1)
		p.notify()
		return
	}
	i := slices.Index(p.links, l)
	if i < 0 {
		return
	}
	p.links = slices.Delete(p.links, i, i+1)
	if p.revision == l.revision {
		p.candidates.prove(l.peer, l.reachable(), time.Now()) // it may have moved
		p.learnMapped(l.forwarded(), e.network, time.Now())
		e.outside.sentTo(l.udp().Addr(), time.Now())
	}
	if len(p.links) > 0 || e.promoteBulk(p, l) {
		e.choose(p)
		p.notify()
		return
	}
	p.link, p.mapping = nil, l.routers()
	p.urgent = p.urgent || time.Since(l.since) >= longLink
	p.checks.offered(time.Now())
	if c, ok := errors.AsType[*CloseError](reason); ok && c.Code == CloseDuplicate && c.Remote && e.run != nil {
		p.hold = time.Now().Add(handover)
		e.run.wg.Go(func() { e.awaitHandover(p, reason) })
	} else {
		e.servers.wakeUp() // have we moved, or has the peer?
		e.reportGone(p, reason)
	}
	p.notify()
}

// silent notes that a link carries nothing, or does again. While it does not,
// another one is looked for.
func (e *Endpoint) silent(l *link, stalled bool) {
	for _, l := range e.doubt(l, stalled) {
		l.close(CloseDead)
	}
}

// doubt is silent but for closing the links it returns, which are not needed.
func (e *Endpoint) doubt(l *link, stalled bool) (ends []*link) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.peerLocked(l.peer)
	if slices.Contains(p.bulk, l) {
		return []*link{l}
	}
	if l.stalled == stalled || !slices.Contains(p.links, l) {
		return nil
	}
	e.config.Log.Debug("link silent", "peer", l.peer.Short(), "kind", l.conn.kind(), "stalled", stalled)
	l.stalled = stalled
	e.choose(p)
	if p.link.stalled && e.promoteBulk(p, l) {
		e.choose(p)
		ends = append(ends, l)
	}
	if p.link.stalled {
		p.urgent = true
		p.checks.offered(time.Now())
		p.notify()
		if m, ok := e.config.Manager.(SilenceListener); ok {
			e.turns.add(p.id, func() { m.PeerSilent(p.id) })
		}
	}
	return ends
}
