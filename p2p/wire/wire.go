// Package wire is the leaf that every byte from outside passes: it knows the
// program's name in protocol labels, frames on a stream, the check that runs
// before msgpack sees anything, and how our structs become msgpack. It knows
// nothing of what the frames mean.
//
// A frame is a big-endian uint32 length and that many bytes of one msgpack
// value (p2p/PROTOCOL.md, "Frames"). Structs travel as maps with integer keys,
// or as arrays where a blank field says so:
//
//	type Hello struct {
//		Version uint64 `wire:"1"`
//		Names   []string `wire:"2,max=16"`
//	}
//	type Claim struct {
//		_    struct{} `wire:"array"`
//		Type uint64   `wire:"0"`
//	}
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Name is the program's name in every label, ALPN and file name of the
// protocols. It is the only place where it is spelled.
const Name = "foldpost"

// Limits of one frame, by the kind of stream that carries it, in bytes.
const (
	MaxPairing = 4 << 10
	MaxControl = 64 << 10
	MaxIndex   = 1 << 20
)

// ErrTooLarge reports a frame whose length field exceeds the limit of its
// stream. Nothing of its content was read.
var ErrTooLarge = errors.New("frame is larger than this stream allows")

// ReadRaw reads one frame of at most limit bytes and checks it. It returns
// io.EOF only where the stream ends before the first byte of a frame.
func ReadRaw(r io.Reader, limit int) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if uint64(n) > uint64(limit) {
		return nil, fmt.Errorf("%w: %d bytes, limit %d", ErrTooLarge, n, limit)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, noEOF(err)
	}
	if err := Check(b); err != nil {
		return nil, err
	}
	return b, nil
}

// Read reads one frame of at most limit bytes into v, as [Unmarshal] does.
func Read(r io.Reader, limit int, v any) error {
	b, err := ReadRaw(r, limit)
	if err != nil {
		return err
	}
	return decode(b, v)
}

// WriteRaw writes b, one encoded msgpack value, as a frame in a single Write.
func WriteRaw(w io.Writer, limit int, b []byte) error {
	if len(b) > limit {
		return fmt.Errorf("%w: %d bytes, limit %d", ErrTooLarge, len(b), limit)
	}
	f := make([]byte, 4, 4+len(b))
	binary.BigEndian.PutUint32(f, uint32(len(b)))
	_, err := w.Write(append(f, b...))
	return err
}

// Write encodes v as [Marshal] does and writes it as a frame of at most limit
// bytes, in a single Write.
func Write(w io.Writer, limit int, v any) error {
	b, err := Marshal(v)
	if err != nil {
		return err
	}
	return WriteRaw(w, limit, b)
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
