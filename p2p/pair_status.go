package p2p

import (
	"context"
	"fmt"
	"slices"
	"time"

	"foldpost/p2p/wire"
)

// unsettled is a record that is on this disk while the other side's is in
// doubt. Its peer is asked until it says.
type unsettled struct {
	record Record
	until  time.Time // a Pending record is given up then; zero: never
}

// settle is [Endpoint.Settle].
func (p *pairing) settle(r Record, until time.Time) {
	if r.State != Pending {
		until = time.Time{} // only who has not used the record yet may give it up alone
	}
	p.unsettle(r, until)
}

func (p *pairing) unsettle(r Record, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if slices.ContainsFunc(p.unsettled[r.Peer], func(u unsettled) bool { return u.record.T == r.T }) {
		return
	}
	p.unsettled[r.Peer] = append(p.unsettled[r.Peer], unsettled{record: r, until: until})
	select {
	case p.added <- struct{}{}:
	default:
	}
}

// settled forgets a record of whose other side nothing is in doubt any more.
func (p *pairing) settled(r Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	left := slices.DeleteFunc(p.unsettled[r.Peer], func(u unsettled) bool { return u.record.T == r.T })
	if len(left) == 0 {
		delete(p.unsettled, r.Peer)
		return
	}
	p.unsettled[r.Peer] = left
}

// unsettledOf returns what is in doubt with a peer, the newest first: once a
// newer pairing is settled the older ones no longer matter.
func (p *pairing) unsettledOf(id PeerID) []unsettled {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := slices.Clone(p.unsettled[id])
	slices.SortStableFunc(u, func(a, b unsettled) int { return b.record.Created.Compare(a.record.Created) })
	return u
}

func (p *pairing) pendingWith(id PeerID) bool {
	return slices.ContainsFunc(p.unsettledOf(id), func(u unsettled) bool { return u.record.State == Pending })
}

// newSettlers returns the peers that need a settling goroutine.
func (p *pairing) newSettlers() []PeerID {
	p.mu.Lock()
	defer p.mu.Unlock()
	var ids []PeerID
	for id := range p.unsettled {
		if !p.settlers[id] {
			p.settlers[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

// settler asks a peer for STATUS until nothing is in doubt with it.
func (p *pairing) settler(ctx context.Context, id PeerID) {
	pause := eagerMin
	for ctx.Err() == nil && !p.settlerDone(id) {
		if p.watch(id).cuts(ctx, p.untilGivenUp(id, pause), nil) {
			pause = eagerMin
		} else {
			pause = min(2*pause, settleMax)
		}
		p.giveUp(ctx, id)
		// A running exchange settles it by itself, and so does who accepted an
		// invitation of this peer: it makes contact more often.
		if len(p.unsettledOf(id)) > 0 && !p.exchanging(id) && p.acceptanceOf(id) == nil {
			p.tryUntil(ctx, id, settling, nil)
		}
	}
}

// settlerDone tells whether nothing is in doubt with a peer; if so, its
// settling goroutine is no longer counted.
func (p *pairing) settlerDone(id PeerID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.unsettled[id]) > 0 {
		return false
	}
	delete(p.settlers, id)
	return true
}

func (p *pairing) untilGivenUp(id PeerID, pause time.Duration) time.Duration {
	for _, u := range p.unsettledOf(id) {
		if !u.until.IsZero() {
			pause = min(pause, max(time.Until(u.until), 0))
		}
	}
	return pause
}

// giveUp ends what is over: records that are gone or Paired by now, and
// Pending ones whose time has passed.
func (p *pairing) giveUp(ctx context.Context, id PeerID) {
	for _, u := range p.unsettledOf(id) {
		if p.resolved(ctx, u) {
			continue
		}
		if !u.until.IsZero() && !time.Now().Before(u.until) && !p.exchanging(id) && p.rollback(ctx, id, u.record.T) {
			p.settled(u.record)
		}
	}
}

// resolved tells whether a record is no longer in doubt, whoever found out:
// a first HELLO promotes, unpairing deletes.
func (p *pairing) resolved(ctx context.Context, u unsettled) bool {
	var r Record
	var ok bool
	if p.config.Turns.do(ctx, u.record.Peer, func() { r, ok = p.config.Manager.PairingStatus(u.record.Peer, u.record.T) }) != nil {
		return false
	}
	if ok && r.State != Paired {
		return false
	}
	p.settled(u.record)
	if ok {
		p.fulfil(r)
	}
	return true
}

// fulfil ends the wait of who accepted an invitation of a peer that is paired.
func (p *pairing) fulfil(r Record) {
	if a := p.acceptanceOf(r.Peer); a != nil {
		a.end(r, nil)
		p.poke(r.Peer)
	}
}

// askStatus settles on a link what is in doubt with its peer.
func (p *pairing) askStatus(ctx context.Context, conn pairConn) error {
	id := conn.Peer()
	if p.exchanging(id) {
		return nil // it knows more than an answer would say
	}
	for _, u := range p.unsettledOf(id) {
		if p.resolved(ctx, u) {
			continue
		}
		kind, err := askOne(ctx, conn, u.record.T)
		if err != nil {
			return fmt.Errorf("ask %s for status: %w", id.Short(), err)
		}
		if kind == frameYes {
			r, err := p.promote(ctx, id, u.record.T)
			if err != nil {
				return fmt.Errorf("save pairing with %s: %w", id.Short(), err)
			}
			p.fulfil(r)
			continue
		}
		if p.rollback(ctx, id, u.record.T) {
			p.settled(u.record)
		}
	}
	return nil
}

func askOne(ctx context.Context, conn pairConn, t [32]byte) (uint64, error) {
	s, err := conn.OpenStream(ctx)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	if _, err := writeFrame(s, statusFrame{Type: frameStatus, T: t}); err != nil {
		return 0, err
	}
	raw, err := readFrame(s, stepTimeout)
	if err != nil {
		return 0, err
	}
	kind, err := frameType(raw)
	if err == nil && kind != frameYes && kind != frameNo {
		err = fmt.Errorf("%w: pairing frame %d answers a status", wire.ErrMismatch, kind)
	}
	return kind, err
}

// answerStatus tells a peer what became of a pairing here. An answerer's
// record is Paired by the question: the inviter asks only once it has its own.
// An inviter's stays Unconfirmed: that somebody asks does not say that the
// answer arrives.
func (p *pairing) answerStatus(ctx context.Context, conn pairConn, s Stream, raw []byte) error {
	var f statusFrame
	if err := wire.Unmarshal(raw, &f); err != nil {
		return err
	}
	id := conn.Peer()
	var kept, promoted Record
	var ok bool
	var err error
	turn := p.config.Turns.do(ctx, id, func() {
		kept, ok = p.config.Manager.PairingStatus(id, f.T)
		if !ok {
			p.abandon(id, f.T)
		} else if kept.State == Pending {
			promoted, err = p.promoteInTurn(ctx, id, f.T)
		}
	})
	if turn != nil || err != nil {
		return fmt.Errorf("answer status of %s: %w", id.Short(), firstError(turn, err))
	}
	if promoted.State == Paired {
		p.settled(promoted)
		p.fulfil(promoted)
		if p.config.Paired != nil {
			p.config.Paired(id)
		}
	}
	kind := uint64(frameNo)
	if ok {
		kind = frameYes
	}
	if _, err := writeFrame(s, plainFrame{Type: kind}); err != nil {
		return err
	}
	return s.CloseWrite()
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
