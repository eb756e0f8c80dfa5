// Package p2p finds nobody and decides nothing: given keys, addresses and an
// application behind [Manager], it pairs devices and keeps authenticated,
// encrypted links to paired ones. It knows QUIC, TLS 1.3 and the messages of
// pairing (PROTOCOL.md); it does not know mail, folders or people.
package p2p

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"foldpost/p2p/wire"
)

// A PeerID is SHA-256("foldpost-id/1" ‖ 0x01 ‖ ed25519 public key): the name
// of a key, and so of a device, everywhere in the protocols.
type PeerID [32]byte

var idEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// PeerIDOf returns the id of a 32-byte ed25519 public key.
func PeerIDOf(public []byte) PeerID {
	h := sha256.New()
	h.Write([]byte(wire.Name + "-id/1"))
	h.Write([]byte{algorithmEd25519})
	h.Write(public)
	return PeerID(h.Sum(nil))
}

const algorithmEd25519 = 1

// String returns the id in lower-case base32 without padding, 52 characters.
func (id PeerID) String() string { return strings.ToLower(idEncoding.EncodeToString(id[:])) }

// Short returns the first 8 characters of String, for logs and lists.
func (id PeerID) Short() string { return id.String()[:8] }

// ParsePeerID reads what [PeerID.String] wrote, in either case.
func ParsePeerID(s string) (PeerID, error) {
	b, err := idEncoding.DecodeString(strings.ToUpper(s))
	if err != nil || len(b) != len(PeerID{}) {
		return PeerID{}, fmt.Errorf("peer id %q: want 52 characters of base32", s)
	}
	return PeerID(b), nil
}

// A Kind says how a candidate's address was found, in the terms of ICE
// (RFC 8445 §5.1.1). Smaller kinds are tried first.
type Kind uint8

// The kinds of candidates. Mapped is an address that a router forwards on
// request; Relayed one that a third party forwards from.
const (
	Host Kind = iota + 1
	Mapped
	Reflexive
	Relayed
)

// A Candidate is an address where a peer might be reached. It is a hint, never
// a proof: anyone may have sent it.
type Candidate struct {
	Peer    PeerID
	Addr    netip.AddrPort
	Kind    Kind
	Source  string    // who told us: "lan", "mail", "contact", "link"; "last": the peer itself was there
	Expires time.Time // zero: until it is replaced
}

// Metadata is what a device says of itself. It is a claim: shown as such,
// never used to decide, because a stranger may claim anything.
type Metadata struct {
	Name     string // of the device, at most 64 runes
	Address  string // own mail address, if any
	Version  string // of the program
	Features []string
}

// An Announcement is what a device lets others know so that they can reach it.
type Announcement struct {
	Peer       PeerID
	Candidates []Candidate
	Metadata   Metadata
}

// A Token names an invitation: 16 random bytes that only who opened the letter
// or link knows.
type Token [16]byte

// String hides the token: it never appears in logs.
func (Token) String() string { return "***" }

// Via is the door a pairing came through, shown as "verified by …".
type Via string

// The doors of PROTOCOL.md, "Pairing".
const (
	ViaWords  Via = "words"
	ViaLink   Via = "link"
	ViaNearby Via = "nearby"
)

// A Secret is 32 bytes that never leave this device in clear.
type Secret [32]byte

// String hides the secret: it never appears in logs.
func (Secret) String() string { return "***" }

// GoString hides the secret from %#v too.
func (Secret) GoString() string { return "***" }

// A Role is a side of a pairing. It comes from the invitation, never from who
// dialled: else a proof could be sent back to who made it.
type Role uint8

// The roles: the inviter made the invitation.
const (
	Inviter Role = iota + 1
	Answerer
)

// A PairingState is how far a record's pairing has come on this side.
//
//	answerer: (none) → pending → paired      inviter: (none) → unconfirmed → paired
type PairingState uint8

// The states of PROTOCOL.md, "Saving".
const (
	NotPaired   PairingState = iota
	Pending                  // answerer: written, the inviter may not have it
	Unconfirmed              // inviter: written, the answerer may not have it
	Paired                   // both have it
)

// A Record is what a device keeps of a peer it paired with.
type Record struct {
	Peer     PeerID
	Public   [32]byte // ed25519
	Static   [32]byte // X25519, signed by Public
	T        [32]byte // the pairing's transcript; names this pairing of the two
	Pairwise Secret
	Via      Via
	Role     Role     // ours in that pairing
	Token    Token    // the invitation it came through
	Metadata Metadata // what the peer said of itself then
	State    PairingState
	Again    bool // the two were paired before: only STATUS settles this one, a HELLO may stem from the other
	Created  time.Time
}

// PairingKeys is an open invitation as its inviter's endpoint needs it.
type PairingKeys struct {
	PSK     Secret
	Via     Via
	Expires time.Time
	Only    PeerID // the answerer of the first answer letter; zero: whoever proves
}

// An Invitation is an accepted invitation as its answerer's endpoint needs it.
type Invitation struct {
	Token   Token
	Peer    PeerID   // the inviter, pinned
	Static  [32]byte // the inviter's, from letter or link
	PSK     Secret
	Via     Via
	Expires time.Time
}

// A PairingRequest is what an application may show a person before it pairs.
type PairingRequest struct {
	Peer     PeerID
	Token    Token
	Via      Via
	Metadata Metadata
	Addr     netip.AddrPort // where it is; nearby only
}

// A Manager is the application's side of an [Endpoint]: it is told what
// happens to peers, and asked what to do about it.
//
// Calls that report something about one peer come one after another; calls
// about different peers, and questions (Metadata, Record, PairingKeys,
// PeerPairingRequest), come at the same time. Calls without a context must
// return soon. No call comes before Run or after it returned, but that
// AddCandidate asks Record and Announcement asks Metadata in the goroutine of
// their caller, who must hold no lock that these want.
type Manager interface {
	// Metadata describes this device in HELLO and pairings.
	Metadata() Metadata
	// Record returns what is kept of a peer. An endpoint links with peers
	// whose record is Paired, or is about to be; with nobody else.
	Record(PeerID) (Record, bool)

	// PeerDiscovered reports that a first candidate for a peer became known.
	// It says nothing about who is really there.
	PeerDiscovered(PeerID, Metadata)
	// PeerExpired reports that the last candidate of a peer expired.
	PeerExpired(PeerID)

	// PairingKeys returns the keys of the open invitation that token names.
	// Its error, best a [*PairingError], says why there is none.
	PairingKeys(Token) (PairingKeys, error)
	// PairingWrong counts a wrong proof that named token; the third burns
	// the invitation, so that PairingKeys refuses from then on.
	PairingWrong(Token)
	// PeerPairingRequest asks whether to pair, where the door wants a
	// person's yes. It is called after a right proof, with the invitation
	// claimed, and blocks until answered or ctx is done. An error refuses.
	PeerPairingRequest(ctx context.Context, r PairingRequest) error
	// PairingSave keeps a record, named by its peer and T, with its state.
	// With Unconfirmed the invitation ends in the same transaction; the save
	// fails where it was used before. Once it returns nil the record is on
	// disk: the other side relies on it.
	//
	// While two devices pair again there are several records of one peer:
	// Record returns the newest that is Unconfirmed or Paired, else a Pending
	// one. Saving one as Paired drops those first saved before it.
	PairingSave(ctx context.Context, r Record) error
	// PairingStatus returns the record of a pairing with a peer by its
	// transcript, in whatever state, even one that a newer pairing shadows.
	// False must be certain: the other side then deletes its own.
	PairingStatus(id PeerID, t [32]byte) (Record, bool)
	// PeerPaired reports that a record was saved as Unconfirmed or Paired for
	// the first time.
	PeerPaired(Record)
	// PeerPairedRollback deletes the record of a pairing, by peer and T, that
	// the other side does not have, durably, and opens the inviter's
	// invitation again if it has neither expired nor been withdrawn. An
	// earlier record of the peer counts again. It comes for Pending records
	// too, of which PeerPaired told nothing yet.
	PeerPairedRollback(Record)

	// PeerConnected reports that a paired peer is reachable by Open.
	PeerConnected(PeerID)
	// PeerDisconnected reports the end of the last link and its reason.
	PeerDisconnected(PeerID, error)
	// AcceptStream handles a stream that a paired peer opened. The stream is
	// closed when AcceptStream returns, and ctx is done when the link ends.
	// Streams of one peer are handled at the same time.
	AcceptStream(ctx context.Context, id PeerID, protocol string, s Stream)
}

// A SilenceListener is a Manager that is told when nothing comes over a peer's
// links any more, long before they end: [Link.Silent] says since when.
type SilenceListener interface {
	PeerSilent(PeerID)
}

// A Stream is a reliable flow of bytes in both directions on a link. It fails
// with a [*StreamError] where the other side reset it, and with [ErrLinkEnded].
type Stream interface {
	io.Reader
	io.Writer
	// CloseWrite ends our direction: the peer reads io.EOF.
	CloseWrite() error
	// Close ends our direction in order and stops reading.
	Close() error
	// Reset ends both directions at once; the peer sees the code.
	Reset(StreamCode)
	SetDeadline(time.Time) error
}

// A StreamCode tells a peer why a stream was reset.
type StreamCode uint32

// The codes of PROTOCOL.md, "Streams".
const (
	StreamUnsupported StreamCode = iota + 1 // unknown protocol name
	StreamMalformed                         // a frame broke the rules
	StreamLimit                             // too many, too large, too often
	StreamCancelled                         // not wanted any more
	StreamRefused                           // not a member, paused, not now
)

// A PairingCode is why a pairing link was closed (PROTOCOL.md, "Pairing").
type PairingCode uint32

// The close codes of pairing.
const (
	PairingRefused PairingCode = iota + 1
	PairingBusy
	PairingUsed
	PairingExpired
	PairingCancelled
	PairingWrongSecret
	PairingNotPaired
	PairingVersion
	PairingLimit
	PairingUserNo
)

// A PairingError is a pairing that one side ended with a code.
type PairingError struct {
	Code   PairingCode
	Remote bool // the other side ended it
}

func (e *PairingError) Error() string {
	who := "this side"
	if e.Remote {
		who = "the other side"
	}
	return fmt.Sprintf("pairing ended by %s: %s", who, e.Code)
}

var pairingCodes = [...]string{"", "refused", "busy", "used", "expired", "cancelled", "wrong-secret", "not-paired", "version", "limit", "user-no"}

// String returns the word of PROTOCOL.md for the code.
func (c PairingCode) String() string {
	if int(c) < len(pairingCodes) && c > 0 {
		return pairingCodes[c]
	}
	return fmt.Sprintf("code %d", uint32(c))
}

// A Link describes the connection to a peer that is in use.
type Link struct {
	Peer      PeerID
	Kind      string         // "quic", "tcp" or "relay"
	Addr      netip.AddrPort // of the peer; zero behind a relay
	Through   PeerID         // that relays it; zero: nobody does
	Outside   netip.AddrPort // where a server that relays takes the peer's packets from; zero without one
	Reachable bool           // Addr is one to call the peer at
	RTT       time.Duration
	Since     time.Time
	Silent    time.Time        // since when nothing comes, though it is asked for; zero: it works
	Metadata  Metadata         // from HELLO
	Observed  netip.AddrPort   // our address as the peer saw it
	Mapped    []netip.AddrPort // what routers forward to the peer, as they say: no proof
	Mapping   Mapping          // of the peer, as it says
	Offset    time.Duration    // the peer's clock minus ours, at HELLO
}
