package discovery

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// The pace on one segment (RFC 6762 §5.2, §6, §8.3).
const (
	announcements  = 2
	announceAgain  = time.Second
	firstQuery     = time.Second // between the first and the second question, then twice as long
	lastQuery      = time.Hour
	lastLegacy     = 30 * time.Second // who can not hear announcements has to ask
	sameRecord     = time.Second      // no record goes out twice within it
	minDelay       = 20 * time.Millisecond
	maxDelay       = 120 * time.Millisecond
	minMoreDelay   = 400 * time.Millisecond // where more known answers follow
	maxMoreDelay   = 500 * time.Millisecond
	maxKnown       = 40 // answers in a question, so that it fits one frame
	maxAsked       = 3  // questions for what is missing of one instance
	askMissing     = time.Second
	repliesASecond = 5 // to one program by unicast
)

// A segment is one interface in one family of addresses: what we send there,
// and when. It is decided here and sent by the loop.
type segment struct {
	iface  Interface
	v4     bool
	socket Socket

	announce int       // announcements to make
	next     time.Time // the next one
	sent     time.Time // our records, by multicast

	query    time.Time     // the next question
	interval time.Duration // after it
	missing  time.Time     // the next question for what is missing

	answer   time.Time  // when our records are due; zero: nobody asked
	asker    netip.Addr // the only one who asked
	services time.Time  // when the list of services is due
}

func newSegment(i Interface, v4 bool, s Socket, now time.Time) *segment {
	g := &segment{iface: i, v4: v4, socket: s}
	g.begin(now)
	return g
}

// begin announces and asks anew.
func (g *segment) begin(now time.Time) {
	g.startAnnouncing(now)
	g.query, g.interval = now.Add(delay(minDelay, maxDelay)), firstQuery
}

func (g *segment) startAnnouncing(now time.Time) {
	g.announce = announcements
	g.next = later(now, g.sent.Add(sameRecord))
}

func delay(least, most time.Duration) time.Duration { return least + rand.N(most-least) }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// asked notes that the question for the service was put, by us or by another
// in our stead, after which nobody needs to put it again for a while.
func (g *segment) asked(now time.Time, h *memory) {
	longest := lastQuery
	if g.socket.Legacy() {
		longest = lastLegacy
	}
	g.query = now.Add(g.interval)
	g.interval = min(2*g.interval, longest)
	h.on(g.iface.Index, g.v4, func(_ place, _ *speaker, i *instance) {
		if !i.refresh.IsZero() && i.refresh.Before(now.Add(firstQuery)) {
			i.refreshes++
			i.scheduleRefresh()
		}
	})
}

// askAt is when the question is due: in its own turn, or because an instance
// would be forgotten.
func (g *segment) askAt(h *memory) time.Time {
	at := g.query
	h.on(g.iface.Index, g.v4, func(_ place, _ *speaker, i *instance) { at = earlier(at, i.refresh) })
	return at
}

// known are the instances that need not answer: more than half of their time is
// left. Where there are too many, those do that would be asked for next.
func (g *segment) known(h *memory, now time.Time) []knownAnswer {
	var list []knownAnswer
	h.on(g.iface.Index, g.v4, func(_ place, _ *speaker, i *instance) {
		if left := i.until.Sub(now); left > i.ttl/2 && i.complete(now) {
			list = append(list, knownAnswer{i.name, left})
		}
	})
	slices.SortFunc(list, func(a, b knownAnswer) int { return cmp.Compare(b.left, a.left) })
	return list[:min(len(list), maxKnown)]
}

// hearQuestion notes what a question means for what we send.
func (g *segment) hearQuestion(p packet, from netip.Addr, z zone, h *memory, now time.Time) {
	if len(p.questions) == 0 { // more known answers to a question before
		if !g.answer.IsZero() && g.asker == from && knows(p, z) {
			g.answer = time.Time{}
		}
		return
	}
	for _, q := range p.questions {
		if q.name == serviceName && q.kind == dnsmessage.TypePTR && !q.unicast && g.knowsAll(p, h) {
			g.askedByOther(now, h)
		}
		switch {
		case !z.answers(q), q.name == serviceName && knows(p, z):
		case q.name == allServices:
			g.services = earlier(g.services, now.Add(delay(minDelay, maxDelay)))
		default:
			g.dueAnswer(p.truncated, from, now)
		}
	}
}

func (g *segment) dueAnswer(more bool, from netip.Addr, now time.Time) {
	at := now.Add(delay(minDelay, maxDelay))
	if more {
		at = now.Add(delay(minMoreDelay, maxMoreDelay))
	}
	at = later(at, g.sent.Add(sameRecord))
	if g.answer.IsZero() {
		g.answer, g.asker = at, from
		return
	}
	g.answer = earlier(g.answer, at)
	if g.asker != from {
		g.asker = netip.Addr{}
	}
}

// askedByOther spares us a question that is due soon: its answers are for all.
func (g *segment) askedByOther(now time.Time, h *memory) {
	if at := g.askAt(h); at.Before(now.Add(firstQuery)) {
		g.asked(now, h)
	}
}

// knowsAll tells whether all answers that another one knows are known here:
// else an answer that we lack will not come.
func (g *segment) knowsAll(p packet, h *memory) bool {
	if len(p.records) == 0 {
		return true
	}
	had := map[string]bool{}
	h.on(g.iface.Index, g.v4, func(_ place, _ *speaker, i *instance) { had[i.name] = true })
	for _, r := range p.records {
		if name, ours := instanceOf(r.host); ours && !had[name] {
			return false
		}
	}
	return true
}

// knows tells whether a packet names us among the answers its sender knows for
// long enough.
func knows(p packet, z zone) bool {
	return slices.ContainsFunc(p.records, func(r record) bool {
		return r.kind == dnsmessage.TypePTR && r.host == z.instanceName() && r.ttl >= recordTTL/2
	})
}
