package p2p

import (
	"context"
	"net/netip"
	"slices"
	"time"
)

// Times of what others say about our address.
const (
	askPeers = time.Minute // linked ones
	seenTime = 2 * askPeers
)

// seen is our address as somebody sees it.
type seen struct {
	addr netip.AddrPort
	by   netip.Addr
	at   time.Time
}

func (s seen) fresh(now time.Time) bool { return s.addr.IsValid() && now.Sub(s.at) < seenTime }

// askAddresses asks linked peers and servers for our address, for as long as
// ctx lives, and tells peers what follows from the answers.
func (e *Endpoint) askAddresses(ctx context.Context) {
	var nextPeers time.Time
	for ctx.Err() == nil {
		now := time.Now()
		list, next := e.servers.due(now)
		for _, a := range list {
			e.ask(a)
		}
		if e.servers.takeAll() || !now.Before(nextPeers) {
			e.askLinked()
			nextPeers = now.Add(askPeers)
		}
		e.tellMapping()
		if next.IsZero() || nextPeers.Before(next) {
			next = nextPeers
		}
		sleep(ctx, e.servers.wake, next)
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
		if addr := p.link.udp(); addr.IsValid() && !e.network.onLink(addr.Addr()) {
			list = append(list, target{p.id, addr, p.checks.paired})
		}
	}
	e.mu.Unlock()
	for _, t := range list {
		e.sendCheck(t.id, t.addr, check{keys: t.keys})
	}
}

// sightings returns our addresses as linked peers and named servers see them.
func (e *Endpoint) sightings(now time.Time) (n network, peers, servers []seen) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range e.peers {
		switch {
		case p.link == nil || !p.link.udp().IsValid():
		case p.seen.fresh(now):
			peers = append(peers, p.seen)
		case onSpare(p.link.conn): // it sees us at another port than others do
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
		if !slices.Contains(addrs, s.addr) && fromOutside(s.addr.Addr()) && !n.has(s.addr) {
			addrs = append(addrs, s.addr)
		}
	}
	var list []Candidate
	for _, a := range addrs {
		list = append(list, Candidate{Peer: e.id, Addr: a, Kind: Reflexive, Source: "link"})
	}
	return list
}

// has tells whether an address is one of our own interfaces'.
func (n network) has(a netip.AddrPort) bool {
	return slices.ContainsFunc(n.own, func(c Candidate) bool { return c.Addr == a })
}

func fromOutside(a netip.Addr) bool { return a.IsGlobalUnicast() && !a.IsPrivate() }

// agreed returns what two peers in different networks outside of n observed
// alike.
func agreed(n network, all []seen) []netip.AddrPort {
	first := make(map[netip.AddrPort]netip.Prefix) // who named it first; the zero prefix when it is listed
	var list []netip.AddrPort
	for _, s := range all {
		if !s.by.IsValid() || s.by.IsPrivate() || n.onLink(s.by) || !fromOutside(s.addr.Addr()) || n.has(s.addr) {
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
