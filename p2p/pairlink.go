package p2p

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"

	"github.com/quic-go/quic-go"
)

// pairLink is a pairConn over QUIC.
type pairLink struct {
	conn   *quic.Conn
	tls    tls.ConnectionState
	public [32]byte
}

// newPairLink wraps a connection whose TLS is finished; it closes it where the
// peer's certificate is not one of ours.
func newPairLink(c *quic.Conn) (*pairLink, error) {
	cs := c.ConnectionState().TLS
	key, err := publicKeyOf(cs)
	if err != nil {
		_ = c.CloseWithError(quic.ApplicationErrorCode(PairingRefused), "")
		return nil, err
	}
	return &pairLink{conn: c, tls: cs, public: key}, nil
}

func (p *pairLink) Peer() PeerID { return PeerIDOf(p.public[:]) }

func (p *pairLink) Public() [32]byte { return p.public }

func (p *pairLink) Exporter(label string) ([32]byte, error) {
	b, err := p.tls.ExportKeyingMaterial(label, nil, 32)
	if err != nil {
		return [32]byte{}, fmt.Errorf("export keying material: %w", err)
	}
	return [32]byte(b), nil
}

func (p *pairLink) Addr() netip.AddrPort { return addrPortOf(p.conn.RemoteAddr()) }

func (p *pairLink) OpenStream(ctx context.Context) (Stream, error) {
	s, err := p.conn.OpenStreamSync(ctx)
	if err != nil {
		return nil, linkErr(err)
	}
	return quicStream{s}, nil
}

func (p *pairLink) AcceptStream(ctx context.Context) (Stream, error) {
	s, err := p.conn.AcceptStream(ctx)
	if err != nil {
		return nil, linkErr(err)
	}
	return quicStream{s}, nil
}

func (p *pairLink) Close(code PairingCode) {
	_ = p.conn.CloseWithError(quic.ApplicationErrorCode(code), "")
}

func (p *pairLink) Done() <-chan struct{} { return p.conn.Context().Done() }

func (p *pairLink) CloseCode() (PairingCode, bool) {
	e, ok := errors.AsType[*quic.ApplicationError](context.Cause(p.conn.Context()))
	if !ok || !e.Remote {
		return 0, false
	}
	return PairingCode(e.ErrorCode), true
}
