package p2p

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"golang.org/x/time/rate"
)

// Config is what an Endpoint is made of. Conns stay the application's: it
// closes them after Run returned.
type Config struct {
	Identity *Identity
	Conns    []net.PacketConn // at most one for each of IPv4 and IPv6; a *net.UDPConn must not be wrapped

	// Spare opens one more IPv4 socket, on any port, which the endpoint closes.
	// Nil: there are none.
	Spare func() (net.PacketConn, error)

	// Listeners accept links by TCP, best at the numbers of the Conns' ports;
	// Run closes them. DialTCP dials; nil: as usual, beyond our own networks
	// through the proxy that HTTPS_PROXY names. Without either, there is no TCP.
	Listeners []net.Listener
	DialTCP   func(context.Context, netip.AddrPort) (net.Conn, error)

	Manager   Manager
	Protocols []string // of streams that AcceptStream understands; others are reset
	Log       *slog.Logger
}

// An Endpoint is this device on the network: it keeps a link to each paired
// peer that can be reached, the best there is.
type Endpoint struct {
	config  Config
	id      PeerID
	start   [8]byte // differs between two runs of a program
	door    *door
	turns   *turns
	tcp     *tcpDoor
	pairing *pairing
	checker *checker
	servers *servers
	outside *outside
	spare   spare
	done    chan struct{} // closed when Run ends

	mu      sync.Mutex
	run     *run // nil unless Run runs
	ran     bool
	network network
	mapped  []netip.AddrPort // never changed in place
	peers   map[PeerID]*peer
}

// run is what exists only while Run runs.
type run struct {
	ctx     context.Context // of Run; here because Run owns all that use it
	wg      sync.WaitGroup
	sockets []*socket
	cert    tls.Certificate
	called  *tls.Config // of the side that is called

	resetKey quic.StatelessResetKey
}

// peer is what an endpoint knows of a peer; under the endpoint's mu.
type peer struct {
	id         PeerID
	limit      *rate.Limiter // dials
	candidates candidates
	discovered bool          // PeerDiscovered was called, PeerExpired was not
	link       *link         // the primary one
	links      []*link       // all of them
	named      *link         // by the leader
	bulk       []*link       // beside the primary one, for much data
	bulking    bool          // bulk runs
	upgrade    time.Time     // no look for a better link before, unless urgent
	up         bool          // PeerConnected was called, PeerDisconnected was not
	clock      uint64        // largest number of a connection
	revision   uint64        // counts unpairings
	greeting   int           // accepted connections before HELLO
	hold       time.Time     // no dial before: another link is expected
	urgent     bool          // dial without back-off
	wakes      uint64        // counts wake-ups
	wake       chan struct{} // tells tend to look again
	changed    chan struct{} // closed and replaced at each change
	cancelDial context.CancelFunc
	kept       bool // it was paired once: its clock and revision count
	checks     checks
	seen       seen    // us, by the peer's answers to checks
	mapping    Mapping // as the peer said over the last link
}

// errNotPaired reports a peer without a record that allows a link.
var errNotPaired = errors.New("not paired")

// New returns an endpoint. It starts nothing: see [Endpoint.Run].
func New(c Config) *Endpoint {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	e := &Endpoint{
		config:  c,
		id:      c.Identity.ID(),
		turns:   newTurns(),
		tcp:     newTCPDoor(),
		checker: newChecker(),
		servers: newServers(),
		outside: newOutside(),
		done:    make(chan struct{}),
		peers:   make(map[PeerID]*peer),
	}
	e.spare.open = c.Spare
	rand.Read(e.start[:]) // never fails
	e.door = newDoor(e.id)
	e.network = newNetwork(e.socketAddrs(), nil, nil)
	e.pairing = newPairing(e)
	return e
}

// Run listens, dials and serves links until ctx is done. When it returns, no
// goroutine is left and no hook is called any more. It can run once.
func (e *Endpoint) Run(ctx context.Context) error {
	defer close(e.done)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r, err := e.newRun(ctx)
	if err != nil {
		return err
	}
	sockets, err := r.listen(e.config.Conns)
	r.sockets = sockets
	defer e.spare.close()
	defer func() {
		for _, s := range sockets {
			s.close()
		}
	}()
	if err != nil {
		return err
	}

	e.mu.Lock()
	if e.ran {
		e.mu.Unlock()
		return errors.New("run endpoint: it ran before")
	}
	e.run, e.ran = r, true
	for _, p := range e.peers {
		r.wg.Go(func() { e.tend(ctx, p) })
		r.wg.Go(func() { e.check(ctx, p) })
	}
	e.mu.Unlock()
	e.turns.start()
	r.wg.Go(func() { e.pairing.run(ctx) })
	for _, s := range sockets {
		r.wg.Go(func() { cancel(e.accept(ctx, s)) })
		r.wg.Go(func() { e.readSTUN(ctx, s) })
	}
	for _, ln := range e.config.Listeners {
		r.wg.Go(func() { e.acceptTCP(ctx, r, ln) })
	}
	r.wg.Go(func() { e.askAddresses(ctx) })

	<-ctx.Done()
	e.mu.Lock()
	e.run = nil
	e.mu.Unlock()
	r.wg.Wait()
	e.turns.finish()
	return context.Cause(ctx)
}

// SetAddresses says where this device can be reached, and which networks are
// its own: where none are given, the /24 or /64 of each host address. A change
// works like [Endpoint.Wake].
func (e *Endpoint) SetAddresses(own []Candidate, networks ...netip.Prefix) {
	own = slices.Clone(own)
	for i := range own {
		own[i].Peer, own[i].Addr = e.id, unmap(own[i].Addr)
	}
	e.mu.Lock()
	same := slices.EqualFunc(own, e.network.own, func(a, b Candidate) bool { return a.Addr == b.Addr })
	e.network = newNetwork(e.socketAddrs(), own, networks)
	if !same {
		for _, p := range e.peers {
			for _, k := range p.candidates {
				k.tries, k.byTCP, k.probes = 0, 0, 0 // another network may be ours now
			}
		}
	}
	e.mu.Unlock()
	if !same {
		e.outside.moved()
		e.Wake()
	}
}

// Announcement returns what others need to reach this device: the addresses
// that [Endpoint.SetAddresses] told and those of [Endpoint.Reflexive]. It asks
// Manager.Metadata.
func (e *Endpoint) Announcement() Announcement {
	e.mu.Lock()
	own := slices.Clone(e.network.own)
	e.mu.Unlock()
	own = append(own, e.Reflexive()...)
	return Announcement{Peer: e.id, Candidates: own, Metadata: e.config.Manager.Metadata()}
}

// AddCandidate notes where a peer might be and dials it if it is paired and
// has no link. The error says why the candidate is not used. It asks
// Manager.Record.
func (e *Endpoint) AddCandidate(c Candidate, m Metadata) error {
	c.Addr = unmap(c.Addr)
	if c.Peer == e.id {
		return fmt.Errorf("%w: own id", errCandidate)
	}
	r, _ := e.config.Manager.Record(c.Peer)
	now := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.network.usable(c.Addr); err != nil {
		return err
	}
	if !c.Expires.IsZero() && !now.Before(c.Expires) {
		return fmt.Errorf("%w: it expired", errCandidate)
	}
	if r.State == NotPaired && e.peers[c.Peer] == nil && e.strangers() >= maxStrangers {
		return fmt.Errorf("%w: too many peers that are not paired", errCandidate)
	}
	p := e.peerLocked(c.Peer)
	p.kept = p.kept || r.State != NotPaired
	p.checks.setPairwise(r.Pairwise, e.id, p.id)
	if p.candidates.add(c, now) {
		p.urgent = true
		p.checks.offered(now)
	}
	if !p.discovered {
		p.discovered = true
		e.turns.add(c.Peer, func() { e.config.Manager.PeerDiscovered(c.Peer, m) })
	}
	p.notify()
	return nil
}

// Open opens a stream for a protocol to a paired peer. It waits for a link
// until ctx is done.
func (e *Endpoint) Open(ctx context.Context, id PeerID, protocol string) (Stream, error) {
	s, _, err := e.openOn(ctx, id, protocol, func(p *peer) *link { return p.link })
	if err != nil {
		return nil, err
	}
	return s, nil
}

// openOn opens a stream on a link that is chosen among those of a peer.
func (e *Endpoint) openOn(ctx context.Context, id PeerID, protocol string, choose func(*peer) *link) (linkStream, *link, error) {
	for {
		e.mu.Lock()
		p := e.peerLocked(id)
		l, changed := choose(p), p.changed
		e.mu.Unlock()
		if l != nil {
			s, err := l.open(ctx, protocol)
			if err == nil {
				return s, l, nil
			}
			if l.conn.err() == nil {
				return linkStream{}, nil, fmt.Errorf("open %s to %s: %w", protocol, id.Short(), err)
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return linkStream{}, nil, fmt.Errorf("open %s to %s: %w", protocol, id.Short(), ctx.Err())
		case <-e.done:
			return linkStream{}, nil, fmt.Errorf("open %s to %s: %w", protocol, id.Short(), net.ErrClosed)
		}
	}
}

// Links returns the primary link to each peer.
func (e *Endpoint) Links() []Link {
	e.mu.Lock()
	defer e.mu.Unlock()
	var list []Link
	for _, p := range e.peers {
		if p.link != nil {
			list = append(list, p.link.describe())
		}
	}
	slices.SortFunc(list, func(a, b Link) int { return slices.Compare(a.Peer[:], b.Peer[:]) })
	return list
}

// Link returns the primary link to a peer.
func (e *Endpoint) Link(id PeerID) (Link, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.peers[id]; p != nil && p.link != nil {
		return p.link.describe(), true
	}
	return Link{}, false
}

// Unpair ends what concerns a peer whose record the application has deleted:
// its link is closed as revoked and its addresses are forgotten.
func (e *Endpoint) Unpair(id PeerID) {
	e.mu.Lock()
	p := e.peers[id]
	if p == nil {
		e.mu.Unlock()
		return
	}
	p.revision++
	p.candidates, p.discovered = nil, false
	p.checks.setPairwise(Secret{}, e.id, p.id)
	if p.cancelDial != nil {
		p.cancelDial()
	}
	links := slices.Concat(p.links, p.bulk)
	p.notify()
	e.mu.Unlock()
	for _, l := range links {
		l.close(CloseRevoked)
	}
}

// Wake tells that the network changed or a user waits: links are tried and
// peers without one dialled at once.
func (e *Endpoint) Wake() {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	e.servers.wakeUp()
	for _, p := range e.peers {
		p.urgent = true
		p.wakes++
		p.checks.offered(now)
		p.notify()
		for _, l := range slices.Concat(p.links, p.bulk) {
			if r := e.run; r != nil {
				r.wg.Go(func() { l.probe(r.ctx) })
			}
		}
	}
}

// kick tells that a peer's record changed: it is dialled at once if it may be.
func (e *Endpoint) kick(id PeerID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.peerLocked(id)
	p.urgent = true
	p.checks.offered(time.Now())
	p.notify()
}

// news returns a channel that is closed when something about a peer changes
// next: a candidate, a link, a wake-up.
func (e *Endpoint) news(id PeerID) <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.peerLocked(id).changed
}

// record asks the manager for a peer's record; none while Run does not run.
func (e *Endpoint) record(id PeerID) (r Record, ok bool) {
	e.turns.now(func() { r, ok = e.config.Manager.Record(id) })
	return r, ok && r.State != NotPaired
}

// promote makes a record paired because the peer said HELLO: so it has its
// half. It fails where there is no record.
func (e *Endpoint) promote(ctx context.Context, id PeerID) error {
	r, ok := e.record(id)
	if !ok {
		return errNotPaired
	}
	if r.State == Paired || r.State == Unconfirmed && r.Again {
		return nil // a HELLO does not say which of two pairings it stems from
	}
	var err error
	turn := e.turns.do(ctx, id, func() {
		m := e.config.Manager
		if r, ok = m.Record(id); !ok || r.State == NotPaired {
			err = errNotPaired
			return
		}
		first := r.State == Pending
		if r.State == Paired {
			return
		}
		if r.Again {
			if first {
				err = errNotPaired // STATUS settles it
			}
			return
		}
		r.State = Paired
		if err = m.PairingSave(ctx, r); err == nil && first {
			m.PeerPaired(r)
		}
	})
	return errors.Join(turn, err)
}

// peerLocked returns the entry of a peer, made if there is none.
func (e *Endpoint) peerLocked(id PeerID) *peer {
	p := e.peers[id]
	if p == nil {
		p = &peer{
			id: id, limit: rate.NewLimiter(dialsPerSecond, dialsPerSecond),
			wake: make(chan struct{}, 1), changed: make(chan struct{}),
			checks: checks{wake: make(chan struct{}, 1), spare: e.config.Spare != nil},
		}
		e.peers[id] = p
		if e.run != nil {
			r := e.run
			r.wg.Go(func() { e.tend(r.ctx, p) })
			r.wg.Go(func() { e.check(r.ctx, p) })
		}
	}
	return p
}

func (e *Endpoint) strangers() int {
	n := 0
	for _, p := range e.peers {
		if !p.kept {
			n++
		}
	}
	return n
}

// notify tells everyone who waits for a change of this peer.
func (p *peer) notify() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
	close(p.changed)
	p.changed = make(chan struct{})
}

// socketAddrs returns the local addresses of the given sockets.
func (e *Endpoint) socketAddrs() []netip.Addr {
	var list []netip.Addr
	for _, c := range e.config.Conns {
		list = append(list, addrPortOf(c.LocalAddr()).Addr())
	}
	return list
}

func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
