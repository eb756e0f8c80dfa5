package p2p

import (
	"context"
	"fmt"
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

// linkOver makes a link to a peer on a connection that may lead to it, and
// serves it until it ends. Nil means that there was a link. The connection is
// closed when it returns.
func (e *Endpoint) linkOver(ctx context.Context, conn net.Conn, peer PeerID, kind string) error {
	e.mu.Lock()
	r, number := e.run, e.peerLocked(peer).clock+1
	e.mu.Unlock()
	if r == nil {
		_ = conn.Close()
		return net.ErrClosed
	}
	c, err := r.dialOver(ctx, conn, peer, alpnLink, carrying{kind: kind})
	if err != nil {
		return fmt.Errorf("link to %s: %w", peer.Short(), err)
	}
	l, err := e.greet(ctx, c, peer, number)
	if err != nil {
		return err
	}
	e.keep(ctx, l)
	return nil
}

// serveOver is the called side of linkOver: it serves whoever calls on a
// connection, for a link or to pair, until that ends.
func (e *Endpoint) serveOver(ctx context.Context, conn net.Conn, kind string) error {
	e.mu.Lock()
	r := e.run
	e.mu.Unlock()
	if r == nil {
		_ = conn.Close()
		return net.ErrClosed
	}
	c, err := r.acceptOver(ctx, conn, kind)
	if err != nil {
		return err
	}
	e.serve(ctx, c, true)
	return nil
}
