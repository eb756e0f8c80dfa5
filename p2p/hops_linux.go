package p2p

import (
	"encoding/binary"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// writeHops sends one packet with a hop limit of its own, so that what QUIC
// sends on the socket meanwhile keeps the usual one.
func writeHops(c *net.UDPConn, b []byte, to netip.AddrPort, hops int) error {
	oob := make([]byte, unix.CmsgSpace(4))
	h := unix.Cmsghdr{Level: unix.IPPROTO_IP, Type: unix.IP_TTL}
	h.SetLen(unix.CmsgLen(4))
	if _, err := binary.Encode(oob, binary.NativeEndian, h); err != nil {
		panic(err) // it has room for the header
	}
	binary.NativeEndian.PutUint32(oob[unix.CmsgLen(0):], uint32(hops))
	_, _, err := c.WriteMsgUDPAddrPort(b, oob, to)
	return err
}
