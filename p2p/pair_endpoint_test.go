package p2p

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"
)

// pairNode is an endpoint of a device that pairs, on a simulated network.
type pairNode struct {
	*Endpoint
	device *pairDevice
	addr   netip.AddrPort
	events chan string
}

func newPairNode(t *testing.T, w *world, n byte, addr string) *pairNode {
	t.Helper()
	id := testIdentity(n)
	d := &pairDevice{name: nameOf(id.ID()), identity: id, dead: make(chan struct{})}
	d.disk = &pairDisk{records: make(map[[32]byte]Record), invitations: make(map[Token]*pairInvitation)}
	p := &pairNode{device: d, addr: netip.MustParseAddrPort(addr), events: make(chan string, 64)}
	p.Endpoint = New(Config{Identity: id, Conns: []net.PacketConn{w.conn(p.addr)}, Manager: &pairProgram{device: d, dead: d.dead, connected: p.events}})
	p.SetAddresses([]Candidate{{Addr: p.addr, Kind: Host, Source: "lan"}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		_ = p.Run(ctx)
		close(ended)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return p
}

func (p *pairNode) knows(t *testing.T, o *pairNode) {
	t.Helper()
	if err := p.AddCandidate(Candidate{Peer: o.id, Addr: o.addr, Kind: Host, Source: "mail"}, Metadata{}); err != nil {
		t.Fatal(err)
	}
}

func (p *pairNode) linked(t *testing.T) {
	t.Helper()
	select {
	case <-p.events:
	case <-time.After(time.Minute):
		t.Errorf("%s has no link a minute after pairing", p.device.name)
	}
}

func TestEndpointsPairAndLink(t *testing.T) {
	for _, dialler := range []string{"answerer", "inviter"} {
		t.Run(dialler, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				a := newPairNode(t, w, 1, "10.0.0.1:4001")
				b := newPairNode(t, w, 2, "10.0.0.2:4002")
				inv := a.device.invite(1, ViaWords)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if dialler == "answerer" {
					b.knows(t, a)
				} else {
					go func() { _ = a.PairDial(ctx, b.id, inv.Token) }()
					time.Sleep(time.Second)
					a.knows(t, b)
				}
				start := time.Now()
				if r, err := b.Pair(ctx, inv); err != nil || r.State != Paired {
					t.Fatalf("Pair = %+v, %v", r, err)
				}
				if took := time.Since(start); took > 2*time.Second {
					t.Errorf("pairing took %v", took)
				}
				a.linked(t)
				b.linked(t)
				agree(t, a.device, b.device)
			})
		})
	}
}

func TestEndpointPairsWithNobodyElse(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := newPairNode(t, w, 1, "10.0.0.1:4001")
		b := newPairNode(t, w, 2, "10.0.0.2:4002")
		c := newPairNode(t, w, 3, "10.0.0.3:4003")
		inv := a.device.invite(1, ViaLink)
		if err := b.AddCandidate(Candidate{Peer: a.id, Addr: c.addr, Kind: Host, Source: "mail"}, Metadata{}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := b.Pair(ctx, inv); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Pair with another key at the address = %v, want %v", err, context.DeadlineExceeded)
		}
	})
}

func TestPairEndsWithRun(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id := testIdentity(1)
		d := &pairDevice{name: "a", identity: id, dead: make(chan struct{})}
		d.disk = &pairDisk{records: make(map[[32]byte]Record), invitations: make(map[Token]*pairInvitation)}
		e := New(Config{Identity: id, Conns: []net.PacketConn{w.conn(netip.MustParseAddrPort("10.0.0.1:4001"))}, Manager: &pairProgram{device: d, dead: d.dead}})
		ctx, cancel := context.WithCancel(t.Context())
		paired := make(chan error, 1)
		go func() {
			_, err := e.Pair(t.Context(), Invitation{Peer: PeerID{9}, Expires: time.Now().Add(time.Hour)})
			paired <- err
		}()
		ran := make(chan error, 1)
		go func() { ran <- e.Run(ctx) }()
		time.Sleep(time.Second)
		cancel()
		<-ran
		if err := <-paired; err == nil {
			t.Error("Pair = nil after Run ended")
		}
		if _, err := e.Pair(t.Context(), Invitation{Peer: PeerID{9}, Expires: time.Now().Add(time.Hour)}); err == nil {
			t.Error("Pair after Run ended = nil")
		}
	})
}

func TestInvitationOfThisDevice(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		anna := w.add("anna")
		_, err := anna.pair(t.Context(), anna.invite(1, ViaLink))
		if e, ok := errors.AsType[*PairingError](err); !ok || e.Code != PairingRefused {
			t.Errorf("pair with itself = %v, want refused", err)
		}
	})
}
