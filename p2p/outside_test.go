package p2p

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// Only who comes without having been sent anything shows that others may come.
func TestReachedFromOutside(t *testing.T) {
	for _, tt := range []struct {
		name string
		nat  nat
		told bool // the one behind the router knows where the other is
		want bool
	}{
		{"a port is forwarded", nat{forward: netip.MustParseAddrPort("192.168.1.2:4001")}, false, true},
		{"a router opened by a packet of ours", nat{}, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newNATWorld(t)
				r := tt.nat
				r.public = netip.MustParseAddr("203.0.113.1")
				a := w.node(1, "192.168.1.2:4001", &r, withSecret(2))
				b := w.node(2, "192.0.2.1:4002", nil, withSecret(1))
				if tt.told {
					w.letter(a, b)
				} else {
					_ = a.AddCandidate(Candidate{Peer: b.id, Addr: netip.MustParseAddrPort("192.0.2.99:4002"), Kind: Host}, Metadata{})
				}
				w.letter(b, a)
				pass(5 * time.Second)
				if len(a.links()) != 1 {
					t.Fatal("no link")
				}
				if got := !a.ReachedFromOutside(true).IsZero(); got != tt.want {
					t.Errorf("reached from outside = %v, want %v", got, tt.want)
				}
				if !a.ReachedFromOutside(false).IsZero() {
					t.Error("reached by IPv6, where there is none")
				}
				a.SetAddresses([]Candidate{{Addr: netip.MustParseAddrPort("192.168.9.2:4001"), Kind: Host}})
				if !a.ReachedFromOutside(true).IsZero() {
					t.Error("in another network it still counts")
				}
			})
		})
	}
}

// A peer learns what routers make of our address, in HELLO and when it changes.
func TestPeersKnowEachOthersMapping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newNATWorld(t)
		a := w.node(1, "192.168.1.2:4001", &nat{public: netip.MustParseAddr("203.0.113.1"), dependent: true}, withSecret(2))
		b := w.node(2, "192.0.2.1:4002", nil, withSecret(1))
		one, two := w.node(3, "198.51.100.1:4003", nil, paired()), w.node(4, "198.51.99.1:4004", nil, paired())
		a.knows(b)
		a.echo(t, b, "x")
		if l, _ := b.Link(a.id); l.Mapping != MappingUnknown {
			t.Errorf("at first B knows that A's routers are %q, want unknown", l.Mapping)
		}
		a.SetSTUN([]netip.AddrPort{one.addr, two.addr})
		pass(time.Second)
		if l, _ := b.Link(a.id); l.Mapping != MappingDependent || b.PeerMapping(a.id) != MappingDependent {
			t.Errorf("B knows that A's routers are %q, %q, want dependent", l.Mapping, b.PeerMapping(a.id))
		}
		if l, _ := a.Link(b.id); l.Mapping != MappingNone {
			t.Errorf("A knows that B's routers are %q, want none: A sees B at its own address", l.Mapping)
		}
		a.stop()
		pass(time.Second)
		if got := b.PeerMapping(a.id); got != MappingDependent {
			t.Errorf("without a link B knows that A's routers are %q, want dependent", got)
		}
	})
}

func TestBlockedUDP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newNATWorld(t)
		a := w.node(1, "192.168.1.2:4001", &nat{public: netip.MustParseAddr("203.0.113.1")}, withSecret(2))
		one, two := w.node(3, "198.51.100.1:4003", nil, paired()), w.node(4, "198.51.99.1:4004", nil, paired())
		w.mu.Lock()
		w.cut = true
		w.mu.Unlock()
		a.SetSTUN([]netip.AddrPort{one.addr, two.addr})
		pass(time.Second)
		if got := a.Mapping(); got != MappingUnknown {
			t.Errorf("after a second the mapping is %q, want unknown", got)
		}
		pass(3 * time.Second)
		if got := a.Mapping(); got != MappingBlocked {
			t.Errorf("after four seconds without an answer the mapping is %q, want blocked", got)
		}
		w.mu.Lock()
		w.cut = false
		w.mu.Unlock()
		a.Wake()
		pass(time.Second)
		if got := a.Mapping(); got != MappingIndependent {
			t.Errorf("with answers the mapping is %q, want independent", got)
		}
	})
}

// Who came unasked, and was answered, comes unasked the next time too; who was
// sent something first does not, for as long as routers may remember it.
func TestWasAsked(t *testing.T) {
	a, now := netip.MustParseAddr("198.51.100.7"), time.Now()
	later := now.Add(openedFor)
	for _, tt := range []struct {
		name string
		do   func(o *outside)
		at   time.Time
		want bool
	}{
		{"nothing", func(*outside) {}, now, false},
		{"sent to", func(o *outside) { o.sentTo(a, now) }, now, true},
		{"sent to long ago", func(o *outside) { o.sentTo(a, now) }, later, false},
		{"answered", func(o *outside) { o.answered(a, now) }, now, false},
		{"sent to, then answered", func(o *outside) { o.sentTo(a, now); o.answered(a, now) }, now, true},
		{"answered, then sent to", func(o *outside) { o.answered(a, now); o.sentTo(a, now) }, now, true},
		{"sent to long ago, then answered", func(o *outside) { o.sentTo(a, now); o.answered(a, later) }, later, false},
		{"answered in another network", func(o *outside) { o.answered(a, now); o.moved() }, now, true},
	} {
		o := newOutside()
		tt.do(o)
		if got := o.wasAsked(a, tt.at); got != tt.want {
			t.Errorf("%s: wasAsked = %v, want %v", tt.name, got, tt.want)
		}
	}
}

// Whoever sees this device tells when its public address changes, though the
// link outlives that.
func TestSeenAlike(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newNATWorld(t)
		r := &nat{public: netip.MustParseAddr("203.0.113.1")}
		a := w.node(1, "192.168.1.2:4001", r, withSecret(2))
		b := w.node(2, "192.0.2.1:4002", nil, withSecret(1))
		a.knows(b)
		a.echo(t, b, "x")
		pass(3 * time.Minute)
		same, other := a.SeenAlike()
		if same.IsZero() || !other.IsZero() {
			t.Fatalf("seen alike %v, otherwise %v, want only alike", same, other)
		}
		w.mu.Lock()
		r.public = netip.MustParseAddr("203.0.113.99")
		w.mu.Unlock()
		began := time.Now()
		pass(2 * time.Minute)
		if _, other := a.SeenAlike(); !other.After(began) {
			t.Errorf("seen otherwise %v, want after %v", other, began)
		}
		if same, _ := b.SeenAlike(); same.Before(began) {
			t.Errorf("B seen alike %v, want all the time", same)
		}
	})
}
