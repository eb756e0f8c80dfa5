package p2p

import (
	"context"
	"crypto/rand"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// memoryLink is one end of a pairing link in memory.
type memoryLink struct {
	other    *memoryLink
	peer     *Identity // of the other end
	exporter [32]byte
	addr     netip.AddrPort
	streams  chan *memoryStream // opened by the other end
	link     *memoryLinkState
	done     chan struct{} // of both ends
	dead     chan struct{} // closed when this end's program has crashed
}

type memoryLinkState struct {
	mu     sync.Mutex
	closed bool
	code   PairingCode
	closer *memoryLink // nil: cut
	halves []*half
	onSend func(from *memoryLink, frame []byte) (deliver, cut bool)
}

func newMemoryLink(from, to *Identity) (here, there *memoryLink) {
	s := &memoryLinkState{}
	done := make(chan struct{})
	var exporter [32]byte
	rand.Read(exporter[:])
	addr := netip.MustParseAddrPort("198.51.100.7:1024")
	here = &memoryLink{peer: to, exporter: exporter, addr: addr, streams: make(chan *memoryStream, 16), link: s, done: done}
	there = &memoryLink{peer: from, exporter: exporter, addr: addr, streams: make(chan *memoryStream, 16), link: s, done: done}
	here.other, there.other = there, here
	return here, there
}

func (l *memoryLink) Peer() PeerID         { return l.peer.ID() }
func (l *memoryLink) Public() [32]byte     { return l.peer.Public() }
func (l *memoryLink) Addr() netip.AddrPort { return l.addr }

func (l *memoryLink) Exporter(label string) ([32]byte, error) {
	return expand(l.exporter[:], label), nil
}

func (l *memoryLink) Done() <-chan struct{} { return l.done }

func (l *memoryLink) Close(code PairingCode) { l.end(code, l) }

func (l *memoryLink) cut() { l.end(0, nil) }

func (l *memoryLink) end(code PairingCode, closer *memoryLink) {
	l.link.mu.Lock()
	defer l.link.mu.Unlock()
	if l.link.closed {
		return
	}
	l.link.closed, l.link.code, l.link.closer = true, code, closer
	for _, h := range l.link.halves {
		h.fail(net.ErrClosed)
	}
	close(l.done)
}

func (l *memoryLink) CloseCode() (PairingCode, bool) {
	l.link.mu.Lock()
	defer l.link.mu.Unlock()
	return l.link.code, l.link.closed && l.link.closer == l.other
}

func (l *memoryLink) OpenStream(ctx context.Context) (Stream, error) {
	out, in := newHalf(), newHalf()
	l.link.mu.Lock()
	defer l.link.mu.Unlock()
	if l.link.closed {
		return nil, net.ErrClosed
	}
	l.link.halves = append(l.link.halves, out, in)
	mine := &memoryStream{link: l, in: in, out: out}
	mine.offer = sync.OnceFunc(func() { l.other.streams <- &memoryStream{link: l.other, in: out, out: in, offer: func() {}} })
	return mine, nil
}

func (l *memoryLink) AcceptStream(ctx context.Context) (Stream, error) {
	select {
	case s := <-l.streams:
		return s, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// memoryStream is one end of a stream. The other end sees it from the first
// write on, as with QUIC.
type memoryStream struct {
	link  *memoryLink
	in    *half
	out   *half
	offer func()
}

func (s *memoryStream) Read(b []byte) (int, error) { return s.in.read(b) }

func (s *memoryStream) Write(b []byte) (int, error) {
	if gone(s.link.dead) {
		return 0, net.ErrClosed
	}
	deliver, cut := true, false
	if f := s.link.link.onSend; f != nil {
		deliver, cut = f(s.link, b)
	}
	s.offer()
	if deliver {
		if err := s.out.write(b); err != nil {
			return 0, err
		}
	}
	if cut {
		s.link.cut() // what was delivered before can still be read
	}
	return len(b), nil
}

func (s *memoryStream) CloseWrite() error { s.out.finish(); return nil }

func (s *memoryStream) Close() error {
	s.out.finish()
	s.in.fail(&StreamError{Code: StreamCancelled})
	return nil
}

func (s *memoryStream) Reset(c StreamCode) {
	s.out.fail(&StreamError{Code: c, Remote: true})
	s.in.fail(&StreamError{Code: c})
}

func (s *memoryStream) SetDeadline(t time.Time) error { return s.in.setDeadline(t) }

// half is one direction of a stream.
type half struct {
	mu       sync.Mutex
	changed  chan struct{} // closed at each change
	buf      []byte
	eof      bool
	err      error
	deadline time.Time
}

func newHalf() *half { return &half{changed: make(chan struct{})} }

func (h *half) change(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
	close(h.changed)
	h.changed = make(chan struct{})
}

func (h *half) write(b []byte) (err error) {
	h.change(func() {
		if err = h.err; err == nil {
			h.buf = append(h.buf, b...)
		}
	})
	return err
}

func (h *half) finish() { h.change(func() { h.eof = true }) }

func (h *half) fail(err error) {
	h.change(func() {
		if h.err == nil {
			h.err = err
		}
	})
}

func (h *half) setDeadline(t time.Time) error {
	h.change(func() { h.deadline = t })
	return nil
}

func (h *half) read(b []byte) (int, error) {
	for {
		h.mu.Lock()
		if len(h.buf) > 0 {
			n := copy(b, h.buf)
			h.buf = h.buf[n:]
			h.mu.Unlock()
			return n, nil
		}
		err, eof, changed, left := h.err, h.eof, h.changed, time.Until(h.deadline)
		h.mu.Unlock()
		switch {
		case err != nil:
			return 0, err
		case eof:
			return 0, io.EOF
		case left <= 0:
			return 0, os.ErrDeadlineExceeded
		}
		timer := time.NewTimer(left)
		select {
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}
