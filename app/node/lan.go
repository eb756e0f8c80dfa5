package node

import (
	"context"
	"net"
	"net/netip"
	"time"

	"foldpost/discovery"
	"foldpost/p2p"
)

// Values of the setting visible.
const (
	visibleEveryone = "everyone" // while somebody pairs, else devices
	visibleDevices  = "devices"
	visibleNobody   = "nobody"
)

// mayShowName tells whether the user lets strangers nearby see the name at all.
func (s *kept) mayShowName() bool { return s.Visible == "" || s.Visible == visibleEveryone }

// clockMoved is how far a device's clock must have moved to be kept anew.
const clockMoved = 30 * time.Second

// findNearby looks for devices in the local networks, and shows this one
// there, for as long as ctx lives.
func (n *Node) findNearby(ctx context.Context) {
	if n.lan == nil {
		return
	}
	n.matchLAN()
	finder := discovery.NewFinder(n.log, n.lan)
	n.tasks.Go(func() {
		_ = finder.Run(ctx, func(c p2p.Candidate, _ p2p.Metadata) { n.addCandidate(c) }) // it ends with ctx alone
	})
}

// newLAN makes what looks for devices nearby: not where this device can be
// reached by loopback alone.
func (n *Node) newLAN() *discovery.LAN {
	conns := n.cfg.Conns
	if conns == nil {
		conns = n.sockets
	}
	if n.cfg.LAN == nil && (n.cfg.Conns != nil || onlyLoopback(conns)) {
		return nil
	}
	c := discovery.LANConfig{
		Self: n.identity.ID(), Peers: n.lanPeers, Visible: n.visibility, Changed: n.kick, Log: n.log, Network: n.cfg.LAN,
	}
	if w, ok := n.cfg.LAN.(interface {
		Watch(ctx context.Context, changed func())
	}); ok {
		c.Watch = w.Watch
	}
	return discovery.NewLAN(c)
}

func onlyLoopback(conns []net.PacketConn) bool {
	for _, c := range conns {
		if a, ok := c.LocalAddr().(*net.UDPAddr); !ok || !a.IP.IsLoopback() {
			return false
		}
	}
	return true
}

// matchLAN tells the local networks where this device is now.
func (n *Node) matchLAN() {
	if n.lan == nil {
		return
	}
	n.lan.Publish(p2p.Announcement{
		Peer:       n.identity.ID(),
		Candidates: append(n.hostCandidates(), n.nearCandidates()...),
		Metadata:   p2p.Metadata{Name: n.keep.view().Name},
	})
}

// lanPeers are the devices that are to recognize this one, and to be
// recognized.
func (n *Node) lanPeers() []discovery.Peer {
	s := n.keep.view()
	var list []discovery.Peer
	had := map[key]bool{}
	for i := range s.Peers {
		id := s.Peers[i].Peer
		if had[id] {
			continue
		}
		had[id] = true
		p := s.peer(p2p.PeerID(id))
		list = append(list, discovery.Peer{ID: p2p.PeerID(id), Pairwise: p2p.Secret(p.Pairwise), Offset: p.Offset, LastSeen: n.seenLast(p)})
	}
	return list
}

// seenLast is when a device was connected last.
func (n *Node) seenLast(p *keptPeer) time.Time {
	if l, linked := n.endpoint.Link(p2p.PeerID(p.Peer)); linked {
		return l.Since
	}
	if p.LastSeen.IsZero() {
		return p.Created
	}
	return p.LastSeen
}

// visibility is to whom this device shows itself now.
func (n *Node) visibility() discovery.Visibility {
	switch {
	case n.keep.view().Visible == visibleNobody:
		return discovery.Nobody
	case n.nearbyOpen(time.Now()):
		return discovery.Everyone
	}
	return discovery.Devices
}

// nearCandidates is where this device can be reached within its networks
// alone. Letters do not tell them.
func (n *Node) nearCandidates() []p2p.Candidate {
	var list []p2p.Candidate
	for _, c := range n.sockets {
		local, ok := c.LocalAddr().(*net.UDPAddr)
		if !ok || !local.IP.IsUnspecified() {
			continue
		}
		for _, a := range n.interfaces.askNear(time.Now()) {
			if a.Is4() == (local.IP.To4() != nil) {
				list = append(list, p2p.Candidate{Peer: n.identity.ID(), Addr: netip.AddrPortFrom(a, uint16(local.Port)), Kind: p2p.Host, Source: "own"})
			}
		}
	}
	return list
}
