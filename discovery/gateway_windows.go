package discovery

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/windows"
)

// systemRoutes reads the default routes of the IP helper.
func systemRoutes() []route {
	var table *windows.MibIpForwardTable2
	if err := windows.GetIpForwardTable2(windows.AF_UNSPEC, &table); err != nil {
		return nil
	}
	defer windows.FreeMibTable(unsafe.Pointer(table))
	var list []route
	for _, row := range table.Rows() {
		if row.DestinationPrefix.PrefixLength != 0 {
			continue
		}
		r := route{link: link(row.InterfaceIndex), metric: uint64(row.Metric)}
		switch row.NextHop.Family {
		case windows.AF_INET:
			r.gateway = netip.AddrFrom4((*windows.RawSockaddrInet4)(unsafe.Pointer(&row.NextHop)).Addr)
		case windows.AF_INET6:
			r.gateway = netip.AddrFrom16((*windows.RawSockaddrInet6)(unsafe.Pointer(&row.NextHop)).Addr)
		default:
			continue
		}
		list = append(list, r)
	}
	return list
}
