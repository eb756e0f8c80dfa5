package node

import (
	"fmt"
	"net/netip"
	"testing"

	"foldpost/discovery"
	"foldpost/mail"
)

func mappingAt(external string) discovery.Mapping {
	return discovery.Mapping{Way: "pcp", External: netip.MustParseAddrPort(external)}
}

// TestMappedAddresses: letters name what routers forward where others have a
// way to it, and the port is kept.
func TestMappedAddresses(t *testing.T) {
	n := sleeping(t)
	n.portsMapped(nil, []discovery.Mapping{
		mappingAt("192.168.178.20:40000"), mappingAt("100.64.3.2:40000"), mappingAt("[2001:db8::7]:40000"), mappingAt("203.0.113.7:45000"),
	})
	var p mail.Payload
	n.describe(&p)
	if got, want := fmt.Sprint(p.Mapped), "[203.0.113.7:45000]"; got != want {
		t.Errorf("a letter names %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(n.ownAddresses()), "[mapped://203.0.113.7:45000]"; got != want {
		t.Errorf("ownAddresses = %s, want %s", got, want)
	}
	if got := n.keep.view().Mapping.External; got != 45000 {
		t.Errorf("kept port %d, want 45000", got)
	}
	n.portsMapped(nil, nil)
	if got := n.ownAddresses(); len(got) > 0 {
		t.Errorf("after it is gone ownAddresses = %v, want none", got)
	}
	if got := n.keep.view().Mapping.External; got != 45000 {
		t.Errorf("after it is gone the kept port is %d, want 45000 for the next time", got)
	}
	n.portsMapped(discovery.NewMapper(discovery.MapperConfig{}), []discovery.Mapping{mappingAt("203.0.113.7:45000")})
	if got := n.ownAddresses(); len(got) > 0 {
		t.Errorf("a mapper that was switched off has its say: %v", got)
	}
}
