//go:build !linux

package p2p

import (
	"net"
	"net/netip"
	"sync"

	"golang.org/x/net/ipv4"
)

// hopsMu keeps two packets from leaving with each other's limit.
var hopsMu sync.Mutex

// writeHops sends one packet with another hop limit than the socket's. What
// QUIC sends in that moment gets it too, may be lost once, and is repeated.
func writeHops(c *net.UDPConn, b []byte, to netip.AddrPort, hops int) error {
	hopsMu.Lock()
	defer hopsMu.Unlock()
	p := ipv4.NewConn(c)
	usual, err := p.TTL()
	if err != nil {
		return err
	}
	if err := p.SetTTL(hops); err != nil {
		return err
	}
	_, err = c.WriteToUDPAddrPort(b, to)
	if reset := p.SetTTL(usual); err == nil {
		err = reset
	}
	return err
}
