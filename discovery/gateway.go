package discovery

import (
	"net"
	"net/netip"
)

// A route is a line of the system's routing table that leads everywhere.
type route struct {
	link    link
	gateway netip.Addr // without a zone
	metric  uint64
}

// Addresses that no network of ours has: what leads to them leads everywhere.
var elsewhere = []netip.AddrPort{
	netip.MustParseAddrPort("192.0.2.1:9"), // RFC 5737
	netip.MustParseAddrPort("[2000::1]:9"), // of the global unicast addresses, and nobody's
}

// maxPinholes bounds our IPv6 addresses that a router is asked to let through.
const maxPinholes = 4

// gateways returns the routers by which this computer reaches the rest of the
// world: at most one for IPv4, and for IPv6 one for each of our addresses
// before it. Where a VPN takes the way, its entry has no address.
func gateways() []Gateway {
	routes := systemRoutes()
	var list []Gateway
	for _, to := range elsewhere {
		local := localFor(to)
		i, addrs, ok := interfaceWith(local)
		if !ok {
			continue
		}
		g := Gateway{Local: local, Tunnel: i.Flags&net.FlagPointToPoint != 0}
		if r, ok := bestRoute(routes, link(i.Index), local.Is4()); ok {
			g.Addr = r.gateway
			if g.Addr.IsLinkLocalUnicast() && g.Addr.Is6() {
				g.Addr = g.Addr.WithZone(i.Name)
			}
		}
		list = append(list, g)
		if local.Is4() || !g.Addr.IsValid() {
			continue
		}
		for _, a := range addrs {
			if len(list) < 1+maxPinholes && a != local && a.Is6() && a.IsGlobalUnicast() && !a.IsPrivate() {
				list = append(list, Gateway{Addr: g.Addr, Local: a, Tunnel: g.Tunnel})
			}
		}
	}
	return list
}

// localFor returns the address that this computer sends from to another. It
// sends nothing.
func localFor(to netip.AddrPort) netip.Addr {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return netip.Addr{}
	}
	defer c.Close()
	a, ok := c.LocalAddr().(*net.UDPAddr)
	if !ok {
		return netip.Addr{}
	}
	return a.AddrPort().Addr().Unmap().WithZone("")
}

// interfaceWith returns the interface that has an address, with all of its own.
func interfaceWith(local netip.Addr) (net.Interface, []netip.Addr, bool) {
	list, err := net.Interfaces()
	if err != nil || !local.IsValid() || local.IsLoopback() {
		return net.Interface{}, nil, false
	}
	for _, i := range list {
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		var own []netip.Addr
		has := false
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				own = append(own, p.Addr().Unmap())
				has = has || p.Addr().Unmap() == local
			}
		}
		if has {
			return i, own, true
		}
	}
	return net.Interface{}, nil, false
}

func bestRoute(routes []route, on link, is4 bool) (route, bool) {
	var best route
	for _, r := range routes {
		if r.link == on && r.gateway.Is4() == is4 && !r.gateway.IsUnspecified() && (!best.gateway.IsValid() || r.metric < best.metric) {
			best = r
		}
	}
	return best, best.gateway.IsValid()
}
