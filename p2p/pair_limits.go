package p2p

import (
	"net/netip"
	"sync"
	"time"
)

// Limits of inbound pairing links. Guessing is hopeless without them; they
// bound what a stranger can make this device work.
const (
	pairLinksPerSource = 10 // a minute
	pairLinksInAll     = 60 // a minute
	pairLinksAtOnce    = 4
)

// pairLimits counts inbound pairing links. A peer known by its key is exempt
// from what strangers can use up.
type pairLimits struct {
	mu      sync.Mutex
	active  int
	all     recent
	sources map[netip.Addr]*recent // at most one key per link of the last minute
}

// enter tells whether a link from addr may be served, and counts it.
func (l *pairLimits) enter(addr netip.Addr, known bool, now time.Time) (leave func(), ok bool) {
	if known {
		return func() {}, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.active >= pairLinksAtOnce || l.all.count(now) >= pairLinksInAll {
		return nil, false
	}
	s := l.source(addr, now)
	if s.count(now) >= pairLinksPerSource {
		return nil, false
	}
	s.add(now)
	l.all.add(now)
	l.active++
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.active--
	}), true
}

// blame counts a source once more: it named a token that does not exist.
func (l *pairLimits) blame(addr netip.Addr, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.source(addr, now).add(now)
}

func (l *pairLimits) source(addr netip.Addr, now time.Time) *recent {
	addr = sourceAddr(addr)
	for a, s := range l.sources {
		if s.count(now) == 0 {
			delete(l.sources, a)
		}
	}
	if l.sources == nil {
		l.sources = make(map[netip.Addr]*recent)
	}
	s, ok := l.sources[addr]
	if !ok {
		s = new(recent)
		l.sources[addr] = s
	}
	return s
}

// recent is the times of the last minute, ascending.
type recent struct{ times []time.Time }

func (r *recent) add(now time.Time) { r.times = append(r.times, now) }

func (r *recent) count(now time.Time) int {
	for len(r.times) > 0 && now.Sub(r.times[0]) >= time.Minute {
		r.times = r.times[1:]
	}
	return len(r.times)
}
