package p2p

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
)

// pairLink is a pairConn on a carrier.
type pairLink struct {
	conn   carrier
	tls    tls.ConnectionState
	public [32]byte
}

// newPairLink wraps a connection whose TLS is finished; it closes it where the
// peer's certificate is not one of ours.
func newPairLink(c carrier) (*pairLink, error) {
	cs := c.state()
	key, err := publicKeyOf(cs)
	if err != nil {
		c.close(CloseCode(PairingRefused))
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

func (p *pairLink) Addr() netip.AddrPort { return p.conn.remote() }

func (p *pairLink) OpenStream(ctx context.Context) (Stream, error) {
	return p.conn.open(ctx)
}

func (p *pairLink) AcceptStream(ctx context.Context) (Stream, error) {
	return p.conn.accept(ctx)
}

func (p *pairLink) Close(code PairingCode) {
	p.conn.close(CloseCode(code))
}

func (p *pairLink) Done() <-chan struct{} { return p.conn.done() }

func (p *pairLink) CloseCode() (PairingCode, bool) {
	e, ok := errors.AsType[*CloseError](p.conn.err())
	if !ok || !e.Remote {
		return 0, false
	}
	return PairingCode(e.Code), true
}
