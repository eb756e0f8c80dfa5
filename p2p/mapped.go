package p2p

import (
	"net/netip"
	"slices"
	"time"
)

// maxMapped bounds the addresses that are told of what routers forward.
const maxMapped = 4

// SetMapped says which addresses routers forward to this device, as they say.
// Linked peers are told, at most four.
func (e *Endpoint) SetMapped(addrs []netip.AddrPort) {
	addrs = slices.Clone(addrs[:min(len(addrs), maxMapped)])
	e.mu.Lock()
	same := slices.Equal(addrs, e.mapped)
	e.mapped = addrs
	e.mu.Unlock()
	if !same {
		e.servers.poke() // its goroutine tells
	}
}

func (e *Endpoint) mappedNow() []netip.AddrPort {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.mapped
}

func mappedTexts(addrs []netip.AddrPort) []string {
	var list []string
	for _, a := range addrs {
		list = append(list, a.String())
	}
	return list
}

// parseMapped reads what a peer says, and leaves out what is no address.
func parseMapped(texts []string) []netip.AddrPort {
	var list []netip.AddrPort
	for _, s := range texts {
		a, err := netip.ParseAddrPort(s)
		if err == nil && a.Addr().Zone() == "" && !slices.Contains(list, unmap(a)) {
			list = append(list, unmap(a))
		}
	}
	return list
}

// forwarded is what the peer said last.
func (l *link) forwarded() []netip.AddrPort {
	if a := l.mapped.Load(); a != nil {
		return *a
	}
	return parseMapped(l.hello.Mapped)
}

// learnMapped makes what the peer said the mapped candidates that came by
// link.
func (p *peer) learnMapped(addrs []netip.AddrPort, n network, now time.Time) {
	p.candidates = slices.DeleteFunc(p.candidates, func(k *known) bool {
		return k.Kind == Mapped && k.Source == "link" && !k.proven && !slices.Contains(addrs, k.Addr)
	})
	for _, a := range addrs {
		if n.usable(a) == nil {
			p.candidates.add(Candidate{Peer: p.id, Addr: a, Kind: Mapped, Source: "link"}, now)
		}
	}
}
