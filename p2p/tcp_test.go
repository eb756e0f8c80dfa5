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
