package p2p

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Saving is three writes, each followed by a word: the answerer writes Pending
// and says 5, the inviter writes Unconfirmed and says 6, the answerer writes
// Paired and says 7. No word goes before its write is on disk, so that
// whatever breaks, a later STATUS finds out what became of it.

// saveTimeout bounds one write.
const saveTimeout = 20 * time.Second

// errFailed reports that the inviter could not write the record.
var errFailed = errors.New("the other side could not save the pairing")

// saveAnswerer writes the record, which is given up at until if the inviter
// does not say that it has its own.
func (p *pairing) saveAnswerer(ctx context.Context, conn pairConn, s Stream, x *exchange, r Record, until time.Time) (Record, error) {
	ctx = context.WithoutCancel(ctx) // a write that began is finished and remembered
	r.State = Pending
	err := p.timedSave(ctx, r, func() error { return p.commit(x) })
	// A write that failed may have left something: settling finds that out too.
	p.unsettle(r, until)
	if err != nil {
		return Record{}, fmt.Errorf("save pairing with %s: %w", r.Peer.Short(), err)
	}
	if _, err := writeFrame(s, plainFrame{Type: framePending}); err != nil {
		return Record{}, err
	}
	raw, err := readFrame(s, stepTimeout)
	if err != nil {
		return Record{}, err
	}
	kind, err := frameType(raw)
	if err != nil {
		return Record{}, err
	}
	switch kind {
	case frameSaved:
	case frameFailed:
		if p.rollback(ctx, r.Peer, r.T) {
			p.settled(r)
		}
		return Record{}, errFailed
	default:
		return Record{}, &PairingError{Code: PairingRefused}
	}
	r, err = p.promote(ctx, r.Peer, r.T)
	if err != nil {
		return Record{}, fmt.Errorf("save pairing with %s: %w", x.peer.Short(), err)
	}
	if _, err := writeFrame(s, plainFrame{Type: frameDone}); err == nil && s.CloseWrite() == nil {
		linger(ctx, conn)
	}
	return r, nil // the word may be lost: the inviter asks STATUS
}

// saveInviter writes the record, unless may says no there.
func (p *pairing) saveInviter(ctx context.Context, conn pairConn, s Stream, r Record, may func() error) (Record, error) {
	if _, err := expectFrame(s, stepTimeout, framePending, new(plainFrame)); err != nil {
		return Record{}, err
	}
	ctx = context.WithoutCancel(ctx)
	r.State = Unconfirmed
	err := p.timedSave(ctx, r, may)
	p.unsettle(r, time.Time{})
	if err != nil {
		if _, err := writeFrame(s, plainFrame{Type: frameFailed}); err == nil && s.CloseWrite() == nil {
			linger(ctx, conn)
		}
		return Record{}, fmt.Errorf("save pairing with %s: %w", r.Peer.Short(), err)
	}
	if _, err := writeFrame(s, plainFrame{Type: frameSaved}); err != nil {
		return r, err
	}
	if _, err := expectFrame(s, stepTimeout, frameDone, new(plainFrame)); err != nil {
		return r, err
	}
	if paired, err := p.promote(ctx, r.Peer, r.T); err == nil {
		r = paired
	}
	return r, nil
}

func (p *pairing) timedSave(ctx context.Context, r Record, may func() error) error {
	ctx, cancel := context.WithTimeout(ctx, saveTimeout)
	defer cancel()
	return p.save(ctx, r, may)
}
