package p2p

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestConnectAndTalk(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired(2))
		b := w.node(2, "10.0.0.2:4002", paired(1))
		a.knows(b)
		if got := a.echo(t, b, "hello"); got != "hello" {
			t.Errorf("echo = %q, want hello", got)
		}
		if got := b.echo(t, a, "back"); got != "back" {
			t.Errorf("echo = %q, want back", got)
		}
		l, ok := a.Link(b.id)
		if !ok || l.Addr != b.addr || l.Observed != a.addr || l.Metadata.Name != "test" || l.RTT == 0 || l.Offset != 0 {
			t.Errorf("Link = %+v, %v", l, ok)
		}
		want := []string{"discovered B", "connected B"}
		if got := a.app.log(); !slices.Equal(got, want) {
			t.Errorf("A was told %q, want %q", got, want)
		}
		b.stop()
		pass(time.Second)
		want = append(want, "disconnected B: link closed by the peer: going-away")
		if got := a.app.log(); !slices.Equal(got, want) {
			t.Errorf("A was told %q, want %q", got, want)
		}
	})
}

func TestTwoDialsAtOnceEndInOneLink(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired(2))
		b := w.node(2, "10.0.0.2:4002", paired(1))
		a.knows(b)
		b.knows(a)
		pass(10 * time.Second)
		a.echo(t, b, "x")
		b.echo(t, a, "x")
		for _, d := range []*node{a, b} {
			if got := d.app.log(); len(got) != 2 || !strings.HasPrefix(got[1], "connected") {
				t.Errorf("%s was told %q, want discovered and connected", nameOf(d.id), got)
			}
		}
		la, lb := a.peers[b.id].link, b.peers[a.id].link
		if la.dialled == lb.dialled || la.number != lb.number {
			t.Errorf("A keeps a link with dialled=%v number=%d, B one with dialled=%v number=%d: not the same one", la.dialled, la.number, lb.dialled, lb.number)
		}
	})
}

func TestRestart(t *testing.T) {
	for _, tt := range []struct {
		name   string
		addr   string // of B after the restart
		crash  bool   // without a word
		within time.Duration
	}{
		{"in order", "10.0.0.2:4002", false, 3 * time.Second},
		{"in order, at another address", "10.0.0.3:4444", false, 3 * time.Second},
		{"crash", "10.0.0.2:4002", true, 3 * time.Second},
		{"crash, at another address", "10.0.0.3:4444", true, 3 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				a := w.node(1, "10.0.0.1:4001", paired(2))
				b := w.node(2, "10.0.0.2:4002", paired(1))
				a.knows(b)
				a.echo(t, b, "before")
				pass(15 * time.Second)
				w.unplug(b.addr, tt.crash)
				b.stop()
				w.unplug(b.addr, false)
				began := time.Now()
				c := w.node(2, tt.addr, paired(1))
				c.knows(a) // as kept on disk
				c.echo(t, a, "after")
				if got := a.echo(t, c, "after"); got != "after" {
					t.Errorf("echo = %q, want after", got)
				}
				if took := time.Since(began); took > tt.within {
					t.Errorf("link after %v, want within %v", took, tt.within)
				}
				if l, _ := a.Link(c.id); l.Addr != c.addr {
					t.Errorf("A's link goes to %v, want %v", l.Addr, c.addr)
				}
				pass(time.Minute)
				log := a.app.log()
				if n := len(log); n != 4 || !strings.HasPrefix(log[2], "disconnected B") || log[3] != "connected B" {
					t.Errorf("A was told %q", log)
				}
			})
		})
	}
}

// A peer that lost its connections and all addresses says so to who still
// sends to it.
func TestCrashedPeerIsNoticedByItsReset(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired(2))
		b := w.node(2, "10.0.0.2:4002", paired(1))
		a.knows(b)
		a.echo(t, b, "before")
		w.unplug(b.addr, true)
		b.stop()
		w.unplug(b.addr, false)
		c := w.node(2, "10.0.0.2:4002", paired(1))
		pass(keepAlive + 2*time.Second)
		if got := c.links(); !slices.Equal(got, []string{"A"}) {
			t.Errorf("links after a keep-alive = %q, want A", got)
		}
	})
}

// Only who dialled is followed by QUIC itself to a new address.
func TestNewAddress(t *testing.T) {
	for _, tt := range []struct {
		name string
		who  int // 0: who dialled moves, 1: who was dialled
	}{{"of the dialler", 0}, {"of the dialled", 1}} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				nodes := []*node{w.node(1, "10.0.0.1:4001", paired(2)), w.node(2, "10.0.0.2:4002", paired(1))}
				a, b := nodes[0], nodes[1]
				a.knows(b)
				a.echo(t, b, "before")
				moving := nodes[tt.who]
				to := netip.MustParseAddrPort("10.9.0.9:9999")
				w.move(moving.addr, to)
				began := time.Now()
				moving.SetAddresses([]Candidate{{Addr: to, Kind: Host}})
				pass(5 * time.Second)
				if a.echo(t, b, "after") != "after" || b.echo(t, a, "after") != "after" {
					t.Error("no echo at the new address")
				}
				if took := time.Since(began); took > 8*time.Second {
					t.Errorf("link after %v", took)
				}
				if l, _ := nodes[1-tt.who].Link(moving.id); l.Addr != to {
					t.Errorf("the other side's link goes to %v, want %v", l.Addr, to)
				}
			})
		})
	}
}

func TestSilentPeerIsNoticed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired(2))
		b := w.node(2, "10.0.0.2:4002", paired(1))
		a.knows(b)
		a.echo(t, b, "x")
		w.unplug(b.addr, true)
		pass(time.Second)
		a.Wake()
		pass(probeTimeout + time.Second)
		if got := a.links(); len(got) != 0 {
			t.Errorf("links after Wake = %q, want none", got)
		}
		pass(time.Hour)
		w.unplug(b.addr, false)
		began := time.Now()
		a.echo(t, b, "x")
		if took := time.Since(began); took > 85*time.Second {
			t.Errorf("link after %v, want at most the longest back-off", took)
		}
	})
}

func TestAnotherKeyAtAnAddressIsAFailedCandidate(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired(2, 3))
		b := w.node(2, "10.0.0.2:4002", paired(1))
		c := w.node(3, "10.0.0.3:4003", paired(1))
		_ = a.AddCandidate(Candidate{Peer: b.id, Addr: c.addr, Kind: Host, Source: "mail"}, Metadata{})
		pass(10 * time.Second)
		if got, want := a.app.log(), []string{"discovered B"}; !slices.Equal(got, want) || len(c.app.log()) != 0 {
			t.Errorf("A was told %q, want %q; C was told %q, want nothing", got, want, c.app.log())
		}
		a.knows(b)
		a.echo(t, b, "x")
		if l, _ := a.Link(b.id); l.Addr != b.addr {
			t.Errorf("Link = %+v, want at %v", l, b.addr)
		}
	})
}

func TestUnpairedPeerGetsNoLink(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired(2))
		b := w.node(2, "10.0.0.2:4002", paired())
		a.knows(b)
		pass(30 * time.Second)
		if got, want := a.app.log(), []string{"discovered B"}; !slices.Equal(got, want) || len(b.app.log()) != 0 {
			t.Errorf("A was told %q, want %q; B was told %q, want nothing", got, want, b.app.log())
		}
		b.app.set(1, Paired)
		b.kick(a.id)
		a.echo(t, b, "now")
	})
}

func TestUnpair(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired(2))
		b := w.node(2, "10.0.0.2:4002", paired(1))
		a.knows(b)
		a.echo(t, b, "x")
		a.app.set(2, NotPaired)
		a.Unpair(b.id)
		pass(2 * time.Minute)
		if len(a.links()) != 0 || len(b.links()) != 0 {
			t.Errorf("links = %q and %q, want none", a.links(), b.links())
		}
		a.mu.Lock()
		if known := len(a.peers[b.id].candidates); known != 0 {
			t.Errorf("A still knows %d addresses of B", known)
		}
		a.mu.Unlock()
		want := []string{"connected A", "disconnected A: link closed by the peer: revoked"}
		if got := b.app.log(); !slices.Equal(got, want) {
			t.Errorf("B was told %q, want %q", got, want)
		}
		want = []string{"discovered B", "connected B", "disconnected B: link closed by this side: revoked"}
		if got := a.app.log(); !slices.Equal(got, want) {
			t.Errorf("A was told %q, want %q", got, want)
		}
	})
}

// A HELLO says that the peer has its half of the pairing on disk.
func TestHelloPromotes(t *testing.T) {
	for _, tt := range []struct {
		name string
		a, b PairingState
		logA []string
		logB []string
	}{
		{
			"the inviter dials", Unconfirmed, Pending,
			[]string{"discovered B", "saved B 3", "connected B"},
			[]string{"saved A 3", "paired A", "connected A"},
		},
		{
			"a pending answerer does not dial", Pending, Unconfirmed,
			[]string{"discovered B"},
			nil,
		},
		{
			"the answerer has promoted", Paired, Unconfirmed,
			[]string{"discovered B", "connected B"},
			[]string{"saved A 3", "connected A"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				a := w.node(1, "10.0.0.1:4001", paired())
				b := w.node(2, "10.0.0.2:4002", paired())
				a.app.set(2, tt.a)
				b.app.set(1, tt.b)
				a.knows(b)
				pass(5 * time.Second)
				if got := a.app.log(); !slices.Equal(got, tt.logA) {
					t.Errorf("A was told %q, want %q", got, tt.logA)
				}
				if got := b.app.log(); !slices.Equal(got, tt.logB) {
					t.Errorf("B was told %q, want %q", got, tt.logB)
				}
			})
		})
	}
}

func TestNoHelloBeforeTheRecordIsKept(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired())
		b := w.node(2, "10.0.0.2:4002", paired())
		a.app.set(2, Unconfirmed)
		b.app.set(1, Pending)
		b.app.fault = errors.New("disk full")
		a.knows(b)
		pass(5 * time.Second)
		if a.app.state(2) != Unconfirmed || len(a.links()) != 0 {
			t.Errorf("A has B as %v, links %q: it was promoted by a side that kept nothing", a.app.state(2), a.links())
		}
		b.app.mu.Lock()
		b.app.fault = nil
		b.app.mu.Unlock()
		a.echo(t, b, "x")
	})
}

func TestStreamsAreServedAfterPeerConnected(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired(2))
		b := w.node(2, "10.0.0.2:4002", paired(1))
		b.app.pause = time.Second
		b.app.handler = func(context.Context, Stream) { b.app.tell("stream") }
		a.knows(b)
		if _, err := a.Open(t.Context(), b.id, "echo"); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Second)
		if got, want := b.app.log(), []string{"connected A", "stream"}; !slices.Equal(got, want) {
			t.Errorf("B was told %q, want %q", got, want)
		}
	})
}

func TestStrangersTableIsBounded(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired(2))
		refused := 0
		for i := range byte(200) {
			c := Candidate{Peer: PeerID{i}, Addr: netip.MustParseAddrPort("10.0.0.9:4009"), Kind: Host, Source: "lan"}
			if err := a.AddCandidate(c, Metadata{}); errors.Is(err, errCandidate) {
				refused++
			}
		}
		if refused != 200-maxStrangers {
			t.Errorf("%d of 200 strangers refused, want %d", refused, 200-maxStrangers)
		}
		b := w.node(2, "10.0.0.2:4002", paired(1))
		a.knows(b)
		a.echo(t, b, "a paired peer always has room")
	})
}

func TestUnknownProtocolIsReset(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired(2))
		b := w.node(2, "10.0.0.2:4002", paired(1))
		a.knows(b)
		s, err := a.Open(t.Context(), b.id, "future/9")
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(s)
		if e, ok := errors.AsType[*StreamError](err); !ok || e.Code != StreamUnsupported || !e.Remote {
			t.Errorf("ReadAll = %v, want unsupported by the peer", err)
		}
		a.echo(t, b, "the link lives")
	})
}

func TestOpenEndsWithItsContextAndWithRun(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired(2))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := a.Open(ctx, testIdentity(2).ID(), "echo"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Open = %v, want deadline exceeded", err)
		}
		done := make(chan error)
		go func() {
			_, err := a.Open(t.Context(), testIdentity(2).ID(), "echo")
			done <- err
		}()
		a.stop()
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Open = %v, want closed", err)
		}
	})
}

func TestExpiry(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired())
		b := testIdentity(2).ID()
		c := Candidate{Peer: b, Addr: netip.MustParseAddrPort("10.0.0.2:4002"), Kind: Host, Source: "lan", Expires: time.Now().Add(time.Minute)}
		if err := a.AddCandidate(c, Metadata{}); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Minute)
		if got, want := a.app.log(), []string{"discovered B", "expired B"}; !slices.Equal(got, want) {
			t.Errorf("A was told %q, want %q", got, want)
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.peers[b] != nil {
			t.Error("an expired stranger is still in the table")
		}
	})
}

// An endpoint with a socket for each family dials each address from the right one.
func TestBothFamilies(t *testing.T) {
	for family := range 2 {
		var nodes [2]*Endpoint
		var addrs [2]netip.AddrPort
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		for i := range nodes {
			conns := []net.PacketConn{listenLoopback(t, "udp4", net.IPv4(127, 0, 0, 1)), listenLoopback(t, "udp6", net.IPv6loopback)}
			addrs[i] = addrPortOf(conns[family].LocalAddr())
			e := New(Config{Identity: testIdentity(byte(i + 1)), Conns: conns, Manager: paired(byte(2 - i)), Protocols: []string{"echo"}})
			nodes[i] = e
			go func() { ended <- e.Run(ctx) }()
		}
		if err := nodes[0].AddCandidate(Candidate{Peer: nodes[1].id, Addr: addrs[1], Kind: Host}, Metadata{}); err != nil {
			t.Fatal(err)
		}
		if _, err := nodes[0].Open(ctx, nodes[1].id, "echo"); err != nil {
			t.Fatal(err)
		}
		if l, _ := nodes[0].Link(nodes[1].id); l.Addr != addrs[1] || l.Observed != addrs[0] {
			t.Errorf("linked at %v seen as %v, want %v and %v", l.Addr, l.Observed, addrs[1], addrs[0])
		}
		cancel()
		<-ended
		<-ended
	}
}

func listenLoopback(t *testing.T, network string, ip net.IP) net.PacketConn {
	t.Helper()
	c, err := net.ListenUDP(network, &net.UDPAddr{IP: ip})
	if err != nil {
		t.Skipf("no %s here: %v", network, err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// All tests above end only when no goroutine of their bubble is left; this one
// uses real sockets.
func TestLoopbackLeavesNothingBehind(t *testing.T) {
	defer goleak.VerifyNone(t)
	start := func(n byte, app *application) (*Endpoint, netip.AddrPort, func()) {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		e := New(Config{Identity: testIdentity(n), Conns: []net.PacketConn{c}, Manager: app, Protocols: []string{"echo"}})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- e.Run(ctx) }()
		return e, addrPortOf(c.LocalAddr()), func() {
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("Run = %v, want canceled", err)
			}
			_ = c.Close()
		}
	}
	a, _, stopA := start(1, paired(2))
	b, addr, stopB := start(2, paired(1))
	if err := a.AddCandidate(Candidate{Peer: b.id, Addr: addr, Kind: Host}, Metadata{}); err != nil {
		t.Fatal(err)
	}
	s, err := a.Open(t.Context(), b.id, "echo")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	_ = s.CloseWrite()
	if got, err := io.ReadAll(s); err != nil || string(got) != "x" {
		t.Errorf("echo = %q, %v", got, err)
	}
	stopA()
	stopB()
}
