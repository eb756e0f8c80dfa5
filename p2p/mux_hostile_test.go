package p2p

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// rawPeer is the bare TLS connection of a paired peer that speaks as it likes,
// and the carrier that has to bear it.
func rawPeer(t *testing.T) (net.Conn, carrier) {
	t.Helper()
	a, b := carriers(t, "tcp", alpnLink)
	return a.(*mux).conn, b
}

// In a table of frames: h(type, flags, stream, length), then data.
func frames(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch p := p.(type) {
		case muxHeader:
			b = append(b, p[:]...)
		case []byte:
			b = append(b, p...)
		}
	}
	return b
}

func TestMuxRefusesFrames(t *testing.T) {
	h := newMuxHeader
	syn := h(muxWindow, muxSYN, 3, 0)
	var many []byte
	for i := range uint32(maxStreams + 1) {
		many = append(many, frames(h(muxWindow, muxSYN, 3+2*i, 0))...)
	}
	for _, tt := range []struct {
		name string
		send []byte
		want CloseCode
	}{
		{"another version", []byte{1, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0}, CloseMalformed},
		{"an unknown type", frames(h(4, 0, 3, 0)), CloseMalformed},
		{"an unknown flag", frames(h(muxWindow, 1<<6, 3, 0)), CloseMalformed},
		{"a bare reset of yamux", frames(syn, h(muxWindow, muxRST, 3, 0)), CloseMalformed},
		{"data on stream 0", frames(h(muxData, 0, 0, 1), []byte{0}), CloseMalformed},
		{"data of no stream", frames(h(muxData, 0, 3, 1), []byte{0}), CloseMalformed},
		{"the end of no stream", frames(h(muxWindow, muxFIN, 3, 0)), CloseMalformed},
		{"data after the end", frames(syn, h(muxWindow, muxFIN, 3, 0), h(muxData, 0, 3, 1), []byte{0}), CloseMalformed},
		{"a second end", frames(syn, h(muxWindow, muxFIN, 3, 0), h(muxWindow, muxFIN, 3, 0)), CloseMalformed},
		{"a stream of ours", frames(h(muxWindow, muxSYN, 2, 0)), CloseMalformed},
		{"a stream twice", frames(syn, syn), CloseMalformed},
		{"streams in disorder", frames(h(muxWindow, muxSYN, 7, 0), h(muxWindow, muxSYN, 5, 0)), CloseMalformed},
		{"a frame above the window", frames(syn, h(muxData, 0, 3, muxStreamWindow+1)), CloseMalformed},
		{"a reset that is no end", frames(syn, h(muxWindow, muxReset, 3, 1)), CloseMalformed},
		{"a stop that is an end", frames(syn, h(muxWindow, muxStop|muxFIN, 3, 1)), CloseMalformed},
		{"a ping with an end", frames(h(muxPing, muxSYN|muxFIN, 0, 1)), CloseMalformed},
		{"too many streams", many, CloseLimit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			peer, c := rawPeer(t)
			if _, err := peer.Write(tt.send); err != nil {
				t.Fatal(err)
			}
			<-c.done()
			if e, ok := errors.AsType[*CloseError](c.err()); !ok || e.Code != tt.want || e.Remote {
				t.Errorf("after % x: err = %v, want closed by this side: %v", tt.send[:12], c.err(), tt.want)
			}
		})
	}
}

// More than the window of a stream ends the connection; yamux counts it.
func TestMuxWindow(t *testing.T) {
	peer, c := rawPeer(t)
	piece := make([]byte, 1<<20)
	_, _ = peer.Write(frames(newMuxHeader(muxWindow, muxSYN, 3, 0)))
	for range 4 {
		if _, err := peer.Write(frames(newMuxHeader(muxData, 0, 3, uint32(len(piece))), piece)); err != nil {
			break
		}
	}
	<-c.done()
}

// What a peer sends and nobody reads is bounded over all its streams.
func TestMuxHolds(t *testing.T) {
	peer, c := rawPeer(t)
	go func() { // the windows of the streams opened are 2 MiB each once accepted
		for {
			if _, err := c.accept(t.Context()); err != nil {
				return
			}
		}
	}()
	for i := range uint32(60) {
		_, _ = peer.Write(frames(newMuxHeader(muxWindow, muxSYN, 3+2*i, 0)))
	}
	read := make(chan int)
	go func() { _, _ = io.Copy(io.Discard, peer) }()
	go func() {
		n := 0
		for round := 0; ; round++ {
			for i := range uint32(60) {
				b := frames(newMuxHeader(muxData, 0, 3+2*i, 64<<10), make([]byte, 64<<10))
				_ = peer.SetWriteDeadline(time.Now().Add(500 * time.Millisecond))
				if _, err := peer.Write(b); err != nil {
					read <- n
					return
				}
				n += 64 << 10
			}
			if n > 3*muxHeld {
				read <- n
				return
			}
		}
	}()
	if n := <-read; n > 2*muxHeld { // what the system holds is not ours
		t.Errorf("a peer could send %d bytes that nobody read, want at most about %d", n, muxHeld)
	}
	g := c.(*mux).guard
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held > muxHeld {
		t.Errorf("held %d bytes, want at most %d", g.held, muxHeld)
	}
}

// A flood of pings costs no memory, and is answered when there is time.
func TestMuxPings(t *testing.T) {
	peer, c := rawPeer(t)
	for range 10 {
		b := bytes.Repeat(frames(newMuxHeader(muxPing, muxSYN, 0, 9)), 10000)
		_ = peer.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := peer.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if c.err() != nil {
		t.Errorf("err = %v after pings", c.err())
	}
}

// Golden bytes of PROTOCOL.md, "Links over TCP".
func TestMuxBytes(t *testing.T) {
	for want, h := range map[string]muxHeader{
		"000100010000000100000000": newMuxHeader(muxWindow, muxSYN, 1, 0),
		"000100140000000500000002": newMuxHeader(muxWindow, muxFIN|muxReset, 5, uint32(StreamMalformed)),
		"000100200000000500000004": newMuxHeader(muxWindow, muxStop, 5, uint32(StreamCancelled)),
		"000200010000000000000007": newMuxHeader(muxPing, muxSYN, 0, 7),
		"000300000000000000000106": newGoAway(CloseGoingAway),
	} {
		if got := hex.EncodeToString(h[:]); got != want {
			t.Errorf("header = %s, want %s", got, want)
		}
		if err := h.check(); err != nil {
			t.Errorf("check of %s = %v", want, err)
		}
	}
}

// FuzzGuard reads frames of a hostile peer: whatever comes, what yamux gets is
// whole frames of streams that are open.
func FuzzGuard(f *testing.F) {
	h := newMuxHeader
	f.Add(frames(h(muxWindow, muxSYN, 1, 0), h(muxData, 0, 1, 3), []byte("abc"), h(muxWindow, muxFIN, 1, 0)))
	f.Add(frames(h(muxPing, muxSYN, 0, 7), h(muxWindow, muxSYN, 1, 0), h(muxWindow, muxStop, 1, 4), h(muxWindow, muxFIN|muxReset, 1, 4)))
	f.Add(frames(newGoAway(CloseDead)))
	f.Fuzz(func(t *testing.T, b []byte) {
		here, there := net.Pipe()
		go func() {
			_, _ = there.Write(b)
			_ = there.Close()
		}()
		go func() { _, _ = io.Copy(io.Discard, there) }()
		nothing := func(uint32) {}
		g := newGuard(here, false, guardEvents{ping: nothing, pong: nothing, freed: func() {}, limit: 4})
		defer g.Close()
		open := map[uint32]bool{}
		for {
			var head muxHeader
			if _, err := io.ReadFull(g, head[:]); err != nil {
				return
			}
			if head.check() != nil || head.has(muxReset) || head.has(muxStop) {
				t.Fatalf("yamux got % x", head)
			}
			if head.has(muxSYN) {
				open[head.stream()] = true
			}
			if !open[head.stream()] {
				t.Fatalf("yamux got % x of a stream that is not open", head)
			}
			if head.kind() != muxData {
				continue
			}
			if _, err := io.CopyN(io.Discard, g, int64(head.length())); err != nil {
				return
			}
			g.mu.Lock()
			if f := g.flows[head.stream()]; f != nil {
				g.held -= int64(head.length())
			}
			g.mu.Unlock()
		}
	})
}
