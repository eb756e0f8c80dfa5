package p2p

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"log/slog"

	"golang.org/x/crypto/argon2"

	"foldpost/p2p/wire"
)

// Parameters of Argon2id. The version of a letter fixes them: they are never
// read from it, else a letter could name any amount of work.
const (
	argonTime    = 3
	argonMemory  = 64 << 10 // KiB
	argonThreads = 4
)

// A LinkSecret is what an invite link holds in place of words.
type LinkSecret [16]byte

// String hides the secret.
func (LinkSecret) String() string { return "***" }

// GoString hides the secret from %#v too.
func (LinkSecret) GoString() string { return "***" }

// LogValue hides the secret from every log.
func (LinkSecret) LogValue() slog.Value { return slog.StringValue("***") }

// LogValue hides the secret from every log.
func (Secret) LogValue() slog.Value { return slog.StringValue("***") }

// WordsPSK returns the invitation's secret that six words and its salt give.
// It takes 64 MiB and some 0.1 s, by design.
func WordsPSK(w Words, salt [16]byte) Secret {
	p := argon2.IDKey([]byte(w.password()), salt[:], argonTime, argonMemory, argonThreads, 32)
	return expand(p, wire.Name+"/1 words")
}

// LinkPSK returns the invitation's secret that an invite link gives.
func LinkPSK(secret LinkSecret, salt [16]byte) Secret {
	p, err := hkdf.Extract(sha256.New, secret[:], salt[:])
	if err != nil {
		panic("p2p: hkdf extract: " + err.Error()) // refuses nothing but hashes in FIPS-only mode
	}
	return expand(p, wire.Name+"/1 link")
}

// NoiseKey is the psk of the invitation's letters.
func (s Secret) NoiseKey() Secret { return expand(s[:], wire.Name+"/1 noise") }

// ProofKey is the key of the proofs on a pairing link.
func (s Secret) ProofKey() Secret { return expand(s[:], wire.Name+"/1 proof") }

// DiscoveryKey is the invitation's shared key inside letters. It never leaves
// a ciphertext.
func (s Secret) DiscoveryKey() Secret { return expand(s[:], wire.Name+"/1 discovery") }

// LettersKey is the psk of letters between two paired devices, of their
// pairwise secret.
func (s Secret) LettersKey() Secret { return expand(s[:], wire.Name+"/1 letters") }

// ReservedKey is the psk of letters between two devices that are not paired
// yet, of an invitation's secret that both have.
func (s Secret) ReservedKey() Secret { return expand(s[:], wire.Name+"/1 reserved") }

// LANKey is the key of the tags by which the other of two paired devices
// recognizes the announcer in a local network, of their pairwise secret.
func (s Secret) LANKey(announcer PeerID) Secret {
	return expand(s[:], wire.Name+"/1 lan "+string(announcer[:]))
}

// pairwise returns the lasting secret of two paired devices. It depends on the
// link's keys, so that who learns the words later does not have it.
func pairwise(exporter [32]byte, psk Secret, t [32]byte) Secret {
	return pairwiseOf(append(exporter[:], psk[:]...), t)
}

// pairwiseOf derives the lasting secret of what only the two sides of a link
// know and the transcript of their pairing.
func pairwiseOf(ikm []byte, t [32]byte) Secret {
	k, err := hkdf.Key(sha256.New, ikm, t[:], wire.Name+"/1 pairwise", len(Secret{}))
	if err != nil {
		panic("p2p: hkdf: " + err.Error()) // 32 bytes are always within the limit
	}
	return Secret(k)
}

// proof is HMAC(ProofKey, role ‖ T). The role inside keeps a proof from being
// sent back to who made it.
func proof(psk Secret, role Role, t [32]byte) [32]byte {
	key := psk.ProofKey()
	h := hmac.New(sha256.New, key[:])
	h.Write([]byte(role.letter()))
	h.Write(t[:])
	return [32]byte(h.Sum(nil))
}

func (r Role) letter() string {
	if r == Inviter {
		return "I"
	}
	return "A"
}

// expand is X(k, label) of PROTOCOL.md, "Pairing".
func expand(key []byte, label string) Secret {
	k, err := hkdf.Expand(sha256.New, key, label, len(Secret{}))
	if err != nil {
		panic("p2p: hkdf expand: " + err.Error()) // 32 bytes are always within the limit
	}
	return Secret(k)
}
