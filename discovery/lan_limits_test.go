package discovery

import (
	"net/netip"
	"testing"
	"time"
)

func TestLimits(t *testing.T) {
	l, now := newLimits(10, 20), time.Unix(1e9, 0)
	a := netip.MustParseAddr("192.0.2.1")
	count := func(from func(i int) netip.Addr, at time.Time) int {
		n := 0
		for i := range 1000 {
			if l.allow(from(i), at) {
				n++
			}
		}
		return n
	}
	one := func(int) netip.Addr { return a }
	if n := count(one, now); n != 20 {
		t.Errorf("of 1000 at once from one source %d are allowed, want 20", n)
	}
	if n := count(one, now.Add(time.Second)); n != 10 {
		t.Errorf("a second later %d are allowed, want 10", n)
	}
	many := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }
	if n := count(many, now.Add(time.Second)); n > 190 || n < 150 {
		t.Errorf("of 1000 at once from as many sources %d are allowed, want what is left of 200", n)
	}
	if n := len(l.sources); n > maxSources {
		t.Errorf("%d sources are remembered, want %d at most", n, maxSources)
	}
}
