package p2p

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// The pace of dialling.
const (
	dialsPerSecond = 4                      // to one peer, all its candidates together
	dialStagger    = 150 * time.Millisecond // until the next candidate is tried beside the last
	firstBackoff   = 500 * time.Millisecond
	lastBackoff    = time.Minute // a paired peer is dialled for ever
)

// errNoCandidate reports a peer of whom no address is known that may be dialled.
var errNoCandidate = errors.New("no usable address is known")

// backoff is when to dial next.
type backoff struct {
	delay time.Duration
	next  time.Time
}

func (b *backoff) reset() { *b = backoff{} }

// attempted sets the time of the attempt after one that was made now, with a
// quarter of jitter so that two sides that failed together part.
func (b *backoff) attempted(now time.Time) {
	b.delay = min(max(2*b.delay, firstBackoff), lastBackoff)
	b.next = now.Add(b.delay*3/4 + rand.N(b.delay/2))
}

// A task is what tend finds to do for a peer.
type task struct {
	dial   bool
	urgent bool
	over   bool      // the peer's entry is gone
	until  time.Time // look again; zero: when something changes
}

// tend keeps a link to one peer: it dials whenever there is none and an address
// is known, for as long as ctx lives.
func (e *Endpoint) tend(ctx context.Context, p *peer) {
	var pace backoff
	for ctx.Err() == nil {
		now := time.Now()
		t := e.look(p, now)
		if t.over {
			return
		}
		if t.urgent {
			pace.reset()
		}
		if t.dial && !now.Before(pace.next) {
			if err := e.connect(ctx, p); err != nil {
				e.config.Log.Debug("no link", "peer", p.id.Short(), "err", err)
			}
			pace.attempted(time.Now()) // also after success: a peer that closes at once is not hammered
			continue
		}
		if t.dial && (t.until.IsZero() || pace.next.Before(t.until)) {
			t.until = pace.next
		}
		sleep(ctx, p.wake, t.until)
	}
}

// sleep returns at a time (zero: never), on a signal, or when ctx is done.
func sleep(ctx context.Context, wake <-chan struct{}, until time.Time) {
	var timeout <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-ctx.Done():
	case <-wake:
	case <-timeout:
	}
}

// look takes stock of a peer: expired candidates go, and with the last one of a
// peer that never was paired its whole entry.
func (e *Endpoint) look(p *peer, now time.Time) task {
	e.mu.Lock()
	defer e.mu.Unlock()
	t := task{until: p.candidates.expire(now)}
	if len(p.candidates) == 0 && p.discovered {
		p.discovered = false
		e.turns.add(p.id, func() { e.config.Manager.PeerExpired(p.id) })
		if !p.kept && p.greeting == 0 && len(p.checks.pairings) == 0 {
			p.notify()
			p.checks.poke()
			delete(e.peers, p.id)
			t.over = true
			return t
		}
	}
	m, until := p.wants(e.network, now, p.urgent)
	if m == (means{}) {
		p.urgent = false
		if !until.IsZero() && (t.until.IsZero() || until.Before(t.until)) {
			t.until = until
		}
		return t
	}
	if now.Before(p.hold) {
		if t.until.IsZero() || p.hold.Before(t.until) {
			t.until = p.hold
		}
		return t
	}
	t.dial = m.quic && len(m.of(p.candidates.worth(e.network, now), e.network)) > 0 ||
		m.tcp && e.config.byTCP() && len(p.candidates.worthTCP(e.network, now)) > 0
	t.urgent = p.urgent
	p.urgent = false
	return t
}

// connect dials a paired peer once at all its candidates. Nil means that there
// is a link now, this one or another.
func (e *Endpoint) connect(ctx context.Context, p *peer) error {
	if r, ok := e.record(p.id); !ok || r.State == Pending {
		return errNotPaired // a pending side is called, or asks for the pairing's status
	}
	racing, cancel := context.WithCancel(ctx)
	defer cancel()
	e.mu.Lock()
	m, _ := p.wants(e.network, time.Now(), true)
	if m == (means{}) {
		e.mu.Unlock()
		return nil
	}
	p.upgrade = time.Now().Add(upgradeEvery)
	number := p.clock + 1
	p.cancelDial = cancel
	e.mu.Unlock()
	c, err := e.race(racing, p, alpnLink, m)
	e.mu.Lock()
	p.cancelDial = nil
	linked := p.link != nil
	e.mu.Unlock()
	if err != nil {
		if linked {
			return nil
		}
		return fmt.Errorf("dial %s: %w", p.id.Short(), err)
	}
	l, err := e.greet(ctx, c, p.id, number)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.run == nil {
		l.close(CloseGoingAway)
		return context.Canceled
	}
	e.run.wg.Go(func() { e.keep(ctx, l) })
	return nil
}

// dialPair makes a connection for pairing with a peer, pinned to its id, at any
// of its candidates.
func (e *Endpoint) dialPair(ctx context.Context, id PeerID) (pairConn, error) {
	e.mu.Lock()
	p := e.peerLocked(id)
	e.mu.Unlock()
	c, err := e.race(ctx, p, alpnPair, means{quic: true, tcp: true})
	if err != nil {
		return nil, fmt.Errorf("dial %s to pair: %w", id.Short(), err)
	}
	return newPairLink(c)
}

// dialled is the result of one attempt.
type dialled struct {
	conn carrier
	err  error
}

// race dials a peer's candidates side by side, the next one when the last
// failed or after a moment, also those that become known meanwhile, and returns
// the first connection whose other end holds the peer's key. Others are closed.
// TCP joins in when QUIC had its chance. Another key at an address is a
// candidate that failed, and no alarm: addresses are given to others all the
// time.
func (e *Endpoint) race(ctx context.Context, p *peer, alpn string, only means) (carrier, error) {
	ctx, cancel := context.WithCancel(ctx)
	results := make(chan dialled)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()

	r := raceState{means: only, tcp: time.Now().Add(tcpHeadStart), relayed: time.Now().Add(relayHeadStart)}
	var next time.Time // no attempt before
	for {
		a, changed := e.best(p, &r)
		if a == nil && r.running == 0 {
			return nil, r.failed()
		}
		var due <-chan time.Time
		if a != nil {
			due = time.After(max(time.Until(next), time.Until(a.notBefore)))
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		case <-due:
			if wait := p.mayDial(); wait > 0 {
				next = time.Now().Add(wait) // whoever is best then is called
				continue
			}
			r.started[a.attempt] = time.Now()
			r.running++
			wg.Go(func() { e.try(ctx, p, a.attempt, alpn).sendTo(ctx, results) })
			next = time.Now().Add(dialStagger)
		case d := <-results:
			if d.err == nil {
				return d.conn, nil
			}
			r.running--
			r.errs = append(r.errs, d.err)
			next = time.Time{}
		}
	}
}

// mayDial takes one of the dials that a peer is allowed, or returns when there
// is one.
func (p *peer) mayDial() time.Duration {
	r := p.limit.Reserve()
	wait := r.Delay()
	if wait > 0 {
		r.Cancel()
	}
	return wait
}

// means are the transports of a race.
type means struct {
	quic, tcp bool
	near      bool // only to where the peer was heard in a network of ours
}

// of returns the candidates that means allow.
func (m means) of(list []*known, n network) []*known {
	if m.near {
		list = slices.DeleteFunc(list, func(k *known) bool { return !k.nearby(n) })
	}
	return list
}

// An attempt is a dial to a candidate.
type attempt struct {
	to  *known
	tcp bool
}

// raceState is how far a race has come.
type raceState struct {
	means   means
	tcp     time.Time             // not before
	relayed time.Time             // the same of relayed candidates
	started map[attempt]time.Time // since the last wake-up
	wakes   uint64
	running int
	errs    []error
}

func (r *raceState) failed() error {
	if len(r.errs) == 0 {
		return errNoCandidate
	}
	return errors.Join(r.errs...)
}

// planned is an attempt to be made.
type planned struct {
	attempt
	notBefore time.Time
}

// best returns the best attempt that was not started, nil if there is none, and
// a channel that tells when this may have changed. After a wake-up, all are
// started again beside those that run.
func (e *Endpoint) best(p *peer, r *raceState) (*planned, <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.started == nil || r.wakes != p.wakes {
		r.started, r.wakes = make(map[attempt]time.Time), p.wakes
	}
	now := time.Now()
	if r.means.quic {
		for _, k := range r.means.of(p.candidates.worth(e.network, now), e.network) {
			a := attempt{to: k}
			if at, began := r.started[a]; k.Kind != Relayed && (!began || k.answers(now) && k.open.After(at)) { // it answers only now
				return &planned{attempt: a}, p.changed
			}
		}
	}
	if r.means.tcp && e.config.byTCP() {
		for _, k := range p.candidates.worthTCP(e.network, now) {
			a := attempt{to: k, tcp: true}
			if _, began := r.started[a]; !began {
				at := r.tcp
				if r.running == 0 && len(r.errs) > 0 {
					at = now // QUIC has failed
				}
				return &planned{a, at}, p.changed
			}
		}
	}
	if r.means.quic && (p.link == nil || p.link.stalled) {
		for _, k := range p.candidates.worth(e.network, now) {
			a := attempt{to: k}
			if _, began := r.started[a]; !began && k.Kind == Relayed {
				return &planned{a, r.relayed}, p.changed
			}
		}
	}
	return nil, p.changed
}

// sendTo hands the result to the race, or closes it if the race is over.
func (d dialled) sendTo(ctx context.Context, race chan<- dialled) {
	select {
	case race <- d:
	case <-ctx.Done():
		if d.conn != nil {
			d.conn.close(CloseDuplicate)
		}
	}
}

// try makes an attempt.
func (e *Endpoint) try(ctx context.Context, p *peer, a attempt, alpn string) dialled {
	e.mu.Lock()
	addr, kind, spare, r := a.to.Addr, a.to.Kind, a.to.onSpare(&p.checks, time.Now()), e.run
	if a.tcp {
		a.to.byTCP++
	} else {
		a.to.tries++
		a.to.tried = time.Now()
	}
	e.mu.Unlock()
	if r == nil {
		return dialled{err: net.ErrClosed}
	}
	var c carrier
	var err error
	if a.tcp {
		c, err = e.dialTCP(ctx, r, addr, p.id, alpn)
	} else {
		c, err = e.dialQUIC(ctx, addr, spare, p.id, alpn)
	}
	if err != nil {
		e.mu.Lock()
		a.to.failedBy(a.tcp, err)
		e.mu.Unlock()
		return dialled{err: fmt.Errorf("at %s: %w", addr, err)}
	}
	if q, ok := c.(quicCarrier); ok && kind == Relayed {
		q.relayed = true
		c = q
	}
	return dialled{conn: c}
}

func (e *Endpoint) dialQUIC(ctx context.Context, addr netip.AddrPort, spare bool, id PeerID, alpn string) (carrier, error) {
	s, err := e.socketFor(addr.Addr(), spare)
	if err != nil {
		return nil, err
	}
	e.outside.sentTo(addr.Addr(), time.Now())
	return s.dial(ctx, addr, id, alpn)
}
