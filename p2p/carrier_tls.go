package p2p

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"
)

// dialOver makes a carrier to a peer on a connection that may lead to it: TCP,
// or a stream that another device splices. kind is that of the link. The
// connection is the carrier's; where there is none it is closed.
func (r *run) dialOver(ctx context.Context, conn net.Conn, peer PeerID, alpn, kind string) (carrier, error) {
	return r.overTLS(ctx, tls.Client(conn, dialTLS(r.cert, peer, alpn, time.Now())), kind, true)
}

// acceptOver is the other side of dialOver: it makes a carrier with whoever
// called and may have a link, or pairs.
func (r *run) acceptOver(ctx context.Context, conn net.Conn, kind string) (carrier, error) {
	return r.overTLS(ctx, tls.Server(conn, r.called), kind, false)
}

func (r *run) overTLS(ctx context.Context, conn *tls.Conn, kind string, client bool) (carrier, error) {
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
	m, err := newMux(muxConfig{
		conn: conn, client: client, over: kind, addr: addrPortOf(conn.RemoteAddr()),
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
