package p2p

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A muxHeader is the header of a frame of yamux, version 0.
//
//	version u8 ‖ type u8 ‖ flags u16 ‖ stream u32 ‖ length u32
//
// Two flags and the codes of GoAway are ours (PROTOCOL.md, "Links over TCP"):
// yamux itself can neither say why a stream or a connection ended, nor refuse
// to read on.
type muxHeader [muxHeaderSize]byte

const muxHeaderSize = 12

// The types of frames.
const (
	muxData   = 0
	muxWindow = 1
	muxPing   = 2
	muxGoAway = 3
)

// The flags of frames.
const (
	muxSYN   = 1 << 0
	muxACK   = 1 << 1
	muxFIN   = 1 << 2
	muxRST   = 1 << 3
	muxReset = 1 << 4 // beside FIN: the stream did not end in order; length is the code
	muxStop  = 1 << 5 // the sender does not read on; length is the code
)

// muxCloses is where the close codes begin among those of GoAway.
const muxCloses = 0x100

// errMux reports a frame that breaks the rules.
var errMux = errors.New("frame breaks the rules")

func newMuxHeader(kind uint8, flags uint16, stream, length uint32) (h muxHeader) {
	h[1] = kind
	binary.BigEndian.PutUint16(h[2:], flags)
	binary.BigEndian.PutUint32(h[4:], stream)
	binary.BigEndian.PutUint32(h[8:], length)
	return h
}

func newGoAway(c CloseCode) muxHeader {
	return newMuxHeader(muxGoAway, 0, 0, muxCloses+uint32(c))
}

func (h muxHeader) kind() uint8    { return h[1] }
func (h muxHeader) flags() uint16  { return binary.BigEndian.Uint16(h[2:]) }
func (h muxHeader) stream() uint32 { return binary.BigEndian.Uint32(h[4:]) }
func (h muxHeader) length() uint32 { return binary.BigEndian.Uint32(h[8:]) }

func (h muxHeader) has(flag uint16) bool { return h.flags()&flag != 0 }

// plain returns the header without what yamux does not know.
func (h muxHeader) plain() muxHeader {
	return newMuxHeader(h.kind(), h.flags()&^(muxReset|muxStop), h.stream(), 0)
}

// check refuses what no honest side sends, whatever its streams are.
func (h muxHeader) check() error {
	f := h.flags()
	stream := h.kind() == muxData || h.kind() == muxWindow
	switch {
	case h[0] != 0:
		return fmt.Errorf("%w: version %d", errMux, h[0])
	case h.kind() > muxGoAway:
		return fmt.Errorf("%w: type %d", errMux, h.kind())
	case stream != (h.stream() != 0):
		return fmt.Errorf("%w: type %d on stream %d", errMux, h.kind(), h.stream())
	case f&^(muxSYN|muxACK|muxFIN|muxReset|muxStop) != 0:
		return fmt.Errorf("%w: flags %#x", errMux, f)
	case h.kind() == muxPing && f != muxSYN && f != muxACK, h.kind() == muxGoAway && f != 0:
		return fmt.Errorf("%w: flags %#x of type %d", errMux, f, h.kind())
	case h.has(muxReset) && (h.kind() != muxWindow || !h.has(muxFIN) || h.has(muxStop)):
		return fmt.Errorf("%w: a reset with flags %#x", errMux, f)
	case h.has(muxStop) && (h.kind() != muxWindow || f != muxStop):
		return fmt.Errorf("%w: a stop with flags %#x", errMux, f)
	case h.kind() == muxData && h.length() > muxStreamWindow:
		return fmt.Errorf("%w: %d bytes in one frame", errMux, h.length())
	}
	return nil
}
