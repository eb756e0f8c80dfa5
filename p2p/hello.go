package p2p

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"foldpost/p2p/wire"
)

// version of the link protocol; it changes with the ALPN only.
const linkVersion = 1

// errVersion reports a peer whose version of the link protocol is not ours.
var errVersion = errors.New("no common version")

// A control frame is what travels on the control stream. Unknown types are
// ignored.
type control struct {
	Type  uint64 `wire:"1"`
	Hello *hello `wire:"2"`
	Nonce uint64 `wire:"3"` // of a ping, and of the pong that answers it
	Pad   []byte `wire:"4"` // of a ping, zeros

	Mapping string   `wire:"5"`       // of the sender, in a frame of type controlNetwork
	Mapped  []string `wire:"6,max=4"` // in the same

	Channel string `wire:"7"` // of a frame of type controlMessage
	Payload []byte `wire:"8"` // of the same
}

// The types of control frames.
const (
	controlHello = 1
	controlPing  = 2
	controlPong  = 3

	controlNetwork = 4
	controlPrimary = 5
	controlMessage = 6
)

// pingPad makes a ping large enough that a peer which was started again
// answers it with a stateless reset: QUIC's own keep-alives are too small for
// that (RFC 9000 §10.3).
const pingPad = 32

func newPing(nonce uint64) control {
	return control{Type: controlPing, Nonce: nonce, Pad: make([]byte, pingPad)}
}

// hello is the first frame of the control stream in both directions. All but
// ID is a claim of the peer.
type hello struct {
	V        uint64   `wire:"1"`
	ID       PeerID   `wire:"2"` // of the sender, as TLS has it
	Name     string   `wire:"3"` // of the device
	Features []string `wire:"4,max=64"`
	Observed string   `wire:"5"` // the receiver's address and port as the sender sees them
	Streams  uint64   `wire:"6"` // that the sender accepts at the same time
	Frame    uint64   `wire:"7"` // bytes of a control frame that the sender accepts
	Start    [8]byte  `wire:"8"` // random, the same as long as the sender's program runs
	Number   uint64   `wire:"9"` // of the connection; from its dialler only, from 1
	Version  string   `wire:"10"`
	Address  string   `wire:"11"`       // the sender's own mail address, if any
	Time     int64    `wire:"12"`       // the sender's clock, unix seconds
	Mapping  string   `wire:"13"`       // what routers make of the sender's IPv4 address
	Mapped   []string `wire:"14,max=4"` // addresses that routers forward to the sender, as they say
	Bulk     bool     `wire:"15"`       // from its dialler: the connection is one for much data beside others
}

// Limits of a HELLO beyond its frame's.
const (
	maxName   = 64 // runes
	maxText   = 256
	maxNumber = 1 << 53
)

func (h hello) check(peer PeerID, dialled bool) error {
	switch {
	case h.V != linkVersion:
		return fmt.Errorf("%w: %d", errVersion, h.V)
	case h.ID != peer:
		return fmt.Errorf("%w: hello of %s from %s", wire.ErrMismatch, h.ID.Short(), peer.Short())
	case h.Number > maxNumber || (h.Number == 0 && !dialled):
		return fmt.Errorf("%w: connection number %d", wire.ErrMismatch, h.Number)
	case len([]rune(h.Name)) > maxName || len(h.Version) > maxText || len(h.Address) > maxText || len(h.Mapping) > maxText:
		return fmt.Errorf("%w: a text in hello is too long", wire.ErrMismatch)
	}
	for _, f := range slices.Concat(h.Features, h.Mapped) {
		if len(f) > maxText {
			return fmt.Errorf("%w: a feature or address in hello is too long", wire.ErrMismatch)
		}
	}
	return nil
}

func (h hello) metadata() Metadata {
	return Metadata{Name: h.Name, Address: h.Address, Version: h.Version, Features: h.Features}
}

// observed returns our address as the peer saw it; it may be invalid or a lie.
func (h hello) observed() netip.AddrPort {
	a, err := netip.ParseAddrPort(h.Observed)
	if err != nil {
		return netip.AddrPort{}
	}
	return a
}

// newHello is what we say of ourselves to a peer at an address.
func newHello(id PeerID, start [8]byte, m Metadata, peer netip.AddrPort, number uint64, routers Mapping) hello {
	observed := ""
	if peer.IsValid() {
		observed = peer.String()
	}
	return hello{
		V: linkVersion, ID: id, Name: clip(m.Name, maxName), Features: m.Features, Observed: observed,
		Streams: maxStreams, Frame: wire.MaxControl, Start: start, Number: number,
		Version: m.Version, Address: m.Address, Time: time.Now().Unix(), Mapping: string(routers),
	}
}

func clip(s string, runes int) string {
	if r := []rune(s); len(r) > runes {
		return string(r[:runes])
	}
	return s
}

func writeHello(w io.Writer, h hello) error {
	if err := wire.Write(w, wire.MaxControl, control{Type: controlHello, Hello: &h}); err != nil {
		return fmt.Errorf("write hello: %w", err)
	}
	return nil
}

// readHello reads the HELLO of a peer; dialled tells whether this side dialled.
func readHello(r io.Reader, peer PeerID, dialled bool) (hello, error) {
	var c control
	if err := wire.Read(r, wire.MaxControl, &c); err != nil {
		return hello{}, fmt.Errorf("read hello: %w", err)
	}
	if c.Type != controlHello || c.Hello == nil {
		return hello{}, fmt.Errorf("read hello: %w: control frame %d", wire.ErrMismatch, c.Type)
	}
	if err := c.Hello.check(peer, dialled); err != nil {
		return hello{}, fmt.Errorf("read hello: %w", err)
	}
	return *c.Hello, nil
}
