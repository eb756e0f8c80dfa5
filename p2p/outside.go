package p2p

import (
	"net/netip"
	"sync"
	"time"
)

// outside is what came by UDP from beyond our own networks since these changed.
type outside struct {
	mu    sync.Mutex
	heard time.Time // last
	sent  map[netip.Addr]opened
	came  map[bool]time.Time // unasked; key: IPv4

	same, other time.Time // somebody saw us at the IPv4 address where he did before, or not
}

// opened is an address to which something was sent.
type opened struct {
	at    time.Time
	asked bool // by us; else only who came from there, unasked, was answered
}

const (
	openedFor = 10 * time.Minute // a router may still let in who was sent to so long ago
	maxSentTo = 4096
)

func newOutside() *outside {
	return &outside{sent: map[netip.Addr]opened{}, came: map[bool]time.Time{}}
}

// moved forgets what was true in another network.
func (o *outside) moved() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.heard = time.Time{}
	clear(o.came)
	for a, s := range o.sent { // a link that goes on opens the routers here
		s.asked = true
		o.sent[a] = s
	}
}

// sentTo notes that our routers may let in who is at an address: something was
// sent there.
func (o *outside) sentTo(a netip.Addr, now time.Time) { o.open(a, true, now) }

// answered notes that who came from an address was answered. Who came unasked
// the first time did so the next time too.
func (o *outside) answered(a netip.Addr, now time.Time) { o.open(a, false, now) }

func (o *outside) open(a netip.Addr, asked bool, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.sent) >= maxSentTo {
		for b, s := range o.sent {
			if now.Sub(s.at) >= openedFor {
				delete(o.sent, b)
			}
		}
	}
	before, ok := o.sent[a]
	if ok || len(o.sent) < maxSentTo {
		asked = asked || before.asked && now.Sub(before.at) < openedFor
		o.sent[a] = opened{at: now, asked: asked}
	}
}

// wasAsked tells whether something was sent to an address not long ago, or may
// have been.
func (o *outside) wasAsked(a netip.Addr, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	s, ok := o.sent[a]
	return ok && s.asked && now.Sub(s.at) < openedFor || !ok && len(o.sent) >= maxSentTo
}

// hear notes something that only a peer or an asked server can have sent.
func (o *outside) hear(a netip.Addr, asked bool, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.heard = now
	if !asked {
		o.came[a.Is4()] = now
	}
}

// silence tells whether nothing came at all.
func (o *outside) silence() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.heard.IsZero()
}

// ReachedFromOutside returns when a paired peer beyond our own networks last
// got through to the IPv4 or IPv6 socket although nothing had been sent to its
// address before: so others may, too. It is zero where none did since the
// network changed.
func (e *Endpoint) ReachedFromOutside(ip4 bool) time.Time {
	e.outside.mu.Lock()
	defer e.outside.mu.Unlock()
	return e.outside.came[ip4]
}

// heardOutside notes what was proven to come from a peer or an asked server at
// an address. Whether something was sent there before, the caller asked before
// anything was answered.
func (e *Endpoint) heardOutside(from netip.Addr, asked bool) {
	if fromOutside(from) && !e.networkNow().onLink(from) {
		e.outside.hear(from, asked, time.Now())
	}
}

// SeenAlike returns when somebody beyond our own networks last saw this device
// at the IPv4 address at which he saw it before, and when at another. One alone
// may lie.
func (e *Endpoint) SeenAlike() (same, other time.Time) {
	o := e.outside
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.same, o.other
}

// compare notes where somebody sees us, and saw us before.
func (o *outside) compare(before, now seen) {
	if !before.addr.IsValid() || !before.addr.Addr().Is4() || !now.addr.Addr().Is4() || !fromOutside(now.by) || !fromOutside(now.addr.Addr()) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if before.addr.Addr() == now.addr.Addr() {
		o.same = now.at
	} else {
		o.other = now.at
	}
}
