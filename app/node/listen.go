package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"foldpost/mail"
	"foldpost/p2p"
)

// listen opens the sockets and makes the endpoint on them.
func (n *Node) listen() error {
	conns := n.cfg.Conns
	var listeners []net.Listener
	if conns == nil {
		var err error
		if conns, err = n.openSockets(); err != nil {
			return err
		}
		n.sockets = conns
		listeners = n.openListeners(conns)
	}
	local, ok := conns[0].LocalAddr().(*net.UDPAddr)
	if !ok {
		return fmt.Errorf("listen: %v is no UDP address", conns[0].LocalAddr())
	}
	n.port = uint16(local.Port)
	n.addrs = n.cfg.Addresses
	if n.addrs == nil {
		n.addrs = func() []netip.AddrPort { return hostAddresses(conns, reachable(n.interfaces.ask(time.Now()))) }
	}
	n.endpoint = p2p.New(p2p.Config{
		Identity: n.identity, Conns: conns, Spare: n.spare(conns), Listeners: listeners, Manager: manager{n}, Log: n.log,
		Protocols: []string{protocolShares, protocolFolder, protocolContact, protocolRelay},
	})
	n.lan = n.newLAN()
	return nil
}

// spare returns what opens one more socket beside the IPv4 one; nil where
// there is none, or the sockets are not ours.
func (n *Node) spare(conns []net.PacketConn) func() (net.PacketConn, error) {
	if n.cfg.Conns != nil {
		return nil
	}
	for _, c := range conns {
		if a, ok := c.LocalAddr().(*net.UDPAddr); ok && a.AddrPort().Addr().Unmap().Is4() {
			beside := netip.AddrPortFrom(a.AddrPort().Addr().Unmap(), 0).String()
			return func() (net.PacketConn, error) { return net.ListenPacket("udp4", beside) }
		}
	}
	return nil
}

func (n *Node) closeSockets() error {
	var errs []error
	for _, c := range n.sockets {
		errs = append(errs, c.Close())
	}
	for _, ln := range n.listeners {
		if err := ln.Close(); !errors.Is(err, net.ErrClosed) { // the endpoint has closed those it ran with
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// openSockets opens what Listen names, or the kept port on all addresses of
// both families.
func (n *Node) openSockets() ([]net.PacketConn, error) {
	listen := n.cfg.Listen
	all := len(listen) == 0
	if all {
		port := n.keep.view().Port
		listen = []netip.AddrPort{netip.AddrPortFrom(netip.IPv4Unspecified(), port), netip.AddrPortFrom(netip.IPv6Unspecified(), port)}
	}
	var conns []net.PacketConn
	var errs []error
	for i, a := range listen {
		if i > 0 && a.Addr().Is4() == listen[0].Addr().Is4() {
			errs = append(errs, fmt.Errorf("%s: there is another address of its family already", a))
			continue
		}
		network := "udp6"
		if a.Addr().Is4() {
			network = "udp4"
		}
		config := net.ListenConfig{Control: lastingSource}
		c, err := config.ListenPacket(context.Background(), network, a.String())
		if err != nil {
			errs = append(errs, err)
			continue
		}
		conns = append(conns, c)
	}
	if len(conns) > 0 && (all || len(errs) == 0) {
		return conns, nil // one family may be missing on this computer
	}
	for _, c := range conns {
		errs = append(errs, c.Close())
	}
	err := errors.Join(errs...)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("listen: %w; choose another port: --listen, or foldpost config port NUMBER while it runs", err)
	}
	return nil, fmt.Errorf("listen: %w", err)
}

// openListeners listens by TCP where the sockets are. What is missing is no
// reason not to start: UDP is enough nearly everywhere.
func (n *Node) openListeners(conns []net.PacketConn) []net.Listener {
	var list []net.Listener
	for _, c := range conns {
		local, ok := c.LocalAddr().(*net.UDPAddr)
		if !ok {
			continue
		}
		network := "tcp6"
		if local.AddrPort().Addr().Is4() {
			network = "tcp4"
		}
		ln, err := net.Listen(network, local.AddrPort().String())
		if err != nil {
			n.log.Warn("listen by TCP", "port", local.Port, "err", err)
			continue
		}
		n.listeners = append(n.listeners, ln)
		list = append(list, ln)
	}
	return list
}

// hostAddresses returns those of own under which the sockets can be reached on
// this computer's networks. Where it is in none, what else runs on it can
// reach it by loopback.
func hostAddresses(conns []net.PacketConn, own []netip.Addr) []netip.AddrPort {
	var found, alone []netip.AddrPort
	for _, c := range conns {
		local, ok := c.LocalAddr().(*net.UDPAddr)
		if !ok {
			continue
		}
		bound := local.AddrPort()
		if !bound.Addr().IsUnspecified() {
			found = append(found, netip.AddrPortFrom(bound.Addr().Unmap(), bound.Port()))
			continue
		}
		for _, a := range own {
			if a.Is4() == bound.Addr().Is4() {
				found = append(found, netip.AddrPortFrom(a, bound.Port()))
			}
		}
		loopback := netip.IPv6Loopback()
		if bound.Addr().Is4() {
			loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		}
		alone = append(alone, netip.AddrPortFrom(loopback, bound.Port()))
	}
	if len(found) == 0 {
		return alone
	}
	return found
}

// matchAddresses tells the endpoint where this device is, and keeps where its
// links lead to for the next start.
func (n *Node) matchAddresses() {
	n.endpoint.SetAddresses(append(n.hostCandidates(), n.nearCandidates()...), networks(n.interfaces.ask(time.Now()), n.addrs())...)
	n.noticeAbsence()
	links, own := n.endpoint.Links(), n.ownAddresses()
	err := n.keep.updateIf(func(s *kept) bool {
		changed := false
		for _, l := range links {
			p, addr := s.peer(l.Peer), l.Addr.String()
			if p == nil {
				continue
			}
			changed = p.Seek.told(own) || changed
			if l.Outside.IsValid() {
				outside := candidateText(p2p.Candidate{Addr: l.Outside, Kind: p2p.Reflexive})
				changed, p.Outside = changed || p.Outside != outside, outside
			}
			if server := l.Kind == linkRelay && l.Through == (p2p.PeerID{}); server != p.Seek.Server {
				p.Seek.Server, changed = server, true
			}
			if l.Mapping != p2p.MappingUnknown && l.Mapping != p.Network {
				p.Network, changed = l.Mapping, true
			}
			if (l.Offset - p.Offset).Abs() > clockMoved {
				p.Offset, changed = l.Offset, true
			}
			changed = p.learnMapped(l.Mapped) || changed
			if address, err := mail.ParseAddress(l.Metadata.Address); err == nil && p.Mail != address {
				p.Mail, changed = address, true
			}
			if !l.Reachable || len(p.Last) > 0 && p.Last[0] == addr {
				continue
			}
			rest := slices.DeleteFunc(slices.Clone(p.Last), func(s string) bool { return s == addr })
			p.Last = append([]string{addr}, rest[:min(len(rest), maxLast-1)]...)
			p.Told = nil
			changed = true
		}
		return changed
	})
	if err != nil {
		n.log.Error("keep addresses", "err", err)
	}
}

// maxLast is how many addresses of a peer that worked are kept.
const maxLast = 4

// hostCandidates is what this device announces of itself.
func (n *Node) hostCandidates() []p2p.Candidate {
	var list []p2p.Candidate
	for _, a := range n.addrs() {
		list = append(list, p2p.Candidate{Peer: n.identity.ID(), Addr: a, Kind: p2p.Host, Source: "own"})
	}
	return list
}

// addKnownAddresses tells the endpoint where paired devices were reached last.
func (n *Node) addKnownAddresses() {
	s := n.keep.view()
	for i := range s.Peers {
		p := &s.Peers[i]
		n.addCandidates(p2p.PeerID(p.Peer), p.Last, "last", time.Time{})
		n.addCandidates(p2p.PeerID(p.Peer), p.Mapped, "link", time.Time{})
		n.addCandidates(p2p.PeerID(p.Peer), p.Told, sourceOf(p.Via), time.Time{})
		n.addCandidates(p2p.PeerID(p.Peer), []string{p.Outside}, "relay", time.Time{})
	}
}

// addCandidates gives kept addresses of a peer to the endpoint.
func (n *Node) addCandidates(id p2p.PeerID, addrs []string, source string, expires time.Time) {
	for _, s := range addrs {
		if a, kind, ok := parseCandidate(s); ok {
			n.addCandidate(p2p.Candidate{Peer: id, Addr: a, Kind: kind, Source: source, Expires: expires})
		}
	}
}

func (n *Node) addCandidate(c p2p.Candidate) {
	if err := n.endpoint.AddCandidate(c, p2p.Metadata{}); err != nil {
		n.log.Debug("address not used", "device", c.Peer.Short(), "source", c.Source, "err", err)
	}
}
