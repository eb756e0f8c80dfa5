package p2p

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"time"
)

// While much is read from a peer, further links carry a part of it: several
// QUIC connections get more of a long path that loses packets, and where the
// path is short TCP costs less. What is better is found out, not known: a link
// is opened, and what does not make the whole faster is not followed by another.
const (
	maxBulk     = 4       // links beside the primary one that one side opens
	bulkBegins  = 8 << 20 // bytes read before the first of them
	bulkTick    = 500 * time.Millisecond
	bulkTrial   = 8                // ticks that a new link has to show what it is worth
	bulkChange  = 2                // ticks after which a stream may change its link
	bulkIdle    = 20 * time.Second // after the last byte they are closed
	bulkFaster  = 1.1              // by so much the whole must grow
	bulkMoves   = 1.5              // by so much another link must be faster for a stream to change
	nearPath    = 5 * time.Millisecond
	bulkDialled = 5 * time.Second // for a further link to be there
)

// goodput is what bulk streams read over a link.
type goodput struct {
	bytes   atomic.Int64
	streams atomic.Int32

	before int64   // bytes at the last tick
	rate   float64 // bytes a tick, smoothed; 0: not known. Under the endpoint's mu
}

// tick notes what was read since the last tick and returns it; e.mu is held.
func (g *goodput) tick() int64 {
	now := g.bytes.Load()
	n := now - g.before
	g.before = now
	if g.streams.Load() > 0 {
		if g.rate == 0 {
			g.rate = float64(n)
		}
		g.rate += (float64(n) - g.rate) / 2
	}
	return n
}

// share is what one more stream could get on a link, where best is the rate of
// the fastest one: a link that nothing is known of is tried.
func (g *goodput) share(best float64) float64 {
	rate := g.rate
	if rate == 0 {
		rate = max(best, 1)
	}
	return rate / float64(g.streams.Load()+1)
}

// bulkLinks returns the links to a peer that may carry bulk; e.mu is held.
func (p *peer) bulkLinks() []*link {
	if p.link == nil {
		return nil
	}
	list := []*link{p.link}
	for _, l := range p.bulk {
		if l.conn.err() == nil && !l.stalled {
			list = append(list, l)
		}
	}
	return list
}

// forBulk returns the link where one more stream gets most, the primary one
// where all are alike; e.mu is held.
func (p *peer) forBulk() *link {
	list := p.bulkLinks()
	if len(list) == 0 {
		return nil
	}
	best := slices.MaxFunc(list, func(a, b *link) int { return compare(a.goodput.rate, b.goodput.rate) }).goodput.rate
	chosen := list[0]
	for _, l := range list[1:] {
		if l.goodput.share(best) > chosen.goodput.share(best) {
			chosen = l
		}
	}
	return chosen
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// OpenBulk is Open for a stream by which much may be read. It may use other
// links than Open, and have further ones opened. The stream is a [BulkStream].
func (e *Endpoint) OpenBulk(ctx context.Context, id PeerID, protocol string) (Stream, error) {
	s, l, err := e.openOn(ctx, id, protocol, (*peer).forBulk)
	if err != nil {
		return nil, err
	}
	b := &bulkStream{linkStream: s, link: l}
	l.goodput.streams.Add(1)
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.peers[id]; p != nil && e.run != nil && !p.bulking {
		p.bulking = true
		r := e.run
		r.wg.Go(func() { e.bulk(r.ctx, p) })
	}
	return b, nil
}

// A BulkStream is what [Endpoint.OpenBulk] opens.
type BulkStream interface {
	Stream
	// Slow tells that another link would carry the stream faster: who can ask
	// for the rest may do so by another OpenBulk.
	Slow() bool
}

type bulkStream struct {
	linkStream
	link *link
	over atomic.Bool
}

func (s *bulkStream) Read(b []byte) (int, error) {
	n, err := s.linkStream.Read(b)
	s.link.goodput.bytes.Add(int64(n))
	return n, err
}

func (s *bulkStream) Slow() bool {
	for {
		n := s.link.slow.Load()
		if n <= 0 {
			return false
		}
		if s.link.slow.CompareAndSwap(n, n-1) {
			return true
		}
	}
}

func (s *bulkStream) end() {
	if !s.over.Swap(true) {
		s.link.goodput.streams.Add(-1)
	}
}

func (s *bulkStream) Close() error {
	s.end()
	return s.linkStream.Close()
}

func (s *bulkStream) Reset(c StreamCode) {
	s.end()
	s.linkStream.Reset(c)
}

// trials are which links are tried, by turns.
func trials(l *link) []string {
	switch {
	case l.conn.kind() == kindRelay:
		return nil // it costs somebody else
	case l.conn.kind() == kindTCP:
		return []string{kindTCP, kindTCP, kindTCP, kindTCP}
	case l.conn.rtt() < nearPath:
		return []string{kindTCP, kindTCP, kindQUIC}
	}
	return []string{kindQUIC, kindTCP, kindQUIC, kindQUIC}
}

// bulk watches what is read from a peer, opens further links while they make it
// faster, and closes them when nothing was read for a while.
func (e *Endpoint) bulk(ctx context.Context, p *peer) {
	b := burst{began: time.Now()}
	tick := time.NewTicker(bulkTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			e.endBulk(p)
			return
		case <-tick.C:
		}
		e.mu.Lock()
		if p.link == nil {
			e.mu.Unlock()
			e.endBulk(p)
			return
		}
		kind, over := b.step(p, time.Now())
		e.mu.Unlock()
		if over {
			e.endBulk(p)
			return
		}
		if kind != "" {
			if err := e.addBulk(ctx, p, kind); err != nil {
				e.config.Log.Debug("no further link", "peer", p.id.Short(), "kind", kind, "err", err)
				b.refused()
			}
		}
	}
}

// burst is how far the trials of one time of much reading have come.
type burst struct {
	began  time.Time
	ticks  int
	read   int64
	last   time.Time // something was read
	rate   float64   // bytes a tick by all links together, smoothed
	before float64   // the same before the last trial
	wait   int       // ticks until the last trial is judged
	trial  int       // of the next link
	failed int       // trials in a row that made nothing faster
}

// step judges the last tick. It returns the kind of link to open, and whether
// the burst is over. e.mu is held.
func (b *burst) step(p *peer, now time.Time) (kind string, over bool) {
	var sum int64
	for _, l := range p.bulkLinks() {
		sum += l.goodput.tick()
	}
	b.read += sum
	b.rate += (float64(sum) - b.rate) / 2
	if sum > 0 {
		b.last = now
	}
	if b.last.IsZero() {
		b.last = b.began
	}
	if now.Sub(b.last) >= bulkIdle {
		return "", true
	}
	if b.ticks++; b.ticks%bulkChange == 0 {
		rebalance(p)
	}
	if b.read < bulkBegins || now.Sub(b.last) >= bulkTick {
		return "", false
	}
	if b.wait > 0 {
		if b.wait--; b.wait > 0 {
			return "", false
		}
		if b.trial > 0 {
			if b.failed++; b.rate > bulkFaster*b.before {
				b.failed = 0
			}
		}
	}
	kinds := trials(p.link)
	if b.failed >= 2 || b.trial >= len(kinds) || len(p.bulk) >= maxBulk {
		return "", false
	}
	b.before = b.rate
	b.wait = bulkTrial
	kind = kinds[b.trial]
	b.trial++
	return kind, false
}

// refused notes that a link could not be had: nothing is to be judged.
func (b *burst) refused() { b.wait, b.before = 1, 0 }

// rebalance has a stream leave its link if another one would carry it much
// faster, or may: what a link can do is only seen when it is used.
func rebalance(p *peer) {
	list := p.bulkLinks()
	if len(list) < 2 {
		return
	}
	best := p.forBulk()
	for _, l := range list {
		l.slow.Store(0)
		n := float64(l.goodput.streams.Load())
		if l != best && n > 0 && (best.goodput.rate == 0 || best.goodput.share(0) > bulkMoves*l.goodput.rate/n) {
			l.slow.Store(1)
		}
	}
}

// addBulk opens a further link to a linked peer.
func (e *Endpoint) addBulk(ctx context.Context, p *peer, kind string) error {
	ctx, cancel := context.WithTimeout(ctx, bulkDialled)
	defer cancel()
	e.mu.Lock()
	l, r, number := p.link, e.run, p.clock+1
	p.clock = number
	e.mu.Unlock()
	if l == nil || r == nil {
		return net.ErrClosed
	}
	addr := l.reachable()
	if !addr.IsValid() {
		return errNoCandidate
	}
	var c carrier
	var err error
	if kind == kindTCP {
		if !e.config.byTCP() {
			return fmt.Errorf("there is no TCP: %w", errNoCandidate)
		}
		c, err = e.dialTCP(ctx, r, addr, p.id, alpnLink)
	} else {
		c, err = e.dialQUIC(ctx, addr, onSpare(l.conn), p.id, alpnLink)
	}
	if err != nil {
		return err
	}
	more, err := e.greetAs(ctx, c, p.id, number, true)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.run == nil {
		more.close(CloseGoingAway)
		return net.ErrClosed
	}
	r.wg.Go(func() { e.keep(r.ctx, more) })
	return nil
}

// endBulk ends a burst: the further links that this side opened are closed.
func (e *Endpoint) endBulk(p *peer) {
	e.mu.Lock()
	p.bulking = false
	var ends []*link
	for _, l := range p.bulk {
		if l.dialled {
			ends = append(ends, l)
		}
	}
	e.mu.Unlock()
	for _, l := range ends {
		l.close(CloseNone)
	}
}

// installBulk takes a further link into use beside the primary one.
func (e *Endpoint) installBulk(l *link) bool {
	e.mu.Lock()
	p := e.peerLocked(l.peer)
	p.clock = max(p.clock, l.number)
	code := CloseNone
	switch {
	case p.revision != l.revision:
		code = CloseRevoked
	case p.link == nil || p.link.hello.Start != l.hello.Start:
		code = CloseDuplicate // of none: it may be called again as a link of its own
	case len(p.bulk) >= 2*maxBulk:
		code = CloseLimit
	default:
		p.bulk = append(p.bulk, l)
	}
	e.mu.Unlock()
	if code != CloseNone {
		l.close(code)
		return false
	}
	close(l.ready)
	return true
}

// askBulk asks the further links whether they live, because a link is silent.
func (e *Endpoint) askBulk(l *link) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.peerLocked(l.peer)
	if slices.Contains(p.links, l) {
		for _, b := range p.bulk {
			b.send(newPing(0))
		}
	}
}

// promoteBulk makes a further link one of the peer's links when another fails;
// false if none is known to live: what killed that one may have killed them
// all, and those of its kind first. e.mu is held.
func (e *Endpoint) promoteBulk(p *peer, failed *link) bool {
	best := -1
	for i, l := range p.bulk {
		if l.conn.err() != nil || l.stalled || !l.pulse.lastHeard().After(failed.pulse.lastHeard().Add(askSilent)) {
			continue
		}
		if best >= 0 {
			b := p.bulk[best]
			other, bother := l.conn.kind() != failed.conn.kind(), b.conn.kind() != failed.conn.kind()
			if other != bother && bother || other == bother && !l.pulse.lastHeard().After(b.pulse.lastHeard()) {
				continue
			}
		}
		best = i
	}
	if best < 0 {
		return false
	}
	p.links = append(p.links, p.bulk[best])
	p.bulk = slices.Delete(p.bulk, best, best+1)
	return true
}
