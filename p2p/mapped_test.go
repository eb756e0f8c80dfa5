package p2p

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

// TestMappedIsTold: what routers forward is in HELLO, and in NETWORK when it
// changes; without the link these are the peer's candidates, the last told.
func TestMappedIsTold(t *testing.T) {
	one, two := netip.MustParseAddrPort("203.0.113.7:40000"), netip.MustParseAddrPort("203.0.113.9:40000")
	inWorld(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired(2))
		b := w.node(2, "10.0.0.2:4002", paired(1))
		a.SetMapped([]netip.AddrPort{one})
		a.knows(b)
		a.echo(t, b, "x")
		told := func() []netip.AddrPort { l, _ := b.Link(a.id); return l.Mapped }
		if got := told(); !slices.Equal(got, []netip.AddrPort{one}) {
			t.Errorf("after HELLO B knows %v, want %v", got, one)
		}
		a.SetMapped([]netip.AddrPort{two})
		pass(time.Second)
		if got := told(); !slices.Equal(got, []netip.AddrPort{two}) {
			t.Errorf("after NETWORK B knows %v, want %v", got, two)
		}
		if l, _ := a.Link(b.id); len(l.Mapped) > 0 {
			t.Errorf("A knows %v of B, which said nothing", l.Mapped)
		}
		w.unplug(a.addr, true)
		pass(time.Minute)
		mapped := func() (list []netip.AddrPort) {
			for _, k := range b.Tried(a.id) {
				if k.Kind == Mapped && k.Source == "link" {
					list = append(list, k.Addr)
				}
			}
			return list
		}
		if got := mapped(); !slices.Equal(got, []netip.AddrPort{two}) {
			t.Errorf("without a link B tries %v, want %v", got, two)
		}
		a.SetMapped(nil)
		w.unplug(a.addr, false)
		pass(2 * time.Minute)
		w.unplug(a.addr, true)
		pass(time.Minute)
		if got := mapped(); len(got) > 0 {
			t.Errorf("B tries %v, which A took back", got)
		}
	})
}

func TestParseMapped(t *testing.T) {
	got := parseMapped([]string{"203.0.113.7:40000", "[::ffff:203.0.113.7]:40000", "router.example:1", "[fe80::1%eth0]:5", "", "[2001:db8::7]:40000"})
	want := []netip.AddrPort{netip.MustParseAddrPort("203.0.113.7:40000"), netip.MustParseAddrPort("[2001:db8::7]:40000")}
	if !slices.Equal(got, want) {
		t.Errorf("parseMapped = %v, want %v", got, want)
	}
}
