package node

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"foldpost/discovery"
	"foldpost/p2p"
)

// maxMapped is how many of the addresses in a letter may be mapped.
const maxMapped = 2

// keptMapping is what routers know this device by.
type keptMapping struct {
	Nonce    nonce  `json:"nonce"`
	External uint16 `json:"external,omitempty"` // the port that a router forwarded last
}

// nonce is 12 bytes, in hex on disk.
type nonce [12]byte

func (n nonce) MarshalText() ([]byte, error)  { return []byte(hex.EncodeToString(n[:])), nil }
func (n *nonce) UnmarshalText(b []byte) error { return unhex(n[:], b) }

// mapping is the port of routers that they forward to this device.
//
// What a router forwards is told only to who is paired or invited, in sealed
// letters: a router says much, and nobody may ever get through. It counts as
// reachable when a paired device beyond our own networks came in, unasked, and
// was there under that address.
type mapping struct {
	mu     sync.Mutex
	mapper *discovery.Mapper // nil: none runs
	stop   context.CancelFunc
	ended  chan struct{} // closed when the mapper that began last has given its port back
	asked  time.Time     // because a link was lost
	list   []mapped
}

// mapped is one that is worth telling: others have a way to its address.
type mapped struct {
	discovery.Mapping
	since     time.Time
	confirmed time.Time // zero: nobody was seen to get through
}

// matchMapping has routers asked for a port if that is set.
func (n *Node) matchMapping(ctx context.Context) {
	n.confirmMappings()
	s := n.keep.view()
	on := !s.NoMapping && n.mapsPorts()
	if on && s.Mapping.Nonce == (nonce{}) {
		rand.Read(s.Mapping.Nonce[:]) // never fails
		n.change("keep a nonce for routers", func(k *kept) { k.Mapping.Nonce = s.Mapping.Nonce })
	}
	m := &n.mapping
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case on && m.mapper == nil:
		ctx, m.stop = context.WithCancel(ctx)
		mapper := discovery.NewMapper(discovery.MapperConfig{Port: n.port, External: s.Mapping.External, Nonce: s.Mapping.Nonce, TCP: len(n.listeners) == len(n.sockets), Log: n.log})
		m.mapper = mapper
		before, ended := m.ended, make(chan struct{})
		m.ended = ended
		n.tasks.Go(func() {
			defer close(ended)
			if before != nil {
				<-before // it gives the very port back
			}
			_ = mapper.Run(ctx, func(list []discovery.Mapping) { n.portsMapped(mapper, list) }) // it ends with ctx alone
		})
	case !on && m.mapper != nil:
		m.stop()
		m.mapper, m.list = nil, nil
		n.endpoint.SetMapped(nil)
	}
}

// mapsPorts tells whether a router could forward to this device: not to a
// simulated one, nor to one that listens on one address alone.
func (n *Node) mapsPorts() bool {
	return slices.ContainsFunc(n.sockets, func(c net.PacketConn) bool {
		a, ok := c.LocalAddr().(*net.UDPAddr)
		return ok && a.IP.IsUnspecified()
	})
}

// portsMapped takes what routers forward now, as the mapper that runs says.
func (n *Node) portsMapped(by *discovery.Mapper, all []discovery.Mapping) {
	m := &n.mapping
	m.mu.Lock()
	if m.mapper != by {
		m.mu.Unlock()
		return
	}
	old := m.list
	m.list = nil
	for _, a := range all {
		if a.Pinhole() || !isPublic(a.External.Addr()) {
			continue // an address that is known anyway, or of no use to anybody
		}
		fresh := mapped{Mapping: a, since: time.Now()}
		for _, b := range old {
			if b.External == a.External {
				fresh.since, fresh.confirmed = b.since, b.confirmed
			}
		}
		m.list = append(m.list, fresh)
	}
	list := m.list
	m.mu.Unlock()
	n.endpoint.SetMapped(m.addresses())
	if len(list) > 0 {
		port := list[0].External.Port()
		err := n.keep.updateIf(func(s *kept) bool {
			changed := s.Mapping.External != port
			s.Mapping.External = port
			return changed
		})
		if err != nil {
			n.log.Error("keep the port that a router forwards", "err", err)
		}
	}
	n.kick()
}

// isPublic tells whether others have a way to an address: it is not one of
// another router's network.
func isPublic(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate() && !carrierNetwork.Contains(a)
}

// confirmMappings notes the addresses at which somebody got through.
func (n *Node) confirmMappings() {
	came := n.endpoint.ReachedFromOutside(true)
	if came.IsZero() {
		return
	}
	links := n.endpoint.Links()
	m := &n.mapping
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.list {
		a := &m.list[i]
		seen := slices.ContainsFunc(links, func(l p2p.Link) bool { return l.Observed == a.External })
		if seen && came.After(a.since) {
			a.confirmed = came
		}
	}
}

// learnMapped keeps, for the next start, what a linked device says that its
// routers forward. False: it was kept.
func (p *keptPeer) learnMapped(addrs []netip.AddrPort) bool {
	var list []p2p.Candidate
	for _, a := range addrs {
		list = append(list, p2p.Candidate{Addr: a, Kind: p2p.Mapped})
	}
	texts := candidateTexts(list)
	same := slices.Equal(texts, p.Mapped)
	p.Mapped = texts
	return !same
}

// wake has the routers asked anew, because the network changed.
func (m *mapping) wake() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mapper != nil {
		m.mapper.Wake()
	}
}

// askAfterLoss is the least time between two questions because of lost links.
const askAfterLoss = 30 * time.Second

// lost has the routers asked anew, because a link was lost: they may have got
// another address, which nobody else tells.
func (m *mapping) lost(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mapper != nil && now.Sub(m.asked) >= askAfterLoss {
		m.asked = now
		m.mapper.Wake()
	}
}

// candidates are the addresses that routers forward to this device.
func (m *mapping) candidates() []p2p.Candidate {
	var list []p2p.Candidate
	for _, a := range m.addresses() {
		list = append(list, p2p.Candidate{Addr: a, Kind: p2p.Mapped, Source: "own"})
	}
	return list
}

func (m *mapping) addresses() []netip.AddrPort {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []netip.AddrPort
	for _, a := range m.list {
		list = append(list, a.External)
	}
	return list
}

// mappingFacts are what the doctor knows of ports of routers.
type mappingFacts struct {
	Off      bool                // it is switched off, or of no use here
	Gateways []discovery.Gateway // and what came of asking them
	// Confirmed are the external addresses at which somebody got through, with
	// the last time.
	Confirmed map[netip.AddrPort]time.Time
}

func (m *mapping) facts() mappingFacts {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mapper == nil {
		return mappingFacts{Off: true}
	}
	f := mappingFacts{Gateways: m.mapper.Gateways(), Confirmed: map[netip.AddrPort]time.Time{}}
	for _, a := range m.list {
		if !a.confirmed.IsZero() {
			f.Confirmed[a.External] = a.confirmed
		}
	}
	return f
}
