package p2p

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// serveNearby handles a link of a device nearby that does not know our id,
// until it has ended.
func (p *pairing) serveNearby(ctx context.Context, conn pairConn) {
	ctx, leave, err := p.enter(ctx)
	if err != nil {
		conn.Close(pairingDone)
		return
	}
	defer leave()
	defer conn.Close(pairingDone)
	if _, ok := p.config.Manager.(NearbyManager); !ok || conn.Peer() == p.self || !p.nearby.isOpen() {
		conn.Close(PairingRefused)
		return
	}
	done, ok := p.limits.enter(conn.Addr().Addr(), false, time.Now())
	if !ok {
		conn.Close(PairingLimit)
		return
	}
	defer done()
	ctx, cancel := context.WithTimeout(ctx, sessionTimeout)
	defer cancel()
	if err := p.asked(ctx, conn); err != nil {
		p.config.Log.Debug("request nearby ended", "peer", conn.Peer().Short(), "err", err)
	}
}

// asked carries out the request of a device nearby.
func (p *pairing) asked(ctx context.Context, conn pairConn) error {
	s, err := acceptStream(ctx, conn)
	if err != nil {
		return err
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	unblock := context.AfterFunc(ctx, func() { s.Reset(StreamCancelled) })
	defer unblock()
	m1, err := readFrame(s, stepTimeout)
	if err != nil {
		return refuse(conn, err)
	}
	theirs, err := decodeAsk(m1, frameAsk, conn.Public())
	if err != nil {
		return refuse(conn, err)
	}
	r, err := p.nearby.takeIn(ctx, conn.Peer(), p.self, conn.Addr(), cancel)
	if err != nil {
		return refuse(conn, err)
	}
	req := PairingRequest{Peer: conn.Peer(), Via: ViaNearby, Metadata: theirs.offer().metadata(), Addr: conn.Addr()}
	record, err := p.askedOn(ctx, conn, s, askedBy{r, req, theirs, m1})
	if err != nil {
		err = why(conn, err)
		if ctx.Err() != nil {
			conn.Close(PairingCancelled)
		}
		err = refuse(conn, err)
	}
	if record.State != NotPaired {
		p.fulfil(record)
		p.poke(conn.Peer())
		err = nil
	} else if err != nil {
		p.endNearby(r, req, err)
	}
	close(r.idle)
	p.nearby.release(r, record, err)
	return err
}

// askedBy is a request of another device after frame 12.
type askedBy struct {
	*request
	req    PairingRequest
	theirs askFrame
	m1     []byte
}

// askedOn runs the frames as the side that was asked. Its nonce is sent only
// after its person has opened the request: each further try costs a person's
// look.
func (p *pairing) askedOn(ctx context.Context, conn pairConn, s Stream, a askedBy) (Record, error) {
	if p.pendingWith(conn.Peer()) {
		return Record{}, &PairingError{Code: PairingBusy} // an earlier pairing with this peer is settled first
	}
	x := &exchange{peer: conn.Peer(), role: Inviter, end: a.end}
	if err := p.begin(ctx, x); err != nil {
		return Record{}, err
	}
	defer p.finish(x)
	exporter, err := conn.Exporter(exporterNearby)
	if err != nil {
		return Record{}, fmt.Errorf("export keys of the link: %w", err)
	}
	p.nearby.shows(a.request)
	if err := p.openRequest(ctx, conn, a); err != nil {
		return Record{}, err
	}
	var n nonce
	rand.Read(n[:]) // never fails
	m2, err := writeFrame(s, newAsk(frameAsked, n, p.config.Identity, p.metadata()))
	if err != nil {
		return Record{}, err
	}
	var reveal revealFrame
	if _, err := expectFrame(s, stepTimeout, frameReveal, &reveal); err != nil {
		return Record{}, err
	}
	if want := commitment(exporter, reveal.Nonce); subtle.ConstantTimeCompare(a.theirs.Nonce[:], want[:]) != 1 {
		return Record{}, &PairingError{Code: PairingWrongSecret}
	}
	p.named(x, nearbyTranscript(nearbyParties{exporter, x.peer, p.self}, a.m1, m2, reveal.Nonce))
	if err := p.compare(ctx, conn, s, a.req, x.t); err != nil {
		return Record{}, err
	}
	record, err := p.nearbyRecord(conn, x, a.theirs)
	if err != nil {
		return Record{}, err
	}
	p.config.Met(x.peer, conn.Addr())
	return p.saveInviter(ctx, conn, s, record, func() error { return p.commit(x) })
}

// openRequest lets the person open a request, unless that has happened.
func (p *pairing) openRequest(ctx context.Context, conn pairConn, a askedBy) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	answered := make(chan error, 1)
	select {
	case <-a.opened:
		return nil
	default:
	}
	wg.Go(func() {
		answered <- p.person(asking, conn, userTimeout, func(ctx context.Context, m NearbyManager) error { return m.NearbyRequest(ctx, a.req) })
	})
	select {
	case err := <-answered:
		return err
	case <-a.opened:
		return nil
	}
}

// person runs a hook that asks a person, for as long as the link lives and at
// most for limit.
func (p *pairing) person(ctx context.Context, conn pairConn, limit time.Duration, hook func(context.Context, NearbyManager) error) error {
	asking, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	answered := make(chan struct{})
	defer close(answered)
	wg.Go(func() {
		select {
		case <-conn.Done():
			cancel()
		case <-answered:
		}
	})
	var err error
	if !p.config.Turns.now(func() { err = hook(asking, p.config.Manager.(NearbyManager)) }) {
		return net.ErrClosed
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return &PairingError{Code: PairingCancelled}
	case asking.Err() == nil:
		return &PairingError{Code: PairingUserNo}
	case errors.Is(asking.Err(), context.DeadlineExceeded):
		return &PairingError{Code: PairingExpired} // nobody answered
	}
	return fmt.Errorf("ask about %s: %w", conn.Peer().Short(), net.ErrClosed)
}

// compare shows both people the words, and returns nil when both say that they
// are the same.
func (p *pairing) compare(ctx context.Context, conn pairConn, s Stream, req PairingRequest, t [32]byte) error {
	end := time.Now().Add(wordsTimeout)
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	heard, said := make(chan error, 1), make(chan error, 1)
	wg.Go(func() {
		_, err := expectFrame(s, wordsTimeout, frameSame, new(plainFrame))
		heard <- err
	})
	wg.Go(func() {
		said <- p.person(ctx, conn, wordsTimeout, func(ctx context.Context, m NearbyManager) error {
			return m.NearbyWords(ctx, req, nearbyWords(t))
		})
	})
	for range 2 {
		select {
		case err := <-heard:
			if err != nil {
				return late(err, end)
			}
		case err := <-said:
			if err == nil {
				_, err = writeFrame(s, plainFrame{Type: frameSame})
			}
			if err == nil {
				err = s.SetDeadline(end.Add(stepTimeout))
			}
			if err != nil {
				s.Reset(StreamCancelled) // ends the reading
				return err
			}
		}
	}
	return nil
}

// late makes a word of a step that took too long.
func late(err error, end time.Time) error {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() && !time.Now().Before(end) {
		return &PairingError{Code: PairingExpired}
	}
	return err
}

// nearbyRecord is what both sides keep once both people have said "same".
func (p *pairing) nearbyRecord(conn pairConn, x *exchange, theirs askFrame) (Record, error) {
	r, err := p.newRecord(conn, x, Secret{}, theirs.offer())
	if err != nil {
		return Record{}, err
	}
	e, err := conn.Exporter(exporterPairwise)
	if err != nil {
		return Record{}, fmt.Errorf("export keys of the link: %w", err)
	}
	r.Via, r.Pairwise = ViaNearby, nearbyPairwise(e, x.t)
	return r, nil
}

// endNearby counts and reports a request that came to nothing.
func (p *pairing) endNearby(r *request, req PairingRequest, err error) {
	e, ok := errors.AsType[*PairingError](err)
	if ok && !e.Remote && e.Code == PairingUserNo {
		p.nearby.refuse(req.Peer, time.Now())
	}
	seen, shut := p.nearby.failed(r, time.Now())
	if !seen {
		return
	}
	p.config.Turns.now(func() {
		p.config.Manager.(NearbyManager).NearbyEnded(NearbyEnd{Request: req, Out: r.out, Err: err, Shut: shut})
	})
}
