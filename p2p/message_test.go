package p2p

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"foldpost/p2p/wire"
)

func (a *application) Message(id PeerID, channel string, payload []byte) {
	a.tell("message of %s on %s: %s", nameOf(id), channel, payload)
}

// messages returns the messages that a node got so far.
func (d *node) messages() []string {
	return slices.DeleteFunc(d.app.log(), func(s string) bool { return !strings.HasPrefix(s, "message ") })
}

func (d *node) send(t *testing.T, to *node, text string) {
	t.Helper()
	if err := d.Send(to.id, "x", []byte(text)); err != nil {
		t.Errorf("Send(%q) = %v", text, err)
	}
}

// A lost message is not sent again, and none waits for it.
func TestMessages(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired(2))
		b := w.node(2, "10.0.0.2:4002", paired(1))
		if err := a.Send(b.id, "x", nil); !errors.Is(err, errNotLinked) {
			t.Errorf("Send without a link = %v, want %v", err, errNotLinked)
		}
		a.knows(b)
		a.echo(t, b, "x")
		pass(3 * time.Second) // the control stream is at rest
		buf := []byte("first")
		if err := a.Send(b.id, "x", buf); err != nil {
			t.Error(err)
		}
		copy(buf, "XXXXX")
		b.send(t, a, strings.Repeat("y", maxMessage))
		pass(20 * time.Millisecond)
		if got, want := b.messages(), []string{"message of A on x: first"}; !slices.Equal(got, want) {
			t.Errorf("b got %q, want %q", got, want)
		}
		if got, want := a.messages(), []string{"message of B on x: " + strings.Repeat("y", maxMessage)}; !slices.Equal(got, want) {
			t.Errorf("a got %q, want %q", got, want)
		}
		w.unplug(b.addr, true)
		a.send(t, b, "lost")
		pass(5 * time.Millisecond)
		w.unplug(b.addr, false)
		a.send(t, b, "next")
		pass(20 * time.Millisecond)
		want := []string{"message of A on x: first", "message of A on x: next"}
		if got := b.messages(); !slices.Equal(got, want) {
			t.Errorf("after a loss b got %q, want %q", got, want)
		}
		pass(5 * time.Second)
		if got := b.messages(); !slices.Equal(got, want) {
			t.Errorf("5 s later b got %q, want %q", got, want)
		}
	})
}

// Where there are no datagrams, messages go by the control stream.
func TestMessagesByTCP(t *testing.T) {
	inWorldTCP(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired(2))
		b := w.node(2, "10.0.0.2:4002", paired(1))
		w.blockUDP(b.addr, true)
		a.knows(b)
		a.echo(t, b, "x")
		if l, _ := a.Link(b.id); l.Kind != kindTCP {
			t.Fatalf("Link = %+v, want tcp", l)
		}
		pass(time.Second) // both applications have been told of the other
		a.send(t, b, "there")
		b.send(t, a, "back")
		pass(time.Second)
		if got, want := b.messages(), []string{"message of A on x: there"}; !slices.Equal(got, want) {
			t.Errorf("b got %q, want %q", got, want)
		}
		if got, want := a.messages(), []string{"message of B on x: back"}; !slices.Equal(got, want) {
			t.Errorf("a got %q, want %q", got, want)
		}
	})
}

func TestSendRefuses(t *testing.T) {
	e := New(Config{Identity: testIdentity(1), Manager: paired(2)})
	for _, tt := range []struct {
		channel string
		payload int
		want    error
	}{
		{"", 1, wire.ErrMismatch},
		{strings.Repeat("c", maxChannel+1), 1, wire.ErrMismatch},
		{strings.Repeat("c", maxChannel), maxMessage + 1, wire.ErrTooLarge},
		{strings.Repeat("c", maxChannel), maxMessage, errNotLinked},
	} {
		if err := e.Send(testIdentity(2).ID(), tt.channel, make([]byte, tt.payload)); !errors.Is(err, tt.want) {
			t.Errorf("Send(%d bytes of channel, %d bytes) = %v, want %v", len(tt.channel), tt.payload, err, tt.want)
		}
	}
}

// What breaks the rules, or comes too often, is dropped and does no harm.
func TestHostileMessages(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		b := w.node(2, "10.0.0.2:4002", paired(1))
		c, s := hostile(t, w, b)
		go func() { _, _ = io.Copy(io.Discard, s) }()
		pass(time.Second)
		encode := func(m message) []byte {
			b, err := wire.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		for _, datagram := range [][]byte{
			{},
			fourGiB, bomb, notMap, bomb[4:],
			{0x81, 1, 7},
			{0x81, 2, 0xc4, 1, 7},
			encode(message{Channel: strings.Repeat("c", maxChannel+1)}),
			encode(message{Channel: "x", Payload: make([]byte, maxMessage+1)}),
			append(encode(message{Channel: "x"}), 0),
		} {
			if err := c.SendDatagram(datagram); err != nil {
				t.Errorf("SendDatagram(%x) = %v", datagram, err)
			}
		}
		for _, frame := range []control{
			{Type: controlMessage},
			{Type: controlMessage, Channel: "x", Payload: make([]byte, maxMessage+1)},
			{Type: controlMessage, Channel: strings.Repeat("c", maxChannel+1)},
		} {
			if err := wire.Write(s, wire.MaxControl, frame); err != nil {
				t.Error(err)
			}
		}
		pass(time.Second)
		if got := b.messages(); len(got) > 0 {
			t.Errorf("b got %q, want nothing", got)
		}
		for range 3 * messagesPerSecond {
			if err := c.SendDatagram(encode(message{Channel: "x", Payload: []byte("ok")})); err != nil {
				t.Error(err)
			}
			pass(time.Millisecond) // quic-go drops many at once itself
		}
		pass(100 * time.Millisecond)
		if got := len(b.messages()); got < messagesPerSecond || got > messagesPerSecond*3/2 {
			t.Errorf("of %d messages in 0.3 s b got %d, want about %d", 3*messagesPerSecond, got, messagesPerSecond)
		}
		if got := b.links(); len(got) != 1 {
			t.Errorf("links = %q, want A", got)
		}
	})
}

func FuzzMessage(f *testing.F) {
	b, err := wire.Marshal(message{Channel: "progress", Payload: []byte{1, 2, 3}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(bomb[4:])
	f.Add([]byte{0x82, 1, 0xa1, 'x', 2, 0xc6, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseMessage(b)
		if err != nil {
			return
		}
		if m.Channel == "" || len(m.Channel) > maxChannel || len(m.Payload) > maxMessage {
			t.Errorf("parseMessage(%x) = %+v", b, m)
		}
		again, err := wire.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := parseMessage(again); err != nil || n.Channel != m.Channel || !bytes.Equal(n.Payload, m.Payload) {
			t.Errorf("parseMessage(%x) = %+v, %v, want %+v", again, n, err, m)
		}
	})
}
