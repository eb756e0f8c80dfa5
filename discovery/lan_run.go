package discovery

import (
	"context"
	"errors"
	"hash/maphash"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"foldpost/p2p"
)

// The times of names and looks.
const (
	namesLast  = time.Hour
	namesDraw  = 5 * time.Minute // some have less, so that not all change at once
	lookAgain  = time.Minute     // at sockets and interfaces that did not work
	echoWithin = 2 * time.Second
	ownMinimum = 500 * time.Millisecond // between two changes of names for the network's sake
)

// lanRun is what exists only while a LAN runs. All of it belongs to the
// goroutine of loop.
type lanRun struct {
	lan     *LAN
	found   func(p2p.Candidate, p2p.Metadata)
	now     func() time.Time
	readers func(Socket)
	packets chan arrival
	changes chan struct{}
	dead    chan Socket

	names    names
	rotate   time.Time
	renewed  time.Time // for the network's sake
	visible  Visibility
	peers    []Peer
	speaking bool

	ifaces   []Interface
	sockets  [2]Socket // IPv4 and IPv6; nil: none
	problems [2]string
	retry    time.Time // look again at what did not work
	joined   map[joinKey]Interface
	refused  map[joinKey]string
	segments []*segment
	zones    map[int]zone // by the index of the interface
	heard    *memory
	near     nearby // as it was when there was news last
	news     bool
	over     time.Time // when the next thing that was heard is over
	replies  *limits

	echoes   map[uint64]echo // what we sent and comes back
	contact  map[int]contact
	last     time.Time // any packet of others
	lastFrom netip.AddrPort
	since    map[p2p.PeerID]time.Time // when a peer was recognized first
}

type joinKey struct {
	v4    bool
	index int
}

// echo counts copies of a packet of ours that multicast brings back.
type echo struct {
	left int
	at   time.Time
}

// contact is what came and went on an interface.
type contact struct{ first, sent, own, heard time.Time }

// arrival is a packet as it came.
type arrival struct {
	packet packet
	socket Socket
	from   netip.AddrPort
	iface  int
	sum    uint64
}

func (r *lanRun) loop(ctx context.Context) {
	r.zones, r.contact = map[int]zone{}, map[int]contact{}
	r.echoes, r.since = map[uint64]echo{}, map[p2p.PeerID]time.Time{}
	r.rotate = r.names.since.Add(namesLast - rand.N(namesDraw))
	r.look(r.now())
	r.republish(r.now())
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		next := r.act(r.now())
		r.show(r.now())
		timer.Reset(max(0, next.Sub(r.now())))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case a := <-r.packets:
			r.hear(a, r.now())
		case <-r.changes:
			r.changed(r.now())
		case s := <-r.dead:
			r.lose(s)
		case <-r.lan.kicked:
			r.republish(r.now())
		}
	}
}

// close says goodbye and closes the sockets.
func (r *lanRun) close() {
	r.goodbye()
	for _, s := range r.sockets {
		if s != nil {
			_ = s.Close() // nothing is lost with it
		}
	}
}

// changed looks at the network, which may be another one now: by new names
// nobody can tell that we were in both. There is no goodbye, which would.
func (r *lanRun) changed(now time.Time) {
	if now.Sub(r.renewed) >= ownMinimum {
		r.renewed = now
		r.rename(now)
	}
	r.look(now)
	r.republish(now)
	for _, g := range r.segments {
		g.begin(now)
	}
}

// rename takes new names.
func (r *lanRun) rename(now time.Time) {
	r.names = newNames(now)
	r.rotate = now.Add(namesLast - rand.N(namesDraw))
	for _, g := range r.segments {
		g.sent = time.Time{}
	}
}

// republish says what is so now, where it is not what was said.
func (r *lanRun) republish(now time.Time) {
	r.news = true
	r.lan.mu.Lock()
	woken := r.lan.woken
	r.lan.woken = false
	r.lan.mu.Unlock()

	visible, peers := r.lan.config.Visible(), r.lan.config.Peers()
	port, own := r.lan.own()
	if !slices.Equal(peers, r.peers) {
		r.peers = slices.Clone(peers)
		r.heard.doubt()
	}
	hidden := r.visible == Everyone && visible != Everyone
	r.visible = visible
	speaking := port != 0 && (visible == Everyone || visible == Devices && len(peers) > 0)
	if r.speaking && (hidden || !speaking) {
		r.goodbye() // who heard the name must not know the next one
		r.rename(now)
	}
	begun := speaking && !r.speaking
	r.speaking = speaking

	said := text{}
	if speaking {
		said.tags = tagsFor(r.lan.config.Self, peers, r.names.instance, r.names.since)
		if visible == Everyone {
			said.name = r.lan.name()
		}
	}
	for _, i := range r.ifaces {
		z := zone{names: r.names, text: said, port: port, addrs: i.own(own)}
		if r.zones[i.Index].equal(z) {
			continue
		}
		r.zones[i.Index] = z
		for _, g := range r.segments {
			if g.iface.Index == i.Index {
				g.startAnnouncing(now)
			}
		}
	}
	if begun || woken {
		for _, g := range r.segments {
			g.begin(now)
		}
	}
}

// act does what is due, and returns when the next thing is.
func (r *lanRun) act(now time.Time) time.Time {
	if !now.Before(r.rotate) {
		r.goodbye()
		r.rename(now)
		r.republish(now)
	}
	if !r.retry.IsZero() && !now.Before(r.retry) {
		r.look(now)
		r.republish(now)
	}
	next := earlier(r.rotate, r.retry)
	for _, g := range r.segments {
		if r.speaking {
			next = earlier(next, r.actOn(g, now))
		}
	}
	for sum, e := range r.echoes {
		if now.Sub(e.at) > echoWithin {
			delete(r.echoes, sum)
		}
	}
	if r.news || due(r.over, now) {
		var dropped bool
		r.over, dropped = r.heard.expire(now)
		r.news = r.news || dropped
	}
	return earlier(next, r.over)
}

// actOn does what is due on one segment.
func (r *lanRun) actOn(g *segment, now time.Time) time.Time {
	z := r.zones[g.iface.Index]
	tells := !g.socket.Legacy() && len(z.addrs) > 0
	if !tells {
		g.announce, g.answer, g.services = 0, time.Time{}, time.Time{}
	}
	announces := g.announce > 0 && !now.Before(g.next)
	if announces || due(g.answer, now) {
		r.send(g, now)(z.announcement(recordTTL))
		g.sent, g.answer = now, time.Time{}
		if announces {
			g.announce--
			g.next = now.Add(announceAgain)
		}
	}
	if due(g.services, now) {
		r.send(g, now)(z.services())
		g.services = time.Time{}
	}
	if !now.Before(g.askAt(r.heard)) {
		r.send(g, now)(newQuery(g.known(r.heard, now)))
		g.asked(now, r.heard)
	}
	if !now.Before(g.missing) {
		g.missing = now.Add(askMissing)
		r.askMissing(g, now)
	}
	next := earlier(g.askAt(r.heard), earlier(g.answer, g.services))
	if g.announce > 0 {
		next = earlier(next, g.next)
	}
	if r.anyMissing(g, now) {
		next = earlier(next, g.missing)
	}
	return next
}

func due(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

// misses tells whether an instance is worth a question for what is missing.
func misses(i *instance, now time.Time) bool {
	return i.until.After(now) && !i.complete(now) && i.asked < maxAsked
}

func (r *lanRun) anyMissing(g *segment, now time.Time) bool {
	any := false
	r.heard.on(g.iface.Index, g.v4, func(_ place, _ *speaker, i *instance) { any = any || misses(i, now) })
	return any
}

// askMissing asks for what an answer left out: others may have known it.
func (r *lanRun) askMissing(g *segment, now time.Time) {
	left := repliesASecond
	r.heard.on(g.iface.Index, g.v4, func(_ place, _ *speaker, i *instance) {
		if left > 0 && misses(i, now) {
			left--
			i.asked++
			r.send(g, now)(newInstanceQuery(i.name, i.host))
		}
	})
}

// send returns a function that sends what it is given to all on a segment.
func (r *lanRun) send(g *segment, now time.Time) func([]byte, error) {
	return func(b []byte, err error) {
		if err == nil {
			sum := checksum(b, g.v4)
			r.echoes[sum] = echo{left: r.echoes[sum].left + 1, at: now}
			err = g.socket.Write(b, g.iface, groupOf(g.v4))
		}
		if err != nil {
			r.lan.config.Log.Debug("multicast", "interface", g.iface.Name, "err", err)
			return
		}
		c := r.contact[g.iface.Index]
		if c.sent = now; c.first.IsZero() {
			c.first = now
		}
		r.contact[g.iface.Index] = c
	}
}

// goodbye takes back what was said.
func (r *lanRun) goodbye() {
	if !r.speaking {
		return
	}
	for _, g := range r.segments {
		if z := r.zones[g.iface.Index]; !g.socket.Legacy() && len(z.addrs) > 0 && !g.sent.IsZero() {
			r.send(g, r.now())(z.announcement(0))
		}
	}
}

var seed = maphash.MakeSeed()

// checksum tells packets apart, also equal ones of two families.
func checksum(b []byte, v4 bool) uint64 {
	sum := maphash.Bytes(seed, b)
	if v4 {
		sum++
	}
	return sum
}

// read hands the packets of a socket to the loop until either ends.
func (r *lanRun) read(ctx context.Context, s Socket) {
	buf := make([]byte, maxPacket+1)
	sources := newLimits(packetsASecond, packetsAtOnce)
	wrong := 0
	for ctx.Err() == nil {
		d, err := s.Read(buf)
		if err != nil {
			if wrong++; wrong < 100 && !errors.Is(err, errClosed) {
				continue // what a former packet met
			}
			select {
			case r.dead <- s:
			case <-ctx.Done():
			}
			return
		}
		wrong = 0
		if !sources.allow(d.From.Addr(), time.Now()) {
			continue
		}
		p, err := parsePacket(buf[:d.Size])
		if err != nil {
			r.lan.config.Log.Debug("multicast packet not read", "err", err)
			continue
		}
		from := netip.AddrPortFrom(d.From.Addr().Unmap().WithZone(""), d.From.Port())
		a := arrival{packet: p, socket: s, from: from, iface: d.Interface, sum: checksum(buf[:d.Size], s.V4())}
		select {
		case r.packets <- a:
		case <-ctx.Done():
			return
		}
	}
}
