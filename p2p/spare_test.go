package p2p

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func (f *spare) isOpen() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.socket != nil
}

// The spare socket is there while a link is on it, or an offer is fresh.
func TestSpareSocketIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newNATWorld(t)
		a := w.node(1, "192.168.1.2:4001", routers()["address"]("198.51.100.1"), withSecret(2))
		b := w.node(2, "192.168.2.2:4001", routers()["symmetric"]("203.0.113.1"), withSecret(1))
		b.Answered(a.id)
		w.letter(b, a)
		pass(2 * time.Second)
		w.letter(a, b)
		pass(time.Hour)
		if len(a.links()) != 1 || a.spare.isOpen() || !b.spare.isOpen() {
			t.Fatalf("%d links, spare open %v at A, %v at B, want a link on B's", len(a.links()), a.spare.isOpen(), b.spare.isOpen())
		}
		if m := b.Mapping(); m == MappingDependent {
			t.Errorf("B's mapping is %q by what one peer says of the spare port", m)
		}
		b.stop()
		pass(time.Second)
		if log := a.app.log(); !slices.Contains(log, "disconnected B: link closed by the peer: going-away") {
			t.Errorf("A was told %q, want that B goes away", log)
		}

		c := w.node(3, "192.168.3.2:4001", routers()["home"]("203.0.113.3"), withSecret(1))
		c.Answered(a.id)
		w.letter(c, a)
		a.stop()
		pass(4 * time.Minute)
		if !c.spare.isOpen() {
			t.Error("no spare socket while an offer is fresh")
		}
		pass(2 * time.Hour)
		if c.spare.isOpen() {
			t.Error("the spare socket is still open when the offer is old")
		}
	})
}
