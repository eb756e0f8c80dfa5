package p2p

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// carrying is what a carrier's connection is.
type carrying struct {
	kind string
	addr netip.AddrPort // of the other side, zero if it has none; beyond a proxy not that of the connection
}

// dialOver makes a carrier to a peer on a connection that may lead to it: TCP,
// or a stream that another device splices. The connection is the carrier's; where
// there is none it is closed.
func (r *run) dialOver(ctx context.Context, conn net.Conn, peer PeerID, alpn string, on carrying) (carrier, error) {
	return r.overTLS(ctx, tls.Client(conn, dialTLS(r.cert, peer, alpn, time.Now())), on, true)
}

// acceptOver is the other side of dialOver: it makes a carrier with whoever
// called and may have a link, or pairs.
func (r *run) acceptOver(ctx context.Context, conn net.Conn, kind string) (carrier, error) {
	return r.overTLS(ctx, tls.Server(conn, r.called), carrying{kind, addrPortOf(conn.RemoteAddr())}, false)
}

func (r *run) overTLS(ctx context.Context, conn *tls.Conn, on carrying, client bool) (carrier, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = conn.NetConn().Close()
		return nil, fmt.Errorf("greet by TLS: %w", err)
	}
	protocol := conn.ConnectionState().NegotiatedProtocol
	streams := maxStreams
	switch protocol {
	case alpnPair:
		streams = maxPairStreams
	case alpnLink:
	default:
		_ = conn.NetConn().Close()
		return nil, fmt.Errorf("%w: protocol %q", errPeer, protocol)
	}
	m, err := newMux(r.ctx, muxConfig{
		conn: conn, client: client, on: on,
		streams: streams, spawn: func(f func()) { r.wg.Go(f) },
	})
	if err != nil {
		_ = conn.NetConn().Close()
		return nil, err
	}
	return m, nil
}

// running returns what exists while Run runs, nil otherwise.
func (e *Endpoint) running() *run {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.run
}
