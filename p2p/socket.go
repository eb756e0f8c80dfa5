package p2p

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"golang.org/x/time/rate"

	"foldpost/p2p/wire"
)

// Limits of a connection.
const (
	maxStreams       = 128 // that a peer may have open at the same time
	handshakeTimeout = 5 * time.Second
	idleTimeout      = 30 * time.Second
	keepAlive        = 10 * time.Second // by pings of ours

	handshakesPerSecond = 50 // beyond these a caller must first show that its address is its own
	maxGreeting         = 8  // accepted connections of one peer before HELLO
)

// socket is one UDP socket with its QUIC transport.
type socket struct {
	ip4       bool
	spare     bool
	relayed   bool // a server relays to it
	conns     atomic.Int64
	cert      tls.Certificate
	transport *quic.Transport
	listener  *quic.Listener
}

// pairingKeepAlive holds a pairing link while a person is asked. Links have
// PINGs of their own, more often.
const pairingKeepAlive = 15 * time.Second

func quicConfig() *quic.Config {
	return &quic.Config{
		HandshakeIdleTimeout:           handshakeTimeout,
		MaxIdleTimeout:                 idleTimeout,
		KeepAlivePeriod:                pairingKeepAlive,
		InitialStreamReceiveWindow:     512 << 10,
		MaxStreamReceiveWindow:         16 << 20,
		InitialConnectionReceiveWindow: 768 << 10, // all that a stranger who pairs can make us hold, beside 128 datagrams
		MaxConnectionReceiveWindow:     32 << 20,
		MaxIncomingStreams:             maxStreams,
		MaxIncomingUniStreams:          -1,
		EnableDatagrams:                true,
	}
}

// newRun makes what exists while Run runs. It starts nothing.
func (e *Endpoint) newRun(ctx context.Context) (*run, error) {
	cert, err := certificate(e.config.Identity)
	if err != nil {
		return nil, err
	}
	policy := listenPolicy{
		door:   e.door,
		onLink: func(a netip.Addr) bool { return e.networkNow().onLink(a) },
		nearby: e.pairing.nearby.isOpen,
		linked: func(id PeerID) bool { _, ok := e.record(id); return ok },
	}
	return &run{ctx: ctx, cert: cert, called: listenTLS(cert, policy), resetKey: resetKey(e.config.Identity)}, nil
}

// listen opens a listener on each of the given sockets. Those it returns want
// to be closed, also beside an error.
func (r *run) listen(conns []net.PacketConn) ([]*socket, error) {
	flood := rate.NewLimiter(handshakesPerSecond, 2*handshakesPerSecond)
	var list []*socket
	for _, c := range conns {
		s := &socket{
			ip4:  addrPortOf(c.LocalAddr()).Addr().Is4(),
			cert: r.cert,
			transport: &quic.Transport{
				Conn:                c,
				ConnectionIDLength:  8,
				StatelessResetKey:   &r.resetKey,
				VerifySourceAddress: func(net.Addr) bool { return !flood.Allow() },
			},
		}
		var err error
		if s.listener, err = s.transport.Listen(r.called, quicConfig()); err != nil {
			return list, fmt.Errorf("listen on %s: %w", c.LocalAddr(), err)
		}
		list = append(list, s)
	}
	return list, nil
}

// resetKey is the same after a restart, so that peers learn at once that their
// connections to the run before are gone.
func resetKey(id *Identity) quic.StatelessResetKey {
	k, err := hkdf.Expand(sha256.New, id.key.Seed(), wire.Name+"/1 reset", sha256.Size)
	if err != nil {
		panic(err) // the length is a constant that HKDF allows
	}
	return quic.StatelessResetKey(k)
}

func (s *socket) close() {
	_ = s.listener.Close()
	_ = s.transport.Close() // the socket itself is the application's
}

// dial makes one connection to a peer at an address, or none.
func (s *socket) dial(ctx context.Context, addr netip.AddrPort, peer PeerID, alpn string) (carrier, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	config := quicConfig()
	if alpn == alpnPair {
		config.MaxIncomingStreams = 1
	}
	c, err := s.transport.Dial(ctx, net.UDPAddrFromAddrPort(addr), dialTLS(s.cert, peer, alpn, time.Now()), config)
	if err != nil {
		return nil, linkErr(err)
	}
	return s.count(c), nil
}

// count makes a connection known to its socket until it ends.
func (s *socket) count(c *quic.Conn) carrier {
	s.conns.Add(1)
	context.AfterFunc(c.Context(), func() { s.conns.Add(-1) })
	return quicCarrier{c, s.spare, s.relayed}
}

// accept serves the connections that others make to a socket until ctx is
// done, or the socket is.
func (e *Endpoint) accept(ctx context.Context, s *socket) error {
	for {
		c, err := s.listener.Accept(ctx)
		if err != nil {
			return fmt.Errorf("accept connections: %w", err)
		}
		from := addrPortOf(c.RemoteAddr()).Addr()
		asked := e.outside.wasAsked(from, time.Now())
		e.outside.answered(from, time.Now())
		e.mu.Lock()
		if r := e.run; r != nil {
			r.wg.Go(func() { e.serve(ctx, s.count(c), asked) })
		}
		e.mu.Unlock()
	}
}

// serve serves one accepted connection until it ends; asked tells whether its
// caller was sent something by UDP before.
func (e *Endpoint) serve(ctx context.Context, c carrier, asked bool) {
	cs := c.state()
	if cs.NegotiatedProtocol == alpnPair {
		p, err := newPairLink(c)
		if err == nil {
			e.servePair(ctx, p)
		}
		c.close(CloseCode(PairingCancelled)) // if it still lives
		return
	}
	key, err := publicKeyOf(cs)
	if err != nil {
		c.close(CloseNotPaired)
		return
	}
	id := PeerIDOf(key[:])
	if !e.enter(id) {
		c.close(CloseLimit)
		return
	}
	l, err := e.greet(ctx, c, id, 0)
	e.leave(id)
	if err != nil {
		e.config.Log.Debug("link refused", "peer", id.Short(), "err", err)
		return
	}
	if c.kind() == kindQUIC {
		e.heardOutside(c.remote().Addr(), asked)
	}
	e.keep(ctx, l)
}

// enter counts an accepted connection of a peer that has not said HELLO; false
// if it has too many.
func (e *Endpoint) enter(id PeerID) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.peerLocked(id)
	if p.greeting >= maxGreeting {
		return false
	}
	p.greeting++
	return true
}

func (e *Endpoint) leave(id PeerID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.peerLocked(id).greeting--
}

func (e *Endpoint) networkNow() network {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.network
}

// socketFor returns the socket to reach an address from, where asked for the
// spare one.
func (e *Endpoint) socketFor(a netip.Addr, spare bool) (*socket, error) {
	if spare {
		return e.spareSocket()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.run == nil {
		return nil, net.ErrClosed
	}
	for _, s := range e.run.sockets {
		if s.ip4 == a.Is4() {
			return s, nil
		}
	}
	return nil, errors.New("no socket of this family")
}
