package p2p

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// askNearby asks whoever is at addrs to pair: [Endpoint.AskNearby].
func (p *pairing) askNearby(ctx context.Context, addrs []netip.AddrPort) (Record, error) {
	ctx, leave, err := p.enter(ctx)
	if err != nil {
		return Record{}, err
	}
	defer leave()
	if _, ok := p.config.Manager.(NearbyManager); !ok {
		return Record{}, errors.New("ask a device nearby: nobody could compare the words")
	}
	asking, stop := context.WithCancel(ctx)
	defer stop()
	r, theirs := p.nearby.takeOut(addrs, stop)
	switch {
	case theirs != nil:
		return p.follow(ctx, theirs)
	case r == nil:
		return Record{}, &PairingError{Code: PairingBusy}
	}
	record, err := p.askOnce(asking, r, addrs)
	close(r.idle)
	if theirs := p.makesWay(ctx, r, err); theirs != nil {
		record, err = p.follow(ctx, theirs)
		p.nearby.release(r, record, err)
		return record, err
	}
	if e, ok := errors.AsType[*PairingError](err); err != nil && ctx.Err() != nil && (!ok || !e.Remote) {
		err = context.Cause(ctx)
	}
	p.nearby.release(r, record, err)
	return record, err
}

// follow waits for a request of the other side that is carried out.
func (p *pairing) follow(ctx context.Context, r *request) (Record, error) {
	select {
	case <-r.ended:
	case <-ctx.Done():
		r.end()
		<-r.ended
	}
	return r.record, r.err
}

// makesWay returns the peer's own request if that is carried out in place of
// ours. It may come only after the peer refused ours for it.
func (p *pairing) makesWay(ctx context.Context, r *request, err error) *request {
	e, ok := errors.AsType[*PairingError](err)
	p.nearby.mu.Lock()
	theirs, peer := r.instead, r.peer
	p.nearby.mu.Unlock()
	if theirs != nil || !ok || !e.Remote || e.Code != PairingBusy || lessID(p.self, peer) {
		return theirs
	}
	t := time.NewTimer(awaitTheirs)
	defer t.Stop()
	select {
	case <-r.yielded:
	case <-t.C:
	case <-ctx.Done():
	}
	p.nearby.mu.Lock()
	defer p.nearby.mu.Unlock()
	return r.instead
}

// askOnce makes a link and carries out a request of this device on it.
func (p *pairing) askOnce(ctx context.Context, r *request, addrs []netip.AddrPort) (Record, error) {
	conn, err := p.config.DialNearby(ctx, addrs)
	if err != nil {
		p.nearby.meets(r, PeerID{})
		return Record{}, fmt.Errorf("ask a device nearby: %w", err)
	}
	p.nearby.meets(r, conn.Peer())
	req := PairingRequest{Peer: conn.Peer(), Via: ViaNearby, Addr: conn.Addr()}
	record, err := p.askOn(ctx, conn, r, &req)
	if err == nil {
		conn.Close(pairingDone)
		return record, nil
	}
	err = why(conn, err)
	if ctx.Err() != nil {
		conn.Close(PairingCancelled)
	}
	err = refuse(conn, err)
	if record.State == Pending {
		record, err = p.outcome(ctx, record, err)
	}
	if err != nil {
		p.endNearby(r, req, err)
	}
	return record, err
}

// askOn runs the frames as asker. The asker commits to its nonce first, so that
// neither side can choose the words.
func (p *pairing) askOn(ctx context.Context, conn pairConn, r *request, req *PairingRequest) (Record, error) {
	if conn.Peer() == p.self {
		return Record{}, errors.New("ask a device nearby: this is the same device")
	}
	if p.pendingWith(conn.Peer()) {
		p.poke(conn.Peer())
		return Record{}, ErrSettling
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	x := &exchange{peer: conn.Peer(), role: Answerer, end: cancel}
	if err := p.begin(ctx, x); err != nil {
		return Record{}, err
	}
	defer p.finish(x)
	exporter, err := conn.Exporter(exporterNearby)
	if err != nil {
		return Record{}, fmt.Errorf("export keys of the link: %w", err)
	}
	s, err := conn.OpenStream(ctx)
	if err != nil {
		return Record{}, fmt.Errorf("ask %s: %w", x.peer.Short(), err)
	}
	defer s.Close()
	unblock := context.AfterFunc(ctx, func() { s.Reset(StreamCancelled) })
	defer unblock()

	var n nonce
	rand.Read(n[:]) // never fails
	m1, err := writeFrame(s, newAsk(frameAsk, commitment(exporter, n), p.config.Identity, p.metadata()))
	if err != nil {
		return Record{}, err
	}
	m2, err := readFrame(s, userTimeout+stepTimeout)
	if err != nil {
		return Record{}, err
	}
	theirs, err := decodeAsk(m2, frameAsked, conn.Public())
	if err != nil {
		return Record{}, err
	}
	req.Metadata = theirs.offer().metadata()
	p.named(x, nearbyTranscript(nearbyParties{exporter, p.self, x.peer}, m1, m2, n))
	if !p.nearby.shows(r) {
		return Record{}, &PairingError{Code: PairingBusy}
	}
	if _, err := writeFrame(s, revealFrame{Type: frameReveal, Nonce: n}); err != nil {
		return Record{}, err
	}
	if err := p.compare(ctx, conn, s, *req, x.t); err != nil {
		return Record{}, err
	}
	record, err := p.nearbyRecord(conn, x, theirs)
	if err != nil {
		return Record{}, err
	}
	p.config.Met(x.peer, conn.Addr())
	kept, err := p.saveAnswerer(ctx, conn, s, x, record, time.Now().Add(nearbyGrace))
	if err != nil {
		record.State = Pending // perhaps: settling finds out
		return record, err
	}
	return kept, nil
}

// outcome waits for what became of a pairing whose saving was cut short.
func (p *pairing) outcome(ctx context.Context, r Record, err error) (Record, error) {
	end := time.Now().Add(awaitSettling)
	for {
		news := p.watch(r.Peer)
		var kept Record
		var ok bool
		if turn := p.config.Turns.do(ctx, r.Peer, func() { kept, ok = p.config.Manager.PairingStatus(r.Peer, r.T) }); turn != nil {
			return Record{}, err
		}
		left := time.Until(end)
		switch {
		case ok && kept.State == Paired:
			return kept, nil
		case !ok || left <= 0 || ctx.Err() != nil:
			return Record{}, err
		}
		news.cuts(ctx, min(left, eagerMin), nil)
	}
}
