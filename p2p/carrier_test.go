package p2p

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// pipes returns the two sides of a carrier of each kind.
func eachCarrier(t *testing.T, test func(t *testing.T, a, b carrier)) {
	t.Helper()
	for _, kind := range []string{"quic", "tcp"} {
		t.Run(kind, func(t *testing.T) {
			a, b := carriers(t, kind, alpnLink)
			test(t, a, b)
		})
	}
}

// carriers returns the caller's and the called side's end of a connection
// between two fresh endpoints on loopback.
func carriers(t testing.TB, kind, alpn string) (carrier, carrier) {
	t.Helper()
	from, to := bareRun(t, 1), bareRun(t, 2)
	peer := testIdentity(2).ID()
	if kind == "quic" {
		type accepted struct {
			c   carrier
			err error
		}
		got := make(chan accepted, 1)
		go func() {
			c, err := to.sockets[0].listener.Accept(t.Context())
			got <- accepted{quicCarrier{c: c}, err}
		}()
		a, err := from.sockets[0].dial(t.Context(), addrPortOf(to.sockets[0].transport.Conn.LocalAddr()), peer, alpn)
		b := <-got
		if err != nil || b.err != nil {
			t.Fatalf("dial = %v, accept = %v", err, b.err)
		}
		return a, b.c
	}
	here, there := tcpPair(t)
	var b carrier
	var berr error
	done := make(chan struct{})
	go func() {
		defer close(done)
		b, berr = to.acceptOver(t.Context(), there, kind)
	}()
	a, err := from.dialOver(t.Context(), here, peer, alpn, carrying{kind, addrPortOf(here.RemoteAddr())})
	<-done
	if err != nil || berr != nil {
		t.Fatalf("dialOver = %v, acceptOver = %v", err, berr)
	}
	t.Cleanup(func() {
		a.close(CloseGoingAway)
		b.close(CloseGoingAway)
	})
	return a, b
}

// bareRun is an endpoint's run with a socket on loopback, of an identity that
// lets identities 1 and 2 in.
func bareRun(t testing.TB, n byte) *run {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	e := New(Config{Identity: testIdentity(n), Conns: []net.PacketConn{c}, Manager: paired(1, 2)})
	e.turns.start()
	r, err := e.newRun(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.sockets, err = r.listen(e.config.Conns); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.wg.Wait()
		for _, s := range r.sockets {
			s.close()
		}
		_ = c.Close()
	})
	return r
}

func tcpPair(t testing.TB) (net.Conn, net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	a, err := net.Dial("tcp4", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

// streams opens a stream and says one byte, so that the other side sees it.
func streams(t *testing.T, a, b carrier) (carried, carried) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	x, err := a.open(ctx)
	if err != nil {
		t.Fatalf("open = %v", err)
	}
	if _, err := x.Write([]byte{1}); err != nil {
		t.Fatalf("Write = %v", err)
	}
	y, err := b.accept(ctx)
	if err != nil {
		t.Fatalf("accept = %v", err)
	}
	var one [1]byte
	if _, err := io.ReadFull(y, one[:]); err != nil {
		t.Fatalf("Read = %v", err)
	}
	return x, y
}

func TestCarrierNamesTheOtherSide(t *testing.T) {
	eachCarrier(t, func(t *testing.T, a, b carrier) {
		for n, c := range map[byte]carrier{2: a, 1: b} {
			key, err := publicKeyOf(c.state())
			if err != nil || PeerIDOf(key[:]) != testIdentity(n).ID() {
				t.Errorf("%s: key of the other side is not that of identity %d: %v", c.kind(), n, err)
			}
			if !c.remote().Addr().IsLoopback() {
				t.Errorf("%s: remote() = %v, want a loopback address", c.kind(), c.remote())
			}
		}
	})
}

func TestCarrierCarries(t *testing.T) {
	eachCarrier(t, func(t *testing.T, a, b carrier) {
		x, y := streams(t, a, b)
		sent := []byte(strings.Repeat("0123456789abcdef", 1<<19)) // more than all windows
		var wg sync.WaitGroup
		wg.Go(func() {
			if n, err := x.Write(sent); n != len(sent) || err != nil {
				t.Errorf("Write = %d, %v", n, err)
			}
			if err := x.CloseWrite(); err != nil {
				t.Errorf("CloseWrite = %v", err)
			}
		})
		got, err := io.ReadAll(y)
		wg.Wait()
		if err != nil || string(got) != string(sent) {
			t.Errorf("ReadAll = %d bytes, %v, want %d", len(got), err, len(sent))
		}
		if _, err := y.Write([]byte("answer")); err != nil {
			t.Errorf("Write after the other side's end = %v", err)
		}
		if err := y.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
		if got, err := io.ReadAll(x); err != nil || string(got) != "answer" {
			t.Errorf("ReadAll = %q, %v", got, err)
		}
		if _, err := x.Write([]byte{1}); err == nil {
			t.Error("Write after CloseWrite = nil, want an error")
		}
	})
}

func TestCarrierResets(t *testing.T) {
	eachCarrier(t, func(t *testing.T, a, b carrier) {
		x, y := streams(t, a, b)
		failed := make(chan error, 2)
		go func() { // blocks: nobody reads
			_, err := x.Write(make([]byte, 64<<20))
			failed <- err
		}()
		go func() {
			_, err := x.Read(make([]byte, 1))
			failed <- err
		}()
		y.Reset(StreamRefused)
		for range 2 {
			want := StreamError{Code: StreamRefused, Remote: true}
			if e, ok := errors.AsType[*StreamError](<-failed); !ok || *e != want {
				t.Errorf("blocked call = %v, want %v", e, want)
			}
		}
		if _, err := y.Read(make([]byte, 1)); err == nil {
			t.Error("Read after Reset = nil")
		}
		streams(t, a, b) // the connection lives
	})
}

// A stream that was reset never looks like one that ended in order.
func TestCarrierResetIsNoEnd(t *testing.T) {
	eachCarrier(t, func(t *testing.T, a, b carrier) {
		for range 50 {
			x, y := streams(t, a, b)
			if _, err := x.Write(make([]byte, 1000)); err != nil {
				t.Fatal(err)
			}
			x.Reset(StreamLimit)
			_, err := io.ReadAll(y)
			if e, ok := errors.AsType[*StreamError](err); !ok || e.Code != StreamLimit {
				t.Fatalf("ReadAll of a stream that was reset = %v, want limit", err)
			}
			y.Reset(StreamCancelled)
		}
	})
}

func TestCarrierCloseStopsTheWriter(t *testing.T) {
	eachCarrier(t, func(t *testing.T, a, b carrier) {
		x, y := streams(t, a, b)
		failed := make(chan error, 1)
		go func() {
			_, err := x.Write(make([]byte, 64<<20))
			failed <- err
		}()
		if _, err := io.ReadFull(y, make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		if err := y.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
		if e, ok := errors.AsType[*StreamError](<-failed); !ok || e.Code != StreamCancelled || !e.Remote {
			t.Errorf("Write after the reader closed = %v, want cancelled by the peer", e)
		}
		if got, err := io.ReadAll(x); len(got) > 0 || err != nil {
			t.Errorf("ReadAll = %q, %v, want the end in order", got, err)
		}
	})
}

func TestCarrierDeadline(t *testing.T) {
	eachCarrier(t, func(t *testing.T, a, b carrier) {
		x, y := streams(t, a, b)
		if err := x.SetDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := x.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read past the deadline = %v, want %v", err, os.ErrDeadlineExceeded)
		}
		if err := x.SetDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		if _, err := y.Write([]byte{7}); err != nil {
			t.Fatal(err)
		}
		var b1 [1]byte
		if _, err := io.ReadFull(x, b1[:]); err != nil || b1[0] != 7 {
			t.Errorf("Read after the deadline was taken back = %v, %v", b1, err)
		}
	})
}

func TestCarrierCloseCode(t *testing.T) {
	eachCarrier(t, func(t *testing.T, a, b carrier) {
		x, y := streams(t, a, b)
		failed := make(chan error, 2)
		for _, s := range []carried{x, y} {
			go func() {
				_, err := io.ReadAll(s)
				failed <- err
			}()
		}
		if a.err() != nil || b.err() != nil {
			t.Fatalf("err of live connections = %v, %v", a.err(), b.err())
		}
		b.close(CloseRevoked)
		<-a.done()
		<-b.done()
		for c, want := range map[carrier]CloseError{a: {CloseRevoked, true}, b: {CloseRevoked, false}} {
			if e, ok := errors.AsType[*CloseError](c.err()); !ok || *e != want {
				t.Errorf("err = %v, want %v", c.err(), &want)
			}
		}
		for range 2 {
			if e, ok := errors.AsType[*CloseError](<-failed); !ok || e.Code != CloseRevoked {
				t.Errorf("Read on a closed connection = %v, want revoked", e)
			}
		}
		if _, err := a.open(t.Context()); err == nil {
			t.Error("open on a closed connection = nil")
		}
		if _, err := b.accept(t.Context()); err == nil {
			t.Error("accept on a closed connection = nil")
		}
	})
}

// Whoever has all its streams open waits until one has ended.
func TestCarrierStreamsAtATime(t *testing.T) {
	eachCarrier(t, func(t *testing.T, a, b carrier) {
		var theirs []carried
		var ours []carried
		for range maxStreams {
			x, y := streams(t, a, b)
			ours, theirs = append(ours, x), append(theirs, y)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := a.open(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("open beside %d streams = %v, want to wait", maxStreams, err)
		}
		for i := range ours {
			_ = ours[i].Close()
			_ = theirs[i].Close()
		}
		for range maxStreams {
			x, y := streams(t, a, b)
			_ = x.Close()
			_ = y.Close()
		}
	})
}

// Streams used and closed from many sides at once leave nothing behind.
func TestCarrierAtOnce(t *testing.T) {
	eachCarrier(t, func(t *testing.T, a, b carrier) {
		var wg sync.WaitGroup
		for _, sides := range [][2]carrier{{a, b}, {b, a}} {
			wg.Go(func() {
				for range 200 {
					s, err := sides[1].accept(t.Context())
					if err != nil {
						t.Errorf("accept = %v", err)
						return
					}
					wg.Go(func() {
						defer s.Close()
						_, _ = io.Copy(s, s)
					})
				}
			})
			for i := range 8 {
				wg.Go(func() {
					for k := range 25 {
						s, err := sides[0].open(t.Context())
						if err != nil {
							t.Errorf("open = %v", err)
							return
						}
						talk(t, s, (i+k)%3)
					}
				})
			}
		}
		wg.Wait()
		if a.err() != nil || b.err() != nil {
			t.Errorf("the connection ended: %v, %v", a.err(), b.err())
		}
	})
}

// talk sends something and ends the stream in one of three ways.
func talk(t *testing.T, s carried, way int) {
	text := make([]byte, 100<<10)
	if way == 1 {
		stop := time.AfterFunc(time.Millisecond, func() { s.Reset(StreamCancelled) })
		defer stop.Stop()
	}
	go func() {
		_, _ = s.Write(text)
		_ = s.CloseWrite()
	}()
	if way == 2 {
		_, _ = s.Read(make([]byte, 10))
		_ = s.Close()
		return
	}
	got, err := io.ReadAll(s)
	if way == 0 && (err != nil || len(got) != len(text)) {
		t.Errorf("echo = %d bytes, %v", len(got), err)
	}
	s.Reset(StreamCancelled)
}

// A connection that breaks is no end of its streams.
func TestMuxLostIsNoEnd(t *testing.T) {
	a, b := carriers(t, "tcp", alpnLink)
	x, _ := streams(t, a, b)
	_ = b.(*mux).conn.NetConn().Close()
	if _, err := io.ReadAll(x); err == nil {
		t.Error("ReadAll on a lost connection = nil, want an error")
	}
	<-a.done()
	if _, ok := errors.AsType[*CloseError](a.err()); ok || a.err() == nil {
		t.Errorf("err = %v, want that it was lost", a.err())
	}
}

func TestMuxMeasuresTheRoundTrip(t *testing.T) {
	a, b := carriers(t, "tcp", alpnLink)
	for _, c := range []carrier{a, b} {
		for c.rtt() == 0 {
			if c.err() != nil {
				t.Fatal(c.err())
			}
			streams(t, a, b)
		}
	}
}

// Over TLS on TCP the doors are those of QUIC: no knock, no certificate.
func TestMuxDoors(t *testing.T) {
	for _, tt := range []struct {
		name   string
		caller byte
		called PeerID
		alpn   string
		want   bool
	}{
		{"a paired caller", 1, testIdentity(2).ID(), alpnLink, true},
		{"to pair", 3, testIdentity(2).ID(), alpnPair, true},
		{"a stranger who knows the id", 3, testIdentity(2).ID(), alpnLink, false},
		{"who calls somebody else", 1, testIdentity(4).ID(), alpnLink, false},
		{"an unknown protocol", 1, testIdentity(2).ID(), "h2", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from, to := bareRun(t, tt.caller), bareRun(t, 2)
			here, there := tcpPair(t)
			done := make(chan error, 1)
			go func() {
				c, err := to.acceptOver(t.Context(), there, "tcp")
				if err == nil {
					t.Cleanup(func() { c.close(CloseGoingAway) })
				}
				done <- err
			}()
			c, err := from.dialOver(t.Context(), here, tt.called, tt.alpn, carrying{kind: "tcp"})
			if err == nil {
				t.Cleanup(func() { c.close(CloseGoingAway) })
			}
			if got := <-done == nil; got != tt.want {
				t.Errorf("accepted = %v (caller: %v), want %v", got, err, tt.want)
			}
		})
	}
}

func TestNoAddressOfAPipe(t *testing.T) {
	a, b := net.Pipe()
	defer func() { _, _ = a.Close(), b.Close() }()
	if got := addrPortOf(a.RemoteAddr()); got != (netip.AddrPort{}) {
		t.Errorf("addrPortOf(a pipe's) = %v, want none", got)
	}
	if (network{}).onLink(netip.Addr{}) {
		t.Error("no address is on our link")
	}
}
