package discovery

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// A Mapping is a port of a router that it forwards to ours, as the router
// says: nobody has been seen to come through it.
type Mapping struct {
	Way      string // "pcp", "nat-pmp" or "upnp"
	Gateway  netip.Addr
	External netip.AddrPort
	TCP      bool // it forwards TCP beside UDP
}

// Pinhole tells whether the router only lets through what has our own IPv6
// address.
func (m Mapping) Pinhole() bool { return m.External.Addr().Is6() }

// A Gateway is a router on the way to everywhere, with what came of asking it
// for a port.
type Gateway struct {
	Addr    netip.Addr
	Local   netip.Addr // our address before it
	Tunnel  bool       // the way leads through a VPN
	Mapping Mapping    // zero: it forwards none
	Tried   []Trial    // why not, of each way that was tried
	At      time.Time  // asked last
}

// A Trial is a way of asking that came to nothing.
type Trial struct {
	Way, Problem string
}

// A MapperConfig says what is mapped.
type MapperConfig struct {
	Port     uint16   // ours, of UDP
	TCP      bool     // the same port of TCP is ours too
	External uint16   // of the last mapping; 0: none is known
	Nonce    [12]byte // shows routers that a mapping is ours; kept secret, and across restarts
	Log      *slog.Logger
}

// A Mapper has the routers before this device forward a port to it.
type Mapper struct {
	c        MapperConfig
	gateways func() []Gateway
	ways     func(MapperConfig, Gateway) []way // best first
	wait     time.Duration                     // for one answer
	wake     chan struct{}                     // capacity 1
	finding  sync.WaitGroup                    // what Run waits for: go-nat-pmp hears of no ctx

	mu     sync.Mutex
	leases []*routerLease
	anew   bool
}

// Times of mappings.
const (
	leaseTime   = time.Hour // asked for, and renewed at half of what was granted
	minRenew    = 30 * time.Second
	maxRenew    = 12 * time.Hour
	askTime     = 3 * time.Second // for one answer, with repetitions
	graceTime   = 250 * time.Millisecond
	firstSearch = 5 * time.Second // before the next, where no router forwards
	lastSearch  = 15 * time.Minute
	releaseTime = 2 * time.Second
	askAgain    = 5 * time.Second // because the network changed: some networks do all the time
)

// A way is a protocol to ask one router in. Only Run's goroutines use it, one
// at a time, and each ctx has a deadline.
type way interface {
	name() string
	// find tells whether the router speaks the protocol, and asks for nothing.
	find(ctx context.Context) error
	// add has a port mapped, or renews that; the router may choose another one
	// than is wished.
	add(ctx context.Context, t transport, wish uint16) (grant, error)
	remove(ctx context.Context, t transport, external uint16) error
}

// A transport is an IP protocol by its number.
type transport byte

const (
	tcp transport = 6
	udp transport = 17
)

func (t transport) String() string {
	if t == tcp {
		return "tcp"
	}
	return "udp"
}

// A grant is what a router gave.
type grant struct {
	external netip.AddrPort
	lasts    time.Duration // 0: for ever
}

// NewMapper returns a mapper that asks nobody before Run.
func NewMapper(c MapperConfig) *Mapper {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Mapper{c: c, gateways: gateways, ways: allWays, wait: askTime, wake: make(chan struct{}, 1)}
}

// allWays returns how a router may be asked: IPv6 needs no other address, only
// a hole in the router's firewall, which PCP opens.
func allWays(c MapperConfig, g Gateway) []way {
	list := []way{&pcp{gateway: g, port: c.Port, nonce: c.Nonce}}
	if g.Addr.Is4() {
		list = append(list, &pmp{gateway: g, port: c.Port}, &upnp{gateway: g, port: c.Port})
	}
	return list
}

// Run asks the routers for mappings and renews them until ctx is done, and
// then gives them back. It calls changed, one call after another, with all
// mappings whenever they changed.
func (m *Mapper) Run(ctx context.Context, changed func([]Mapping)) error {
	defer m.finding.Wait()
	defer m.release(ctx)
	var told []Mapping
	for ctx.Err() == nil {
		next := m.match(ctx)
		if list := m.mappings(); ctx.Err() == nil && !slices.Equal(list, told) {
			told = list
			changed(list)
		}
		timer := time.NewTimer(time.Until(next))
		select {
		case <-ctx.Done():
		case <-m.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
	return ctx.Err()
}

// Wake tells that the network changed: routers are looked for and asked anew.
func (m *Mapper) Wake() {
	m.mu.Lock()
	m.anew = true
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// Gateways returns the routers and what came of asking them.
func (m *Mapper) Gateways() []Gateway {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []Gateway
	for _, l := range m.leases {
		g := l.gateway
		g.Tried = slices.Clone(g.Tried)
		list = append(list, g)
	}
	return list
}

func (m *Mapper) mappings() []Mapping {
	var list []Mapping
	for _, g := range m.Gateways() {
		if g.Mapping.External.IsValid() {
			list = append(list, g.Mapping)
		}
	}
	return list
}

// match brings the leases up to date with the routers that there are. It
// returns when to do that again.
func (m *Mapper) match(ctx context.Context) time.Time {
	found := m.gateways()
	m.mu.Lock()
	anew := m.anew
	m.anew = false
	var list []*routerLease
	for _, g := range found {
		if !g.Addr.IsValid() {
			list = append(list, &routerLease{gateway: g, renew: time.Now().Round(0).Add(lastSearch)}) // nobody to ask
			continue
		}
		same := func(l *routerLease) bool { return l.gateway.Addr == g.Addr && l.gateway.Local == g.Local }
		if i := slices.IndexFunc(m.leases, same); i >= 0 {
			m.leases[i].gateway.Tunnel = g.Tunnel
			if anew {
				m.leases[i].misses = 0
			}
			list = append(list, m.leases[i])
			continue
		}
		list = append(list, &routerLease{gateway: g})
	}
	m.leases = list // what a router that is gone has for us ends by itself
	m.mu.Unlock()

	var wg sync.WaitGroup
	next := time.Now().Add(lastSearch)
	for _, l := range list {
		if anew {
			l.hurry()
		}
		if l.gateway.Addr.IsValid() && !time.Now().Before(l.renew) {
			wg.Go(func() { m.refresh(ctx, l) })
		}
	}
	wg.Wait()
	for _, l := range list {
		if l.renew.Before(next) {
			next = l.renew
		}
	}
	return next
}
