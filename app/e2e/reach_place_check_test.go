//go:build reach

package e2e

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

// TestReachRouters checks the routers themselves: a test behind a router that
// is another kind than its name says proves nothing.
func TestReachRouters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind                  nat
		same                  bool // port outside, for two servers
		fromPort, fromAddress bool // lets in what comes from another one of a server
	}{
		{likeMost, true, false, false},
		{byAddress, true, true, false},
		{fullCone, true, true, true},
		{perTarget, false, false, false},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			w := newInternet(t, 0)
			w.ip("-n", w.prefix+"net", "addr", "add", "192.0.2.99/32", "dev", "lo")
			w.plug("ada", adas(c.kind))
			inside := w.udp("ada", "192.168.1.2:4500")
			a, b := w.udp("net", "192.0.2.25:7001"), w.udp("net", "192.0.2.25:7002")
			other := w.udp("net", "192.0.2.99:7001")
			stranger := w.udp("net", "198.51.100.1:7001")

			outside := w.passes(inside, a, addrOfSocket(a))
			if !outside.IsValid() || outside.Addr() != netip.MustParseAddr("198.51.100.2") {
				t.Fatalf("a server sees %v", outside)
			}
			if back := w.passes(a, inside, outside); !back.IsValid() {
				t.Errorf("the server's answer did not come")
			}
			if again := w.passes(inside, other, addrOfSocket(other)); (again == outside) != c.same {
				t.Errorf("two servers see %v and %v, want the same: %t", outside, again, c.same)
			}
			if got := w.passes(b, inside, outside).IsValid(); got != c.fromPort {
				t.Errorf("from another port of a server it passes: %t, want %t", got, c.fromPort)
			}
			if got := w.passes(stranger, inside, outside).IsValid(); got != c.fromAddress {
				t.Errorf("from another server it passes: %t, want %t", got, c.fromAddress)
			}
			w.translate("ada", 0, noUDP)
			if got := w.passes(inside, a, addrOfSocket(a)); got.IsValid() {
				t.Errorf("without UDP a server sees %v", got)
			}
		})
	}
}

func (w *internet) udp(name, addr string) *net.UDPConn {
	w.t.Helper()
	var c *net.UDPConn
	err := within(w.prefix+name, func() (err error) {
		c, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(addr)))
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	return c
}

// passes sends a packet and tells where it seems to come from; the zero value:
// it did not come.
func (w *internet) passes(from, to *net.UDPConn, addr netip.AddrPort) netip.AddrPort {
	w.t.Helper()
	if _, err := from.WriteToUDPAddrPort([]byte("hello"), addr); err != nil {
		w.t.Logf("send to %s: %v", addr, err)
	}
	to.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	_, seen, err := to.ReadFromUDPAddrPort(make([]byte, 10))
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(seen.Addr().Unmap(), seen.Port())
}

func addrOfSocket(c *net.UDPConn) netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }
