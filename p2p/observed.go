package p2p

import "net/netip"

// Reflexive returns the addresses at which this device is seen from outside:
// those that at least two linked peers in different networks name alike, for
// one alone may lie.
func (e *Endpoint) Reflexive() []Candidate {
	n := e.networkNow()
	var list []Candidate
	for _, a := range agreed(n, e.Links()) {
		list = append(list, Candidate{Peer: e.id, Addr: a, Kind: Reflexive, Source: "link"})
	}
	return list
}

// agreed returns what two links to different networks outside of n observed alike.
func agreed(n network, links []Link) []netip.AddrPort {
	first := make(map[netip.AddrPort]netip.Prefix) // who named it first; the zero prefix when it is listed
	var list []netip.AddrPort
	for _, l := range links {
		from, o := l.Addr.Addr(), unmap(l.Observed)
		if !from.IsValid() || from.IsPrivate() || n.onLink(from) || !o.Addr().IsGlobalUnicast() || o.Addr().IsPrivate() {
			continue
		}
		site := siteOf(from)
		seen, ok := first[o]
		switch {
		case !ok:
			first[o] = site
		case seen.IsValid() && seen != site:
			list = append(list, o)
			first[o] = netip.Prefix{}
		}
	}
	return list
}

// siteOf is the network that one owner is likely to have: /24 or /48.
func siteOf(a netip.Addr) netip.Prefix {
	bits := 48
	if a.Is4() {
		bits = 24
	}
	p, err := a.WithZone("").Prefix(bits)
	if err != nil {
		panic(err) // the bits fit the family
	}
	return p
}
