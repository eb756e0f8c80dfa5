package p2p

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go/testutils/simnet"
)

// natTimeout is how long a router remembers a flow that nothing goes through.
const natTimeout = 30 * time.Second

// nat is a router that translates addresses, as Linux does: an inside address
// keeps its port where that is free.
type nat struct {
	public    netip.Addr
	dependent bool // another port for each remote address and port ("symmetric")
	filter    filter
	open      bool // what nobody asked for is delivered to the router itself, which then takes that flow for its own
	hairpin   bool
	forward   netip.AddrPort // gets all that comes to its port
	outer     *nat           // of the carrier; its inside address is public

	ports  map[natKey]uint16         // outside port by inside address, and remote where dependent
	inside map[uint16]netip.AddrPort // by outside port
	flows  map[natFlow]time.Time     // until when
	own    map[natFlow]time.Time     // the router's
	next   uint16
}

// filter is who may answer to a mapping, in the words of RFC 4787 §5.
type filter int

const (
	addressAndPort filter = iota
	addressOnly
	anybody
)

type natKey struct{ inside, remote netip.AddrPort }

type natFlow struct {
	port   uint16
	remote netip.AddrPort
}

func (n *nat) init() {
	if n.ports == nil {
		n.ports, n.inside = map[natKey]uint16{}, map[uint16]netip.AddrPort{}
		n.flows, n.own = map[natFlow]time.Time{}, map[natFlow]time.Time{}
		n.next = 50000
	}
}

// out translates the source of a packet that leaves.
func (n *nat) out(from, to netip.AddrPort, now time.Time) netip.AddrPort {
	n.init()
	key := natKey{inside: from}
	if n.dependent {
		key.remote = to
	}
	port, ok := n.ports[key]
	if !ok {
		port = from.Port()
		if _, taken := n.inside[port]; taken || n.dependent {
			n.next++
			port = n.next
		}
		n.ports[key] = port
	}
	if now.Before(n.own[natFlow{port, to}]) { // for as long as the flow lives
		special := natKey{from, to}
		if port, ok = n.ports[special]; !ok {
			n.next++
			port = n.next
			n.ports[special] = port
		}
	} else if p, ok := n.ports[natKey{from, to}]; ok && now.Before(n.flows[natFlow{p, to}]) {
		port = p
	}
	n.inside[port] = from
	n.flows[natFlow{port, to}] = now.Add(natTimeout)
	return netip.AddrPortFrom(n.public, port)
}

// in translates the destination of a packet that arrives; false: it is dropped.
func (n *nat) in(from, to netip.AddrPort, now time.Time) (netip.AddrPort, bool) {
	n.init()
	inside, mapped := n.inside[to.Port()]
	f := natFlow{to.Port(), from}
	if n.forward.Port() == to.Port() {
		n.ports[natKey{inside: n.forward}], n.inside[to.Port()] = to.Port(), n.forward
		n.flows[f] = now.Add(natTimeout)
		return n.forward, true
	}
	pass := now.Before(n.flows[f])
	for g, until := range n.flows {
		if g.port == to.Port() && now.Before(until) && (n.filter == anybody || n.filter == addressOnly && g.remote.Addr() == from.Addr()) {
			pass = true
		}
	}
	if mapped && pass {
		n.flows[f] = now.Add(natTimeout)
		return inside, true
	}
	if n.open {
		n.own[f] = now.Add(natTimeout)
	}
	return netip.AddrPort{}, false
}

// hopsBetween is how many routers that translate nothing are between any two
// that do, as a rule.
const hopsBetween = 5

// natWorld is an internet with routers before some hosts.
type natWorld struct {
	t  *testing.T
	mu sync.Mutex
	at map[netip.AddrPort]simnet.PacketReceiver
	by map[netip.Addr]*nat // the router a host is behind

	strangers map[netip.AddrPort]int // packets to addresses where nobody is
	checks    int                    // packets that are STUN
	cut       bool                   // nothing gets through
	between   int                    // routers that translate nothing, between two that do
}

func newNATWorld(t *testing.T) *natWorld {
	return &natWorld{t: t, at: map[netip.AddrPort]simnet.PacketReceiver{}, by: map[netip.Addr]*nat{}, strangers: map[netip.AddrPort]int{}, between: hopsBetween}
}

func (w *natWorld) AddNode(a net.Addr, r simnet.PacketReceiver) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at[addrPortOf(a)] = r
}

func (w *natWorld) SendPacket(p simnet.Packet) error { w.send(p, 64); return nil }

// send carries a packet as far as hops and routers let it.
func (w *natWorld) send(p simnet.Packet, hops int) {
	w.mu.Lock()
	from, to, now := addrPortOf(p.From), addrPortOf(p.To), time.Now()
	if len(p.Data) > 0 && p.Data[0]>>6 == 0 {
		w.checks++
	}
	if w.cut {
		w.mu.Unlock()
		return
	}
	local := w.by[from.Addr()]
	if to.Addr().IsPrivate() {
		if w.by[to.Addr()] != local {
			w.mu.Unlock()
			return // another home's network
		}
	} else {
		for n := local; n != nil; n = n.outer {
			if hops--; hops < 1 {
				w.mu.Unlock()
				return
			}
			if to.Addr() == n.public && !n.hairpin {
				w.mu.Unlock()
				return
			}
			from = n.out(from, to, now)
		}
		hops -= w.between
	}
	to, ok := w.deliver(from, to, now, hops)
	r := w.at[to]
	w.mu.Unlock()
	if ok && r != nil {
		r.RecvPacket(simnet.Packet{From: net.UDPAddrFromAddrPort(from), To: net.UDPAddrFromAddrPort(to), Data: p.Data})
	}
}

// deliver takes a packet through the routers of its destination.
func (w *natWorld) deliver(from, to netip.AddrPort, now time.Time, hops int) (netip.AddrPort, bool) {
	if hops < 1 {
		return to, false
	}
	for {
		n := w.router(to.Addr())
		if n == nil {
			if w.at[to] == nil {
				w.strangers[to]++
			}
			return to, true
		}
		var ok bool
		if to, ok = n.in(from, to, now); !ok {
			return to, false
		}
	}
}

// router returns the router that has an address outside.
func (w *natWorld) router(a netip.Addr) *nat {
	for _, n := range w.by {
		for ; n != nil; n = n.outer {
			if n.public == a {
				return n
			}
		}
	}
	return nil
}

// hopConn is a simulated connection whose packets can be limited in hops.
type hopConn struct {
	*simnet.SimConn
	w    *natWorld
	addr net.Addr
}

func (c *hopConn) WriteHops(b []byte, to netip.AddrPort, hops int) (int, error) {
	c.w.send(simnet.Packet{From: c.addr, To: net.UDPAddrFromAddrPort(to), Data: b}, hops)
	return len(b), nil
}

// node starts an endpoint behind a router; nil: none.
func (w *natWorld) node(n byte, addr string, behind *nat, app *application) *node {
	a := netip.MustParseAddrPort(addr)
	if behind != nil {
		w.by[a.Addr()] = behind
	}
	c := w.conn(a)
	spares := uint16(0)
	e := New(Config{
		Identity: testIdentity(n), Conns: []net.PacketConn{c}, Manager: app, Protocols: []string{"echo", "sink"},
		Spare: func() (net.PacketConn, error) {
			spares++
			return w.conn(netip.AddrPortFrom(a.Addr(), 30_000+spares)), nil
		},
	})
	d := &node{Endpoint: e, app: app, addr: a, conn: c, ended: make(chan struct{})}
	e.SetAddresses([]Candidate{{Addr: a, Kind: Host, Source: "lan"}})
	ctx, cancel := context.WithCancel(w.t.Context())
	d.stop = func() {
		cancel()
		<-d.ended
	}
	go func() {
		d.result = e.Run(ctx)
		close(d.ended)
	}()
	w.t.Cleanup(d.stop)
	return d
}

func (w *natWorld) conn(a netip.AddrPort) net.PacketConn {
	l := &simnet.SimulatedLink{Latency: 5 * time.Millisecond, UploadPacket: w}
	c := &hopConn{simnet.NewBlockingSimConn(net.UDPAddrFromAddrPort(a), l), w, net.UDPAddrFromAddrPort(a)}
	l.Start()
	w.AddNode(c.addr, l)
	w.t.Cleanup(func() {
		_ = c.Close()
		_ = l.Close()
	})
	return c
}

// seenAs returns where a node is seen from outside: its router, or its
// carrier's, and its own port.
func (w *natWorld) seenAs(d *node) netip.AddrPort {
	n := w.by[d.addr.Addr()]
	if n == nil {
		return d.addr
	}
	for n.outer != nil {
		n = n.outer
	}
	return netip.AddrPortFrom(n.public, d.addr.Port())
}

// letter gives a node what a letter of another says.
func (w *natWorld) letter(to, from *node) {
	_ = to.AddCandidate(Candidate{Peer: from.id, Addr: from.addr, Kind: Host, Source: "mail"}, Metadata{})
	if a := w.seenAs(from); a != from.addr {
		_ = to.AddCandidate(Candidate{Peer: from.id, Addr: a, Kind: Reflexive, Source: "mail"}, Metadata{})
	}
}
