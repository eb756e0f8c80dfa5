package node

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// preferPublic is IPV6_PREFER_SRC_PUBLIC (RFC 5014 §3).
const preferPublic = 0x2

// lastingSource has an IPv6 socket send from addresses that last, not from those
// that systems make up for privacy and change each day: others know us by what
// we told them, and routers let in only the answers to what was sent.
func lastingSource(network, _ string, c syscall.RawConn) error {
	if network != "udp6" {
		return nil
	}
	return c.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_ADDR_PREFERENCES, preferPublic) // a wish
	})
}
