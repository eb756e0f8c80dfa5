package p2p

import (
	"context"
	"crypto/hmac"
	"fmt"
	"time"

	"foldpost/p2p/wire"
)

// invite runs the frames as inviter, after frame 1 of an answerer. It sends
// nothing that depends on the secret before a right proof.
func (p *pairing) invite(ctx context.Context, conn pairConn, s Stream, m1 []byte) (Record, error) {
	var offer offerFrame
	if err := wire.Unmarshal(m1, &offer); err != nil {
		return Record{}, err
	}
	keys, err := p.openKeys(offer.Token, conn.Peer())
	if err != nil {
		if e := err.(*PairingError); e.Code == PairingRefused {
			p.limits.blame(conn.Addr().Addr(), time.Now())
		}
		return Record{}, err
	}
	if conn.Peer() == p.self || offer.check(conn.Public()) != nil {
		return Record{}, &PairingError{Code: PairingRefused}
	}
	if p.pendingWith(conn.Peer()) {
		return Record{}, &PairingError{Code: PairingBusy} // an earlier pairing with this peer is settled first
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	x := &exchange{peer: conn.Peer(), role: Inviter, token: offer.Token, end: cancel}
	if err := p.begin(ctx, x); err != nil {
		return Record{}, err
	}
	defer p.finish(x)
	defer p.claims.release(offer.Token, x)
	unblock := context.AfterFunc(ctx, func() { s.Reset(StreamCancelled) })
	defer unblock()
	r, err := p.proveSecond(ctx, conn, s, x, prover{keys: keys, offer: offer, m1: m1})
	if err != nil {
		return Record{}, err
	}
	return p.saveInviter(ctx, conn, s, r, func() error {
		if !p.claims.hold(x.token, x, time.Now()) {
			return &PairingError{Code: PairingBusy}
		}
		return p.commit(x)
	})
}

// prover is what the inviter knows of an answerer after frame 1.
type prover struct {
	keys  PairingKeys
	offer offerFrame
	m1    []byte
}

// proveSecond runs frames 2 to 4 as inviter. When it returns nil the
// invitation is claimed.
func (p *pairing) proveSecond(ctx context.Context, conn pairConn, s Stream, x *exchange, a prover) (Record, error) {
	m2, err := wire.Marshal(newOffer(frameOffer, x.token, p.config.Identity, p.metadata()))
	if err != nil {
		return Record{}, err
	}
	bound, err := p.parties(conn, Inviter)
	if err != nil {
		return Record{}, err
	}
	t := transcript(bound, a.m1, m2)
	p.named(x, t)
	if err := writeRaw(s, m2); err != nil {
		return Record{}, err
	}
	var theirs proofFrame
	if _, err := expectFrame(s, stepTimeout, frameProofA, &theirs); err != nil {
		return Record{}, err
	}
	if want := proof(a.keys.PSK, Answerer, t); !hmac.Equal(theirs.MAC[:], want[:]) {
		p.config.Turns.now(func() { p.config.Manager.PairingWrong(x.token) })
		return Record{}, &PairingError{Code: PairingWrongSecret}
	}
	if !p.claims.take(x.token, x, time.Now()) {
		return Record{}, &PairingError{Code: PairingBusy}
	}
	// Time has passed since frame 1: another may have used it, its person may
	// have withdrawn it. From the claim on, nobody else uses it.
	if _, err := p.openKeys(x.token, x.peer); err != nil {
		return Record{}, err
	}
	if err := p.ask(ctx, PairingRequest{Peer: x.peer, Token: x.token, Via: a.keys.Via, Metadata: a.offer.metadata()}); err != nil {
		return Record{}, err
	}
	if _, err := writeFrame(s, proofFrame{Type: frameProofI, MAC: proof(a.keys.PSK, Inviter, t)}); err != nil {
		return Record{}, err
	}
	r, err := p.newRecord(conn, x, a.keys.PSK, a.offer)
	r.Via = a.keys.Via
	return r, err
}

// ask lets the inviter's person say yes, for userTimeout.
func (p *pairing) ask(ctx context.Context, r PairingRequest) error {
	ctx, cancel := context.WithTimeout(ctx, userTimeout)
	defer cancel()
	var err error
	if !p.config.Turns.now(func() { err = p.config.Manager.PeerPairingRequest(ctx, r) }) {
		return fmt.Errorf("ask about %s: %w", r.Peer.Short(), context.Canceled)
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil: // nobody is there: that is no answer
		return &PairingError{Code: PairingBusy}
	}
	return &PairingError{Code: PairingUserNo}
}
