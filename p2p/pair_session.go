package p2p

import (
	"context"
	"errors"
	"sync"
	"time"
)

// intent is what a side wants of a pairing link.
type intent uint8

const (
	serving   intent = iota // dialled by the peer
	answering               // dialled to answer an accepted invitation
	inviting                // dialled because of an answer letter
	settling                // dialled to ask for STATUS
)

const (
	sessionTimeout = 5 * time.Minute // all steps of an exchange with time for a person
	maxPairStreams = 8               // on one link: STATUS of some records, one exchange
)

// serve handles a pairing link that a peer dialled, until it has ended.
func (p *pairing) serve(ctx context.Context, conn pairConn) {
	ctx, leave, err := p.enter(ctx)
	if err != nil {
		conn.Close(pairingDone)
		return
	}
	defer leave()
	id := conn.Peer()
	if id == p.self {
		conn.Close(PairingRefused)
		return
	}
	_, known := p.record(id)
	known = known || p.acceptanceOf(id) != nil || len(p.unsettledOf(id)) > 0
	release, ok := p.limits.enter(conn.Addr().Addr(), known, time.Now())
	if !ok {
		conn.Close(PairingLimit)
		return
	}
	defer release()
	if err := p.session(ctx, conn, serving); err != nil {
		p.config.Log.Debug("pairing link ended", "peer", id.Short(), "err", err)
	}
}

// session runs one pairing link to its end. Both sides may open streams: one
// for the exchange, by the answerer, and some to ask STATUS.
func (p *pairing) session(ctx context.Context, conn pairConn, as intent) error {
	ctx, cancel := context.WithTimeout(ctx, sessionTimeout)
	defer cancel()
	unblock := context.AfterFunc(ctx, func() { conn.Close(pairingDone) })
	defer unblock()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer conn.Close(pairingDone)

	accepting, stopAccepting := context.WithCancel(ctx)
	defer stopAccepting()
	link := pairSession{pairConn: conn, asked: make(chan struct{})}
	served := make(chan error, 1)
	wg.Go(func() { served <- p.acceptStreams(ctx, accepting, link) })

	err := p.askStatus(ctx, conn)
	close(link.asked)
	if err != nil {
		return refuse(conn, why(conn, err))
	}
	a := p.acceptanceOf(conn.Peer())
	switch {
	case as == settling, as == answering && a == nil:
		stopAccepting() // what the peer asks meanwhile is still answered
		return <-served
	case as == inviting, a == nil:
		return <-served
	}
	r, err := p.answer(ctx, conn, a)
	err = why(conn, err)
	switch e, ok := errors.AsType[*PairingError](err); {
	case err == nil:
		a.end(r, nil)
	case madeWay(err), ok && !e.Remote && e.Code == PairingBusy:
		// What is carried out instead may come on this link, even where our
		// own answer goes on elsewhere: it may have to make way.
		select {
		case err := <-served:
			return err
		case <-a.done:
			stopAccepting()
			return <-served
		}
	case ok && final(e) && len(p.unsettledOf(conn.Peer())) == 0:
		a.end(Record{}, e)
	}
	return refuse(conn, err)
}

// madeWay tells whether our answer ended because the peer's answer to our own
// invitation is carried out instead.
func madeWay(err error) bool {
	e, ok := errors.AsType[*StreamError](err)
	return errors.Is(err, errYield) || ok && e.Remote && e.Code == StreamRefused
}

// pairSession is a pairing link with what its two halves share.
type pairSession struct {
	pairConn
	asked chan struct{} // closed when our own questions for STATUS are answered
}

// final tells whether a pairing that ended so is not worth another try.
func final(e *PairingError) bool {
	switch e.Code {
	case PairingUsed, PairingExpired, PairingCancelled, PairingWrongSecret, PairingVersion, PairingUserNo:
		return true
	}
	return false
}

// acceptStreams handles the streams that the peer opens, one after another,
// until accepting ends or the link has nothing more to do.
func (p *pairing) acceptStreams(ctx, accepting context.Context, conn pairSession) error {
	for range maxPairStreams {
		s, err := acceptStream(accepting, conn)
		if accepting.Err() != nil {
			return nil
		}
		if err != nil {
			return why(conn, err)
		}
		more, err := p.handle(ctx, conn, s)
		if err != nil {
			err = refuse(conn, why(conn, err))
		}
		if err != nil || !more {
			return err
		}
	}
	conn.Close(PairingLimit)
	return &PairingError{Code: PairingLimit}
}

func acceptStream(ctx context.Context, conn pairConn) (Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	return conn.AcceptStream(ctx)
}

// handle serves one stream by its first frame. It tells whether the link may
// have more.
func (p *pairing) handle(ctx context.Context, conn pairSession, s Stream) (more bool, err error) {
	defer s.Close()
	raw, err := readFrame(s, stepTimeout)
	if err != nil {
		return false, err
	}
	kind, err := frameType(raw)
	if err != nil {
		return false, err
	}
	switch kind {
	case frameStatus:
		return true, p.answerStatus(ctx, conn, s, raw)
	case frameAnswer:
	default:
		return false, &PairingError{Code: PairingRefused}
	}
	select {
	case <-conn.asked: // an earlier pairing with this peer comes first
	case <-ctx.Done():
		return false, ctx.Err()
	}
	r, err := p.invite(ctx, conn, s, raw)
	if r.State != NotPaired {
		p.fulfil(r)
		p.poke(conn.Peer())
	}
	if e, ok := errors.AsType[*PairingError](err); ok && !e.Remote && e.Code == PairingBusy && p.answersOn(conn.Peer()) {
		s.Reset(StreamRefused) // our own answer goes on, perhaps on this very link
		return true, nil
	}
	if _, ok := errors.AsType[*StreamError](err); ok && ctx.Err() == nil {
		return true, nil // the answerer made way for our answer
	}
	return false, err
}

// answersOn tells whether this device is answering an invitation of a peer.
func (p *pairing) answersOn(id PeerID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	x := p.exchanges[id]
	return x != nil && x.role == Answerer
}
