package p2p

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pion/stun/v3"
	"golang.org/x/time/rate"
)

// checker answers STUN requests on the endpoint's sockets, sends ours, and
// knows which are without an answer.
type checker struct {
	limits *stunLimits
	pace   *rate.Limiter // checks, of all peers together

	mu    sync.Mutex
	asked map[[stun.TransactionIDSize]byte]asked
}

// asked is a request of ours.
type asked struct {
	addr netip.AddrPort // an answer comes from there
	peer PeerID         // of a check
	keys *shared        // of a check; nil: a plain request to a server
	at   time.Time

	spare bool // it left from the spare socket
}

// answerTime is how long an answer is waited for.
const answerTime = 5 * time.Second

// maxAsked bounds the requests without an answer.
const maxAsked = 1024

func newChecker() *checker {
	return &checker{
		limits: newSTUNLimits(), pace: rate.NewLimiter(checksPerSec, checksPerSec),
		asked: make(map[[stun.TransactionIDSize]byte]asked),
	}
}

// remember notes a request; false if there are too many.
func (c *checker) remember(id [stun.TransactionIDSize]byte, a asked) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.asked) >= maxAsked {
		for id, old := range c.asked {
			if a.at.Sub(old.at) >= answerTime {
				delete(c.asked, id)
			}
		}
	}
	if len(c.asked) >= maxAsked {
		return false
	}
	c.asked[id] = a
	return true
}

// take returns the request that a response answers, once.
func (c *checker) take(m stunMessage, from netip.AddrPort, now time.Time) (asked, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.asked[m.id]
	if !ok || a.addr != from || now.Sub(a.at) >= answerTime {
		return asked{}, false
	}
	delete(c.asked, m.id)
	return a, true
}

// readSTUN serves what comes to a socket that is not QUIC until ctx is done.
func (e *Endpoint) readSTUN(ctx context.Context, s *socket) {
	b := make([]byte, maxSTUN+1)
	for {
		n, addr, err := s.transport.ReadNonQUICPacket(ctx, b)
		if err != nil {
			return
		}
		from := addrPortOf(addr)
		if n > maxSTUN || !from.IsValid() || !e.checker.limits.allow(from.Addr()) {
			continue
		}
		m, err := parseSTUN(b[:n:n])
		if err != nil {
			continue
		}
		switch {
		case m.response:
			e.hearAnswer(m, from)
		case m.signed:
			e.hearCheck(s, m, from)
		case m.name == "":
			s.answer(m, from, checkKey{})
		}
	}
}

// answer answers a request, unless the answer would be the longer one.
func (s *socket) answer(m stunMessage, from netip.AddrPort, k checkKey) {
	if b := m.answer(from, k); b != nil {
		_, _ = s.transport.WriteTo(b, net.UDPAddrFromAddrPort(from)) // as lossy as the network
	}
}

// hearCheck serves a signed request. It is answered only if a peer made it.
func (e *Endpoint) hearCheck(s *socket, m stunMessage, from netip.AddrPort) {
	e.mu.Lock()
	p, keys := e.signer(m)
	e.mu.Unlock()
	if p == nil {
		return
	}
	now := time.Now()
	e.mu.Lock()
	silent := p.checks.replayed(m.id) || s.spare && !p.checks.spareMay(now)
	if !silent && !p.settled() {
		p.checks.heard(now)
		if k := p.heardFrom(from, e.network, now); k != nil && now.Sub(k.asked) >= triggerAgain {
			k.trigger, k.asked, k.keys, k.spare = true, now, keys, s.spare
			p.checks.poke()
		}
	}
	e.mu.Unlock()
	if !silent {
		e.heardOutside(from.Addr(), e.outside.wasAsked(from.Addr(), now))
		e.outside.answered(from.Addr(), now)
		s.answer(m, from, keys.in)
	}
}

// signer returns the peer that made a signed request, and the keys it used;
// e.mu is held. It costs one HMAC for each peer.
func (e *Endpoint) signer(m stunMessage) (*peer, *shared) {
	for _, p := range e.peers {
		for _, keys := range p.checks.keys() {
			if keys.in.made(m.name) && m.signedBy(keys.in) {
				return p, keys
			}
		}
	}
	return nil, nil
}

// hearAnswer serves a response to a request of ours.
func (e *Endpoint) hearAnswer(m stunMessage, from netip.AddrPort) {
	now := time.Now()
	a, ok := e.checker.take(m, from, now)
	if !ok {
		return
	}
	if a.keys == nil {
		e.heardOutside(from.Addr(), true)
		e.outside.compare(e.servers.mapped(from, m.mapped, now))
		return
	}
	if !m.signedBy(a.keys.out) {
		return
	}
	e.heardOutside(from.Addr(), true)
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.peers[a.peer]
	if p == nil {
		return
	}
	if !a.spare && p.seen.addr != unmap(m.mapped) {
		e.servers.poke() // what our routers do may be known now
	}
	if !a.spare {
		before := p.seen
		p.seen = seen{addr: unmap(m.mapped), by: from.Addr(), at: now}
		e.outside.compare(before, p.seen)
	} else if !p.checks.spareMay(now) {
		return
	}
	for _, k := range p.candidates {
		if k.Addr != from {
			continue
		}
		k.answered = now
		if p.settled() || k.answers(now) {
			continue
		}
		k.open, k.spare = now, a.spare
		if !less(e.id, p.id) {
			k.open = now.Add(nominateAfter)
		}
		p.checks.nominate = k.open
		p.checks.poke()
	}
}

// check sends checks to one peer whenever there is reason to, for as long as
// ctx lives.
func (e *Endpoint) check(ctx context.Context, p *peer) {
	for ctx.Err() == nil {
		var r Record
		asked := e.turns.now(func() { r, _ = e.config.Manager.Record(p.id) })
		e.mu.Lock()
		over := e.peers[p.id] != p
		if asked && !over {
			p.checks.setPairwise(r.Pairwise, e.id, p.id)
		}
		e.mu.Unlock()
		if over {
			return
		}
		until := e.sendDue(ctx, p)
		sleep(ctx, p.checks.wake, until)
	}
}

// sendDue sends what checks are due and returns when the next will be; zero:
// when something changes.
func (e *Endpoint) sendDue(ctx context.Context, p *peer) time.Time {
	for {
		now := time.Now()
		mapping := e.Mapping()
		e.mu.Lock()
		c, until := p.due(e.network, mapping, now)
		nominate := p.checks.nominate
		if !nominate.IsZero() && !now.Before(nominate) {
			p.checks.nominate, nominate = time.Time{}, time.Time{}
			p.urgent = true
			p.notify()
		}
		if c.to == nil {
			e.mu.Unlock()
			if !nominate.IsZero() && (until.IsZero() || nominate.Before(until)) {
				return nominate
			}
			return until
		}
		c.to.probes++
		p.checks.last = now
		addr := c.to.Addr
		e.mu.Unlock()
		if err := e.checker.pace.Wait(ctx); err != nil {
			return time.Time{}
		}
		e.sendCheck(p.id, addr, c)
	}
}

// sendCheck sends one check to an address. Networks lose packets; so may this.
func (e *Endpoint) sendCheck(id PeerID, addr netip.AddrPort, c check) {
	s, err := e.socketFor(addr.Addr(), c.spare)
	if err != nil {
		return
	}
	e.outside.sentTo(addr.Addr(), time.Now())
	tx, packet := newRequest(c.keys.out.name(), c.keys.out)
	if !e.checker.remember(tx, asked{addr: addr, peer: id, keys: c.keys, at: time.Now(), spare: s.spare}) {
		return
	}
	if err := s.write(packet, addr, c.hops); err != nil {
		e.config.Log.Debug("check not sent", "peer", id.Short(), "err", err)
	}
}

// Answered tells that a letter with our addresses is under way to a peer that
// sent us its own: until it is heard, checks open our routers for it and go no
// further.
func (e *Endpoint) Answered(id PeerID) { e.offered(id, true) }

// Expected tells that a peer has read a letter with our addresses by now: its
// routers are open for us, so checks go all the way.
func (e *Endpoint) Expected(id PeerID) { e.offered(id, false) }

// offered begins checks with a peer anew, because of a letter. A link is doubted
// then: the peer wrote because it can not reach us.
func (e *Endpoint) offered(id PeerID, quiet bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.peerLocked(id)
	p.checks.quiet = quiet
	p.checks.offered(time.Now())
	if l, r := p.link, e.run; l != nil && r != nil {
		r.wg.Go(func() { l.probe(r.ctx) })
	}
}

// checkPairing has the candidates of a peer checked that is not paired yet.
// What the answerer's letter says, the inviter does not know yet; who used a
// link writes none.
func (e *Endpoint) checkPairing(id PeerID, psk Secret, role Role, via Via) (stop func()) {
	keys := newShared(psk, e.id, id)
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.peerLocked(id)
	p.checks.pairings = append(slices.Clip(p.checks.pairings), keys)
	p.checks.quiet = role == Answerer && via != ViaLink
	p.checks.alone = role == Answerer && via == ViaLink
	p.checks.offered(time.Now())
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		p.checks.pairings = slices.DeleteFunc(slices.Clone(p.checks.pairings), func(k *shared) bool { return k == keys })
	}
}
