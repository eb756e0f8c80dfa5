package p2p

import (
	"net/netip"
	"slices"
	"time"
)

// A Mapping is what the routers before this device make of its IPv4 address,
// in the words of RFC 4787 §4.1.
type Mapping string

// The kinds of mapping. Behind one that depends on the destination, nobody can
// be told an address to meet at.
const (
	MappingUnknown     Mapping = ""
	MappingNone        Mapping = "none"        // seen at an address of its own
	MappingIndependent Mapping = "independent" // seen alike by all
	MappingDependent   Mapping = "dependent"   // seen at one address with several ports
	MappingBlocked     Mapping = "blocked"     // UDP does not get through
)

// onlyTCPFor is more than the minute after which QUIC is tried again beside TCP.
const onlyTCPFor = 90 * time.Second

// Mapping returns what linked peers and named servers let conclude. It needs
// two of them in different networks, or one that sees an own address.
// UDP is blocked where nobody beyond our networks is heard by it: neither
// several named servers, or a device that is linked by TCP though others reach
// it by UDP.
func (e *Endpoint) Mapping() Mapping {
	if e.outside.silence() && (e.servers.silent() || e.onlyTCP(time.Now())) {
		return MappingBlocked
	}
	return mappingOf(e.sightings(time.Now()))
}

// onlyTCP tells whether a device has been linked by TCP for longer than QUIC
// would have taken, and the fault is not its own.
func (e *Endpoint) onlyTCP(now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range e.peers {
		l := p.link
		if l == nil || l.conn.kind() != kindTCP || now.Sub(l.since) < onlyTCPFor || !fromOutside(l.conn.remote().Addr()) || e.network.onLink(l.conn.remote().Addr()) {
			continue
		}
		switch l.routers() {
		case MappingNone, MappingIndependent, MappingDependent:
			return true
		}
	}
	return false
}

func mappingOf(n network, peers, servers []seen) Mapping {
	first := make(map[netip.Addr]seen) // by our address
	found := MappingUnknown
	for _, s := range slices.Concat(peers, servers) {
		a := s.addr.Addr()
		if !s.by.IsValid() || s.by.IsPrivate() || n.onLink(s.by) || !a.Is4() || !fromOutside(a) {
			continue
		}
		if n.has(s.addr) {
			return MappingNone
		}
		f, ok := first[a]
		switch {
		case !ok:
			first[a] = s
		case siteOf(f.by) == siteOf(s.by):
		case f.addr == s.addr:
			found = MappingIndependent
		default:
			return MappingDependent
		}
	}
	return found
}

// ParseMapping reads what a peer says of its own routers, in HELLO and letters;
// a word that is not known here is unknown.
func ParseMapping(s string) Mapping {
	switch m := Mapping(s); m {
	case MappingNone, MappingIndependent, MappingDependent, MappingBlocked:
		return m
	}
	return MappingUnknown
}

// PeerMapping returns what a peer said last, over a link since the program
// began, of its own routers. It is a claim.
func (e *Endpoint) PeerMapping(id PeerID) Mapping {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.peers[id]
	switch {
	case p == nil:
		return MappingUnknown
	case p.link != nil:
		return p.link.routers()
	}
	return p.mapping
}

// routers is what the peer said last of its own.
func (l *link) routers() Mapping {
	if m := l.mapping.Load(); m != nil {
		return *m
	}
	return ParseMapping(l.hello.Mapping)
}

// tellMapping tells linked peers what our routers do and forward, where that
// has changed.
func (e *Endpoint) tellMapping() {
	m := e.Mapping()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range e.peers {
		if l := p.link; l != nil && (l.toldMapping != m || !slices.Equal(l.toldMapped, e.mapped)) {
			l.toldMapping, l.toldMapped = m, e.mapped
			l.send(control{Type: controlNetwork, Mapping: string(m), Mapped: mappedTexts(e.mapped)})
		}
	}
}
