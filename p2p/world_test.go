package p2p

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/testutils/simnet"
)

// world is a simulated network in a bubble of simulated time.
type world struct {
	t  *testing.T
	mu sync.Mutex
	at map[netip.AddrPort]simnet.PacketReceiver
	// moved maps an address to the one that the network shows instead.
	moved map[netip.AddrPort]netip.AddrPort
	cut   map[netip.AddrPort]bool
	loss  func() bool   // of a packet; nil: none
	delay time.Duration // of each packet; 0: 5 ms

	listeners map[netip.AddrPort]*pipeListener // of TCP
	firewall  map[netip.AddrPort]bool          // no UDP to or from there
	pipes     []pipeEnd                        // each connection, once for each side
}

func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		test(t, newWorld(t))
	})
}

func newWorld(t *testing.T) *world {
	return &world{
		t: t, at: map[netip.AddrPort]simnet.PacketReceiver{},
		moved: map[netip.AddrPort]netip.AddrPort{}, cut: map[netip.AddrPort]bool{},
	}
}

func (w *world) AddNode(a net.Addr, r simnet.PacketReceiver) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at[addrPortOf(a)] = r
}

func (w *world) SendPacket(p simnet.Packet) error {
	w.mu.Lock()
	from, to := addrPortOf(p.From), addrPortOf(p.To)
	if m, ok := w.moved[from]; ok {
		p.From = net.UDPAddrFromAddrPort(m)
	}
	_, gone := w.moved[to]
	for old, now := range w.moved {
		if now == to {
			to, gone = old, false
		}
	}
	r := w.at[to]
	lost := w.loss != nil && w.loss() || gone || w.cut[from] || w.cut[to] || w.firewall[from] || w.firewall[to]
	w.mu.Unlock()
	if r != nil && !lost {
		r.RecvPacket(p)
	}
	return nil
}

// move gives a node another address without its knowing, as a NAT does.
func (w *world) move(from, to netip.AddrPort) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.moved[from] = to
	w.cutPipes(from)
}

// unplug loses all packets of an address from now on.
func (w *world) unplug(a netip.AddrPort, off bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut[a] = off
	if off {
		w.cutPipes(a)
	}
}

func (w *world) conn(addr netip.AddrPort) net.PacketConn {
	l := &simnet.SimulatedLink{Latency: cmp.Or(w.delay, 5*time.Millisecond), UploadPacket: w}
	c := simnet.NewBlockingSimConn(net.UDPAddrFromAddrPort(addr), l)
	l.Start()
	w.AddNode(net.UDPAddrFromAddrPort(addr), l) // packets may come from now on
	w.t.Cleanup(func() {
		_ = c.Close()
		_ = l.Close()
	})
	return c
}

// node is an endpoint with the application behind it.
type node struct {
	*Endpoint
	app    *application
	addr   netip.AddrPort
	conn   net.PacketConn
	stop   context.CancelFunc
	ended  chan struct{}
	result error
}

// node starts an endpoint with the identity n at an address.
func (w *world) node(n byte, addr string, app *application) *node {
	a := netip.MustParseAddrPort(addr)
	c := w.conn(a)
	config := Config{Identity: testIdentity(n), Conns: []net.PacketConn{c}, Manager: app, Protocols: []string{"echo", "sink"}}
	if w.listeners != nil {
		config.Listeners, config.DialTCP = []net.Listener{w.listen(a)}, w.tcpFrom(a)
	}
	e := New(config)
	d := &node{Endpoint: e, app: app, addr: a, conn: c, ended: make(chan struct{})}
	e.SetAddresses([]Candidate{{Addr: a, Kind: Host, Source: "lan"}})
	ctx, cancel := context.WithCancel(w.t.Context())
	d.stop = func() {
		cancel()
		<-d.ended
		_ = c.Close()
	}
	go func() {
		d.result = e.Run(ctx)
		close(d.ended)
	}()
	w.t.Cleanup(d.stop)
	return d
}

// knows gives d the address of another node.
func (d *node) knows(o *node) {
	_ = d.AddCandidate(Candidate{Peer: o.id, Addr: o.addr, Kind: Host, Source: "lan"}, Metadata{})
}

// application is a Manager that remembers records and what it was told.
type application struct {
	mu      sync.Mutex
	records map[PeerID]Record
	events  []string

	invitations map[Token]PairingKeys

	fault   error         // of PairingSave, after a second
	pause   time.Duration // that PeerConnected takes
	handler func(context.Context, Stream)
}

// paired returns an application that is paired with the identities given.
func paired(with ...byte) *application {
	a := &application{records: map[PeerID]Record{}}
	for _, n := range with {
		id := testIdentity(n)
		a.records[id.ID()] = Record{Peer: id.ID(), Public: id.Public(), Static: id.Static(), State: Paired}
	}
	return a
}

func (a *application) tell(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.events = append(a.events, fmt.Sprintf(format, args...))
}

// log returns what the application was told so far.
func (a *application) log() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.events)
}

func (a *application) set(n byte, s PairingState) {
	a.mu.Lock()
	defer a.mu.Unlock()
	id := testIdentity(n).ID()
	if s == NotPaired {
		delete(a.records, id)
		return
	}
	a.records[id] = Record{Peer: id, State: s}
}

func (a *application) state(n byte) PairingState {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.records[testIdentity(n).ID()].State
}

func (a *application) Metadata() Metadata {
	return Metadata{Name: "test", Version: "1.2", Features: []string{"a"}}
}

func (a *application) Record(id PeerID) (Record, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.records[id]
	return r, ok
}

func (a *application) PeerDiscovered(id PeerID, _ Metadata) { a.tell("discovered %s", nameOf(id)) }
func (a *application) PeerExpired(id PeerID)                { a.tell("expired %s", nameOf(id)) }
func (a *application) PeerPaired(r Record)                  { a.tell("paired %s", nameOf(r.Peer)) }
func (a *application) PeerPairedRollback(Record)            {}
func (a *application) PeerConnected(id PeerID) {
	<-time.After(a.pause)
	a.tell("connected %s", nameOf(id))
}

func (a *application) PeerDisconnected(id PeerID, err error) {
	a.tell("disconnected %s: %v", nameOf(id), err)
}

func (a *application) PairingKeys(t Token) (PairingKeys, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	k, ok := a.invitations[t]
	if !ok {
		return PairingKeys{}, &PairingError{Code: PairingUsed}
	}
	return k, nil
}

func (a *application) PairingWrong(Token)                                       {}
func (a *application) PeerPairingRequest(context.Context, PairingRequest) error { return nil }

func (a *application) PairingSave(_ context.Context, r Record) error {
	a.tell("saved %s %d", nameOf(r.Peer), r.State)
	a.mu.Lock()
	fault := a.fault
	a.mu.Unlock()
	if fault != nil {
		<-time.After(time.Second)
		return fault
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.records[r.Peer] = r
	delete(a.invitations, r.Token)
	return nil
}

func (a *application) PairingStatus(id PeerID, t [32]byte) (Record, bool) {
	r, ok := a.Record(id)
	return r, ok && r.T == t
}

// AcceptStream sends back what it reads.
func (a *application) AcceptStream(ctx context.Context, _ PeerID, protocol string, s Stream) {
	if a.handler != nil {
		a.handler(ctx, s)
		return
	}
	if protocol == "sink" {
		_, _ = io.Copy(io.Discard, s)
		return
	}
	_, _ = io.Copy(s, s)
}

// nameOf returns the number of a test identity as a letter: A for 1.
func nameOf(id PeerID) string {
	for n := byte(1); n < 9; n++ {
		if testIdentity(n).ID() == id {
			return string('A' - 1 + rune(n))
		}
	}
	return id.Short()
}

// echo sends text over a new stream and returns what came back. As any user
// of streams must, it begins again when the link was replaced.
func (d *node) echo(t *testing.T, to *node, text string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	for {
		got, err := d.echoOnce(ctx, to, text)
		if err == nil {
			return got
		}
		if _, ok := errors.AsType[*CloseError](err); !ok {
			t.Fatalf("echo to %s = %v, events here %q, there %q", nameOf(to.id), err, d.app.log(), to.app.log())
		}
	}
}

func (d *node) echoOnce(ctx context.Context, to *node, text string) (string, error) {
	s, err := d.Open(ctx, to.id, "echo")
	if err != nil {
		return "", err
	}
	defer func() { _ = s.Close() }()
	if _, err := s.Write([]byte(text)); err != nil {
		return "", err
	}
	if err := s.CloseWrite(); err != nil {
		return "", err
	}
	b, err := io.ReadAll(s)
	return string(b), err
}

// links returns for how many peers a node has a link, after all is quiet.
func (d *node) links() []string {
	var names []string
	for _, l := range d.Links() {
		names = append(names, nameOf(l.Peer))
	}
	slices.Sort(names)
	return names
}

// pass lets simulated time go by.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// caller is a bare QUIC socket: what a stranger, or a hostile peer, has.
type caller struct{ *quic.Transport }

func (w *world) caller(addr string) caller {
	c := w.conn(netip.MustParseAddrPort(addr))
	tr := &quic.Transport{Conn: c}
	w.t.Cleanup(func() { _ = tr.Close() })
	return caller{tr}
}

// call dials and waits for the end of the handshake on both sides as well as
// can be told: a refusal of the client's certificate comes later.
func (c caller) call(t *testing.T, to netip.AddrPort, config *tls.Config) (*quic.Conn, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return c.Dial(ctx, net.UDPAddrFromAddrPort(to), config, quicConfig())
}

// as dials a node in the name of an identity.
func (c caller) as(t *testing.T, n byte, to *node, alpn string) *quic.Conn {
	t.Helper()
	cert, err := certificate(testIdentity(n))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := c.call(t, to.addr, dialTLS(cert, to.id, alpn, time.Now()))
	if err != nil {
		t.Fatalf("call %s = %v", nameOf(to.id), err)
	}
	return conn
}
