package p2p

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"foldpost/p2p/wire"
)

// fourGiB is a frame of five bytes that claims nearly 4 GiB, and bomb one whose
// content does.
var (
	fourGiB = []byte{0xff, 0xff, 0xff, 0xff, 0x80}
	bomb    = []byte{0, 0, 0, 5, 0xdd, 0xff, 0xff, 0xff, 0xff}
	notMap  = []byte{0, 0, 0, 1, 0x07}
)

// closing returns the code with which the other side ends a connection soon.
func closing(t *testing.T, c *quic.Conn) (CloseCode, error) {
	t.Helper()
	select {
	case <-c.Context().Done():
	case <-time.After(time.Minute):
		return 0, errors.New("still open after a minute")
	}
	err := context.Cause(c.Context())
	e, ok := errors.AsType[*quic.ApplicationError](err)
	if !ok || !e.Remote {
		return 0, err
	}
	return CloseCode(e.ErrorCode), nil
}

func encodeHello(t *testing.T, h hello) []byte {
	t.Helper()
	b, err := wire.Marshal(control{Type: controlHello, Hello: &h})
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte{0, 0, byte(len(b) >> 8), byte(len(b))}, b...)
}

// What a paired but hostile peer sends first on the control stream.
func TestHostileHello(t *testing.T) {
	self := testIdentity(1).ID()
	good := hello{V: 1, ID: self, Number: 1, Start: [8]byte{1}}
	with := func(change func(*hello)) hello { h := good; change(&h); return h }
	long := make([]byte, 300)
	for i := range long {
		long[i] = 'x'
	}
	for _, tt := range []struct {
		name string
		send []byte
		want CloseCode
	}{
		{"4 GiB", fourGiB, CloseLimit},
		{"array of 2^32", bomb, CloseMalformed},
		{"not a map", notMap, CloseMalformed},
		{"a ping first", []byte{0, 0, 0, 3, 0x81, 1, controlPing}, CloseMalformed},
		{"another's id", encodeHello(t, with(func(h *hello) { h.ID = testIdentity(3).ID() })), CloseMalformed},
		{"version 2", encodeHello(t, with(func(h *hello) { h.V = 2 })), CloseVersion},
		{"no number", encodeHello(t, with(func(h *hello) { h.Number = 0 })), CloseMalformed},
		{"the last number", encodeHello(t, with(func(h *hello) { h.Number = 1 << 63 })), CloseMalformed},
		{"a long name", encodeHello(t, with(func(h *hello) { h.Name = string(long) })), CloseMalformed},
		{"a long feature", encodeHello(t, with(func(h *hello) { h.Features = []string{string(long)} })), CloseMalformed},
		{"half a frame", []byte{0, 0, 0, 9, 0x81}, CloseDead},
		{"nothing", nil, CloseDead},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				b := w.node(2, "10.0.0.2:4002", paired(1))
				c := w.caller("10.0.0.9:9009").as(t, 1, b, alpnLink)
				s, err := c.OpenStream()
				if err != nil {
					t.Fatal(err)
				}
				if _, err := s.Write(tt.send); err != nil {
					t.Fatal(err)
				}
				if got, err := closing(t, c); err != nil || got != tt.want {
					t.Errorf("closed with %v, %v, want %v", got, err, tt.want)
				}
				if got := b.app.log(); len(got) != 0 {
					t.Errorf("B was told %q, want nothing", got)
				}
			})
		})
	}
}

// hostile makes a link to a node as identity 1 and returns it after HELLO, with
// its control stream.
func hostile(t *testing.T, w *world, to *node) (*quic.Conn, *quic.Stream) {
	t.Helper()
	c := w.caller("10.0.0.9:9009").as(t, 1, to, alpnLink)
	s, err := c.OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	if err := writeHello(s, hello{V: 1, ID: testIdentity(1).ID(), Number: 1, Start: [8]byte{1}}); err != nil {
		t.Fatal(err)
	}
	h, err := readHello(s, to.id, true)
	if err != nil {
		t.Fatal(err)
	}
	if h.Streams != maxStreams || h.Frame != wire.MaxControl {
		t.Errorf("hello = %+v", h)
	}
	return c, s
}

func TestHostileControlFrames(t *testing.T) {
	for i, tt := range []struct {
		send []byte
		want CloseCode
	}{{fourGiB, CloseLimit}, {bomb, CloseMalformed}, {notMap, CloseMalformed}} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				b := w.node(2, "10.0.0.2:4002", paired(1))
				c, control := hostile(t, w, b)
				// An unknown type, then a ping, are no harm.
				for _, ok := range [][]byte{{0, 0, 0, 3, 0x81, 1, 99}, {0, 0, 0, 3, 0x81, 1, controlPing}} {
					if _, err := control.Write(ok); err != nil {
						t.Fatal(err)
					}
				}
				pass(time.Second)
				if got := b.links(); len(got) != 1 {
					t.Fatalf("links = %q, want A", got)
				}
				if _, err := control.Write(tt.send); err != nil {
					t.Fatal(err)
				}
				if got, err := closing(t, c); err != nil || got != tt.want {
					t.Errorf("closed with %v, %v, want %v", got, err, tt.want)
				}
			})
		})
	}
}

func TestHostileStreamHeaders(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		b := w.node(2, "10.0.0.2:4002", paired(1))
		c, _ := hostile(t, w, b)
		for _, tt := range []struct {
			name string
			send []byte
			want StreamCode
		}{
			{"4 GiB", fourGiB, StreamLimit},
			{"array of 2^32", bomb, StreamMalformed},
			{"not a map", notMap, StreamMalformed},
			{"no name", []byte{0, 0, 0, 1, 0x80}, StreamMalformed},
			{"unknown", []byte{0, 0, 0, 4, 0x81, 1, 0xa1, 'x'}, StreamUnsupported},
			{"half a header", []byte{0, 0, 0, 4, 0x81}, StreamMalformed},
		} {
			s, err := c.OpenStream()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Write(tt.send); err != nil {
				t.Fatal(err)
			}
			_ = s.SetReadDeadline(time.Now().Add(time.Minute))
			_, err = s.Read(make([]byte, 1))
			if e, ok := errors.AsType[*quic.StreamError](err); !ok || StreamCode(e.ErrorCode) != tt.want {
				t.Errorf("%s: Read = %v, want reset with %v", tt.name, err, tt.want)
			}
		}
		if got := b.links(); len(got) != 1 {
			t.Errorf("links = %q, want A still", got)
		}
	})
}

// A stranger who knows the id may ask to pair and nothing else.
func TestStrangerLearnsNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		b := w.node(2, "10.0.0.2:4002", paired(1))
		stranger := w.caller("8.8.0.9:9009")
		c := stranger.as(t, 9, b, alpnLink) // in TLS 1.3 the client cannot know yet
		select {
		case <-c.Context().Done():
		case <-time.After(time.Second):
			t.Fatal("a stranger's link is still open")
		}
		err := context.Cause(c.Context())
		if e, ok := errors.AsType[*quic.TransportError](err); !ok || e.ErrorCode != 0x12a {
			t.Errorf("stranger's link ended with %v, want a refused certificate", err)
		}
		if n := c.ConnectionStats().PacketsReceived; n > 12 {
			t.Errorf("the stranger got %d packets", n)
		}
		if got := b.app.log(); len(got) != 0 {
			t.Errorf("B was told %q, want nothing", got)
		}
	})
}

func TestManyConnectionsWithoutHello(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		b := w.node(2, "10.0.0.2:4002", paired(1))
		attacker := w.caller("10.0.0.9:9009")
		var list []*quic.Conn
		for range maxGreeting + 1 {
			list = append(list, attacker.as(t, 1, b, alpnLink))
		}
		if got, err := closing(t, list[maxGreeting]); err != nil || got != CloseLimit {
			t.Errorf("connection %d closed with %v, %v, want limit", maxGreeting+1, got, err)
		}
		for _, c := range list[:maxGreeting] {
			if got, err := closing(t, c); err != nil || got != CloseDead {
				t.Errorf("silent connection closed with %v, %v, want dead", got, err)
			}
		}
		a := w.node(1, "10.0.0.1:4001", paired(2))
		a.knows(b)
		a.echo(t, b, "x")
	})
}

// Who was unpaired before its HELLO came gets no link by it, even if it is
// paired anew by then: that is another pairing.
func TestUnpairedBeforeHello(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		b := w.node(2, "10.0.0.2:4002", paired(1))
		c := w.caller("10.0.0.9:9009").as(t, 1, b, alpnLink)
		pass(time.Second)
		b.Unpair(testIdentity(1).ID())
		s, err := c.OpenStream()
		if err != nil {
			t.Fatal(err)
		}
		if err := writeHello(s, hello{V: 1, ID: testIdentity(1).ID(), Number: 1}); err != nil {
			t.Fatal(err)
		}
		if got, err := closing(t, c); err != nil || got != CloseRevoked {
			t.Errorf("closed with %v, %v, want revoked", got, err)
		}
		if got := b.app.log(); len(got) != 0 {
			t.Errorf("B was told %q, want nothing", got)
		}
	})
}

// A paired peer's TLS is held to the letter, too.
func TestHostileTLS(t *testing.T) {
	mine, err := certificate(testIdentity(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		change func(*tls.Config)
	}{
		{"two certificates", func(c *tls.Config) {
			c.Certificates = []tls.Certificate{{Certificate: [][]byte{mine.Certificate[0], mine.Certificate[0]}, PrivateKey: mine.PrivateKey}}
		}},
		{"no certificate", func(c *tls.Config) { c.Certificates = nil }},
		{"two protocols", func(c *tls.Config) { c.NextProtos = []string{alpnPair, alpnLink} }},
		{"unknown protocol", func(c *tls.Config) { c.NextProtos = []string{"h3"} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				b := w.node(2, "10.0.0.2:4002", paired(1))
				config := dialTLS(mine, b.id, alpnLink, time.Now())
				tt.change(config)
				c, err := w.caller("10.0.0.9:9009").call(t, b.addr, config)
				if err == nil {
					select {
					case <-c.Context().Done():
						err = context.Cause(c.Context())
					case <-time.After(time.Second):
					}
				}
				if _, ok := errors.AsType[*quic.TransportError](err); !ok {
					t.Errorf("connection ended with %v, want a refusal by TLS", err)
				}
			})
		})
	}
}
