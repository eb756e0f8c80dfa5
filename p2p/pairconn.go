package p2p

import (
	"context"
	"net/netip"
)

// pairConn is a link that speaks foldpost-pair/1: TLS is finished and the
// peer's certificate is known.
type pairConn interface {
	Peer() PeerID     // as TLS verified it
	Public() [32]byte // the peer's ed25519 key
	// Exporter is the TLS exporter for a label, without context, 32 bytes.
	Exporter(label string) ([32]byte, error)
	Addr() netip.AddrPort // of the peer
	OpenStream(ctx context.Context) (Stream, error)
	AcceptStream(ctx context.Context) (Stream, error)
	// Close ends the link; the other side sees the code.
	Close(code PairingCode)
	// Done is closed when the link has ended, by whichever side.
	Done() <-chan struct{}
	// CloseCode returns why the other side closed; false if it did not say.
	CloseCode() (PairingCode, bool)
}
