package p2p

import (
	"net"
	"net/netip"
)

// hopWriter is a connection, of a simulated network, that can limit the hops
// of a single packet.
type hopWriter interface {
	WriteHops(b []byte, to netip.AddrPort, hops int) (int, error)
}

// write sends a packet that is not QUIC, to die after some hops where these
// are limited; 0: they are not. Where the system knows no such limit it is sent
// without.
func (s *socket) write(b []byte, to netip.AddrPort, hops int) error {
	if hops > 0 && to.Addr().Is4() {
		switch c := s.transport.Conn.(type) {
		case hopWriter:
			_, err := c.WriteHops(b, to, hops)
			return err
		case *net.UDPConn:
			return writeHops(c, b, to, hops)
		}
	}
	_, err := s.transport.WriteTo(b, net.UDPAddrFromAddrPort(to))
	return err
}
