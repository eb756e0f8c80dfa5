package p2p

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"

	"foldpost/p2p/wire"
)

// An Identity is what makes a device this device: an ed25519 key pair, whose
// hash is the peer id, and a static X25519 key for letters, signed by the
// first. It is made once and never changes.
type Identity struct {
	key    ed25519.PrivateKey
	static *ecdh.PrivateKey
}

// identityVersion begins the bytes of a kept identity: version ‖ ed25519 seed
// ‖ X25519 private key.
const (
	identityVersion = 1
	identitySize    = 1 + 32 + 32
)

// NewIdentity makes a new identity from the system's randomness.
func NewIdentity() *Identity {
	var b [identitySize]byte
	b[0] = identityVersion
	rand.Read(b[1:]) // never fails
	id, err := UnmarshalIdentity(b[:])
	if err != nil {
		panic(err) // any 64 bytes are two keys
	}
	return id
}

// UnmarshalIdentity reads what [Identity.MarshalBinary] wrote.
func UnmarshalIdentity(b []byte) (*Identity, error) {
	if len(b) != identitySize || b[0] != identityVersion {
		return nil, errors.New("identity: not 65 bytes of version 1")
	}
	static, err := ecdh.X25519().NewPrivateKey(b[33:])
	if err != nil {
		return nil, fmt.Errorf("identity: static key: %w", err)
	}
	return &Identity{key: ed25519.NewKeyFromSeed(b[1:33]), static: static}, nil
}

// MarshalBinary returns the private keys: whoever has these bytes is this
// device. They belong into a file that only its owner can read.
func (i *Identity) MarshalBinary() ([]byte, error) {
	b := append(make([]byte, 0, identitySize), identityVersion)
	b = append(b, i.key.Seed()...)
	return append(b, i.static.Bytes()...), nil
}

// ID returns the peer id of this identity.
func (i *Identity) ID() PeerID { return PeerIDOf(i.key[32:]) }

// Public returns the ed25519 public key.
func (i *Identity) Public() [32]byte { return [32]byte(i.key[32:]) }

// Static returns the public half of the static X25519 key.
func (i *Identity) Static() [32]byte { return [32]byte(i.static.PublicKey().Bytes()) }

// StaticPrivate returns the private half of the static key, for opening letters.
func (i *Identity) StaticPrivate() Secret { return Secret(i.static.Bytes()) }

// StaticSig returns the signature that binds the static key to the peer id.
func (i *Identity) StaticSig() [64]byte {
	return [64]byte(ed25519.Sign(i.key, staticMessage(i.ID(), i.Static())))
}

// String returns the short peer id and no key.
func (i *Identity) String() string { return i.ID().Short() }

// GoString hides the keys from %#v too.
func (i *Identity) GoString() string { return i.String() }

// VerifyStatic checks that the owner of an ed25519 public key signed an X25519
// static key as its own.
func VerifyStatic(public, static [32]byte, sig []byte) error {
	if !ed25519.Verify(public[:], staticMessage(PeerIDOf(public[:]), static), sig) {
		return fmt.Errorf("static key of %s: wrong signature", PeerIDOf(public[:]).Short())
	}
	return nil
}

// staticMessage is what a static signature signs. Every string that an
// identity signs outside TLS begins with the program's name and a hyphen.
func staticMessage(id PeerID, static [32]byte) []byte {
	b := append([]byte(wire.Name+"-static/1"), id[:]...)
	return append(b, static[:]...)
}
