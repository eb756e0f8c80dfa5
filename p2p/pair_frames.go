package p2p

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"foldpost/p2p/wire"
)

// Types of pairing frames: PROTOCOL.md, "Pairing". 12 to 15 belong to pairing
// with a device nearby.
const (
	frameAnswer  = 1 // A→I
	frameOffer   = 2 // I→A
	frameProofA  = 3
	frameProofI  = 4
	framePending = 5  // A→I: written, fsynced
	frameSaved   = 6  // I→A
	frameDone    = 7  // A→I
	frameFailed  = 8  // I→A: not written
	frameStatus  = 9  // the record with this transcript?
	frameYes     = 10 // is on disk
	frameNo      = 11 // is not, and will not be
)

// Limits of what a device says of itself.
const (
	maxNameRunes = 64
	maxAddress   = 254 // RFC 5321
	maxFeatures  = 16
	maxFeature   = 32
)

const (
	stepTimeout = 30 * time.Second // for one frame
	userTimeout = 60 * time.Second // for the inviter's person to say yes
)

// offerFrame is frame 1 or 2: what each side offers before the proofs.
type offerFrame struct {
	_         struct{} `wire:"array"`
	Type      uint64   `wire:"0"`
	Token     Token    `wire:"1"`
	Static    [32]byte `wire:"2"`
	StaticSig [64]byte `wire:"3"`
	Name      string   `wire:"4"`
	Address   string   `wire:"5"`
	Features  []string `wire:"6,max=16"`
}

// proofFrame is frame 3 or 4.
type proofFrame struct {
	_    struct{} `wire:"array"`
	Type uint64   `wire:"0"`
	MAC  [32]byte `wire:"1"`
}

// statusFrame is frame 9.
type statusFrame struct {
	_    struct{} `wire:"array"`
	Type uint64   `wire:"0"`
	T    [32]byte `wire:"1"`
}

// plainFrame is a frame without content; of any other frame, its type.
type plainFrame struct {
	_    struct{} `wire:"array"`
	Type uint64   `wire:"0"`
}

// newOffer says of this device what the other side may know before its proof.
func newOffer(kind uint64, token Token, id *Identity, m Metadata) offerFrame {
	f := offerFrame{
		Type: kind, Token: token, Static: id.Static(), StaticSig: id.StaticSig(),
		Name: shorten(m.Name), Features: m.Features[:min(len(m.Features), maxFeatures)],
	}
	if len(m.Address) <= maxAddress {
		f.Address = m.Address
	}
	return f
}

// metadata returns the claims in an offer.
func (f offerFrame) metadata() Metadata {
	return Metadata{Name: shorten(f.Name), Address: f.Address, Features: f.Features}
}

// check tells whether an offer keeps the limits and its static key is the peer's.
func (f offerFrame) check(public [32]byte) error {
	if len(f.Address) > maxAddress {
		return fmt.Errorf("offer: %w: address of %d bytes", wire.ErrMismatch, len(f.Address))
	}
	for _, s := range f.Features {
		if len(s) > maxFeature {
			return fmt.Errorf("offer: %w: feature of %d bytes", wire.ErrMismatch, len(s))
		}
	}
	return VerifyStatic(public, f.Static, f.StaticSig[:])
}

func shorten(name string) string {
	n := 0
	for i := range name {
		if n == maxNameRunes {
			return name[:i]
		}
		n++
	}
	return name
}

// frameType returns the first element of a raw frame.
func frameType(raw []byte) (uint64, error) {
	var f plainFrame
	if err := wire.Unmarshal(raw, &f); err != nil {
		return 0, err
	}
	return f.Type, nil
}

// readFrame reads one raw frame that comes within timeout.
func readFrame(s Stream, timeout time.Duration) ([]byte, error) {
	if err := s.SetDeadline(time.Now().Add(timeout)); err != nil {
		return nil, fmt.Errorf("read pairing frame: %w", err)
	}
	raw, err := wire.ReadRaw(s, wire.MaxPairing)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF // the protocol ends with a frame, not with silence
	}
	if err != nil {
		return nil, fmt.Errorf("read pairing frame: %w", err)
	}
	return raw, nil
}

// expectFrame reads one raw frame of a type into v.
func expectFrame(s Stream, timeout time.Duration, kind uint64, v any) ([]byte, error) {
	raw, err := readFrame(s, timeout)
	if err != nil {
		return nil, err
	}
	got, err := frameType(raw)
	if err != nil {
		return nil, err
	}
	if got != kind {
		return nil, fmt.Errorf("%w: pairing frame %d, want %d", wire.ErrMismatch, got, kind)
	}
	return raw, wire.Unmarshal(raw, v)
}

// writeFrame sends a frame and returns its raw bytes.
func writeFrame(s Stream, v any) ([]byte, error) {
	raw, err := wire.Marshal(v)
	if err != nil {
		return nil, err
	}
	return raw, writeRaw(s, raw)
}

// parties is what a transcript binds beside the offers. The TLS exporter does
// not cover the dialler's certificate, so both ids stand here by themselves.
type parties struct {
	exporter          [32]byte
	inviter, answerer PeerID
}

// transcript is T: it names one exchange, and no other has the same.
func transcript(p parties, m1, m2 []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte(wire.Name + "-pair/1 transcript"))
	for _, part := range [][]byte{p.exporter[:], p.inviter[:], p.answerer[:], m1, m2} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		h.Write(part)
	}
	return [32]byte(h.Sum(nil))
}

// Labels of the TLS exporters.
const (
	exporterPair     = "EXPORTER-" + wire.Name + "-pair/1"
	exporterPairwise = "EXPORTER-" + wire.Name + "-pairwise/1"
)

// writeRaw sends a frame that is encoded already.
func writeRaw(s Stream, raw []byte) error {
	if err := s.SetDeadline(time.Now().Add(stepTimeout)); err != nil {
		return fmt.Errorf("write pairing frame: %w", err)
	}
	if err := wire.WriteRaw(s, wire.MaxPairing, raw); err != nil {
		return fmt.Errorf("write pairing frame: %w", err)
	}
	return nil
}
