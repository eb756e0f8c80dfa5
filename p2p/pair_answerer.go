package p2p

import (
	"context"
	"crypto/hmac"
	"fmt"
	"time"
)

// answer runs the frames as answerer of an accepted invitation. The link is
// pinned to the inviter: nothing is sent to anybody else. The answerer proves
// first, so that only it gives anything a guesser could test, and only to the
// peer whose letter or link it opened.
func (p *pairing) answer(ctx context.Context, conn pairConn, a *acceptance) (Record, error) {
	inv := a.invitation
	if conn.Peer() != inv.Peer {
		return Record{}, fmt.Errorf("answer %s: this is %s", inv.Peer.Short(), conn.Peer().Short())
	}
	if !time.Now().Before(inv.Expires) {
		return Record{}, &PairingError{Code: PairingExpired}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	x := &exchange{peer: inv.Peer, role: Answerer, token: inv.Token, end: cancel}
	if err := p.begin(ctx, x); err != nil {
		return Record{}, err
	}
	defer p.finish(x)
	r, err := p.answerOn(ctx, conn, x, inv)
	if err != nil && p.yielded(x) {
		return Record{}, errYield
	}
	return r, err
}

func (p *pairing) answerOn(ctx context.Context, conn pairConn, x *exchange, inv Invitation) (Record, error) {
	s, err := conn.OpenStream(ctx)
	if err != nil {
		return Record{}, fmt.Errorf("answer %s: %w", inv.Peer.Short(), err)
	}
	defer s.Close()
	unblock := context.AfterFunc(ctx, func() { s.Reset(StreamCancelled) })
	defer unblock()
	r, err := p.proveFirst(conn, s, x, inv)
	if err != nil {
		return Record{}, err
	}
	return p.saveAnswerer(ctx, conn, s, x, r, inv.Expires.Add(pendingGrace))
}

// proveFirst runs frames 1 to 4 as answerer.
func (p *pairing) proveFirst(conn pairConn, s Stream, x *exchange, inv Invitation) (Record, error) {
	m1, err := writeFrame(s, newOffer(frameAnswer, inv.Token, p.config.Identity, p.metadata()))
	if err != nil {
		return Record{}, err
	}
	var offer offerFrame
	m2, err := expectFrame(s, stepTimeout, frameOffer, &offer)
	if err != nil {
		return Record{}, err
	}
	if err := offer.check(conn.Public()); err != nil || offer.Token != inv.Token || offer.Static != inv.Static {
		return Record{}, &PairingError{Code: PairingRefused}
	}
	bound, err := p.parties(conn, Answerer)
	if err != nil {
		return Record{}, err
	}
	t := transcript(bound, m1, m2)
	p.named(x, t)
	if _, err := writeFrame(s, proofFrame{Type: frameProofA, MAC: proof(inv.PSK, Answerer, t)}); err != nil {
		return Record{}, err
	}
	var theirs proofFrame
	if _, err := expectFrame(s, userTimeout+stepTimeout, frameProofI, &theirs); err != nil {
		return Record{}, err
	}
	if want := proof(inv.PSK, Inviter, t); !hmac.Equal(theirs.MAC[:], want[:]) {
		return Record{}, &PairingError{Code: PairingWrongSecret}
	}
	r, err := p.newRecord(conn, x, inv.PSK, offer)
	r.Via = inv.Via
	return r, err
}
