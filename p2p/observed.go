package p2p

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Times of what others say about our address.
const (
	askPeers  = time.Minute      // linked ones
	askServer = 5 * time.Minute  // STUN servers that the user named
	holdEvery = 15 * time.Second // while a letter is under way: routers forget after 30 s
	seenTime  = 2 * askPeers
)

// seen is our address as somebody sees it.
type seen struct {
	addr netip.AddrPort
	by   netip.Addr
	at   time.Time
}

func (s seen) fresh(now time.Time) bool { return s.addr.IsValid() && now.Sub(s.at) < seenTime }

// servers are the STUN servers that the user named. Their word counts alone.
type servers struct {
	mu    sync.Mutex
	addrs []netip.AddrPort
	seen  map[netip.AddrPort]seen
	hold  time.Time // the routers' mapping is held until then
	again bool      // ask at once
	wake  chan struct{}
}

func newServers() *servers {
	return &servers{seen: make(map[netip.AddrPort]seen), wake: make(chan struct{}, 1)}
}

// askAgain has the servers asked at once; s.mu is held.
func (s *servers) askAgain() {
	s.again = true
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// wakeUp tells that the network changed.
func (s *servers) wakeUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.askAgain()
}

// mapped notes a server's answer.
func (s *servers) mapped(server, addr netip.AddrPort, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.addrs, server) {
		s.seen[server] = seen{addr: unmap(addr), by: server.Addr(), at: now}
	}
}

// turn returns the servers to ask, when to ask again, and whether to ask now
// in any case.
func (s *servers) turn(now time.Time) (list []netip.AddrPort, every time.Duration, again bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	every, again = askServer, s.again
	s.again = false
	if now.Before(s.hold) {
		every = holdEvery
	}
	return s.addrs, every, again
}

// known returns what servers said not long ago.
func (s *servers) known(now time.Time) []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []seen
	for _, server := range s.addrs {
		if o := s.seen[server]; o.addr.IsValid() && now.Sub(o.at) < 2*askServer {
			list = append(list, o)
		}
	}
	return list
}

// maxServers bounds the STUN servers that are asked.
const maxServers = 8

// SetSTUN says which STUN servers, named by the user, are asked for this
// device's address: at most eight.
func (e *Endpoint) SetSTUN(servers []netip.AddrPort) {
	s := e.servers
	servers = servers[:min(len(servers), maxServers)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.addrs, servers) {
		s.addrs = slices.Clone(servers)
		s.askAgain()
	}
}

// HoldMapping keeps what routers on the way map this device's port to until a
// moment, where a STUN server can be asked: a letter with the address is under
// way.
func (e *Endpoint) HoldMapping(until time.Time) {
	s := e.servers
	s.mu.Lock()
	defer s.mu.Unlock()
	if until.After(s.hold) {
		s.hold = until
		s.askAgain()
	}
}

// askAddresses asks linked peers and servers for our address, for as long as
// ctx lives.
func (e *Endpoint) askAddresses(ctx context.Context) {
	var nextPeers, nextServers time.Time
	for ctx.Err() == nil {
		now := time.Now()
		list, every, again := e.servers.turn(now)
		if again || !now.Before(nextServers) {
			for _, a := range list {
				e.ask(a)
			}
			nextServers = now.Add(every)
		}
		if !now.Before(nextPeers) {
			e.askLinked()
			nextPeers = now.Add(askPeers)
		}
		next := nextPeers
		if len(list) > 0 && nextServers.Before(next) {
			next = nextServers
		}
		sleep(ctx, e.servers.wake, next)
	}
}

// ask sends a server one request.
func (e *Endpoint) ask(addr netip.AddrPort) {
	s, err := e.socketFor(addr.Addr())
	if err != nil {
		return
	}
	id, packet := newRequest("", checkKey{})
	if e.checker.remember(id, asked{addr: addr, at: time.Now()}) {
		_ = s.write(packet, addr, 0) // asked again later
	}
}

// askLinked sends each linked peer outside our networks one check: its answer
// says where it sees us now, HELLO said where it did.
func (e *Endpoint) askLinked() {
	type target struct {
		id   PeerID
		addr netip.AddrPort
		keys *shared
	}
	var list []target
	e.mu.Lock()
	for _, p := range e.peers {
		if p.link == nil || p.checks.paired == nil {
			continue
		}
		if addr := p.link.conn.remote(); addr.IsValid() && !e.network.onLink(addr.Addr()) {
			list = append(list, target{p.id, addr, p.checks.paired})
		}
	}
	e.mu.Unlock()
	for _, t := range list {
		e.sendCheck(t.id, t.addr, t.keys, 0)
	}
}

// sightings returns our addresses as linked peers and named servers see them.
func (e *Endpoint) sightings(now time.Time) (n network, peers, servers []seen) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range e.peers {
		switch {
		case p.link == nil:
		case p.seen.fresh(now):
			peers = append(peers, p.seen)
		default:
			l := p.link.describe()
			peers = append(peers, seen{addr: unmap(l.Observed), by: l.Addr.Addr(), at: l.Since})
		}
	}
	return e.network, peers, e.servers.known(now)
}

// Reflexive returns the addresses at which this device is seen from outside:
// those that at least two linked peers in different networks name alike, for
// one alone may lie, and what a STUN server says that the user named.
func (e *Endpoint) Reflexive() []Candidate {
	n, peers, servers := e.sightings(time.Now())
	addrs := agreed(n, peers)
	for _, s := range servers {
		if !slices.Contains(addrs, s.addr) && fromOutside(s.addr) && !n.has(s.addr) {
			addrs = append(addrs, s.addr)
		}
	}
	var list []Candidate
	for _, a := range addrs {
		list = append(list, Candidate{Peer: e.id, Addr: a, Kind: Reflexive, Source: "link"})
	}
	return list
}

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
)

// Mapping returns what linked peers and named servers let conclude. It needs
// two of them in different networks, or one that sees an own address.
func (e *Endpoint) Mapping() Mapping { return mappingOf(e.sightings(time.Now())) }

func mappingOf(n network, peers, servers []seen) Mapping {
	first := make(map[netip.Addr]seen) // by our address
	found := MappingUnknown
	for _, s := range slices.Concat(peers, servers) {
		a := s.addr.Addr()
		if !s.by.IsValid() || s.by.IsPrivate() || n.onLink(s.by) || !a.Is4() || !fromOutside(s.addr) {
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

// has tells whether an address is one of our own interfaces'.
func (n network) has(a netip.AddrPort) bool {
	return slices.ContainsFunc(n.own, func(c Candidate) bool { return c.Addr == a })
}

func fromOutside(a netip.AddrPort) bool { return a.Addr().IsGlobalUnicast() && !a.Addr().IsPrivate() }

// agreed returns what two peers in different networks outside of n observed
// alike.
func agreed(n network, all []seen) []netip.AddrPort {
	first := make(map[netip.AddrPort]netip.Prefix) // who named it first; the zero prefix when it is listed
	var list []netip.AddrPort
	for _, s := range all {
		if !s.by.IsValid() || s.by.IsPrivate() || n.onLink(s.by) || !fromOutside(s.addr) || n.has(s.addr) {
			continue
		}
		site := siteOf(s.by)
		prefix, ok := first[s.addr]
		switch {
		case !ok:
			first[s.addr] = site
		case prefix.IsValid() && prefix != site:
			list = append(list, s.addr)
			first[s.addr] = netip.Prefix{}
		}
	}
	return list
}

// siteOf is the network that one owner is likely to have: /24 or /48.
func siteOf(a netip.Addr) netip.Prefix { return networkOf(a, 24, 48) }
