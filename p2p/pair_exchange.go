package p2p

import (
	"context"
	"errors"
	"fmt"
	"time"

	"foldpost/p2p/wire"
)

// exchange is one run of the frames 1 to 8 with a peer. There is at most one
// with each peer at a time.
type exchange struct {
	peer  PeerID
	role  Role
	token Token
	end   func()        // breaks it off: it then ends by itself
	ended chan struct{} // closed when it has

	// Below: guarded by pairing.mu.
	t         [32]byte // zero until both offers are there
	saving    bool     // a record is, or is being, written: no longer broken off for another
	abandoned bool     // t will not be saved any more: the other side was told so, or relies on it
	yields    bool     // abandoned for another exchange with the peer
}

// errYield reports an exchange that made way for the one of the other
// invitation, where two devices accepted each other's.
var errYield = errors.New("the other invitation is carried out")

// begin registers an exchange. Where another one with the peer goes on, it
// makes way if that one must, else begin returns a busy error.
//
// When both have accepted each other's invitation, the one of the smaller peer
// id is carried out: both know that without asking.
func (p *pairing) begin(ctx context.Context, x *exchange) error {
	x.ended = make(chan struct{})
	for {
		p.mu.Lock()
		other := p.exchanges[x.peer]
		if other == nil {
			p.exchanges[x.peer] = x
			p.mu.Unlock()
			return nil
		}
		yields := !other.saving && x.role == Inviter &&
			(other.role == Inviter || lessID(p.self, x.peer))
		if yields {
			other.abandoned, other.yields = true, true
		}
		p.mu.Unlock()
		if !yields {
			return &PairingError{Code: PairingBusy}
		}
		other.end()
		select {
		case <-other.ended:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *pairing) finish(x *exchange) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.exchanges, x.peer)
	close(x.ended)
}

// named gives an exchange its transcript.
func (p *pairing) named(x *exchange, t [32]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x.t = t
}

// commit makes an exchange last: from here on it saves. It fails where the
// exchange was abandoned.
func (p *pairing) commit(x *exchange) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if x.abandoned {
		return errGone
	}
	x.saving = true
	return nil
}

// yielded tells whether an exchange was broken off for another.
func (p *pairing) yielded(x *exchange) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return x.yields
}

// abandon ends every chance that the pairing t with a peer is still saved
// here. It is called in the peer's turn, as saving is.
func (p *pairing) abandon(id PeerID, t [32]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if x := p.exchanges[id]; x != nil && x.t == t {
		x.abandoned = true
	}
}

// exchanging tells whether frames are being exchanged with a peer.
func (p *pairing) exchanging(id PeerID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.exchanges[id] != nil
}

func lessID(a, b PeerID) bool { return string(a[:]) < string(b[:]) }

// parties returns what the transcript of a link binds.
func (p *pairing) parties(conn pairConn, role Role) (parties, error) {
	e, err := conn.Exporter(exporterPair)
	if err != nil {
		return parties{}, fmt.Errorf("export keys of the link: %w", err)
	}
	if role == Inviter {
		return parties{exporter: e, inviter: p.self, answerer: conn.Peer()}, nil
	}
	return parties{exporter: e, inviter: conn.Peer(), answerer: p.self}, nil
}

// newRecord is what both sides keep of an exchange once both proofs are right.
func (p *pairing) newRecord(conn pairConn, x *exchange, psk Secret, offer offerFrame) (Record, error) {
	e, err := conn.Exporter(exporterPairwise)
	if err != nil {
		return Record{}, fmt.Errorf("export keys of the link: %w", err)
	}
	_, known := p.record(x.peer)
	return Record{
		Peer: x.peer, Public: conn.Public(), Static: offer.Static,
		T: x.t, Pairwise: pairwise(e, psk, x.t),
		Role: x.role, Token: x.token, Metadata: offer.metadata(),
		Again:   known,
		Created: time.Now(),
	}, nil
}

// refuse closes a link with the code that an error stands for, and returns the
// error. A link that the other side ended stays as it is.
func refuse(conn pairConn, err error) error {
	e, ok := errors.AsType[*PairingError](err)
	switch {
	case ok && e.Remote:
		return err
	case ok:
		conn.Close(e.Code)
	case errors.Is(err, wire.ErrTooLarge):
		conn.Close(PairingLimit)
	case errors.Is(err, wire.ErrMalformed), errors.Is(err, wire.ErrMismatch):
		conn.Close(PairingRefused)
	default:
		conn.Close(pairingDone)
	}
	return err
}

// why returns the reason the other side closed a link with, where it gave one,
// for an error met on a stream of it.
func why(conn pairConn, err error) error {
	if err == nil || errors.Is(err, wire.ErrTooLarge) || errors.Is(err, wire.ErrMalformed) || errors.Is(err, wire.ErrMismatch) {
		return err
	}
	if _, ok := errors.AsType[*PairingError](err); ok {
		return err
	}
	t := time.NewTimer(closeNotice)
	defer t.Stop()
	select {
	case <-conn.Done():
	case <-t.C:
		return err
	}
	if code, ok := conn.CloseCode(); ok && code != pairingDone {
		return &PairingError{Code: code, Remote: true}
	}
	return err
}

const (
	// pairingDone closes a link that has nothing to say any more.
	pairingDone PairingCode = 0
	// closeNotice is how long a stream may end before its link's close code
	// is known.
	closeNotice = 250 * time.Millisecond
	// closeLinger is how long a side waits for the other to close after the
	// last frame.
	closeLinger = 5 * time.Second
)

// linger waits until the other side has closed the link, at most closeLinger.
func linger(ctx context.Context, conn pairConn) {
	t := time.NewTimer(closeLinger)
	defer t.Stop()
	select {
	case <-conn.Done():
	case <-t.C:
	case <-ctx.Done():
	}
}
