package p2p

import (
	"testing"
	"time"
)

// Where UDP is dead, TCP links, a moment after QUIC had its chance.
func TestTCPWhereUDPIsDead(t *testing.T) {
	inWorldTCP(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired(2))
		b := w.node(2, "10.0.0.2:4002", paired(1))
		w.blockUDP(b.addr, true)
		began := time.Now()
		a.knows(b)
		a.echo(t, b, "x")
		if took := time.Since(began); took < tcpHeadStart || took > 2*tcpHeadStart {
			t.Errorf("linked after %v, want soon after %v", took, tcpHeadStart)
		}
		b.echo(t, a, "x")
		if l, _ := a.Link(b.id); l.Kind != "tcp" || l.Addr != b.addr || !l.Reachable {
			t.Errorf("caller's Link = %+v, want tcp to %v", l, b.addr)
		}
		if l, _ := b.Link(a.id); l.Kind != "tcp" || l.Reachable {
			t.Errorf("called side's Link = %+v, want tcp from a passing port", l)
		}
	})
}

// Where both get through, QUIC links and TCP is not tried.
func TestTCPWaitsForQUIC(t *testing.T) {
	inWorldTCP(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired(2))
		b := w.node(2, "10.0.0.2:4002", paired(1))
		a.knows(b)
		a.echo(t, b, "x")
		if l, _ := a.Link(b.id); l.Kind != "quic" {
			t.Errorf("Link = %+v, want quic", l)
		}
		for _, k := range a.Tried(b.id) {
			if k.DialsTCP > 0 {
				t.Errorf("Tried = %+v, want no dial by TCP", k)
			}
		}
	})
}

// Devices pair where only TCP gets through, too.
func TestPairByTCP(t *testing.T) {
	inWorldTCP(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired())
		b := w.node(2, "10.0.0.2:4002", paired())
		w.blockUDP(b.addr, true)
		a.knows(b)
		pass(time.Millisecond)
		c, err := a.dialPair(t.Context(), b.id)
		if err != nil || c.Peer() != b.id {
			t.Fatalf("dialPair = %v, %v", c, err)
		}
		c.Close(PairingCancelled)
	})
}

// Who is linked by TCP alone, to a device that others reach by UDP, knows that
// UDP is blocked where it is itself.
func TestBlockedUDPBesideTCP(t *testing.T) {
	inWorldTCP(t, func(t *testing.T, w *world) {
		a := w.node(1, "198.51.100.1:4001", paired(2))
		b := w.node(2, "203.0.113.2:4002", paired(1, 3))
		c := w.node(3, "192.0.2.3:4003", paired(2))
		w.blockUDP(a.addr, true)
		a.knows(b)
		a.echo(t, b, "x")
		pass(5 * time.Minute)
		if got := a.Mapping(); got != MappingUnknown {
			t.Errorf("while B knows nothing of its own routers A's mapping is %q, want unknown", got)
		}
		c.knows(b)
		c.echo(t, b, "x")
		pass(2 * time.Minute)
		if got := a.Mapping(); got != MappingBlocked {
			t.Errorf("A's mapping is %q, want blocked", got)
		}
		if got := b.Mapping(); got != MappingNone {
			t.Errorf("B's mapping is %q, want none", got)
		}
		w.blockUDP(a.addr, false)
		pass(3 * time.Minute)
		if got := a.Mapping(); got != MappingNone {
			t.Errorf("once UDP gets through A's mapping is %q, want none", got)
		}
	})
}
