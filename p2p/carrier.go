package p2p

import (
	"context"
	"crypto/tls"
	"net/netip"
	"time"
)

// A carrier is a connection to another device with TLS finished: what a link,
// or a pairing, needs of the transport beneath it.
type carrier interface {
	// open opens a stream; it waits while the other side accepts no more.
	open(context.Context) (carried, error)
	// accept returns the next stream that the other side opened.
	accept(context.Context) (carried, error)
	// close ends the connection at once. The other side sees the code, which
	// is a [CloseCode] or, while two devices pair, a [PairingCode].
	close(CloseCode)
	// done is closed when the connection has ended, by whichever side.
	done() <-chan struct{}
	// err is nil until then, and says then why: a [*CloseError] where a side
	// closed it.
	err() error

	kind() string // of the transport: see [Link]
	rtt() time.Duration
	remote() netip.AddrPort // of the other side; zero if it has none
	state() tls.ConnectionState
}

// lossy is a carrier that also carries datagrams, which may be lost.
type lossy interface {
	// sendDatagram fails where the other side takes none, or none so large. It
	// waits while too many are on their way, until the connection ends.
	sendDatagram([]byte) error
	receiveDatagram(context.Context) ([]byte, error)
}

// The kinds of carriers.
const (
	kindQUIC  = "quic"
	kindTCP   = "tcp"
	kindRelay = "relay"
)

// carried is a stream of a carrier.
type carried interface {
	Stream
	hurry() // before all other streams
}
