package discovery

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"foldpost/p2p"
)

// hear takes a packet in.
func (r *lanRun) hear(a arrival, now time.Time) {
	i := slices.IndexFunc(r.segments, func(g *segment) bool { return g.iface.Index == a.iface && g.v4 == a.from.Addr().Is4() })
	if i < 0 {
		return
	}
	g := r.segments[i]
	if r.isEcho(g, a, now) {
		return
	}
	r.noteContact(g, a, now)
	z := r.zones[a.iface]
	switch {
	case a.packet.response && a.from.Port() == mdnsPort:
		r.hearAnswer(g, a, now)
	case a.packet.response || !r.speaking || g.socket.Legacy() || len(z.addrs) == 0:
	case a.from.Port() == mdnsPort:
		g.hearQuestion(a.packet, a.from.Addr(), z, r.heard, now)
	default:
		r.reply(g, a, z, now)
	}
}

// isEcho tells whether a packet is one of ours, which multicast brings back
// once. Another program on this computer may say the same in our words.
func (r *lanRun) isEcho(g *segment, a arrival, now time.Time) bool {
	e := r.echoes[a.sum]
	if e.left == 0 || !g.iface.is(a.from.Addr()) {
		return false
	}
	if e.left--; e.left == 0 {
		delete(r.echoes, a.sum)
	} else {
		r.echoes[a.sum] = e
	}
	c := r.contact[a.iface]
	c.own = now
	r.contact[a.iface] = c
	return true
}

func (r *lanRun) noteContact(g *segment, a arrival, now time.Time) {
	r.last, r.lastFrom = now, a.from
	if g.iface.is(a.from.Addr()) {
		return
	}
	c := r.contact[a.iface]
	c.heard = now
	r.contact[a.iface] = c
}

// hearAnswer keeps what others say and tells what it means.
func (r *lanRun) hearAnswer(g *segment, a arrival, now time.Time) {
	own := r.names.instance + "." + serviceName
	list := slices.DeleteFunc(a.packet.records, func(q record) bool { return q.name == own || q.host == own })
	if g.socket.Legacy() {
		for i := range list {
			if list[i].ttl == legacyTTL || list[i].ttl < recordTTL && list[i].ttl > 0 {
				list[i].ttl = recordTTL // such answers say ten seconds to all who ask in this way
			}
		}
	}
	at := place{iface: a.iface, addr: a.from.Addr()}
	for _, i := range r.heard.take(at, list, now) {
		r.news = true
		r.identify(i, now)
		if i.complete(now) && i.peer != (p2p.PeerID{}) {
			r.tell(g, at, i, now)
		}
	}
}

// identify finds out who an instance is.
func (r *lanRun) identify(i *instance, now time.Time) {
	if i.known || !i.txt.After(now) {
		return
	}
	i.known = true
	i.peer, _ = recognize(r.peers, i.name, i.text.tags, now)
}

// tell hands on where a peer is.
func (r *lanRun) tell(g *segment, at place, i *instance, now time.Time) {
	s := r.heard.speakers[at]
	if s == nil {
		return
	}
	for _, addr := range s.addrs(at, i, g.iface.near, g.iface.Name, now) {
		r.found(p2p.Candidate{Peer: i.peer, Addr: addr, Kind: p2p.Host, Source: LANSource, Expires: i.ends()}, p2p.Metadata{Name: i.text.name})
	}
}

// doubt has everyone identified again: the peers changed.
func (h *memory) doubt() {
	for _, s := range h.speakers {
		for _, i := range s.instances {
			i.known, i.peer = false, p2p.PeerID{}
		}
	}
}

// identifyAll finds out who those are that were heard before we knew them.
func (r *lanRun) identifyAll(now time.Time) {
	for at, s := range r.heard.speakers {
		for _, i := range s.instances {
			if i.known || !i.complete(now) {
				continue
			}
			r.identify(i, now)
			k := slices.IndexFunc(r.segments, func(g *segment) bool { return g.iface.Index == at.iface && g.v4 == at.addr.Is4() })
			if k >= 0 && i.peer != (p2p.PeerID{}) {
				r.tell(r.segments[k], at, i, now)
			}
		}
	}
}

// reply answers a program that asked from a port of its own, which is in one
// of our networks, by unicast.
func (r *lanRun) reply(g *segment, a arrival, z zone, now time.Time) {
	from := a.from
	if !g.iface.near(from.Addr()) {
		return
	}
	for _, q := range a.packet.questions {
		if !z.answers(q) || !r.replies.allow(from.Addr(), now) {
			continue
		}
		b, err := z.reply(a.packet.id, q)
		if err == nil {
			err = g.socket.Write(b, g.iface, from)
		}
		if err != nil {
			r.lan.config.Log.Debug("answer by unicast", "err", err)
		}
		return
	}
}

// nearby is who is near.
type nearby struct {
	neighbours []Neighbour
	recognized []Recognized
	devices    int
}

// show tells who is near, and what is known of the networks.
func (r *lanRun) show(now time.Time) {
	if r.news {
		r.news = false
		r.identifyAll(now)
		r.near = r.lookAround(now)
	}
	r.lan.show(r.near.neighbours, r.facts())
}

// lookAround gathers the instances that are complete, whoever tells of them.
func (r *lanRun) lookAround(now time.Time) nearby {
	shown, known := map[string]Neighbour{}, map[p2p.PeerID]Recognized{}
	devices := map[string]bool{}
	for _, g := range r.segments {
		r.heard.on(g.iface.Index, g.v4, func(at place, s *speaker, i *instance) {
			if !i.complete(now) {
				return
			}
			devices[i.name] = true
			addrs := s.addrs(at, i, g.iface.near, g.iface.Name, now)
			switch {
			case i.peer != (p2p.PeerID{}):
				k := known[i.peer]
				known[i.peer] = Recognized{Peer: i.peer, Addrs: union(k.Addrs, addrs), Seen: later(k.Seen, i.seen)}
			case i.text.name != "":
				n := shown[i.name]
				shown[i.name] = Neighbour{Instance: i.name, Name: i.text.name, Addrs: union(n.Addrs, addrs), Seen: later(n.Seen, i.seen)}
			}
		})
	}
	for id := range r.since {
		if _, still := known[id]; !still {
			delete(r.since, id)
		}
	}
	for id, k := range known {
		if r.since[id].IsZero() {
			r.since[id] = now
		}
		k.Since = r.since[id]
		known[id] = k
	}
	return nearby{
		neighbours: slices.SortedFunc(maps.Values(shown), func(a, b Neighbour) int {
			return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Instance, b.Instance))
		}),
		recognized: slices.SortedFunc(maps.Values(known), func(a, b Recognized) int { return slices.Compare(a.Peer[:], b.Peer[:]) }),
		devices:    len(devices),
	}
}

func union(a, b []netip.AddrPort) []netip.AddrPort {
	a = append(a, b...)
	slices.SortFunc(a, compareAddrPorts)
	return slices.Compact(a)
}

func (r *lanRun) facts() Facts {
	f := Facts{
		Running: true, Visible: r.visible, Speaking: r.speaking, Devices: r.near.devices, Recognized: r.near.recognized,
		Heard: r.last, HeardFrom: r.lastFrom,
	}
	for k, s := range r.sockets {
		f.Taken = f.Taken || s != nil && s.Legacy()
		if r.problems[k] != "" {
			f.Problems = append(f.Problems, r.problems[k])
		}
	}
	for _, i := range r.ifaces {
		c := r.contact[i.Index]
		p := cmp.Or(r.refused[joinKey{true, i.Index}], r.refused[joinKey{false, i.Index}])
		f.Interfaces = append(f.Interfaces, InterfaceFacts{Name: i.Name, Addrs: i.Addrs, Problem: p, First: c.first, Sent: c.sent, Own: c.own, Heard: c.heard})
	}
	return f
}
