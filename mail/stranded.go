package mail

import (
	"errors"
	"net"
	"net/netip"
	"slices"
)

// errStranded ends a connection that leaves from an address which this computer
// has no more: whatever comes for it finds nobody, and no side is told.
var errStranded = errors.New("this computer has another address now")

// stranded tells whether a connection was made from an address that is none of
// this computer's any more.
func stranded(c net.Conn) bool {
	local, ok := c.LocalAddr().(*net.TCPAddr)
	if !ok {
		return false
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	addr := local.AddrPort().Addr().Unmap().WithZone("")
	return !slices.ContainsFunc(own, func(a net.Addr) bool {
		p, err := netip.ParsePrefix(a.String())
		return err == nil && p.Addr().Unmap() == addr
	})
}
