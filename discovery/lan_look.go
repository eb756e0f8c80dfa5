package discovery

import (
	"net/netip"
	"slices"
	"time"
)

// look opens what sockets are missing, joins the interfaces there are, and
// makes their segments.
func (r *lanRun) look(now time.Time) {
	r.retry = time.Time{}
	r.openSockets(now)
	ifaces, err := r.lan.config.Network.Interfaces()
	if err != nil {
		r.lan.config.Log.Debug("list interfaces", "err", err)
		r.retry = now.Add(lookAgain)
		return
	}
	for _, i := range r.ifaces {
		if !slices.ContainsFunc(ifaces, i.isSame) {
			r.heard.dropInterface(i.Index)
			delete(r.zones, i.Index)
			delete(r.contact, i.Index)
		}
	}
	r.ifaces = ifaces
	r.join(now)
	r.segments = r.makeSegments(now)
}

// openSockets opens a socket for each family that has none. One that had to
// take another port is tried anew.
func (r *lanRun) openSockets(now time.Time) {
	for k, v4 := range []bool{true, false} {
		if s := r.sockets[k]; s != nil && !s.Legacy() {
			continue
		}
		s, err := r.lan.config.Network.Listen(v4)
		if err != nil {
			r.problems[k] = err.Error()
			r.retry = now.Add(lookAgain)
			continue
		}
		r.problems[k] = ""
		if s.Legacy() {
			r.retry = now.Add(lookAgain)
			if r.sockets[k] != nil {
				_ = s.Close() // no better than the one there is
				continue
			}
		}
		r.drop(r.sockets[k])
		r.sockets[k] = s
		r.readers(s)
	}
}

// lose drops a socket that does not work any more.
func (r *lanRun) lose(s Socket) {
	for k := range r.sockets {
		if r.sockets[k] == s {
			r.drop(s)
			r.sockets[k] = nil
			r.retry = r.now().Add(time.Second)
		}
	}
}

// drop closes a socket and forgets all that hangs on it.
func (r *lanRun) drop(s Socket) {
	if s == nil {
		return
	}
	_ = s.Close() // nothing is lost with it
	for k := range r.joined {
		if k.v4 == s.V4() {
			delete(r.joined, k)
		}
	}
	r.segments = slices.DeleteFunc(r.segments, func(g *segment) bool { return g.socket == s })
}

// join makes the sockets members on exactly the interfaces there are. One that
// was deleted and made again has another index, or another name.
func (r *lanRun) join(now time.Time) {
	for k, had := range r.joined {
		if !slices.ContainsFunc(r.ifaces, func(i Interface) bool { return i.isSame(had) && i.has(k.v4) }) {
			if s := r.socket(k.v4); s != nil {
				_ = s.Leave(had) // it may be gone
			}
			delete(r.joined, k)
		}
	}
	r.refused = map[joinKey]string{}
	for _, i := range r.ifaces {
		for _, v4 := range []bool{true, false} {
			k := joinKey{v4, i.Index}
			if _, is := r.joined[k]; is || !i.has(v4) || r.socket(v4) == nil {
				continue
			}
			if err := r.socket(v4).Join(i); err != nil {
				r.refused[k] = err.Error()
				r.retry = now.Add(lookAgain)
				continue
			}
			r.joined[k] = i
		}
	}
}

func (r *lanRun) socket(v4 bool) Socket {
	if v4 {
		return r.sockets[0]
	}
	return r.sockets[1]
}

// makeSegments returns the segments of what is joined; those there were stay.
func (r *lanRun) makeSegments(now time.Time) []*segment {
	var list []*segment
	for _, i := range r.ifaces {
		for _, v4 := range []bool{true, false} {
			if _, is := r.joined[joinKey{v4, i.Index}]; !is {
				continue
			}
			k := slices.IndexFunc(r.segments, func(g *segment) bool { return g.v4 == v4 && g.iface.isSame(i) })
			if k < 0 {
				list = append(list, newSegment(i, v4, r.socket(v4), now))
				continue
			}
			r.segments[k].iface = i
			list = append(list, r.segments[k])
		}
	}
	return list
}

// An Interface is one that is up, can do multicast and has unicast addresses.
type Interface struct {
	Index int
	Name  string
	Addrs []netip.Prefix // with the bits of their networks, without zones
}

// isSame tells whether two looks saw one interface, whatever its addresses.
func (i Interface) isSame(o Interface) bool { return i.Index == o.Index && i.Name == o.Name }

// has tells whether an interface has an address of a family.
func (i Interface) has(v4 bool) bool {
	return slices.ContainsFunc(i.Addrs, func(p netip.Prefix) bool { return p.Addr().Is4() == v4 })
}

// is tells whether an address is the interface's own.
func (i Interface) is(a netip.Addr) bool {
	return slices.ContainsFunc(i.Addrs, func(p netip.Prefix) bool { return p.Addr() == a })
}

// near tells whether an address is in a network of the interface.
func (i Interface) near(a netip.Addr) bool {
	return a.IsLinkLocalUnicast() || slices.ContainsFunc(i.Addrs, func(p netip.Prefix) bool { return p.Contains(a) })
}

// own returns the interface's addresses that are among some, those that most
// can use first.
func (i Interface) own(some []netip.Addr) []netip.Addr {
	var list []netip.Addr
	for _, p := range i.Addrs {
		a := p.Addr()
		if slices.ContainsFunc(some, func(o netip.Addr) bool { return o.WithZone("") == a }) {
			list = append(list, a)
		}
	}
	slices.SortStableFunc(list, func(a, b netip.Addr) int { return rank(a) - rank(b) })
	return list
}

func rank(a netip.Addr) int {
	switch {
	case a.Is4() && !a.IsLinkLocalUnicast():
		return 0
	case !a.IsLinkLocalUnicast():
		return 1
	}
	return 2
}
