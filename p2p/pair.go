package p2p

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// pairingConfig is what pairing needs around it.
type pairingConfig struct {
	Identity *Identity
	Manager  Manager
	Turns    *turns
	// Dial opens a pairing link to a peer, pinned to its id, at whichever of
	// its candidates answers.
	Dial func(ctx context.Context, id PeerID) (pairConn, error)
	// News returns a channel that is closed when a peer may be reachable: a
	// candidate, a link, a person's wish.
	News func(PeerID) <-chan struct{}
	// Checks begins to check the candidates of a peer with which this device
	// shares a secret, quietly for an answerer, until stop is called.
	Checks func(id PeerID, psk Secret, role Role, via Via) (stop func())
	// DialNearby opens a pairing link to whoever is at one of the addresses.
	DialNearby func(context.Context, []netip.AddrPort) (pairConn, error)
	// Met is told where a peer is that pairs nearby.
	Met func(PeerID, netip.AddrPort)
	// Paired is told of each peer whose record became Paired, after its
	// hooks. It must not block.
	Paired func(PeerID)
	Log    *slog.Logger
}

// pairing makes two devices keep each other's keys: PROTOCOL.md, "Pairing". It
// carries out what people accepted here, serves who accepted our invitations,
// and settles what a lost link left open.
type pairing struct {
	config pairingConfig
	self   PeerID
	limits pairLimits
	claims claims
	nearby nearbyDoor

	opened chan struct{} // closed when run begins
	ending chan struct{} // closed when run is about to end
	added  chan struct{} // capacity 1: unsettled has grown

	mu        sync.Mutex
	ended     bool
	calls     sync.WaitGroup // calls of other goroutines into pairing; none is added after ended
	accepted  map[PeerID]*acceptance
	unsettled map[PeerID][]unsettled
	settlers  map[PeerID]bool // peers with a settling goroutine
	exchanges map[PeerID]*exchange
	pokes     map[PeerID]chan struct{} // closed at the next contact
}

func makePairing(c pairingConfig) *pairing {
	return &pairing{
		config:    c,
		self:      c.Identity.ID(),
		opened:    make(chan struct{}),
		ending:    make(chan struct{}),
		added:     make(chan struct{}, 1),
		accepted:  make(map[PeerID]*acceptance),
		unsettled: make(map[PeerID][]unsettled),
		settlers:  make(map[PeerID]bool),
		exchanges: make(map[PeerID]*exchange),
		pokes:     make(map[PeerID]chan struct{}),
	}
}

// run settles what is open until ctx ends. It returns when no call into
// pairing goes on any more.
func (p *pairing) run(ctx context.Context) {
	close(p.opened)
	var wg sync.WaitGroup
	defer p.calls.Wait()
	defer wg.Wait()
	defer func() {
		p.mu.Lock()
		p.ended = true
		p.mu.Unlock()
		close(p.ending)
	}()
	for {
		for _, id := range p.newSettlers() {
			wg.Go(func() { p.settler(ctx, id) })
		}
		select {
		case <-ctx.Done():
			return
		case <-p.added:
		}
	}
}

// enter begins a call that may use hooks: it waits until run has begun, and
// the context it returns ends when run is about to end.
func (p *pairing) enter(ctx context.Context) (context.Context, context.CancelFunc, error) {
	select {
	case <-p.opened:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return nil, nil, net.ErrClosed
	}
	ctx, cancel := context.WithCancelCause(ctx)
	p.calls.Add(1)
	left := make(chan struct{})
	p.calls.Go(func() {
		select {
		case <-p.ending:
			cancel(net.ErrClosed)
		case <-left:
		}
	})
	return ctx, sync.OnceFunc(func() {
		close(left)
		cancel(context.Canceled)
		p.calls.Done()
	}), nil
}

// acceptance is an invitation that this device's person accepted.
type acceptance struct {
	invitation Invitation
	done       chan struct{} // closed when record or err is set
	once       sync.Once
	record     Record
	err        error
}

func (a *acceptance) end(r Record, err error) {
	a.once.Do(func() {
		a.record, a.err = r, err
		close(a.done)
	})
}

func (a *acceptance) over() bool {
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}

// accept registers an invitation, so that its inviter is answered on links
// that it dials too. It takes the place of an earlier one of the same inviter.
func (p *pairing) accept(inv Invitation) *acceptance {
	a := &acceptance{invitation: inv, done: make(chan struct{})}
	p.mu.Lock()
	old := p.accepted[inv.Peer]
	p.accepted[inv.Peer] = a
	p.mu.Unlock()
	if old != nil {
		old.end(Record{}, &PairingError{Code: PairingCancelled})
	}
	return a
}

func (p *pairing) forget(a *acceptance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.accepted[a.invitation.Peer] == a {
		delete(p.accepted, a.invitation.Peer)
	}
}

// acceptanceOf returns the invitation of a peer that waits to be carried out.
func (p *pairing) acceptanceOf(id PeerID) *acceptance {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.accepted[id]; a != nil && !a.over() {
		return a
	}
	return nil
}

// pair carries out an accepted invitation: [Endpoint.Pair].
func (p *pairing) pair(ctx context.Context, inv Invitation) (Record, error) {
	if inv.Peer == p.self {
		return Record{}, fmt.Errorf("accept an invitation of this device: %w", &PairingError{Code: PairingRefused})
	}
	ctx, leave, err := p.enter(ctx)
	if err != nil {
		return Record{}, err
	}
	defer leave()
	if r, ok := p.record(inv.Peer); ok && r.Token == inv.Token && r.Role == Answerer {
		if r.State == Paired {
			return r, nil
		}
		p.unsettle(r, inv.Expires.Add(pendingGrace)) // of an earlier start
	}
	a := p.accept(inv)
	defer p.forget(a)
	defer p.checks(inv.Peer, inv.PSK, Answerer, inv.Via)()
	retry := newSchedule(time.Now())
	for {
		news := p.watch(inv.Peer)
		p.giveUp(ctx, inv.Peer)
		if !time.Now().Before(inv.Expires) && len(p.unsettledOf(inv.Peer)) == 0 {
			a.end(Record{}, &PairingError{Code: PairingExpired})
		}
		p.tryUntil(ctx, inv.Peer, answering, a.done)
		if a.over() {
			return a.record, a.err
		}
		pause := retry.next(time.Now())
		if left := time.Until(inv.Expires); left > 0 {
			pause = min(pause, left)
		}
		if news.cuts(ctx, pause, a.done) {
			retry = newSchedule(time.Now())
		}
		if ctx.Err() != nil {
			return Record{}, context.Cause(ctx)
		}
	}
}

// checks begins the checks with a peer, where there are any.
func (p *pairing) checks(id PeerID, psk Secret, role Role, via Via) (stop func()) {
	if p.config.Checks == nil {
		return func() {}
	}
	return p.config.Checks(id, psk, role, via)
}

// tryUntil makes one contact with a peer and breaks it off when done closes
// while it still dials.
func (p *pairing) tryUntil(ctx context.Context, id PeerID, as intent, done <-chan struct{}) {
	select {
	case <-done:
		return
	default:
	}
	dialling, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(ended)
	wg.Go(func() {
		select {
		case <-done:
			stop()
		case <-ended:
		}
	})
	conn, err := p.config.Dial(dialling, id)
	if err != nil {
		p.config.Log.Debug("no pairing link", "peer", id.Short(), "err", err)
		return
	}
	if err := p.session(ctx, conn, as); err != nil {
		p.config.Log.Debug("pairing link ended", "peer", id.Short(), "err", err)
	}
}

// pairDial lets the peer of an answer letter use the invitation that token
// names: [Endpoint.PairDial].
func (p *pairing) pairDial(ctx context.Context, id PeerID, token Token) error {
	ctx, leave, err := p.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	stop := func() {}
	defer func() { stop() }()
	retry := newSchedule(time.Now())
	for begun := false; ; {
		news := p.watch(id)
		if r, ok := p.record(id); ok && r.Token == token && r.Role == Inviter {
			return nil
		}
		keys, err := p.openKeys(token, id)
		if err != nil {
			return err
		}
		if !begun {
			begun, stop = true, p.checks(id, keys.PSK, Inviter, keys.Via)
		}
		p.tryUntil(ctx, id, inviting, nil)
		if r, ok := p.record(id); ok && r.Token == token && r.Role == Inviter {
			return nil
		}
		if news.cuts(ctx, retry.next(time.Now()), nil) {
			retry = newSchedule(time.Now())
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}
