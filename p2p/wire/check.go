package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// MaxDepth is how deep maps and arrays may nest in a checked value.
const MaxDepth = 16

// ErrMalformed reports bytes that are not exactly one msgpack value within
// the limits of [Check].
var ErrMalformed = errors.New("malformed msgpack")

// Check tells whether b is exactly one msgpack value that is safe to decode:
// each claimed length is present in b, maps and arrays nest at most
// [MaxDepth] deep, and there are no extension types. It allocates nothing and
// does not recurse: a hostile value of five bytes would otherwise end the
// process inside the msgpack library.
func Check(b []byte) error {
	_, rest, err := Prefix(b)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%w: %d bytes after the value", ErrMalformed, len(rest))
	}
	return err
}

// Prefix splits b into its first msgpack value, which is safe to decode as
// [Check] says, and what follows it.
func Prefix(b []byte) (value, rest []byte, err error) {
	var left [MaxDepth + 1]uint64 // values still to come at each depth
	depth := 0
	left[0] = 1
	pos := 0
	for {
		for left[depth] == 0 {
			if depth == 0 {
				return b[:pos:pos], b[pos:], nil
			}
			depth--
		}
		left[depth]--
		t, err := readToken(b[pos:])
		if err != nil {
			return nil, nil, err
		}
		pos += t.size
		if t.children == 0 {
			continue
		}
		if t.children > uint64(len(b)-pos) {
			return nil, nil, fmt.Errorf("%w: %d values claimed, %d bytes left", ErrMalformed, t.children, len(b)-pos)
		}
		if depth == MaxDepth {
			return nil, nil, fmt.Errorf("%w: nested deeper than %d", ErrMalformed, MaxDepth)
		}
		depth++
		left[depth] = t.children
	}
}

// token is one msgpack header with its scalar content.
type token struct {
	size     int    // bytes of header and scalar content
	children uint64 // values that follow: elements, or keys and values
}

func readToken(b []byte) (token, error) {
	if len(b) == 0 {
		return token{}, fmt.Errorf("%w: cut short", ErrMalformed)
	}
	c := b[0]
	switch {
	case c <= 0x7f || c >= 0xe0: // fixint
		return token{size: 1}, nil
	case c <= 0x8f: // fixmap
		return token{size: 1, children: 2 * uint64(c&0x0f)}, nil
	case c <= 0x9f: // fixarray
		return token{size: 1, children: uint64(c & 0x0f)}, nil
	case c <= 0xbf: // fixstr
		return scalar(b, 1, uint64(c&0x1f))
	}
	switch c {
	case 0xc0, 0xc2, 0xc3: // nil, false, true
		return token{size: 1}, nil
	case 0xcc, 0xd0:
		return scalar(b, 1, 1)
	case 0xcd, 0xd1:
		return scalar(b, 1, 2)
	case 0xce, 0xd2, 0xca:
		return scalar(b, 1, 4)
	case 0xcf, 0xd3, 0xcb:
		return scalar(b, 1, 8)
	case 0xc4, 0xd9: // bin8, str8
		return sized(b, 1)
	case 0xc5, 0xda:
		return sized(b, 2)
	case 0xc6, 0xdb:
		return sized(b, 4)
	case 0xdc, 0xdd: // array16, array32
		return container(b, 2<<(c-0xdc), 1)
	case 0xde, 0xdf: // map16, map32
		return container(b, 2<<(c-0xde), 2)
	}
	return token{}, fmt.Errorf("%w: type 0x%02x is not used", ErrMalformed, c)
}

func scalar(b []byte, head int, n uint64) (token, error) {
	if n > uint64(len(b)-head) {
		return token{}, fmt.Errorf("%w: %d bytes claimed, %d left", ErrMalformed, n, len(b)-head)
	}
	return token{size: head + int(n)}, nil
}

func sized(b []byte, width int) (token, error) {
	n, err := length(b, width)
	if err != nil {
		return token{}, err
	}
	return scalar(b, 1+width, n)
}

func container(b []byte, width int, perElement uint64) (token, error) {
	n, err := length(b, width)
	if err != nil {
		return token{}, err
	}
	return token{size: 1 + width, children: n * perElement}, nil
}

func length(b []byte, width int) (uint64, error) {
	if len(b) < 1+width {
		return 0, fmt.Errorf("%w: cut short", ErrMalformed)
	}
	switch width {
	case 1:
		return uint64(b[1]), nil
	case 2:
		return uint64(binary.BigEndian.Uint16(b[1:])), nil
	}
	return uint64(binary.BigEndian.Uint32(b[1:])), nil
}
