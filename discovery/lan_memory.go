package discovery

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"foldpost/p2p"
)

// Bounds of what is remembered of others.
const (
	maxInstances = 512 // in all
	maxOfSpeaker = 64  // one that repeats for another network has many
	maxSpeakers  = 512
	maxAddrs     = 16 // of a host
	maxTTL       = 75 * time.Minute
)

// A place is who said something: an address in the network of an interface. All
// that is heard is kept by it, so that nobody can void or replace what another
// one said.
type place struct {
	iface int
	addr  netip.Addr // without a zone
}

// memory is what was said and is not over. It belongs to one goroutine.
type memory struct {
	speakers  map[place]*speaker
	instances int
}

type speaker struct {
	instances map[string]*instance
	hosts     map[string]*host
}

// An instance is one service of a speaker. Until is when each of its records
// is over.
type instance struct {
	name string
	seen time.Time

	until     time.Time // PTR
	ttl       time.Duration
	refreshes int       // questions since it was heard
	refresh   time.Time // when to ask again
	asked     int       // questions for what is missing

	srv  time.Time
	host string
	port uint16

	txt  time.Time
	text text

	peer  p2p.PeerID // who it is
	known bool
}

type host struct {
	addrs map[netip.Addr]lease
}

// A lease is for how long an address was told.
type lease struct{ heard, until time.Time }

func newMemory() *memory { return &memory{speakers: map[place]*speaker{}} }

// take keeps the records of a packet, and returns the instances that it says
// something of.
func (h *memory) take(at place, list []record, now time.Time) []*instance {
	s := h.speakers[at]
	if s == nil {
		if len(h.speakers) >= maxSpeakers || !speaksOfUs(list) {
			return nil
		}
		s = &speaker{instances: map[string]*instance{}, hosts: map[string]*host{}}
		h.speakers[at] = s
	}
	var touched []*instance
	touch := func(i *instance) {
		if i != nil && !slices.Contains(touched, i) {
			touched = append(touched, i)
		}
	}
	for _, r := range list {
		r.ttl = min(r.ttl, maxTTL)
		switch r.kind {
		case dnsmessage.TypePTR, dnsmessage.TypeSRV, dnsmessage.TypeTXT:
			touch(h.takeService(s, r, now))
		}
	}
	for _, r := range list { // after those that name the hosts
		if r.kind == dnsmessage.TypeA || r.kind == dnsmessage.TypeAAAA {
			s.takeAddr(r, now, touch)
		}
	}
	h.forget(at, s)
	return touched
}

// speaksOfUs tells whether a packet of others is about this service.
func speaksOfUs(list []record) bool {
	return slices.ContainsFunc(list, func(r record) bool {
		_, ours := instanceOf(r.name)
		return ours || r.name == serviceName
	})
}

func (h *memory) takeService(s *speaker, r record, now time.Time) *instance {
	name, ours := instanceOf(r.name)
	if r.kind == dnsmessage.TypePTR {
		name, ours = instanceOf(r.host)
		ours = ours && r.name == serviceName
	}
	if !ours {
		return nil
	}
	i := s.instances[name]
	if i == nil {
		if r.ttl == 0 || !h.room(s) {
			return nil
		}
		i = &instance{name: name}
		s.instances[name] = i
		h.instances++
	}
	until := now.Add(r.ttl)
	if r.ttl > 0 {
		i.seen = now
	}
	switch r.kind {
	case dnsmessage.TypePTR:
		i.until, i.ttl, i.refreshes = until, r.ttl, 0
		i.scheduleRefresh()
	case dnsmessage.TypeSRV:
		i.srv, i.host, i.port = until, r.host, r.port
		h.replace(s, i)
	case dnsmessage.TypeTXT:
		t, ok := parseText(r.text)
		if !ok {
			until = time.Time{}
		}
		if !t.equal(i.text) {
			i.known = false
		}
		i.txt, i.text = until, t
	}
	return i
}

// replace drops the instances that a new one of the same speaker follows: at
// one address, a port belongs to one program, which has taken another name.
func (h *memory) replace(s *speaker, by *instance) {
	for name, i := range s.instances {
		if i != by && i.port == by.port {
			delete(s.instances, name)
			h.instances--
		}
	}
}

// room tells whether one more instance of a speaker is kept; it may cost the
// one who says most all of his.
func (h *memory) room(s *speaker) bool {
	if len(s.instances) >= maxOfSpeaker {
		return false
	}
	if h.instances < maxInstances {
		return true
	}
	var most place
	for at, o := range h.speakers {
		if m := h.speakers[most]; m == nil || len(o.instances) > len(m.instances) {
			most = at
		}
	}
	o := h.speakers[most]
	if o == s {
		return false
	}
	h.instances -= len(o.instances)
	clear(o.instances)
	h.forget(most, o)
	return true
}

// takeAddr keeps an address of a host that an instance of the speaker names.
func (s *speaker) takeAddr(r record, now time.Time, touch func(*instance)) {
	named := false
	for _, i := range s.instances {
		if i.host == r.name {
			named = true
			touch(i)
		}
	}
	if !named {
		return
	}
	o := s.hosts[r.name]
	if o == nil {
		o = &host{addrs: map[netip.Addr]lease{}}
		s.hosts[r.name] = o
	}
	if r.flush { // RFC 6762 §10.2: what was said in the second before stays
		for a, l := range o.addrs {
			if a.Is4() == r.addr.Is4() && now.Sub(l.heard) > time.Second {
				delete(o.addrs, a)
			}
		}
	}
	switch _, had := o.addrs[r.addr]; {
	case r.ttl == 0:
		delete(o.addrs, r.addr)
	case had || len(o.addrs) < maxAddrs:
		o.addrs[r.addr] = lease{heard: now, until: now.Add(r.ttl)}
	}
}

// forget drops a speaker who has nothing to say any more.
func (h *memory) forget(at place, s *speaker) {
	if len(s.instances) == 0 {
		delete(h.speakers, at)
	}
}

// dropInterface forgets what was heard on an interface.
func (h *memory) dropInterface(index int) {
	for at, s := range h.speakers {
		if at.iface == index {
			h.instances -= len(s.instances)
			delete(h.speakers, at)
		}
	}
}

// expire drops what is over, and tells whether there was any. It returns when
// the next thing will be; zero: never.
func (h *memory) expire(now time.Time) (next time.Time, dropped bool) {
	keep := func(until time.Time) bool {
		if !until.After(now) {
			dropped = true
			return false
		}
		next = earlier(next, until)
		return true
	}
	for at, s := range h.speakers {
		for name, i := range s.instances {
			ptr, srv, txt := keep(i.until), keep(i.srv), keep(i.txt)
			if !ptr && !srv && !txt {
				delete(s.instances, name)
				h.instances--
			}
		}
		for name, o := range s.hosts {
			for a, l := range o.addrs {
				if !keep(l.until) {
					delete(o.addrs, a)
				}
			}
			if len(o.addrs) == 0 {
				delete(s.hosts, name)
			}
		}
		h.forget(at, s)
	}
	return next, dropped
}

// earlier returns the earlier of two times; zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// complete tells whether all that is needed of an instance is there.
func (i *instance) complete(now time.Time) bool {
	return i.until.After(now) && i.srv.After(now) && i.txt.After(now) && i.port != 0
}

// ends is when an instance is over unless it is heard of again.
func (i *instance) ends() time.Time {
	return slices.MinFunc([]time.Time{i.until, i.srv, i.txt}, time.Time.Compare)
}

// The times of asking for a record again: parts of its time to live, RFC 6762
// §5.2.
const (
	firstRefresh = 0.80
	nextRefresh  = 0.05
	refreshes    = 4
	refreshDraw  = 0.02
)

func (i *instance) scheduleRefresh() {
	if i.refreshes >= refreshes || i.ttl == 0 {
		i.refresh = time.Time{}
		return
	}
	part := firstRefresh + nextRefresh*float64(i.refreshes) + refreshDraw*rand.Float64()
	i.refresh = i.until.Add(-i.ttl).Add(time.Duration(part * float64(i.ttl)))
}

// on returns the instances heard on an interface.
func (h *memory) on(iface int, v4 bool, visit func(place, *speaker, *instance)) {
	for at, s := range h.speakers {
		if at.iface != iface || at.addr.Is4() != v4 {
			continue
		}
		for _, i := range s.instances {
			visit(at, s, i)
		}
	}
}

// addrs returns where an instance says it is: also where its packets come
// from, which is right where what they say is not.
func (s *speaker) addrs(at place, i *instance, near func(netip.Addr) bool, zone string, now time.Time) []netip.AddrPort {
	list := []netip.Addr{at.addr}
	if o := s.hosts[i.host]; o != nil {
		for a, l := range o.addrs {
			if l.until.After(now) && a != at.addr && (near(a) || a.IsPrivate()) {
				list = append(list, a)
			}
		}
	}
	var found []netip.AddrPort
	for _, a := range list {
		if a.IsLinkLocalUnicast() && a.Is6() {
			a = a.WithZone(zone)
		}
		if a.IsGlobalUnicast() || a.IsLinkLocalUnicast() {
			found = append(found, netip.AddrPortFrom(a, i.port))
		}
	}
	slices.SortFunc(found, compareAddrPorts)
	return found
}

func compareAddrPorts(a, b netip.AddrPort) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Port(), b.Port()))
}
