package node

import (
	"fmt"
	"net/netip"
	"testing"
)

func TestInterfaces(t *testing.T) {
	var list []netip.Prefix
	for _, p := range []string{
		"127.0.0.1/8", "::1/128", "169.254.3.4/16", "fe80::1/64",
		"192.0.2.7/24", "192.0.2.7/32", "2001:db8::7/64",
	} {
		list = append(list, netip.MustParsePrefix(p))
	}
	if got, want := fmt.Sprint(reachable(list)), "[192.0.2.7 2001:db8::7]"; got != want {
		t.Errorf("reachable = %s, want %s", got, want)
	}
	own := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.7:4000"), netip.MustParseAddrPort("127.0.0.1:4000")}
	if got, want := fmt.Sprint(networks(list, own)), "[127.0.0.0/8 192.0.2.0/24 192.0.2.7/32]"; got != want {
		t.Errorf("networks = %s, want %s", got, want)
	}
}
