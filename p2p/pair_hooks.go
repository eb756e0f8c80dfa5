package p2p

import (
	"context"
	"errors"
	"net"
	"time"
)

// record asks the application for what it keeps of a peer.
func (p *pairing) record(id PeerID) (r Record, ok bool) {
	p.config.Turns.now(func() { r, ok = p.config.Manager.Record(id) })
	return r, ok
}

func (p *pairing) metadata() (m Metadata) {
	p.config.Turns.now(func() { m = p.config.Manager.Metadata() })
	return m
}

// openKeys returns the keys of an invitation that a peer may use now. Any
// error is a [*PairingError]; PairingRefused says that there is no such token.
func (p *pairing) openKeys(t Token, id PeerID) (keys PairingKeys, err error) {
	if !p.config.Turns.now(func() { keys, err = p.config.Manager.PairingKeys(t) }) {
		err = net.ErrClosed
	}
	if err != nil {
		if e, ok := errors.AsType[*PairingError](err); ok {
			return PairingKeys{}, &PairingError{Code: e.Code}
		}
		return PairingKeys{}, &PairingError{Code: PairingRefused}
	}
	if !time.Now().Before(keys.Expires) {
		return PairingKeys{}, &PairingError{Code: PairingExpired}
	}
	if keys.Only != (PeerID{}) && keys.Only != id {
		return PairingKeys{}, &PairingError{Code: PairingBusy}
	}
	return keys, nil
}

// save keeps a record in a peer's turn, unless may says no there, and tells
// the application of a new pairing. Nothing may be sent of it before nil.
func (p *pairing) save(ctx context.Context, r Record, may func() error) error {
	var err error
	turn := p.config.Turns.do(ctx, r.Peer, func() {
		if err = may(); err != nil {
			return
		}
		if err = p.config.Manager.PairingSave(ctx, r); err != nil {
			return
		}
		if r.State == Unconfirmed {
			p.config.Manager.PeerPaired(r)
		}
	})
	return firstError(turn, err)
}

// promote makes a kept record Paired. It is nil as well if it was so already.
func (p *pairing) promote(ctx context.Context, id PeerID, t [32]byte) (Record, error) {
	var kept Record
	var err error
	turn := p.config.Turns.do(ctx, id, func() { kept, err = p.promoteInTurn(ctx, id, t) })
	if turn != nil {
		return Record{}, turn
	}
	if err != nil {
		return Record{}, err
	}
	p.settled(kept)
	if p.config.Paired != nil {
		p.config.Paired(id)
	}
	return kept, nil
}

func (p *pairing) promoteInTurn(ctx context.Context, id PeerID, t [32]byte) (Record, error) {
	r, ok := p.config.Manager.PairingStatus(id, t)
	if !ok {
		return Record{}, errGone
	}
	if r.State == Paired {
		return r, nil
	}
	first := r.State == Pending
	r.State = Paired
	if err := p.config.Manager.PairingSave(ctx, r); err != nil {
		return Record{}, err
	}
	if first {
		p.config.Manager.PeerPaired(r)
	}
	return r, nil
}

// rollback deletes the record of a pairing that is not Paired yet. It tells
// whether none is left.
func (p *pairing) rollback(ctx context.Context, id PeerID, t [32]byte) bool {
	gone := false
	turn := p.config.Turns.do(ctx, id, func() {
		r, ok := p.config.Manager.PairingStatus(id, t)
		switch {
		case !ok:
			gone = true
		case r.State != Paired:
			p.config.Manager.PeerPairedRollback(r)
			gone = true
		}
	})
	return turn == nil && gone
}

// errGone reports a record that was deleted while its pairing went on.
var errGone = errors.New("the pairing was given up meanwhile")
