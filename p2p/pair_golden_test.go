package p2p

import (
	"bytes"
	"encoding/hex"
	"maps"
	"slices"
	"testing"

	"foldpost/p2p/wire"
)

// pairingBytes is one pairing with fixed words, keys and exporters: identity 1
// invites, identity 2 answers.
func pairingBytes(t *testing.T) map[string]string {
	t.Helper()
	words, err := ParseWords("abacus drop-down yoyo zoom felt-tip t-shirt")
	if err != nil {
		t.Fatal(err)
	}
	inviter, answerer := testIdentity(1), testIdentity(2)
	fill := func(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }
	salt, secret, token := [16]byte(fill(0x11)[:16]), LinkSecret(fill(0x22)[:16]), Token(fill(0x33)[:16])
	psk := WordsPSK(words, salt)
	out := map[string]string{}
	put := func(name string, b []byte) { out[name] = hex.EncodeToString(b) }
	frame := func(name string, v any) []byte {
		raw, err := wire.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		put(name, raw)
		return raw
	}
	link := LinkPSK(secret, salt)
	noise, proofKey, discovery := psk.NoiseKey(), psk.ProofKey(), psk.DiscoveryKey()
	put("password", []byte(words.password()))
	put("salt", salt[:])
	put("link-secret", secret[:])
	put("psk-words", psk[:])
	put("psk-link", link[:])
	put("noise-key", noise[:])
	put("proof-key", proofKey[:])
	put("discovery-key", discovery[:])
	m1 := frame("frame-1", newOffer(frameAnswer, token, answerer, Metadata{Name: "Bob's PC", Address: "bob@example.org", Features: []string{"x"}}))
	m2 := frame("frame-2", newOffer(frameOffer, token, inviter, Metadata{Name: "laptop"}))
	tr := transcript(parties{exporter: [32]byte(fill(0x44)), inviter: inviter.ID(), answerer: answerer.ID()}, m1, m2)
	put("transcript", tr[:])
	frame("frame-3", proofFrame{Type: frameProofA, MAC: proof(psk, Answerer, tr)})
	frame("frame-4", proofFrame{Type: frameProofI, MAC: proof(psk, Inviter, tr)})
	pw := pairwise([32]byte(fill(0x55)), psk, tr)
	put("pairwise", pw[:])
	for name, kind := range map[string]uint64{
		"frame-5": framePending, "frame-6": frameSaved, "frame-7": frameDone, "frame-8": frameFailed, "frame-10": frameYes, "frame-11": frameNo,
	} {
		frame(name, plainFrame{Type: kind})
	}
	frame("frame-9", statusFrame{Type: frameStatus, T: tr})
	return out
}

// The bytes of PROTOCOL.md, "Pairing", for other implementations.
func TestGoldenPairing(t *testing.T) {
	got, want := pairingBytes(t), golden(t, "pairing.txt")
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if got[name] != want[name] {
			t.Errorf("%s %s\nwant %s", name, got[name], want[name])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d names, the file has %d", len(got), len(want))
	}
}
