package discovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A routerLease is what one router has for us. What is not under the mapper's
// mu belongs to the goroutine that works on it.
type routerLease struct {
	way    way       // nil: none
	misses int       // searches in a row that found none
	renew  time.Time // by the wall clock: the other one stands still in sleep

	gateway Gateway // under the mapper's mu
}

// hurry has a router asked soon, because the network changed. That does not
// change a hole in its firewall.
func (l *routerLease) hurry() {
	if l.way != nil && l.gateway.Mapping.Pinhole() {
		return
	}
	if soon := l.gateway.At.Round(0).Add(askAgain); soon.Before(l.renew) {
		l.renew = soon
	}
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
		if ctx.Err() != nil {
			return // what there is will be given back
		}
	}
	if err != nil {
		g.Mapping, l.way = Mapping{}, nil
		l.way, lasts = m.search(ctx, wish, &g)
	}
	if l.way != nil {
		l.misses, l.renew = 0, time.Now().Round(0).Add(renewAfter(lasts))
	} else {
		l.renew = time.Now().Round(0).Add(min(firstSearch<<min(l.misses, 10), lastSearch))
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
