package mail

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"foldpost/p2p"
	"foldpost/p2p/wire"
)

// A Kind says what a letter is for.
type Kind uint8

// The kinds of letters. Seek, here and reserved travel between two devices
// that know each other, with a pattern of their own.
const (
	KindInvitation Kind = iota + 1
	KindAnswer
	KindSeek     // I am here, and can not reach you: where are you?
	KindHere     // the answer to a seek: I am here
	KindReserved // the invitation is yours: your answer was the first
)

// betweenPeers tells whether letters of the kind are sealed from device to
// device.
func (k Kind) betweenPeers() bool { return k >= KindSeek && k <= KindReserved }

// isReply tells whether letters of the kind name the one they reply to.
func (k Kind) isReply() bool { return k == KindAnswer || k == KindHere || k == KindReserved }

// Limits of a payload; PROTOCOL.md, "Payload". Texts are in bytes.
const (
	MaxAddrs       = 16 // network addresses in a letter or link
	MaxAddrsByHand = 4  // so that a mailto: URL stays short enough
	MaxFolders     = 16 // folders offered
	maxText        = 256
	maxAddress     = 254 // of a mail address, RFC 5321 §4.5.3.1
	maxURI         = 64  // "quic://" and the longest literal address with port
	maxAhead       = 15 * time.Minute
	maxValid       = 92 * 24 * time.Hour // so that what remembers tokens stays bounded
	maxPeerValid   = 31 * 24 * time.Hour // of letters between devices
)

// Why a payload that opened is not used.
var (
	ErrExpired    = errors.New("expired")
	ErrFromFuture = errors.New("made in the future: one of the two clocks is wrong")
	ErrPayload    = errors.New("its content breaks the rules")
)

// A Payload is what a letter says to a program. Everything in it is a claim of
// whoever knew the words, or made the link.
type Payload struct {
	Kind      Kind
	Token     p2p.Token        // of the invitation, or the answer's own
	Addrs     []netip.AddrPort // where the sender might be reached, best first
	Mapped    []netip.AddrPort // what its routers forward to it, as they say
	Reflexive []netip.AddrPort // where others see it; checked before it is called
	Relayed   []netip.AddrPort // what a server relays to it
	Public    [32]byte         // ed25519
	Static    [32]byte         // X25519, signed by Public
	StaticSig [64]byte
	Person    string // who sends it
	Device    string
	Program   string // name and version
	Folders   []FolderOffer
	Network   string // kind of network the sender is in, as it sees it
	From, To  string // mail addresses; empty where none is used
	Created   time.Time
	Expires   time.Time
	InReplyTo p2p.Token // answer, here, reserved: the token of the letter that it replies to
}

// A FolderOffer describes a folder that comes with an invitation.
type FolderOffer struct {
	ID    [32]byte `wire:"1"`
	Name  string   `wire:"2"` // not checked as a file name
	Bytes uint64   `wire:"3"`
	Files uint64   `wire:"4"`
	Role  uint64   `wire:"5"` // what the receiver may do: 1 read and write, 2 read only
}

// payload is how a Payload travels. Link has what only a link carries.
type payload struct {
	Version      uint64        `wire:"1"`
	Kind         uint64        `wire:"2"`
	Token        [16]byte      `wire:"3"`
	DiscoveryKey [32]byte      `wire:"4"` // only in letters that words open
	URIs         []string      `wire:"5,max=16"`
	Public       [32]byte      `wire:"6"`
	Static       [32]byte      `wire:"7"`
	StaticSig    [64]byte      `wire:"8"`
	Person       string        `wire:"9"`
	Device       string        `wire:"10"`
	Program      string        `wire:"11"`
	Folders      []FolderOffer `wire:"12,max=16"`
	Network      string        `wire:"13"`
	From         string        `wire:"14"`
	To           string        `wire:"15"`
	Created      int64         `wire:"16"` // unix seconds
	Expires      int64         `wire:"17"`
	InReplyTo    [16]byte      `wire:"18"`
	Salt         [16]byte      `wire:"19"` // only in links
	Secret       [16]byte      `wire:"20"` // only in links
}

const payloadVersion = 1

// NewInvitation returns an invitation with a new token, signed by a device and
// valid from a moment on for a while. What it offers is for the caller to add.
func NewInvitation(id *p2p.Identity, now time.Time, valid time.Duration) Payload {
	return newPayload(KindInvitation, id, now, now.Add(valid))
}

// NewAnswer returns the answer to an invitation, with a new token, signed by a
// device. It expires with the invitation.
func NewAnswer(id *p2p.Identity, now time.Time, invitation Payload) Payload {
	p := newPayload(KindAnswer, id, now, invitation.Expires)
	p.InReplyTo, p.To = invitation.Token, invitation.From
	return p
}

func newPayload(kind Kind, id *p2p.Identity, now, expires time.Time) Payload {
	p := Payload{
		Kind: kind, Public: id.Public(), Static: id.Static(), StaticSig: id.StaticSig(),
		Created: now.Truncate(time.Second), Expires: expires.Truncate(time.Second),
	}
	rand.Read(p.Token[:]) // never fails
	return p
}

// Invitation returns what an answerer's endpoint needs to pair, once the user
// said yes. psk opened the letter, or came with the link.
func (p Payload) Invitation(psk p2p.Secret, via p2p.Via) p2p.Invitation {
	return p2p.Invitation{Token: p.Token, Peer: p.Peer(), Static: p.Static, PSK: psk, Via: via, Expires: p.Expires}
}

// Peer returns the id of the device that the payload speaks for.
func (p Payload) Peer() p2p.PeerID { return p2p.PeerIDOf(p.Public[:]) }

// String says what a log may know of a payload: no token, no addresses.
func (p Payload) String() string {
	return fmt.Sprintf("%s of %s", p.Kind, p.Peer().Short())
}

// GoString hides the payload from %#v too.
func (p Payload) GoString() string { return p.String() }

// String returns the kind's name.
func (k Kind) String() string {
	switch k {
	case KindInvitation:
		return "invitation"
	case KindAnswer:
		return "answer"
	case KindSeek:
		return "seek"
	case KindHere:
		return "here"
	case KindReserved:
		return "reserved"
	}
	return fmt.Sprintf("letter of kind %d", uint8(k))
}

// Candidates returns the payload's network addresses as candidates for its
// device: hints by whoever made the payload. The source is "mail" or "link".
func (p Payload) Candidates(source string) []p2p.Candidate {
	list := make([]p2p.Candidate, 0, p.addresses())
	for _, of := range []struct {
		kind  p2p.Kind
		addrs []netip.AddrPort
	}{{p2p.Host, p.Addrs}, {p2p.Mapped, p.Mapped}, {p2p.Reflexive, p.Reflexive}, {p2p.Relayed, p.Relayed}} {
		for _, a := range of.addrs {
			list = append(list, p2p.Candidate{Peer: p.Peer(), Addr: a, Kind: of.kind, Source: source, Expires: p.Expires})
		}
	}
	return list
}

func (p Payload) addresses() int {
	return len(p.Addrs) + len(p.Mapped) + len(p.Reflexive) + len(p.Relayed)
}

// SentTo tells whether the payload names one of these mail addresses as its
// receiver. Case does not count, as no provider in use tells apart what only
// differs in it.
func (p Payload) SentTo(addresses ...string) bool {
	for _, a := range addresses {
		if a != "" && strings.EqualFold(a, p.To) {
			return true
		}
	}
	return false
}

// Check tells whether the payload is in order and valid at a moment. Its
// errors wrap [ErrExpired], [ErrFromFuture] or [ErrPayload].
func (p Payload) Check(now time.Time) error {
	if err := p.checkContent(); err != nil {
		return err
	}
	if ahead := p.Created.Sub(now); ahead > maxAhead {
		return fmt.Errorf("%s: %w by about %s", p.Kind, ErrFromFuture, ahead.Round(time.Minute))
	}
	if !now.Before(p.Expires) {
		return fmt.Errorf("%s: %w on %s", p.Kind, ErrExpired, p.Expires.Local().Format("Monday 2 January 2006, 15:04"))
	}
	return nil
}

// checkContent is the part of Check that needs no clock.
func (p Payload) checkContent() error {
	switch {
	case p.Kind < KindInvitation || p.Kind > KindReserved:
		return fmt.Errorf("%w: %s is not known", ErrPayload, p.Kind)
	case p.Token == p2p.Token{}:
		return fmt.Errorf("%w: no token", ErrPayload)
	case p.Kind.isReply() == (p.InReplyTo == p2p.Token{}):
		return fmt.Errorf("%w: %s with wrong in_reply_to", ErrPayload, p.Kind)
	case p.Token == p.InReplyTo:
		return fmt.Errorf("%w: it answers itself", ErrPayload)
	case !p.Created.Before(p.Expires):
		return fmt.Errorf("%w: it expires before it was made", ErrPayload)
	case p.Expires.Sub(p.Created) > maxValid:
		return fmt.Errorf("%w: valid for more than %d days", ErrPayload, maxValid/(24*time.Hour))
	case p.Kind.betweenPeers() && p.Expires.Sub(p.Created) > maxPeerValid:
		return fmt.Errorf("%w: valid for more than %d days", ErrPayload, maxPeerValid/(24*time.Hour))
	}
	if err := p2p.VerifyStatic(p.Public, p.Static, p.StaticSig[:]); err != nil {
		return fmt.Errorf("%w: %w", ErrPayload, err)
	}
	return p.checkSizes()
}

func (p Payload) checkSizes() error {
	for _, s := range []string{p.Person, p.Device, p.Program, p.Network} {
		if len(s) > maxText {
			return fmt.Errorf("%w: a name of %d bytes", ErrPayload, len(s))
		}
	}
	for _, f := range p.Folders {
		if len(f.Name) > maxText {
			return fmt.Errorf("%w: a folder name of %d bytes", ErrPayload, len(f.Name))
		}
	}
	for _, s := range []string{p.From, p.To} {
		if len(s) > maxAddress || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			return fmt.Errorf("%w: not a mail address", ErrPayload)
		}
	}
	if n := p.addresses(); n > MaxAddrs || len(p.Folders) > MaxFolders {
		return fmt.Errorf("%w: %d addresses, %d folders", ErrPayload, n, len(p.Folders))
	}
	return nil
}

// encode returns the payload's msgpack map, with what letter or link adds.
func (p Payload) encode(more func(*payload)) ([]byte, error) {
	if err := p.checkContent(); err != nil {
		return nil, err
	}
	w := payload{
		Version: payloadVersion, Kind: uint64(p.Kind), Token: p.Token,
		Public: p.Public, Static: p.Static, StaticSig: p.StaticSig,
		Person: p.Person, Device: p.Device, Program: p.Program,
		Folders: p.Folders, Network: p.Network, From: p.From, To: p.To,
		Created: p.Created.Unix(), Expires: p.Expires.Unix(), InReplyTo: p.InReplyTo,
	}
	for _, a := range p.Addrs {
		w.URIs = append(w.URIs, uriScheme+a.String())
	}
	for _, a := range p.Mapped {
		w.URIs = append(w.URIs, mappedScheme+a.String())
	}
	for _, a := range p.Reflexive {
		w.URIs = append(w.URIs, checkScheme+a.String())
	}
	for _, a := range p.Relayed {
		w.URIs = append(w.URIs, relayScheme+a.String())
	}
	more(&w)
	return wire.Marshal(w)
}

// decodePayload reads a payload's map, which is exactly b. The names in the
// result are safe to show. Addresses that nobody can dial are left out; all
// else that breaks the rules is an error wrapping [ErrPayload].
func decodePayload(b []byte) (Payload, payload, error) {
	var w payload
	if err := wire.Unmarshal(b, &w); err != nil {
		return Payload{}, payload{}, fmt.Errorf("%w: %w", ErrPayload, err)
	}
	if w.Version != payloadVersion {
		return Payload{}, payload{}, fmt.Errorf("%w: version %d, this program knows %d", ErrPayload, w.Version, payloadVersion)
	}
	if w.Kind > uint64(KindReserved) || !plausible(w.Created) || !plausible(w.Expires) {
		return Payload{}, payload{}, fmt.Errorf("%w: kind %d, from %d to %d", ErrPayload, w.Kind, w.Created, w.Expires)
	}
	p := Payload{
		Kind: Kind(w.Kind), Token: w.Token,
		Addrs: parseURIs(w.URIs, uriScheme), Mapped: parseURIs(w.URIs, mappedScheme), Reflexive: parseURIs(w.URIs, checkScheme),
		Relayed: parseURIs(w.URIs, relayScheme),
		Public:  w.Public, Static: w.Static, StaticSig: w.StaticSig,
		Person: w.Person, Device: w.Device, Program: w.Program,
		Folders: w.Folders, Network: w.Network, From: w.From, To: w.To,
		Created: time.Unix(w.Created, 0), Expires: time.Unix(w.Expires, 0), InReplyTo: w.InReplyTo,
	}
	if err := p.checkContent(); err != nil {
		return Payload{}, payload{}, err
	}
	for _, s := range []*string{&p.Person, &p.Device, &p.Program, &p.Network} {
		*s = wire.SafeName(*s)
	}
	for i := range p.Folders {
		p.Folders[i].Name = wire.SafeName(p.Folders[i].Name)
	}
	return p, w, nil
}

// plausible keeps times where arithmetic on them cannot overflow: the years
// 1970 to 9999.
func plausible(unix int64) bool { return unix > 0 && unix < 253402300800 }

// The schemes of addresses: to call, to call where nothing else helps, and to
// check first.
const (
	uriScheme    = "quic://"
	mappedScheme = "mapped://"
	checkScheme  = "check://"
	relayScheme  = "relay://"
)

// parseURIs returns the addresses of a scheme in a uri list that could be
// dialled, each once. Names, and what is not unicast, are left out.
func parseURIs(uris []string, scheme string) []netip.AddrPort {
	var list []netip.AddrPort
	seen := make(map[netip.AddrPort]bool)
	for _, u := range uris {
		a, ok := parseURI(u, scheme)
		if ok && !seen[a] {
			seen[a] = true
			list = append(list, a)
		}
	}
	return list
}

func parseURI(u, scheme string) (netip.AddrPort, bool) {
	host, ok := strings.CutPrefix(u, scheme)
	if !ok || len(u) > maxURI {
		return netip.AddrPort{}, false
	}
	ap, err := netip.ParseAddrPort(host)
	if err != nil || ap.Port() == 0 || ap.Addr().Zone() != "" {
		return netip.AddrPort{}, false
	}
	a := ap.Addr().Unmap()
	if a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(a, ap.Port()), true
}
