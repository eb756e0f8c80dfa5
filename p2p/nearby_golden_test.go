package p2p

import (
	"bytes"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"testing"

	"foldpost/p2p/wire"
)

// nearbyBytes is one request with fixed nonces, keys and exporters: identity 1
// asks, identity 2 is asked.
func nearbyBytes(t *testing.T) map[string]string {
	t.Helper()
	asker, asked := testIdentity(1), testIdentity(2)
	fill := func(b byte) [32]byte { return [32]byte(bytes.Repeat([]byte{b}, 32)) }
	exporter, nD, nL := fill(0x44), nonce(fill(0x66)), nonce(fill(0x77))
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
	c := commitment(exporter, nD)
	put("commitment", c[:])
	m1 := frame("frame-12", newAsk(frameAsk, c, asker, Metadata{Name: "Bob's PC", Features: []string{"x"}}))
	m2 := frame("frame-13", newAsk(frameAsked, nL, asked, Metadata{Name: "laptop"}))
	frame("frame-14", revealFrame{Type: frameReveal, Nonce: nD})
	frame("frame-15", plainFrame{Type: frameSame})
	tr := nearbyTranscript(nearbyParties{exporter, asker.ID(), asked.ID()}, m1, m2, nD)
	put("transcript", tr[:])
	words := nearbyWords(tr)
	put("words", []byte(strings.Join(words[:], " ")))
	pw := nearbyPairwise(fill(0x55), tr)
	put("pairwise", pw[:])
	return out
}

// The bytes of PROTOCOL.md, "Nearby", for other implementations.
func TestGoldenNearby(t *testing.T) {
	got, want := nearbyBytes(t), golden(t, "nearby.txt")
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if got[name] != want[name] {
			t.Errorf("%s %s\nwant %s", name, got[name], want[name])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d names, the file has %d", len(got), len(want))
	}
}

// The digits of the words are places in the EFF long list by its dice numbers.
func TestNearbyWordsAreOfTheList(t *testing.T) {
	for _, tt := range []struct {
		roll int
		want string
	}{{0, "abacus"}, {1, "abdomen"}, {5, "ability"}, {6, "ablaze"}, {7775, "zoom"}} {
		if got := listWord(tt.roll); got != tt.want {
			t.Errorf("word %d = %s, want %s", tt.roll, got, tt.want)
		}
	}
}
