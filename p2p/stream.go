package p2p

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"foldpost/p2p/wire"
)

// A StreamError is a stream that one side reset.
type StreamError struct {
	Code   StreamCode
	Remote bool // the other side reset it
}

func (e *StreamError) Error() string {
	who := "this side"
	if e.Remote {
		who = "the peer"
	}
	return fmt.Sprintf("stream reset by %s: %s", who, e.Code)
}

var streamCodes = [...]string{"no reason", "unsupported", "malformed", "limit", "cancelled", "refused"}

// String returns the word of PROTOCOL.md for the code.
func (c StreamCode) String() string {
	if int(c) < len(streamCodes) {
		return streamCodes[c]
	}
	return fmt.Sprintf("code %d", uint32(c))
}

// ErrLinkEnded is what a stream fails with when its link ends. What was asked
// there can be asked again: there may be another link.
var ErrLinkEnded = errors.New("the link ended")

// A CloseCode tells a peer why a link was closed.
type CloseCode uint32

// The codes of PROTOCOL.md, "Closing".
const (
	CloseNone      CloseCode = iota
	CloseNotPaired           // this side has no record of the peer
	CloseRevoked             // the peer was just unpaired
	CloseVersion             // no common version
	CloseLimit               // too many, too large, too often
	CloseDuplicate           // another link to the same peer goes on
	CloseGoingAway           // the program ends
	CloseMalformed           // a frame broke the rules
	CloseDead                // the peer did not answer
)

var closeCodes = [...]string{"no reason", "not-paired", "revoked", "version", "limit", "duplicate", "going-away", "malformed", "dead"}

// String returns the word of PROTOCOL.md for the code.
func (c CloseCode) String() string {
	if int(c) < len(closeCodes) {
		return closeCodes[c]
	}
	return fmt.Sprintf("code %d", uint32(c))
}

// A CloseError is a link that one side closed.
type CloseError struct {
	Code   CloseCode
	Remote bool // the other side closed it
}

func (e *CloseError) Error() string {
	who := "this side"
	if e.Remote {
		who = "the peer"
	}
	return fmt.Sprintf("link closed by %s: %s", who, e.Code)
}

// streamHeader is the first frame of each stream but the control stream.
type streamHeader struct {
	Protocol string `wire:"1"`
}

// Limits of a stream header.
const (
	maxStreamHeader = 256              // bytes of its frame
	headerTimeout   = 30 * time.Second // from the stream's first byte to its header's last
)

func writeHeader(w io.Writer, protocol string) error {
	return wire.Write(w, maxStreamHeader, streamHeader{Protocol: protocol})
}

func readHeader(r io.Reader) (string, error) {
	var h streamHeader
	if err := wire.Read(r, maxStreamHeader, &h); err != nil {
		return "", fmt.Errorf("read stream header: %w", err)
	}
	if h.Protocol == "" {
		return "", fmt.Errorf("read stream header: %w: no protocol", wire.ErrMismatch)
	}
	return h.Protocol, nil
}

// serves tells whether AcceptStream understands a protocol.
func (e *Endpoint) serves(protocol string) bool { return slices.Contains(e.config.Protocols, protocol) }
