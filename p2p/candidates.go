package p2p

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Limits of what others may tell us of a peer's addresses.
const (
	maxCandidates   = 16 // per peer
	maxStrangers    = 64 // peers without a record that have candidates
	privateTries    = 3  // dials to a private address that is not on our network and never was the peer
	privateTryAgain = 10 * time.Minute
)

// errCandidate reports an address that is not dialled whoever names it.
var errCandidate = errors.New("candidate not usable")

// network is where this endpoint is: its own addresses and what is on-link.
type network struct {
	own      []Candidate
	prefixes []netip.Prefix
	loopback bool            // bound to, or listening on, a loopback address
	families map[bool]bool   // key: IPv4
	zones    map[string]bool // scopes of own link-local addresses
}

func newNetwork(sockets []netip.Addr, own []Candidate, prefixes []netip.Prefix) network {
	n := network{own: own, prefixes: prefixes, families: map[bool]bool{}, zones: map[string]bool{}}
	for _, a := range sockets {
		n.families[a.Is4()] = true
		n.loopback = n.loopback || a.IsLoopback()
	}
	for _, c := range own {
		a := c.Addr.Addr()
		n.loopback = n.loopback || a.IsLoopback()
		if a.IsLinkLocalUnicast() {
			n.zones[a.Zone()] = true
		}
		if len(prefixes) == 0 && c.Kind == Host && !a.IsLoopback() {
			n.prefixes = append(n.prefixes, likelyPrefix(a))
		}
	}
	return n
}

// likelyPrefix is the network of an own address where nobody told its size.
func likelyPrefix(a netip.Addr) netip.Prefix { return networkOf(a, 24, 64) }

// networkOf is the network of an address, with a size for each family.
func networkOf(a netip.Addr, bits4, bits6 int) netip.Prefix {
	bits := bits6
	if a.Is4() {
		bits = bits4
	}
	p, err := a.WithZone("").Prefix(bits)
	if err != nil {
		panic(err) // the bits fit the family
	}
	return p
}

// onLink tells whether an address is on this device or one of its own networks.
func (n network) onLink(a netip.Addr) bool {
	if a.IsLoopback() {
		return true
	}
	if a.IsLinkLocalUnicast() {
		return n.zones[a.Zone()]
	}
	a = a.WithZone("")
	return slices.ContainsFunc(n.prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// usable tells why an address that somebody named is not dialled at all. A
// named address may be a victim's, or a beacon that tells where we are.
func (n network) usable(addr netip.AddrPort) error {
	a := addr.Addr()
	switch {
	case !addr.IsValid() || a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return fmt.Errorf("%w: %s is not unicast", errCandidate, addr)
	case addr.Port() < 1024 && addr.Port() != 443:
		return fmt.Errorf("%w: port %d", errCandidate, addr.Port())
	case !n.families[a.Is4()]:
		return fmt.Errorf("%w: no socket for %s", errCandidate, a)
	case a.IsLoopback() && !n.loopback:
		return fmt.Errorf("%w: %s is a loopback address", errCandidate, a)
	case a.IsLinkLocalUnicast() && !n.zones[a.Zone()]:
		return fmt.Errorf("%w: %s is not in a scope of ours", errCandidate, a)
	}
	return nil
}

// known is a candidate with what was learned by trying it.
type known struct {
	Candidate
	added  time.Time
	tried  time.Time
	tries  int
	byTCP  int  // tries by TCP
	proven bool // the peer itself was there

	probes   int       // checks sent
	open     time.Time // from when it may be dialled because it answered a check
	blind    time.Time // it may be dialled though it did not
	answered time.Time
	trigger  bool      // a check came from there: check back
	asked    time.Time // trigger was set last
	keys     *shared   // that the check was signed with
	spare    bool      // it was met on the spare socket

	failed, failedTCP error // of the last dial
}

// candidates are the addresses known of one peer.
type candidates []*known

// add puts a usable candidate in, or renews it. Where there is no room the
// oldest one that never was the peer goes, of the same source if there is one.
// It tells whether the candidate is worth a dial at once. One of source "last"
// is from the application's own memory: the peer itself was there.
func (s *candidates) add(c Candidate, now time.Time) bool {
	if c.Source == "last" {
		s.prove(c.Peer, c.Addr, now)
		return true
	}
	if i := slices.IndexFunc(*s, func(k *known) bool { return k.Addr == c.Addr }); i >= 0 {
		k := (*s)[i]
		fresh := now.Sub(k.added) >= privateTryAgain
		if fresh {
			k.tries, k.byTCP, k.probes, k.added = 0, 0, 0, now
		}
		c.Kind = min(c.Kind, k.Kind) // who may be called need not be checked first because a mail came from there
		k.Candidate = c
		return fresh
	}
	if len(*s) >= maxCandidates && !s.makeRoom(c.Source) {
		return false
	}
	*s = append(*s, &known{Candidate: c, added: now})
	return true
}

func (s *candidates) makeRoom(source string) bool {
	worst := -1
	for i, k := range *s {
		if k.proven {
			continue
		}
		if worst < 0 {
			worst = i
			continue
		}
		w := (*s)[worst]
		if same, had := k.Source == source, w.Source == source; same != had {
			if same {
				worst = i
			}
		} else if k.added.Before(w.added) {
			worst = i
		}
	}
	if worst < 0 {
		return false
	}
	*s = slices.Delete(*s, worst, worst+1)
	return true
}

// prove notes that the peer itself was at an address; a peer behind a relay
// was at none.
func (s *candidates) prove(id PeerID, addr netip.AddrPort, now time.Time) {
	if !addr.IsValid() {
		return
	}
	for _, k := range *s {
		if k.Addr == addr {
			k.proven, k.tries, k.byTCP, k.tried = true, 0, 0, now
			k.failed, k.failedTCP = nil, nil
			return
		}
	}
	s.forgetOldProof()
	if len(*s) >= maxCandidates && !s.makeRoom("") {
		return
	}
	*s = append(*s, &known{Candidate: Candidate{Peer: id, Addr: addr, Kind: Host, Source: "last"}, added: now, tried: now, proven: true})
}

// maxProven bounds how many past addresses of a peer are kept.
const maxProven = 4

func (s *candidates) forgetOldProof() {
	oldest, n := -1, 0
	for i, k := range *s {
		if !k.proven {
			continue
		}
		if n++; oldest < 0 || k.tried.Before((*s)[oldest].tried) {
			oldest = i
		}
	}
	if n >= maxProven {
		*s = slices.Delete(*s, oldest, oldest+1)
	}
}

// expire drops what is over. It returns when the next one will be; zero: never.
func (s *candidates) expire(now time.Time) time.Time {
	*s = slices.DeleteFunc(*s, func(k *known) bool { return !k.Expires.IsZero() && !now.Before(k.Expires) })
	var next time.Time
	for _, k := range *s {
		if !k.Expires.IsZero() && (next.IsZero() || k.Expires.Before(next)) {
			next = k.Expires
		}
	}
	return next
}

// worth returns the candidates to dial on a network, best first.
func (s candidates) worth(n network, now time.Time) []*known {
	var list []*known
	for _, k := range s {
		if n.usable(k.Addr) == nil && k.dialable(now) && (!n.away(k.Addr) || k.proven || k.tries < privateTries) {
			list = append(list, k)
		}
	}
	return n.sorted(list, now)
}

// worthTCP returns the candidates to dial by TCP, best first. No check asks
// beforehand whether one that a router may have made up leads to the peer: it
// has a few tries like a private one.
func (s candidates) worthTCP(n network, now time.Time) []*known {
	var list []*known
	for _, k := range s {
		doubtful := n.away(k.Addr) || k.Kind == Reflexive
		if n.usable(k.Addr) == nil && k.Kind != Relayed && (!doubtful || k.proven || k.byTCP < privateTries) {
			list = append(list, k)
		}
	}
	return n.sorted(list, now)
}

// away tells whether an address is a private one of another network.
func (n network) away(a netip.AddrPort) bool { return a.Addr().IsPrivate() && !n.onLink(a.Addr()) }

// sorted puts first what just answered a check, then where the peer was seen
// last, then by kind, addresses of our own network before others, those of
// IPv6, the newest first.
func (n network) sorted(list []*known, now time.Time) []*known {
	slices.SortStableFunc(list, func(a, b *known) int {
		if oa, ob := a.answers(now), b.answers(now); oa != ob {
			return sign(oa)
		}
		if a.Kind != b.Kind {
			return int(a.Kind) - int(b.Kind)
		}
		if la, lb := n.onLink(a.Addr.Addr()), n.onLink(b.Addr.Addr()); la != lb {
			return sign(la)
		}
		if a.proven != b.proven {
			return sign(a.proven)
		}
		if ga, gb := global6(a), global6(b); ga != gb {
			return sign(ga) // no router changes it
		}
		return b.added.Compare(a.added)
	})
	return list
}

// global6 tells whether a candidate is a public IPv6 address.
func global6(k *known) bool { return k.Addr.Addr().Is6() && fromOutside(k.Addr.Addr()) }

// sign sorts what is true first.
func sign(first bool) int {
	if first {
		return -1
	}
	return 1
}
