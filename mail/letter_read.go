package mail

import (
	"context"
	"errors"
	"fmt"
	"time"

	"foldpost/p2p"
)

// Why a letter is not taken.
var (
	ErrNoInvitation = errors.New("it answers no invitation that is open here")
	ErrReplayed     = errors.New("it was taken before")
	ErrOwn          = errors.New("it was made on this device")
	ErrNotForUs     = errors.New("it is addressed to somebody else")
	ErrWrongWords   = errors.New("these words open no invitation")

	ErrNoCorrespondent = errors.New("of no device that may write to this one")
)

// A Keyring knows the invitations that were made on this device.
type Keyring interface {
	// Invitation returns the open invitation that a salt names.
	Invitation(Salt) (OpenInvite, bool)
	// OwnSalt tells whether an invitation made here has this salt, even if it
	// is not open any more.
	OwnSalt(Salt) bool
	// OwnToken tells whether this device made an invitation or an answer with
	// this token.
	OwnToken(p2p.Token) bool
}

// An OpenInvite is what a [Keyring] knows of an open invitation.
type OpenInvite struct {
	PSK   p2p.Secret
	Token p2p.Token
}

// An Unopened is an invitation whose words nobody typed here yet. Who sent it
// is not known: anybody can write any From.
type Unopened struct {
	Message Message // around it; Letter is the invitation
	Salt    Salt
}

// An Opened is an invitation with its key.
type Opened struct {
	Unopened
	Payload Payload
	PSK     p2p.Secret
}

// An Answer is the opened and checked answer to an open invitation.
type Answer struct {
	Salt    Salt // of the invitation; Payload.InReplyTo is its token
	Payload Payload
}

// NewUnopened returns an invitation letter that came by hand.
func NewUnopened(letter []byte) (Unopened, error) {
	head, err := ReadHead(letter)
	if err != nil {
		return Unopened{}, err
	}
	if head.Pattern != PatternInvitation {
		return Unopened{}, fmt.Errorf("%w: an answer or a letter between devices, not an invitation", ErrNotLetter)
	}
	return Unopened{Message: Message{Letter: letter}, Salt: head.Salt}, nil
}

// ReadAnswer opens and checks an answer that came by mail or by hand. It looks
// its salt up among the open invitations and derives no key from words. Where
// it returns nil the caller acts on the answer and then adds it to seen. That
// the answer is addressed to this user is for the caller to check: by mail it
// must be, by hand the user is told.
func ReadAnswer(keys Keyring, seen *ReplayTable, letter []byte, now time.Time) (Answer, error) {
	head, err := ReadHead(letter)
	if err != nil {
		return Answer{}, err
	}
	if head.Pattern != PatternAnswer {
		return Answer{}, fmt.Errorf("%w: not an answer", ErrNotLetter)
	}
	open, ok := keys.Invitation(head.Salt)
	if !ok {
		return Answer{}, ErrNoInvitation
	}
	payload, err := OpenAnswer(letter, open.PSK)
	if err != nil {
		return Answer{}, err
	}
	switch {
	case keys.OwnToken(payload.Token):
		return Answer{}, ErrOwn
	case payload.InReplyTo != open.Token:
		return Answer{}, fmt.Errorf("%w: it names another invitation", ErrPayload)
	case seen.Seen(payload.Token):
		return Answer{}, ErrReplayed
	}
	if err := payload.Check(now); err != nil {
		return Answer{}, err
	}
	return Answer{Salt: head.Salt, Payload: payload}, nil
}

// TryWords opens the first of some invitations, best the newest first, that
// the words belong to. It tries at most MaxUnopened, one after another: each
// takes some 0.1 s and 64 MiB, so call it only after the user typed the words.
// It fails with [ErrWrongWords] where they open none. [Payload.Check] tells
// whether what it opened is still valid.
func TryWords(ctx context.Context, words p2p.Words, letters []Unopened) (Opened, error) {
	result := error(ErrWrongWords)
	for _, u := range letters[:min(MaxUnopened, len(letters))] {
		if err := ctx.Err(); err != nil {
			return Opened{}, err
		}
		psk := p2p.WordsPSK(words, u.Salt)
		payload, err := OpenInvitation(u.Message.Letter, psk)
		if err == nil {
			return Opened{Unopened: u, Payload: payload, PSK: psk}, nil
		}
		if !errors.Is(err, ErrWrongKey) {
			result = err // right words, but nothing to use
		}
	}
	return Opened{}, result
}
