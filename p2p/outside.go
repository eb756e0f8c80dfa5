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
	sent  map[netip.Addr]time.Time
	came  map[bool]time.Time // unasked; key: IPv4

	same, other time.Time // somebody saw us at the IPv4 address where he did before, or not
}

const (
	openedFor = 10 * time.Minute // a router may still let in who was sent to so long ago
	maxSentTo = 4096
)

func newOutside() *outside {
	return &outside{sent: map[netip.Addr]time.Time{}, came: map[bool]time.Time{}}
}

// moved forgets what was true in another network.
func (o *outside) moved() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.heard = time.Time{}
	clear(o.came)
}

// sentTo notes that our routers may let in who is at an address: something was
// sent there.
func (o *outside) sentTo(a netip.Addr, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.sent) >= maxSentTo {
		for b, at := range o.sent {
			if now.Sub(at) >= openedFor {
				delete(o.sent, b)
			}
		}
	}
	if len(o.sent) < maxSentTo {
		o.sent[a] = now
	}
}

// wasAsked tells whether something was sent to an address not long ago, or may
// have been.
func (o *outside) wasAsked(a netip.Addr, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	at, ok := o.sent[a]
	return ok && now.Sub(at) < openedFor || len(o.sent) >= maxSentTo
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
