package mail

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"foldpost/p2p"
)

// A Correspondent is a device that may write letters to this one: a paired
// device, or one that an invitation is reserved for.
type Correspondent struct {
	Peer    p2p.PeerID
	Static  [32]byte   // X25519
	Key     p2p.Secret // psk of the letters between the two
	Address string     // where letters for it go, "" if that is not known
	Account string     // what it calls its own address, if that is another: mail may be forwarded
}

// To is what a letter for the correspondent names as its receiver.
func (c Correspondent) To() string { return cmp.Or(c.Account, c.Address) }

// A PeerKeyring is a [Keyring] that knows devices which may write letters.
type PeerKeyring interface {
	// OwnToken is that of [Keyring].
	OwnToken(p2p.Token) bool
	// Identity returns this device's keys.
	Identity() *p2p.Identity
	// Correspondents lists who may write.
	Correspondents() []Correspondent
}

// A PeerLetter is an opened and checked letter of a correspondent. That its
// content changes no trust is for its reader to keep: it brings addresses, and
// the end of waiting.
type PeerLetter struct {
	From    Correspondent
	Payload Payload
}

// NewPeerLetter returns the content of a letter to a correspondent, with a new
// token, signed by a device and valid from a moment on for a while. A zero
// inReplyTo is none.
func NewPeerLetter(kind Kind, id *p2p.Identity, now time.Time, valid time.Duration, inReplyTo p2p.Token) Payload {
	p := newPayload(kind, id, now, now.Add(valid))
	p.InReplyTo = inReplyTo
	return p
}

// SealPeer writes a letter that only a correspondent can open, and that proves
// to it who wrote it.
func SealPeer(self *p2p.Identity, to Correspondent, p Payload) ([]byte, error) {
	return sealPeer(rand.Reader, self, to, p)
}

func sealPeer(random io.Reader, self *p2p.Identity, to Correspondent, p Payload) ([]byte, error) {
	if !p.Kind.betweenPeers() {
		return nil, fmt.Errorf("seal %s: as pattern %d", p.Kind, PatternPeer)
	}
	content, err := p.encode(func(*payload) {})
	if err == nil {
		content, err = pad(content)
	}
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", p.Kind, err)
	}
	hs, err := peerHandshake(random, self, to.Static, to.Key, true)
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", p.Kind, err)
	}
	letter, _, _, err := hs.WriteMessage([]byte{letterVersion, byte(PatternPeer)}, content)
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", p.Kind, err)
	}
	return letter, nil
}

// OpenPeer opens a letter as one of a correspondent. The result is as that
// device made it: a letter by whoever else has the key does not open. Errors
// wrap [ErrNotLetter], [ErrWrongKey] or [ErrPayload].
func OpenPeer(self *p2p.Identity, from Correspondent, letter []byte) (Payload, error) {
	head, err := ReadHead(letter)
	if err != nil {
		return Payload{}, err
	}
	if head.Pattern != PatternPeer {
		return Payload{}, fmt.Errorf("%w: pattern %d, want %d", ErrNotLetter, head.Pattern, PatternPeer)
	}
	hs, err := peerHandshake(nil, self, from.Static, from.Key, false) // fresh, as for the other patterns
	if err != nil {
		return Payload{}, fmt.Errorf("open letter: %w", err)
	}
	content, _, _, err := hs.ReadMessage(nil, letter[peerHeadSize:])
	if err != nil || subtle.ConstantTimeCompare(hs.PeerStatic(), from.Static[:]) == 0 {
		return Payload{}, ErrWrongKey
	}
	value, err := unpad(content)
	if err != nil {
		return Payload{}, err
	}
	p, _, err := decodePayload(value)
	switch {
	case err != nil:
		return Payload{}, err
	case !p.Kind.betweenPeers():
		return Payload{}, fmt.Errorf("%w: %s as pattern %d", ErrPayload, p.Kind, PatternPeer)
	case p.Peer() != from.Peer || p.Static != from.Static:
		return Payload{}, fmt.Errorf("%w: of another device than its key", ErrPayload)
	}
	return p, nil
}

// ReadPeerLetter opens a letter as one of a correspondent and checks all but
// whom it is addressed to: only this device can open it. Errors are those of
// [OpenPeer] and [Payload.Check], and wrap [ErrOwn] or [ErrReplayed].
func ReadPeerLetter(keys PeerKeyring, seen *ReplayTable, from Correspondent, letter []byte, now time.Time) (PeerLetter, error) {
	payload, err := OpenPeer(keys.Identity(), from, letter)
	switch {
	case err != nil:
		return PeerLetter{}, err
	case keys.OwnToken(payload.Token):
		return PeerLetter{}, ErrOwn
	case seen.Seen(payload.Token):
		return PeerLetter{}, ErrReplayed
	}
	if err := payload.Check(now); err != nil {
		return PeerLetter{}, err
	}
	return PeerLetter{From: from, Payload: payload}, nil
}

// readPeer opens and checks a letter between devices. Each key that is tried
// costs a trial; those of who claims to have sent the mail are tried first.
func (p *Post) readPeer(ctx context.Context, m Message) (*PeerLetter, error) {
	keys, ok := p.keys.(PeerKeyring)
	if !ok {
		return nil, ErrNoCorrespondent
	}
	list := slices.Clone(keys.Correspondents())
	slices.SortStableFunc(list, func(a, b Correspondent) int {
		return likely(b, m.From) - likely(a, m.From)
	})
	for _, from := range list {
		if err := p.trials.Wait(ctx); err != nil {
			return nil, err
		}
		l, err := ReadPeerLetter(keys, p.seen, from, m.Letter, time.Now())
		switch {
		case errors.Is(err, ErrWrongKey):
			continue
		case err != nil:
			return nil, err
		case !l.Payload.SentTo(p.box.Address()):
			return nil, ErrNotForUs
		}
		return &l, nil
	}
	return nil, ErrNoCorrespondent
}

// likely is 1 where a mail claims to come from a correspondent, else 0.
func likely(c Correspondent, from string) int {
	if from != "" && (strings.EqualFold(c.Address, from) || strings.EqualFold(c.Account, from)) {
		return 1
	}
	return 0
}
