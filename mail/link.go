package mail

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"foldpost/p2p"
	"foldpost/p2p/wire"
)

// MaxLink is the length of the longest invite link in bytes.
const MaxLink = 4 << 10

// linkPrefix begins every invite link.
const linkPrefix = wire.Name + ":1/"

// ErrLink reports text that is not an invite link. What it wraps or says more
// tells why.
var ErrLink = errors.New("not an invite link")

// An InviteLink is an invitation that needs no words: whoever has it may use
// it. It goes over a way that the user chose, never into a mail that this
// program sends.
type InviteLink struct {
	Payload Payload
	Salt    Salt
	Secret  p2p.LinkSecret
}

// NewLink returns the link of an invitation, with a new salt and secret.
func NewLink(p Payload) InviteLink {
	l := InviteLink{Payload: p, Salt: NewSalt()}
	rand.Read(l.Secret[:]) // never fails
	return l
}

// String hides the link; [InviteLink.Reveal] writes it.
func (InviteLink) String() string { return "***" }

// GoString hides the link from %#v too.
func (InviteLink) GoString() string { return "***" }

// LogValue hides the link from every log.
func (InviteLink) LogValue() slog.Value { return slog.StringValue("***") }

// PSK returns the invitation's secret.
func (l InviteLink) PSK() p2p.Secret { return p2p.LinkPSK(l.Secret, l.Salt) }

// Reveal returns the link as a person passes it on.
func (l InviteLink) Reveal() (string, error) {
	b, err := l.encode()
	if err != nil {
		return "", err
	}
	link := linkPrefix + base64.RawURLEncoding.EncodeToString(b)
	if len(link) > MaxLink {
		return "", fmt.Errorf("write link: %d bytes, at most %d", len(link), MaxLink)
	}
	return link, nil
}

func (l InviteLink) encode() ([]byte, error) {
	if l.Payload.Kind != KindInvitation {
		return nil, fmt.Errorf("write link: of an %s", l.Payload.Kind)
	}
	if l.Secret == (p2p.LinkSecret{}) {
		return nil, errors.New("write link: without a secret")
	}
	b, err := l.Payload.encode(func(w *payload) { w.Salt, w.Secret = l.Salt, l.Secret })
	if err != nil {
		return nil, fmt.Errorf("write link: %w", err)
	}
	return b, nil
}

// ParseLink reads exactly one invite link, as a command line or the desktop
// hands it over: nothing before or after it, no options, strict base64url. A
// link only proposes a pairing; [Payload.Check] tells whether it is valid.
func ParseLink(s string) (InviteLink, error) {
	if len(s) > MaxLink {
		return InviteLink{}, fmt.Errorf("%w: %d bytes, at most %d", ErrLink, len(s), MaxLink)
	}
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || !strings.EqualFold(scheme, wire.Name) {
		return InviteLink{}, fmt.Errorf("%w: it does not begin with %q", ErrLink, linkPrefix)
	}
	version, code, ok := strings.Cut(rest, "/")
	if !ok || version == "" || strings.Trim(version, "0123456789") != "" {
		return InviteLink{}, fmt.Errorf("%w: it does not begin with %q", ErrLink, linkPrefix)
	}
	if version != "1" {
		return InviteLink{}, fmt.Errorf("%w: of version %s, this program knows version 1", ErrLink, version)
	}
	if strings.ContainsAny(code, "?&#=%") {
		return InviteLink{}, fmt.Errorf("%w: it has options, which no invite link has", ErrLink)
	}
	if strings.ContainsAny(code, " \t\r\n") { // the decoder would skip line ends
		return InviteLink{}, fmt.Errorf("%w: there is more than the link", ErrLink)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(code)
	if err != nil {
		return InviteLink{}, fmt.Errorf("%w: it was changed or cut short on its way", ErrLink)
	}
	return decodeLink(b)
}

// decodeLink reads a link's map, which is exactly b.
func decodeLink(b []byte) (InviteLink, error) {
	p, w, err := decodePayload(b)
	switch {
	case errors.Is(err, wire.ErrMalformed):
		return InviteLink{}, fmt.Errorf("%w: it was changed or cut short on its way", ErrLink)
	case err != nil:
		return InviteLink{}, fmt.Errorf("%w: %w", ErrLink, err)
	case p.Kind != KindInvitation:
		return InviteLink{}, fmt.Errorf("%w: it holds an %s", ErrLink, p.Kind)
	case w.Secret == [16]byte{}:
		return InviteLink{}, fmt.Errorf("%w: it holds no secret", ErrLink)
	}
	return InviteLink{Payload: p, Salt: w.Salt, Secret: w.Secret}, nil
}
