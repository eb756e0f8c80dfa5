package node

import (
	"net/netip"
	"testing"
	"time"

	"foldpost/app"
	"foldpost/discovery"
)

// TestFindNearby: what is known of the local networks, and what is said of it.
func TestFindNearby(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	minute := now.Add(-time.Minute)
	wifi := discovery.InterfaceFacts{Name: "wlan0", First: minute, Sent: minute, Own: minute}
	heard := wifi
	heard.Heard = minute
	deaf := discovery.InterfaceFacts{Name: "wlan0", First: minute, Sent: now.Add(-time.Second)}
	just := discovery.InterfaceFacts{Name: "wlan0", First: now.Add(-time.Second), Sent: now.Add(-time.Second)}
	refused := discovery.InterfaceFacts{Name: "wlan0", Problem: "no such device"}
	list := func(i ...discovery.InterfaceFacts) []discovery.InterfaceFacts { return i }

	for _, c := range []struct {
		name  string
		facts discovery.Facts
		want  app.Reason
	}{
		{"just begun", discovery.Facts{}, app.FoundNearbySoon},
		{"no interface takes multicast", discovery.Facts{Running: true}, app.FoundNoMulticast},
		{"none can be joined", discovery.Facts{Running: true, Interfaces: list(refused)}, app.FoundNearbyBroken},
		{"one of two can be joined", discovery.Facts{Running: true, Interfaces: list(refused, wifi)}, app.FoundNobodyNear},
		{"no socket", discovery.Facts{Problems: []string{"not permitted"}, Interfaces: list(wifi)}, app.FoundNearbyBroken},
		{"another program has the port", discovery.Facts{Running: true, Taken: true, Interfaces: list(deaf)}, app.FoundPortTaken},
		{"our own packets are dropped", discovery.Facts{Running: true, Interfaces: list(deaf)}, app.FoundFirewall},
		{"on one of two interfaces", discovery.Facts{Running: true, Interfaces: list(deaf, wifi)}, app.FoundNobodyNear},
		{"they are on their way", discovery.Facts{Running: true, Interfaces: list(just)}, app.FoundNobodyNear},
		{"nobody is there", discovery.Facts{Running: true, Interfaces: list(wifi)}, app.FoundNobodyNear},
		{"others are", discovery.Facts{Running: true, Interfaces: list(heard), Heard: minute}, app.FoundOthersNear},
		{"two of ours are", discovery.Facts{Running: true, Interfaces: list(heard), Heard: minute, Devices: 2}, app.FoundNearby},
	} {
		c.facts.Visible = discovery.Devices
		found := surrounding{Facts: c.facts, port: 4001, online: true, wanted: true, now: now}.find()
		if len(found) != 1 || found[0].Reason != c.want || found[0].OK != app.WordingOf(c.want).OK {
			t.Errorf("%s: find() = %+v, want %s", c.name, found, c.want)
		}
		if found = (surrounding{Facts: c.facts, online: true, now: now}).find(); !found[0].OK {
			t.Errorf("%s: find() with nothing missed = %+v, want that it is no fault", c.name, found)
		}
		if found = (surrounding{Facts: c.facts, wanted: true, now: now}).find(); len(found) > 0 {
			t.Errorf("%s: find() without a network = %+v, want nothing: that is said already", c.name, found)
		}
	}
	hidden := surrounding{Facts: discovery.Facts{Running: true, Visible: discovery.Nobody, Interfaces: list(wifi)}, online: true, now: now}.find()
	if len(hidden) != 2 || hidden[1].Reason != app.FoundHidden {
		t.Errorf("find() of a device that hides = %+v, want that it says so", hidden)
	}
}

// TestFindForwarding: what came of asking routers for a port.
func TestFindForwarding(t *testing.T) {
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	router := discovery.Gateway{Addr: netip.MustParseAddr("192.168.1.1"), At: at, Tried: []discovery.Trial{{Way: "upnp", Problem: "no answer"}}}
	with := func(external string) discovery.Gateway {
		g := router
		g.Mapping = discovery.Mapping{Way: "pcp", External: netip.MustParseAddrPort(external)}
		return g
	}
	asking, vpn, six := router, router, router
	asking.At = time.Time{}
	vpn.Tunnel = true
	six.Addr = netip.MustParseAddr("fe80::1")
	list := func(g ...discovery.Gateway) []discovery.Gateway { return g }

	for _, c := range []struct {
		name  string
		facts mappingFacts
		want  []app.Reason
	}{
		{"switched off", mappingFacts{Off: true}, nil},
		{"no router", mappingFacts{}, nil},
		{"being asked", mappingFacts{Gateways: list(asking)}, nil},
		{"none of IPv4", mappingFacts{Gateways: list(six)}, nil},
		{"it says no", mappingFacts{Gateways: list(router)}, []app.Reason{app.FoundNotForwarded}},
		{"one of two says yes", mappingFacts{Gateways: list(router, with("198.51.100.1:4001"))}, []app.Reason{app.FoundForwarded}},
		{"somebody came in", mappingFacts{Gateways: list(with("198.51.100.1:4001")), Confirmed: map[netip.AddrPort]time.Time{netip.MustParseAddrPort("198.51.100.1:4001"): at}}, []app.Reason{app.FoundOpened}},
		{"another router's network", mappingFacts{Gateways: list(with("192.168.0.7:4001"))}, []app.Reason{app.FoundTwoRouters}},
		{"a VPN", mappingFacts{Gateways: list(vpn)}, []app.Reason{app.FoundVPN}},
	} {
		for _, missing := range []bool{true, false} {
			found := c.facts.find(missing)
			for i, f := range found {
				if i >= len(c.want) || f.Reason != c.want[i] || f.OK != (app.WordingOf(f.Reason).OK || !missing) {
					t.Errorf("%s, missing %v: find() = %+v, want %v", c.name, missing, found, c.want)
				}
			}
			if len(found) != len(c.want) {
				t.Errorf("%s: find() = %+v, want %v", c.name, found, c.want)
			}
		}
	}
}
