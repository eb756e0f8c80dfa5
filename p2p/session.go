package p2p

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"foldpost/p2p/wire"
)

// greet exchanges HELLO on a new connection with a peer. For the side that
// dialled, number is the connection's, else 0. Where it fails the connection
// is closed.
func (e *Endpoint) greet(ctx context.Context, c carrier, id PeerID, number uint64) (*link, error) {
	return e.greetAs(ctx, c, id, number, false)
}

// greetAs is greet; bulk says that the connection is one for much data beside
// others.
func (e *Endpoint) greetAs(ctx context.Context, c carrier, id PeerID, number uint64, bulk bool) (*link, error) {
	l := &link{conn: c, bulk: bulk, pulse: newPulse(time.Now()), peer: id, dialled: number > 0, number: number, ready: make(chan struct{}), pongs: make(chan uint64, 1), out: make(chan control, 8)}
	l.messages, l.taken = make(chan message, messagesWaiting), rate.NewLimiter(messagesPerSecond, messagesPerSecond)
	e.mu.Lock()
	l.revision = e.peerLocked(id).revision
	e.mu.Unlock()
	greeted := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		select {
		case <-ctx.Done():
			l.close(CloseGoingAway) // ends the reads and writes of exchange
		case <-greeted:
		}
	})
	err := e.exchange(ctx, l)
	close(greeted)
	wg.Wait()
	if err != nil {
		l.close(codeFor(err))
		return nil, fmt.Errorf("greet %s at %s: %w", id.Short(), c.remote(), err)
	}
	l.since = time.Now()
	if !l.dialled {
		l.number, l.bulk = l.hello.Number, l.hello.Bulk
	}
	return l, nil
}

// exchange sends HELLO first where this side dialled, and promotes the pairing
// before it sends it where the peer did: a HELLO says that our half is on disk.
func (e *Endpoint) exchange(ctx context.Context, l *link) (err error) {
	open := l.conn.open
	if !l.dialled {
		open = l.conn.accept
	}
	opening, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	if l.control, err = open(opening); err != nil {
		return err
	}
	s := l.control
	s.hurry()
	l.toldMapping = e.Mapping()
	own := newHello(e.id, e.start, e.config.Manager.Metadata(), l.conn.remote(), l.number, l.toldMapping)
	l.toldMapped = e.mappedNow()
	own.Mapped = mappedTexts(l.toldMapped)
	own.Bulk = l.bulk
	if err := s.SetDeadline(time.Now().Add(helloTimeout)); err != nil {
		return err
	}
	if l.dialled {
		if err := writeHello(s, own); err != nil {
			return err
		}
	}
	if l.hello, err = readHello(s, l.peer, l.dialled); err != nil {
		return err
	}
	if err := e.promote(ctx, l.peer); err != nil {
		return err
	}
	if !l.dialled {
		if err := s.SetDeadline(time.Now().Add(helloTimeout)); err != nil {
			return err
		}
		if err := writeHello(s, own); err != nil {
			return err
		}
	}
	return s.SetDeadline(time.Time{})
}

// codeFor chooses what a peer is told of an error.
func codeFor(err error) CloseCode {
	switch {
	case errors.Is(err, errVersion):
		return CloseVersion
	case errors.Is(err, errNotPaired):
		return CloseNotPaired
	case errors.Is(err, wire.ErrTooLarge):
		return CloseLimit
	case errors.Is(err, wire.ErrMalformed), errors.Is(err, wire.ErrMismatch), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return CloseMalformed
	case errors.Is(err, context.Canceled), errors.Is(err, net.ErrClosed):
		return CloseGoingAway
	}
	return CloseDead
}

// keep serves a link that HELLO made until it ends.
func (e *Endpoint) keep(ctx context.Context, l *link) {
	install := e.install
	if l.bulk {
		install = e.installBulk
	}
	if !install(l) {
		return
	}
	e.config.Log.Debug("linked", "peer", l.peer.Short(), "dialled", l.dialled)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { e.readControl(l) })
	wg.Go(func() { e.writeControl(ctx, l) })
	wg.Go(func() { e.acceptStreams(ctx, l) })
	wg.Go(func() { l.writeMessages(ctx) })
	wg.Go(func() { e.readDatagrams(ctx, l) })
	select {
	case <-ctx.Done():
		l.close(CloseGoingAway)
	case <-l.conn.done():
	}
	cancel()
	reason := l.conn.err()
	e.config.Log.Debug("link ended", "peer", l.peer.Short(), "reason", reason)
	e.detach(l, reason)
	wg.Wait()
}

// awaitHandover gives the link for whose sake another was closed the time to
// finish its HELLO here.
func (e *Endpoint) awaitHandover(p *peer, reason error) {
	e.mu.Lock()
	changed, r := p.changed, e.run
	e.mu.Unlock()
	if r != nil {
		timer := time.NewTimer(handover)
		defer timer.Stop()
	wait:
		for {
			select {
			case <-changed:
				e.mu.Lock()
				linked := p.link != nil
				changed = p.changed
				e.mu.Unlock()
				if linked {
					return
				}
			case <-timer.C:
				break wait
			case <-r.ctx.Done():
				break wait
			}
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if p.link == nil {
		e.reportGone(p, reason)
	}
}

// reportGone adds the hook that says that a peer has no link any more; e.mu is held.
func (e *Endpoint) reportGone(p *peer, reason error) {
	if !p.up {
		return
	}
	p.up = false
	e.turns.add(p.id, func() { e.config.Manager.PeerDisconnected(p.id, reason) })
}

// acceptStreams serves the streams that the peer opens until the link ends, and
// returns when all are served.
func (e *Endpoint) acceptStreams(ctx context.Context, l *link) {
	select {
	case <-l.ready:
	case <-ctx.Done():
		return
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		s, err := l.conn.accept(ctx)
		if err != nil {
			return
		}
		wg.Go(func() { e.serveStream(ctx, l.peer, linkStream{s, l.pulse}) })
	}
}

func (e *Endpoint) serveStream(ctx context.Context, id PeerID, s Stream) {
	if err := s.SetDeadline(time.Now().Add(headerTimeout)); err != nil {
		return
	}
	protocol, err := readHeader(s)
	switch {
	case errors.Is(err, wire.ErrTooLarge):
		s.Reset(StreamLimit)
		return
	case err != nil:
		s.Reset(StreamMalformed)
		return
	case !e.serves(protocol):
		s.Reset(StreamUnsupported)
		return
	}
	if err := s.SetDeadline(time.Time{}); err != nil {
		return
	}
	e.config.Manager.AcceptStream(ctx, id, protocol, s)
	_ = s.Close()
}
