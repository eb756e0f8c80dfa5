package discovery

import (
	"net/netip"
	"time"

	"golang.org/x/time/rate"
)

// The packets that are looked at.
const (
	packetsASecond = 50 // of one source, and ten times as many of all
	packetsAtOnce  = 100
	ofAll          = 10
	maxSources     = 1024
)

// limits bound how often each source may do something, and all together.
type limits struct {
	rate    rate.Limit
	burst   int
	all     *rate.Limiter
	sources map[netip.Addr]*rate.Limiter
}

func newLimits(aSecond, atOnce int) *limits {
	return &limits{
		rate: rate.Limit(aSecond), burst: atOnce,
		all: rate.NewLimiter(rate.Limit(ofAll*aSecond), ofAll*atOnce), sources: map[netip.Addr]*rate.Limiter{},
	}
}

func (l *limits) allow(from netip.Addr, now time.Time) bool {
	s := l.sources[from]
	if s == nil {
		if len(l.sources) >= maxSources {
			clear(l.sources) // the bound on all of them stays
		}
		s = rate.NewLimiter(l.rate, l.burst)
		l.sources[from] = s
	}
	return s.AllowN(now, 1) && l.all.AllowN(now, 1)
}
