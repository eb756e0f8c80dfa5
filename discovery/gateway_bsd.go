//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package discovery

import (
	"net/netip"
	"syscall"

	netroute "golang.org/x/net/route"
	"golang.org/x/sys/unix"
)

// systemRoutes reads the default routes of the kernel's table (route(4)).
func systemRoutes() []route {
	b, err := netroute.FetchRIB(unix.AF_UNSPEC, netroute.RIBTypeRoute, 0)
	if err != nil {
		return nil
	}
	messages, err := netroute.ParseRIB(netroute.RIBTypeRoute, b)
	if err != nil {
		return nil
	}
	var list []route
	for _, m := range messages {
		r, ok := m.(*netroute.RouteMessage)
		if !ok || r.Flags&syscall.RTF_GATEWAY == 0 || len(r.Addrs) <= syscall.RTAX_NETMASK {
			continue
		}
		to, gateway := addrOf(r.Addrs[syscall.RTAX_DST]), addrOf(r.Addrs[syscall.RTAX_GATEWAY])
		mask := addrOf(r.Addrs[syscall.RTAX_NETMASK])
		if !to.IsUnspecified() || mask.IsValid() && !mask.IsUnspecified() || !gateway.IsValid() {
			continue
		}
		list = append(list, route{link: link(r.Index), gateway: gateway, metric: uint64(len(list))})
	}
	return list
}

func addrOf(a netroute.Addr) netip.Addr {
	switch a := a.(type) {
	case *netroute.Inet4Addr:
		return netip.AddrFrom4(a.IP)
	case *netroute.Inet6Addr:
		return netip.AddrFrom16(a.IP)
	}
	return netip.Addr{}
}
