package p2p

import (
	"context"
	"crypto/tls"
	"io"
	"testing"
	"time"
)

// BenchmarkStream sends over a stream of a link by QUIC and by TCP, and over
// bare quic-go and bare TLS with the same settings: the difference is ours.
func BenchmarkStream(b *testing.B) {
	b.Run("link/quic", func(b *testing.B) {
		from, to := onLoopback(b, 1, paired(2)), onLoopback(b, 2, paired(1))
		addr := addrPortOf(to.config.Conns[0].LocalAddr())
		if err := from.AddCandidate(Candidate{Peer: to.id, Addr: addr, Kind: Host}, Metadata{}); err != nil {
			b.Fatal(err)
		}
		pourOver(b, from, to)
	})
	b.Run("link/tcp", func(b *testing.B) {
		from, to := onLoopback(b, 1, paired(2)), onLoopback(b, 2, paired(1))
		here, there := tcpPair(b)
		go func() { _ = to.serveOver(b.Context(), there, kindTCP) }()
		go func() { _ = from.linkOver(b.Context(), here, to.id, kindTCP) }()
		pourOver(b, from, to)
	})
	b.Run("bare/quic", benchmarkQUIC)
	b.Run("bare/tls", benchmarkTLS)
}

func pourOver(b *testing.B, from, to *Endpoint) {
	s, err := from.Open(b.Context(), to.id, "sink")
	if err != nil {
		b.Fatal(err)
	}
	pour(b, s, s.CloseWrite)
}

func benchmarkQUIC(b *testing.B) {
	from, to := bareRun(b, 1), bareRun(b, 2)
	go func() {
		conn, err := to.sockets[0].listener.Accept(context.Background())
		if err != nil {
			return
		}
		s, err := conn.AcceptStream(context.Background())
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, s)
		_ = s.Close()
	}()
	addr := to.sockets[0].transport.Conn.LocalAddr()
	conn, err := from.sockets[0].transport.Dial(b.Context(), addr, dialTLS(from.cert, testIdentity(2).ID(), alpnLink, time.Now()), quicConfig())
	if err != nil {
		b.Fatal(err)
	}
	s, err := conn.OpenStreamSync(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	pour(b, s, s.Close)
	_ = conn.CloseWithError(0, "")
}

func benchmarkTLS(b *testing.B) {
	from, to := bareRun(b, 1), bareRun(b, 2)
	here, there := tcpPair(b)
	go func() {
		c := tls.Server(there, to.called)
		_, _ = io.Copy(io.Discard, c)
		_ = c.Close()
	}()
	c := tls.Client(here, dialTLS(from.cert, testIdentity(2).ID(), alpnLink, time.Now()))
	pour(b, c, c.CloseWrite)
	_ = c.Close()
}

// pour writes b.N pieces and waits until the other side has read them all.
func pour(b *testing.B, s io.ReadWriter, end func() error) {
	piece := make([]byte, 128<<10)
	b.SetBytes(int64(len(piece)))
	for b.Loop() {
		if _, err := s.Write(piece); err != nil {
			b.Fatal(err)
		}
	}
	if err := end(); err != nil {
		b.Fatal(err)
	}
	if _, err := io.ReadAll(s); err != nil {
		b.Fatal(err)
	}
}
