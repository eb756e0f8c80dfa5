package p2p

import (
	"context"
	"io"
	"net"
	"testing"
)

// onLoopback starts an endpoint on a UDP socket of loopback, in real time.
func onLoopback(t testing.TB, n byte, app *application) *Endpoint {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	e := New(Config{Identity: testIdentity(n), Conns: []net.PacketConn{c}, Manager: app, Protocols: []string{"echo", "sink"}})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		_ = e.Run(ctx)
		close(ended)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		_ = c.Close()
	})
	for e.running() == nil {
	}
	return e
}

// A link needs no address: whatever carries bytes to the peer will do.
func TestLinkOverAnyConnection(t *testing.T) {
	a, b := onLoopback(t, 1, paired(2)), onLoopback(t, 2, paired(1))
	here, there := net.Pipe()
	served := make(chan error, 1)
	linked := make(chan error, 1)
	go func() { served <- b.serveOver(t.Context(), there, "relay") }()
	go func() { linked <- a.linkOver(t.Context(), here, b.id, "relay") }()
	for _, sides := range [][2]*Endpoint{{a, b}, {b, a}} {
		s, err := sides[0].Open(t.Context(), sides[1].id, "echo")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = s.Write([]byte("hello"))
		_ = s.CloseWrite()
		if got, err := io.ReadAll(s); string(got) != "hello" || err != nil {
			t.Errorf("echo = %q, %v", got, err)
		}
	}
	if l, ok := a.Link(b.id); !ok || l.Kind != "relay" || l.Addr.IsValid() {
		t.Errorf("Link = %+v, %v, want one by relay without an address", l, ok)
	}
	if got := b.Tried(a.id); len(got) > 0 {
		t.Errorf("Tried = %v, want none: a relay is no address of the peer", got)
	}
	a.Unpair(b.id)
	if err := <-linked; err != nil {
		t.Errorf("linkOver = %v", err)
	}
	if err := <-served; err != nil {
		t.Errorf("serveOver = %v", err)
	}
}
