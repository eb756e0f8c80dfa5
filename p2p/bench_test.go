package p2p

import (
	"context"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// BenchmarkStream sends over a stream of a link, and over one of bare quic-go
// with the same settings: the difference is ours.
func BenchmarkStream(b *testing.B) {
	socket := func() *net.UDPConn {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = c.Close() })
		return c
	}
	b.Run("link", func(b *testing.B) {
		start := func(n byte, app *application) (*Endpoint, netip.AddrPort) {
			c := socket()
			e := New(Config{Identity: testIdentity(n), Conns: []net.PacketConn{c}, Manager: app, Protocols: []string{"sink"}})
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan error, 1)
			go func() { ended <- e.Run(ctx) }()
			b.Cleanup(func() {
				cancel()
				<-ended
			})
			return e, addrPortOf(c.LocalAddr())
		}
		from, _ := start(1, paired(2))
		to, addr := start(2, paired(1))
		if err := from.AddCandidate(Candidate{Peer: to.id, Addr: addr, Kind: Host}, Metadata{}); err != nil {
			b.Fatal(err)
		}
		s, err := from.Open(b.Context(), to.id, "sink")
		if err != nil {
			b.Fatal(err)
		}
		pour(b, s, func() error { return s.CloseWrite() })
	})
	b.Run("quic", func(b *testing.B) {
		c := socket()
		cert, err := certificate(testIdentity(2))
		if err != nil {
			b.Fatal(err)
		}
		all := listenPolicy{door: newDoor(testIdentity(2).ID()), onLink: func(netip.Addr) bool { return true }, linked: func(PeerID) bool { return true }}
		ln, err := (&quic.Transport{Conn: c, ConnectionIDLength: 8}).Listen(listenTLS(cert, all), quicConfig())
		if err != nil {
			b.Fatal(err)
		}
		go func() {
			conn, err := ln.Accept(context.Background())
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
		mine, err := certificate(testIdentity(1))
		if err != nil {
			b.Fatal(err)
		}
		tr := &quic.Transport{Conn: socket(), ConnectionIDLength: 8}
		conn, err := tr.Dial(b.Context(), c.LocalAddr(), dialTLS(mine, testIdentity(2).ID(), alpnLink, time.Now()), quicConfig())
		if err != nil {
			b.Fatal(err)
		}
		s, err := conn.OpenStreamSync(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		pour(b, s, s.Close)
		_ = conn.CloseWithError(0, "")
	})
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
