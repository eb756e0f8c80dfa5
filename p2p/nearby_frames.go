package p2p

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"foldpost/p2p/wire"
)

// Types of the frames of pairing with a device nearby: PROTOCOL.md, "Nearby".
const (
	frameAsk    = 12 // D→L: commitment
	frameAsked  = 13 // L→D: its person has opened the request
	frameReveal = 14 // D→L: what was committed to
	frameSame   = 15 // both: the person says that the words are the same
)

// exporterNearby is the label of the TLS exporter that the words depend on.
const exporterNearby = "EXPORTER-" + wire.Name + "-nearby/1"

// A nonce makes the words of a request unforeseeable to the other side.
type nonce [32]byte

// askFrame is frame 12 or 13; Nonce holds a commitment in 12.
type askFrame struct {
	_         struct{} `wire:"array"`
	Type      uint64   `wire:"0"`
	Nonce     nonce    `wire:"1"`
	Static    [32]byte `wire:"2"`
	StaticSig [64]byte `wire:"3"`
	Name      string   `wire:"4"`
	Features  []string `wire:"5,max=16"`
}

// revealFrame is frame 14.
type revealFrame struct {
	_     struct{} `wire:"array"`
	Type  uint64   `wire:"0"`
	Nonce nonce    `wire:"1"`
}

// newAsk is what this device says of itself to one nearby.
func newAsk(kind uint64, n nonce, id *Identity, m Metadata) askFrame {
	return askFrame{
		Type: kind, Nonce: n, Static: id.Static(), StaticSig: id.StaticSig(),
		Name: shorten(m.Name), Features: m.Features[:min(len(m.Features), maxFeatures)],
	}
}

// offer is what a frame says of its sender.
func (f askFrame) offer() offerFrame {
	return offerFrame{Static: f.Static, StaticSig: f.StaticSig, Name: f.Name, Features: f.Features}
}

// commitment is C: it binds the asker to its nonce before it sees the other's,
// and to this link, so that it can not be carried to another one.
func commitment(exporter [32]byte, n nonce) nonce {
	return sha256.Sum256(appendParts([]byte(wire.Name+"-nearby/1 commit"), exporter[:], n[:]))
}

// nearbyParties is what the transcript of a request binds beside the frames.
type nearbyParties struct {
	exporter     [32]byte
	asker, asked PeerID
}

// nearbyTranscript is T of a request nearby.
func nearbyTranscript(p nearbyParties, m1, m2 []byte, n nonce) [32]byte {
	return sha256.Sum256(appendParts([]byte(wire.Name+"-nearby/1 transcript"), p.exporter[:], p.asker[:], p.asked[:], m1, m2, n[:]))
}

// appendParts appends LP(x) of each part.
func appendParts(b []byte, parts ...[]byte) []byte {
	for _, part := range parts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return b
}

// nearbyWords are the three words of a transcript, 38.8 bits: whoever is in
// between has one chance in 2^38 that both screens show the same, whatever he
// computes, because he can not choose once he knows.
func nearbyWords(t [32]byte) [3]string {
	h := sha256.New()
	h.Write([]byte(wire.Name + "-nearby/1 words"))
	h.Write(t[:])
	n := binary.BigEndian.Uint64(h.Sum(nil)) % (listWords * listWords * listWords)
	var words [3]string
	for i := range words {
		words[len(words)-1-i] = listWord(int(n % listWords))
		n /= listWords
	}
	return words
}

// nearbyPairwise is the lasting secret of two devices that paired nearby: like
// [pairwise], with nothing in place of the invitation's secret.
func nearbyPairwise(exporter, t [32]byte) Secret {
	return pairwiseOf(exporter[:], t)
}

// decodeAsk reads frame 12 or 13 of a device.
func decodeAsk(raw []byte, kind uint64, public [32]byte) (askFrame, error) {
	var f askFrame
	if err := wire.Unmarshal(raw, &f); err != nil {
		return askFrame{}, err
	}
	if f.Type != kind {
		return askFrame{}, fmt.Errorf("%w: pairing frame %d, want %d", wire.ErrMismatch, f.Type, kind)
	}
	if f.offer().check(public) != nil {
		return askFrame{}, &PairingError{Code: PairingRefused}
	}
	return f, nil
}
