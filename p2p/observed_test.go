package p2p

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// Each case: links as "from sees", and what is believed.
func TestAgreed(t *testing.T) {
	n := newNetwork([]netip.Addr{netip.MustParseAddr("0.0.0.0")}, []Candidate{{Addr: netip.MustParseAddrPort("192.168.1.5:4001"), Kind: Host}}, nil)
	for _, tt := range []struct {
		name, links, want string
	}{
		{"one alone", "8.8.8.8:1 9.9.9.9:4001", "[]"},
		{"two networks", "8.8.8.8:1 9.9.9.9:4001, 8.8.7.8:1 9.9.9.9:4001", "[9.9.9.9:4001]"},
		{"three", "8.8.8.8:1 9.9.9.9:4001, 8.8.7.8:1 9.9.9.9:4001, 8.8.6.8:1 9.9.9.9:4001", "[9.9.9.9:4001]"},
		{"one network", "8.8.8.8:1 9.9.9.9:4001, 8.8.8.9:1 9.9.9.9:4001", "[]"},
		{"other ports", "8.8.8.8:1 9.9.9.9:4001, 8.8.7.8:1 9.9.9.9:4002", "[]"},
		{"one on our network", "192.168.1.9:1 9.9.9.9:4001, 8.8.7.8:1 9.9.9.9:4001", "[]"},
		{"one in another private network", "10.0.0.9:1 9.9.9.9:4001, 8.8.7.8:1 9.9.9.9:4001", "[]"},
		{"a private address", "8.8.8.8:1 10.1.1.1:4001, 8.8.7.8:1 10.1.1.1:4001", "[]"},
		{"multicast", "8.8.8.8:1 224.0.0.1:4001, 8.8.7.8:1 224.0.0.1:4001", "[]"},
		{"IPv6", "[2001:db8:1::1]:1 [2001:db9::7]:4001, [2001:db8:2::1]:1 [2001:db9::7]:4001", "[[2001:db9::7]:4001]"},
	} {
		var links []seen
		for s := range strings.SplitSeq(tt.links, ", ") {
			from, sees, _ := strings.Cut(s, " ")
			links = append(links, seen{by: netip.MustParseAddrPort(from).Addr(), addr: netip.MustParseAddrPort(sees)})
		}
		links = append(links, seen{}) // one that said nothing
		if got := fmt.Sprint(agreed(n, links)); got != tt.want {
			t.Errorf("%s: agreed(%s) = %s, want %s", tt.name, tt.links, got, tt.want)
		}
	}
}

// Each case: "who sees", and what follows.
func TestMapping(t *testing.T) {
	n := newNetwork([]netip.Addr{netip.MustParseAddr("0.0.0.0")}, []Candidate{
		{Addr: netip.MustParseAddrPort("192.168.1.5:4001"), Kind: Host}, {Addr: netip.MustParseAddrPort("9.9.9.1:4001"), Kind: Host},
	}, nil)
	for _, tt := range []struct {
		sees string
		want Mapping
	}{
		{"", MappingUnknown},
		{"8.8.8.8 9.9.9.9:4001", MappingUnknown},
		{"8.8.8.8 9.9.9.9:4001, 8.8.8.9 9.9.9.9:4002", MappingUnknown}, // of one network: it may be one liar
		{"8.8.8.8 9.9.9.9:4001, 8.8.7.8 9.9.9.9:4001", MappingIndependent},
		{"8.8.8.8 9.9.9.9:4001, 8.8.7.8 9.9.9.9:4002", MappingDependent},
		{"8.8.8.8 9.9.9.1:4001", MappingNone},
		{"192.168.1.7 192.168.1.5:4001", MappingUnknown},
		{"2001:db8::1 [2001:db9::1]:4001, 2001:dba::1 [2001:db9::1]:4001", MappingUnknown},
	} {
		var all []seen
		for s := range strings.SplitSeq(tt.sees, ", ") {
			if by, addr, ok := strings.Cut(s, " "); ok {
				all = append(all, seen{by: netip.MustParseAddr(by), addr: netip.MustParseAddrPort(addr)})
			}
		}
		half := len(all) / 2
		if got := mappingOf(n, all[:half], all[half:]); got != tt.want {
			t.Errorf("mapping seen as %q = %q, want %q", tt.sees, got, tt.want)
		}
	}
}
