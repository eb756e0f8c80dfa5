package mail

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"

	"github.com/flynn/noise"

	"foldpost/p2p"
	"foldpost/p2p/wire"
)

// A Pattern is a letter's second byte: which Noise message it is, and so whose
// key opens it.
type Pattern uint8

// The patterns of PROTOCOL.md, "Sealing".
const (
	PatternInvitation Pattern = 1 // the words of the invitation open it
	PatternPeer       Pattern = 2 // only the device it is for opens it, who wrote it is proved
	PatternAnswer     Pattern = 3 // the invitation that it answers opens it
)

// A Salt names an invitation in clear: 16 random bytes that are worth nothing
// without its words.
type Salt = [16]byte

// NewSalt returns the salt of a new invitation.
func NewSalt() (s Salt) {
	rand.Read(s[:]) // never fails
	return s
}

// A Head is what anybody can read of a letter.
type Head struct {
	Pattern Pattern
	Salt    Salt
}

// What is wrong with a letter.
var (
	ErrNotLetter = errors.New("not a letter, or damaged on its way")
	ErrNotByHand = errors.New("a letter between two devices: they read it by themselves, there is nothing to do")
	ErrWrongKey  = errors.New("this key does not open it")
)

const (
	letterVersion = 1
	headSize      = 2 + len(Salt{})
	noiseOverhead = 32 + 16 // ephemeral key and authentication tag

	peerHeadSize = 2
	peerOverhead = 32 + 32 + 16 + 16 // ephemeral key, sealed static key, authentication tag
)

// paddedSizes are the only sizes of a sealed payload: four, so that a size
// tells little.
var paddedSizes = [...]int{512, 1024, 2048, 4096}

// MaxLetter is the size of the largest letter in bytes.
const MaxLetter = peerHeadSize + peerOverhead + 4096

// ReadHead reads what is in clear of a letter. Where it returns nil the bytes
// have the form of a letter; only opening it tells whether it is one.
func ReadHead(letter []byte) (Head, error) {
	if len(letter) < headSize || letter[0] != letterVersion {
		return Head{}, ErrNotLetter
	}
	head := Head{Pattern: Pattern(letter[1])}
	around := headSize + noiseOverhead
	switch head.Pattern {
	case PatternInvitation, PatternAnswer:
		head.Salt = Salt(letter[2:])
	case PatternPeer:
		around = peerHeadSize + peerOverhead
	default:
		return Head{}, ErrNotLetter
	}
	for _, size := range paddedSizes {
		if len(letter) == around+size {
			return head, nil
		}
	}
	return Head{}, fmt.Errorf("%w: %d bytes", ErrNotLetter, len(letter))
}

// SealInvitation writes an invitation that opens with psk, which was derived
// from its words and salt.
func SealInvitation(psk p2p.Secret, salt Salt, p Payload) ([]byte, error) {
	return seal(rand.Reader, PatternInvitation, psk, salt, p)
}

// OpenInvitation opens an invitation. The result is as its sender made it,
// with a right signature and discovery key; [Payload.Check] tells whether it
// is still valid. Errors wrap [ErrNotLetter], [ErrWrongKey] or [ErrPayload].
func OpenInvitation(letter []byte, psk p2p.Secret) (Payload, error) {
	return open(PatternInvitation, letter, psk)
}

// SealAnswer writes the answer to the invitation that psk and salt belong to.
func SealAnswer(psk p2p.Secret, salt Salt, p Payload) ([]byte, error) {
	return seal(rand.Reader, PatternAnswer, psk, salt, p)
}

// OpenAnswer opens an answer as [OpenInvitation] opens an invitation. That the
// answer names the invitation's token is for the caller to check.
func OpenAnswer(letter []byte, psk p2p.Secret) (Payload, error) {
	return open(PatternAnswer, letter, psk)
}

func seal(random io.Reader, pattern Pattern, psk p2p.Secret, salt Salt, p Payload) ([]byte, error) {
	if kindOf(pattern) != p.Kind {
		return nil, fmt.Errorf("seal %s: as pattern %d", p.Kind, pattern)
	}
	content, err := p.encode(func(w *payload) { w.DiscoveryKey = psk.DiscoveryKey() })
	if err == nil {
		content, err = pad(content)
	}
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", p.Kind, err)
	}
	head := append([]byte{letterVersion, byte(pattern)}, salt[:]...)
	hs, err := handshake(random, head, psk, true)
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", p.Kind, err)
	}
	letter, _, _, err := hs.WriteMessage(head, content)
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", p.Kind, err)
	}
	return letter, nil
}

func open(pattern Pattern, letter []byte, psk p2p.Secret) (Payload, error) {
	head, err := ReadHead(letter)
	if err != nil {
		return Payload{}, err
	}
	if head.Pattern != pattern {
		return Payload{}, fmt.Errorf("%w: pattern %d, want %d", ErrNotLetter, head.Pattern, pattern)
	}
	hs, err := handshake(nil, letter[:headSize], psk, false) // fresh: flynn/noise does not roll back from every error
	if err != nil {
		return Payload{}, fmt.Errorf("open letter: %w", err)
	}
	content, _, _, err := hs.ReadMessage(nil, letter[headSize:])
	if err != nil {
		return Payload{}, ErrWrongKey
	}
	value, err := unpad(content)
	if err != nil {
		return Payload{}, err
	}
	p, w, err := decodePayload(value)
	if err != nil {
		return Payload{}, err
	}
	if want := psk.DiscoveryKey(); subtle.ConstantTimeCompare(w.DiscoveryKey[:], want[:]) == 0 {
		return Payload{}, fmt.Errorf("%w: wrong discovery key", ErrPayload)
	}
	if p.Kind != kindOf(pattern) {
		return Payload{}, fmt.Errorf("%w: %s as pattern %d", ErrPayload, p.Kind, pattern)
	}
	return p, nil
}

func kindOf(pattern Pattern) Kind {
	if pattern == PatternAnswer {
		return KindAnswer
	}
	return KindInvitation
}

// handshake is the Noise state of one letter: a single message of NNpsk0,
// bound to the bytes before it.
func handshake(random io.Reader, head []byte, psk p2p.Secret, initiator bool) (*noise.HandshakeState, error) {
	key := psk.NoiseKey()
	return noise.NewHandshakeState(noise.Config{
		CipherSuite:           noise.NewCipherSuite(noise.DH25519, noise.CipherChaChaPoly, noise.HashSHA256),
		Random:                random,
		Pattern:               noise.HandshakeNN,
		Initiator:             initiator,
		Prologue:              prologue(head),
		PresharedKey:          key[:],
		PresharedKeyPlacement: 0,
	})
}

// peerHandshake is the Noise state of one letter between two devices that know
// each other's static keys: a single message of IKpsk1.
func peerHandshake(random io.Reader, self *p2p.Identity, peer [32]byte, key p2p.Secret, initiator bool) (*noise.HandshakeState, error) {
	private, public := self.StaticPrivate(), self.Static()
	c := noise.Config{
		CipherSuite:           noise.NewCipherSuite(noise.DH25519, noise.CipherChaChaPoly, noise.HashSHA256),
		Random:                random,
		Pattern:               noise.HandshakeIK,
		Initiator:             initiator,
		Prologue:              prologue([]byte{letterVersion, byte(PatternPeer)}),
		PresharedKey:          key[:],
		PresharedKeyPlacement: 1,
		StaticKeypair:         noise.DHKey{Private: private[:], Public: public[:]},
	}
	if initiator {
		c.PeerStatic = peer[:]
	}
	return noise.NewHandshakeState(c)
}

func prologue(head []byte) []byte { return append([]byte(wire.Name+"-letter/1"), head...) }

// pad appends zeros up to the next of paddedSizes. The msgpack value before
// them says itself where it ends.
func pad(value []byte) ([]byte, error) {
	for _, size := range paddedSizes {
		if len(value) <= size {
			return append(value, make([]byte, size-len(value))...), nil
		}
	}
	return nil, fmt.Errorf("%d bytes, at most %d fit into a letter", len(value), paddedSizes[len(paddedSizes)-1])
}

func unpad(content []byte) ([]byte, error) {
	value, rest, err := wire.Prefix(content)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPayload, err)
	}
	if len(bytes.Trim(rest, "\x00")) > 0 {
		return nil, fmt.Errorf("%w: padding is not zero", ErrPayload)
	}
	return value, nil
}
