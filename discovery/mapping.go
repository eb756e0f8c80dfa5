package discovery

import (
	"context"
	"errors"
	"fmt"
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
	firstSearch = 30 * time.Second // before the next, where no router forwards
	lastSearch  = 15 * time.Minute
	releaseTime = 2 * time.Second
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

// A routerLease is what one router has for us. Its fields but mu's belong to the
// goroutine that works on it.
type routerLease struct {
	way    way // nil: none
	misses int // searches in a row that found none
	renew  time.Time

	gateway Gateway // under the mapper's mu
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
			list = append(list, &routerLease{gateway: g, renew: time.Now().Add(lastSearch)}) // nobody to ask
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
		if l.gateway.Addr.IsValid() && (anew || !time.Now().Before(l.renew)) {
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

// refresh renews a lease, or finds a way to get one.
func (m *Mapper) refresh(ctx context.Context, l *routerLease) {
	g := l.gateway // only this goroutine changes it now
	g.Tried, g.At = nil, time.Now()
	wish := m.c.External
	if g.Mapping.External.IsValid() {
		wish = g.Mapping.External.Port()
	}
	if wish == 0 || g.Addr.Is6() {
		wish = m.c.Port
	}
	lasts, err := time.Duration(0), errNotAsked
	if l.way != nil {
		if lasts, err = m.take(ctx, l.way, wish, &g); err != nil {
			g.tried(l.way, err)
		}
	}
	if err != nil {
		g.Mapping, l.way = Mapping{}, nil
		l.way, lasts = m.search(ctx, wish, &g)
	}
	if l.way != nil {
		l.misses, l.renew = 0, time.Now().Add(renewAfter(lasts))
	} else {
		l.renew = time.Now().Add(min(firstSearch<<min(l.misses, 10), lastSearch))
		l.misses++
	}
	if ctx.Err() != nil {
		g.Tried = nil // it was only cut short
	} else {
		m.c.Log.Debug("asked a router for a port", "router", g.Addr, "mapping", g.Mapping, "tried", g.Tried)
	}
	m.mu.Lock()
	l.gateway = g
	m.mu.Unlock()
}

// errNotAsked reports a router that there is no lease of.
var errNotAsked = errors.New("not asked")

func (g *Gateway) tried(w way, err error) {
	g.Tried = append(g.Tried, Trial{Way: w.name(), Problem: clip(err.Error())})
}

// clip shortens what others may have written.
func clip(s string) string {
	const most = 200
	clean := []rune(s)
	for i, r := range clean {
		if r < ' ' || r == 0x7f {
			clean[i] = ' '
		}
	}
	return string(clean[:min(len(clean), most)])
}

// renewAfter is half of a lease, within bounds: routers say anything.
func renewAfter(lasts time.Duration) time.Duration {
	if lasts == 0 {
		lasts = leaseTime
	}
	return max(minRenew, min(lasts/2, maxRenew))
}

// search asks a router in all ways at once which it speaks, and takes the best
// of them that gives a port.
func (m *Mapper) search(ctx context.Context, wish uint16, g *Gateway) (way, time.Duration) {
	ways := m.ways(m.c, *g)
	findCtx, cancel := context.WithTimeout(ctx, m.wait)
	defer cancel()
	type result struct {
		i   int
		err error
	}
	results := make(chan result, len(ways))
	for i, w := range ways {
		m.finding.Go(func() { results <- result{i, w.find(findCtx)} })
	}
	const open, found, over = 0, 1, 2
	state := make([]int, len(ways))
	var grace <-chan time.Time // for a better way
	late := false
	for {
		for i, w := range ways {
			if state[i] == open && !late {
				break // a better one may answer yet
			}
			if state[i] != found {
				continue
			}
			state[i] = over
			lasts, err := m.take(ctx, w, wish, g)
			if err == nil {
				return w, lasts
			}
			g.tried(w, err)
		}
		if !slices.Contains(state, open) {
			return nil, 0
		}
		select {
		case r := <-results:
			if state[r.i] = found; r.err != nil {
				state[r.i] = over
				g.tried(ways[r.i], r.err)
			} else if grace == nil {
				grace = time.After(graceTime)
			}
		case <-grace:
			late = true
		}
	}
}

// take has a router map the port, of TCP too if it gives the same one.
func (m *Mapper) take(ctx context.Context, w way, wish uint16, g *Gateway) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*m.wait)
	defer cancel()
	got, err := w.add(ctx, udp, wish)
	if err != nil {
		m.unsure(ctx, w, udp, wish)
		return 0, err
	}
	if a := got.external.Addr(); got.external.Port() == 0 || a.Is4() != g.Addr.Is4() || !a.IsGlobalUnicast() {
		return 0, errors.Join(fmt.Errorf("the router forwards %s, which is no address", got.external), w.remove(ctx, udp, got.external.Port()))
	}
	mapping := Mapping{Way: w.name(), Gateway: g.Addr, External: got.external}
	if m.c.TCP {
		second, err := w.add(ctx, tcp, got.external.Port())
		switch {
		case err != nil:
			m.unsure(ctx, w, tcp, got.external.Port())
			m.c.Log.Debug("map the TCP port", "router", g.Addr, "err", err)
		case second.external == got.external:
			mapping.TCP = true
			if second.lasts > 0 && (got.lasts == 0 || second.lasts < got.lasts) {
				got.lasts = second.lasts
			}
		default: // nobody would look for it there
			if err := w.remove(ctx, tcp, second.external.Port()); err != nil {
				m.c.Log.Debug("give a port back", "router", g.Addr, "err", err)
			}
		}
	}
	g.Mapping = mapping
	return got.lasts, nil
}

// unsure gives a port back that the router may have given although its answer
// was not waited for.
func (m *Mapper) unsure(ctx context.Context, w way, t transport, port uint16) {
	if ctx.Err() == nil {
		return // it said no
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	if err := w.remove(ctx, t, port); err != nil {
		m.c.Log.Debug("give a port back that it may have given", "way", w.name(), "err", err)
	}
}

// release gives all mappings back.
func (m *Mapper) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	m.mu.Lock()
	leases := m.leases
	m.leases = nil
	m.mu.Unlock()
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, l := range leases {
		if l.way == nil {
			continue
		}
		wg.Go(func() {
			port := l.gateway.Mapping.External.Port()
			err := l.way.remove(ctx, udp, port)
			if l.gateway.Mapping.TCP {
				err = errors.Join(err, l.way.remove(ctx, tcp, port))
			}
			if err != nil {
				m.c.Log.Debug("give a port back", "router", l.gateway.Addr, "err", err)
			}
		})
	}
}
