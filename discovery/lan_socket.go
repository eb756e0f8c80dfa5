package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// A Network is what a LAN needs of a computer.
type Network interface {
	// Interfaces returns those that are up and running, can do multicast,
	// lead to others and have an address.
	Interfaces() ([]Interface, error)
	// Listen opens a socket of one family for multicast DNS.
	Listen(v4 bool) (Socket, error)
}

// A Socket sends and receives the packets of multicast DNS in one family.
type Socket interface {
	V4() bool
	// Legacy tells that another program has the port for itself: this socket
	// can ask, and hears what is answered to it alone.
	Legacy() bool
	Join(Interface) error
	Leave(Interface) error
	// Read waits for a packet. It fails with net.ErrClosed after Close.
	Read(b []byte) (Datagram, error)
	// Write sends a packet on an interface.
	Write(b []byte, on Interface, to netip.AddrPort) error
	Close() error
}

// A Datagram is what Read has read.
type Datagram struct {
	Size      int
	From      netip.AddrPort
	Interface int // its index
}

const mdnsPort = 5353

var errClosed = net.ErrClosed

// The groups of multicast DNS (RFC 6762 §3).
var (
	group4 = netip.AddrPortFrom(netip.AddrFrom4([4]byte{224, 0, 0, 251}), mdnsPort)
	group6 = netip.AddrPortFrom(netip.MustParseAddr("ff02::fb"), mdnsPort)
)

func groupOf(v4 bool) netip.AddrPort {
	if v4 {
		return group4
	}
	return group6
}

// systemNetwork is this computer.
type systemNetwork struct{}

// Interfaces implements [Network]. Tunnels are no networks where strangers
// are, and what is said in them would tell the far end who we are.
func (systemNetwork) Interfaces() ([]Interface, error) {
	forgetZones()
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	var list []Interface
	const want, not = net.FlagUp | net.FlagRunning | net.FlagMulticast, net.FlagLoopback | net.FlagPointToPoint
	for _, i := range all {
		if i.Flags&want != want || i.Flags&not != 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue // it is gone
		}
		found := Interface{Index: i.Index, Name: i.Name}
		for _, a := range addrs {
			p, err := netip.ParsePrefix(a.String())
			if err != nil {
				continue
			}
			if ip := p.Addr().WithZone(""); ip.IsGlobalUnicast() || ip.IsLinkLocalUnicast() {
				found.Addrs = append(found.Addrs, netip.PrefixFrom(ip.Unmap(), p.Bits()))
			}
		}
		if len(found.Addrs) > 0 {
			list = append(list, found)
		}
	}
	return list, nil
}

// forgetZones has package net look which indexes the names of interfaces have:
// it remembers them for a minute, and an interface that was made again has
// another one, so that no link-local address would be reached until then. A
// zone that is unknown makes it look at once.
func forgetZones() {
	c, err := net.ListenUDP("udp6", &net.UDPAddr{IP: net.IPv6loopback, Zone: "?"})
	if err == nil {
		_ = c.Close() // nobody knew of it
	}
}

// Listen implements [Network].
func (systemNetwork) Listen(v4 bool) (Socket, error) {
	network := "udp6"
	if v4 {
		network = "udp4"
	}
	shared := net.ListenConfig{Control: sharePort}
	c, err := shared.ListenPacket(context.Background(), network, ":"+strconv.Itoa(mdnsPort))
	legacy := err != nil
	if legacy {
		var other error
		if c, other = net.ListenPacket(network, ":0"); other != nil {
			return nil, fmt.Errorf("open a socket for multicast: %w", errors.Join(err, other))
		}
	}
	if v4 {
		return newSocket4(c, legacy)
	}
	return newSocket6(c, legacy)
}

// systemSocket is what the sockets of both families have in common.
type systemSocket struct {
	net.PacketConn
	legacy  bool
	control bool // the system tells the interface of each packet
}

func (s *systemSocket) Legacy() bool { return s.legacy }

// hops is the time to live of all packets of multicast DNS (RFC 6762 §11).
const hops = 255

type socket4 struct {
	systemSocket
	p *ipv4.PacketConn
}

func newSocket4(c net.PacketConn, legacy bool) (Socket, error) {
	s := &socket4{systemSocket{PacketConn: c, legacy: legacy}, ipv4.NewPacketConn(c)}
	s.control = s.p.SetControlMessage(ipv4.FlagInterface, true) == nil
	if err := errors.Join(s.p.SetMulticastTTL(hops), s.p.SetTTL(hops), s.p.SetMulticastLoopback(true)); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare a socket for multicast: %w", err), c.Close())
	}
	return s, nil
}

func (*socket4) V4() bool { return true }

func (s *socket4) Join(i Interface) error {
	return s.p.JoinGroup(&net.Interface{Index: i.Index, Name: i.Name}, net.UDPAddrFromAddrPort(group4))
}

func (s *socket4) Leave(i Interface) error {
	return s.p.LeaveGroup(&net.Interface{Index: i.Index, Name: i.Name}, net.UDPAddrFromAddrPort(group4))
}

func (s *socket4) Read(b []byte) (Datagram, error) {
	n, cm, from, err := s.p.ReadFrom(b)
	if err != nil {
		return Datagram{}, err
	}
	d := Datagram{Size: n, From: addrPortOf(from)}
	if cm != nil {
		d.Interface = cm.IfIndex
	} else {
		d.Interface = interfaceOf(d.From.Addr())
	}
	return d, nil
}

func (s *socket4) Write(b []byte, on Interface, to netip.AddrPort) error {
	var cm *ipv4.ControlMessage
	switch {
	case !to.Addr().IsMulticast():
	case s.control:
		cm = &ipv4.ControlMessage{IfIndex: on.Index}
	default:
		if err := s.p.SetMulticastInterface(&net.Interface{Index: on.Index, Name: on.Name}); err != nil {
			return fmt.Errorf("send on %s: %w", on.Name, err)
		}
	}
	if _, err := s.p.WriteTo(b, cm, net.UDPAddrFromAddrPort(to)); err != nil {
		return fmt.Errorf("send on %s: %w", on.Name, err)
	}
	return nil
}

type socket6 struct {
	systemSocket
	p *ipv6.PacketConn
}

func newSocket6(c net.PacketConn, legacy bool) (Socket, error) {
	s := &socket6{systemSocket{PacketConn: c, legacy: legacy}, ipv6.NewPacketConn(c)}
	s.control = s.p.SetControlMessage(ipv6.FlagInterface, true) == nil
	if err := errors.Join(s.p.SetMulticastHopLimit(hops), s.p.SetHopLimit(hops), s.p.SetMulticastLoopback(true)); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare a socket for multicast: %w", err), c.Close())
	}
	return s, nil
}

func (*socket6) V4() bool { return false }

func (s *socket6) Join(i Interface) error {
	return s.p.JoinGroup(&net.Interface{Index: i.Index, Name: i.Name}, net.UDPAddrFromAddrPort(group6))
}

func (s *socket6) Leave(i Interface) error {
	return s.p.LeaveGroup(&net.Interface{Index: i.Index, Name: i.Name}, net.UDPAddrFromAddrPort(group6))
}

func (s *socket6) Read(b []byte) (Datagram, error) {
	n, cm, from, err := s.p.ReadFrom(b)
	if err != nil {
		return Datagram{}, err
	}
	d := Datagram{Size: n, From: addrPortOf(from)}
	if cm != nil {
		d.Interface = cm.IfIndex
	} else {
		d.Interface = interfaceOf(d.From.Addr())
	}
	return d, nil
}

func (s *socket6) Write(b []byte, on Interface, to netip.AddrPort) error {
	if a := to.Addr(); a.IsMulticast() || a.IsLinkLocalUnicast() {
		// Of a name, an index is remembered that may be a former interface's.
		to = netip.AddrPortFrom(a.WithZone(strconv.Itoa(on.Index)), to.Port())
	}
	var cm *ipv6.ControlMessage
	switch {
	case !to.Addr().IsMulticast():
	case s.control:
		cm = &ipv6.ControlMessage{IfIndex: on.Index}
	default:
		if err := s.p.SetMulticastInterface(&net.Interface{Index: on.Index, Name: on.Name}); err != nil {
			return fmt.Errorf("send on %s: %w", on.Name, err)
		}
	}
	if _, err := s.p.WriteTo(b, cm, net.UDPAddrFromAddrPort(to)); err != nil {
		return fmt.Errorf("send on %s: %w", on.Name, err)
	}
	return nil
}

func addrPortOf(a net.Addr) netip.AddrPort {
	u, ok := a.(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	p := u.AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}

// interfaceOf finds the interface of a packet by its sender, where the system
// does not tell it; 0: none.
func interfaceOf(from netip.Addr) int {
	if zone := from.Zone(); zone != "" {
		if i, err := net.InterfaceByName(zone); err == nil {
			return i.Index
		}
	}
	list, err := systemNetwork{}.Interfaces()
	if err != nil {
		return 0
	}
	for _, i := range list {
		if i.near(from.WithZone("")) {
			return i.Index
		}
	}
	return 0
}
