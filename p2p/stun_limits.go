package p2p

import (
	"net/netip"
	"sync"

	"golang.org/x/time/rate"
)

// Limits of STUN messages that are looked at. A flood costs others nothing:
// no answer is longer than its request.
const (
	stunPerSource  = 20 // a second: a peer checks at most every 100 ms
	stunInAll      = 200
	maxSTUNSources = 1024
)

// stunLimits counts what comes in by source: an IPv4 address, an IPv6 /64.
type stunLimits struct {
	mu      sync.Mutex
	all     *rate.Limiter
	sources map[netip.Addr]*rate.Limiter
}

func newSTUNLimits() *stunLimits {
	return &stunLimits{all: rate.NewLimiter(stunInAll, stunInAll), sources: make(map[netip.Addr]*rate.Limiter)}
}

// allow tells whether a message from an address is looked at, and counts it.
func (l *stunLimits) allow(from netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	from = sourceAddr(from)
	s := l.sources[from]
	if s == nil {
		if len(l.sources) >= maxSTUNSources {
			l.forgetQuiet()
		}
		if len(l.sources) >= maxSTUNSources {
			return false
		}
		s = rate.NewLimiter(stunPerSource, 2*stunPerSource)
		l.sources[from] = s
	}
	return s.Allow() && l.all.Allow()
}

// forgetQuiet drops the sources that have been silent for long enough to send
// as much as new ones.
func (l *stunLimits) forgetQuiet() {
	for a, s := range l.sources {
		if s.Tokens() >= 2*stunPerSource {
			delete(l.sources, a)
		}
	}
}

// sourceAddr is what limits count: who has one address of a /64 has all.
func sourceAddr(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}
