package p2p

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Limits of a connection that carries streams by yamux.
const (
	muxStreamWindow = 2 << 20  // bytes that the other side may send before they are read, of one stream
	muxHeld         = 32 << 20 // and of all together: then nothing more is read from the connection
	muxIdle         = idleTimeout
	blameTime       = 100 * time.Millisecond // to tell the other side what it did; nothing is read meanwhile
)

// A guard stands between yamux and its connection, because yamux believes the
// other side: it refuses frames that break the rules before yamux sees them,
// bounds streams and memory, adds what yamux lacks (reset, stop and close
// codes, bounded pings), and knows whether a stream's end was reached in order.
type guard struct {
	conn   net.Conn
	in     *bufio.Reader
	client bool
	events guardEvents

	rest []byte // of a header that yamux did not get yet
	left uint32 // bytes of the frame's data that yamux did not get yet

	sending chan struct{} // held by who sends: one frame at a time
	out     []byte        // a header that waits for its data
	body    int
	dropped bool // what waits is of a direction that has ended

	mu     sync.Mutex
	flows  map[uint32]*flow
	last   uint32 // of the streams that the other side opened
	theirs int
	held   int64
	freed  *sync.Cond // held shrank, or the connection was closed
	leaves bool       // writing has its last deadline
	closed bool
	cause  error // why reading ended
}

// guardEvents is what a guard tells its mux. They do not block, and do not call
// the guard.
type guardEvents struct {
	ping  func(nonce uint32)
	pong  func(nonce uint32)
	freed func() // one of our streams is over
	limit int    // streams that the other side may have open
}

// A flow is what a guard knows of a stream; under the guard's mu.
type flow struct {
	id       uint32
	theirs   bool
	in, read int64 // bytes that came, and that were read
	finIn    bool
	finOut   bool
	reset    *StreamError // by the other side
	stop     *StreamError
	resetOut *StreamCode // instead of our end in order
	stream   *muxStream
}

func newGuard(conn net.Conn, client bool, ev guardEvents) *guard {
	g := &guard{conn: conn, in: bufio.NewReaderSize(idleReader{conn}, 64<<10), client: client, events: ev, sending: make(chan struct{}, 1), flows: make(map[uint32]*flow)}
	g.freed = sync.NewCond(&g.mu)
	return g
}

// idleReader fails where the other side says nothing for so long.
type idleReader struct{ net.Conn }

func (r idleReader) Read(b []byte) (int, error) {
	if err := r.SetReadDeadline(time.Now().Add(muxIdle)); err != nil {
		return 0, err
	}
	return r.Conn.Read(b)
}

// Read gives yamux the next bytes of checked frames.
func (g *guard) Read(b []byte) (int, error) {
	for len(g.rest) == 0 && g.left == 0 {
		h, pass, err := g.next()
		if err != nil {
			g.fault(err)
			return 0, err
		}
		if pass {
			g.rest = h[:]
			if h.kind() == muxData {
				g.left = h.length()
			}
		}
	}
	if len(g.rest) > 0 {
		n := copy(b, g.rest)
		g.rest = g.rest[n:]
		return n, nil
	}
	n, err := g.in.Read(b[:min(len(b), int(g.left))])
	g.left -= uint32(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// fault notes why reading ended and tells the other side, if it is to blame.
func (g *guard) fault(err error) {
	code := CloseNone
	e, ok := errors.AsType[*CloseError](err)
	switch {
	case errors.Is(err, errMux):
		code = CloseMalformed
		err = errors.Join(&CloseError{Code: code}, err)
	case ok && !e.Remote:
		code = e.Code
	}
	g.mu.Lock()
	g.cause = err
	g.mu.Unlock()
	if code != CloseNone {
		g.leave(time.Now().Add(blameTime))
		_ = g.frame(newGoAway(code))
	}
}

// next reads a header. It tells whether yamux shall see it.
func (g *guard) next() (h muxHeader, pass bool, err error) {
	if _, err := io.ReadFull(g.in, h[:]); err != nil {
		return h, false, err
	}
	if err := h.check(); err != nil {
		return h, false, err
	}
	switch h.kind() {
	case muxPing:
		if h.has(muxSYN) {
			g.events.ping(h.length())
		} else {
			g.events.pong(h.length())
		}
		return h, false, nil
	case muxGoAway:
		code := CloseNone
		if h.length() >= muxCloses {
			code = CloseCode(h.length() - muxCloses)
		}
		return h, false, &CloseError{Code: code, Remote: true}
	}
	return g.accept(h)
}

// accept takes a frame of a stream.
func (g *guard) accept(h muxHeader) (muxHeader, bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if h.has(muxSYN) {
		if err := g.opened(h.stream()); err != nil {
			return h, false, err
		}
	}
	f := g.flows[h.stream()]
	if f == nil {
		if h.kind() == muxWindow && !h.has(muxFIN) {
			return h, false, nil // late: of a stream that is over
		}
		return h, false, fmt.Errorf("%w: data of stream %d, which is not open", errMux, h.stream())
	}
	if f.finIn && (h.kind() == muxData || h.has(muxFIN)) {
		return h, false, fmt.Errorf("%w: data after the end of stream %d", errMux, h.stream())
	}
	switch {
	case h.has(muxStop):
		f.stop = &StreamError{Code: StreamCode(h.length()), Remote: true}
		if f.stream != nil {
			f.stream.stopped(f.stop)
		}
		return h, false, nil
	case h.has(muxReset):
		f.reset = &StreamError{Code: StreamCode(h.length()), Remote: true}
		h = h.plain()
	}
	if h.kind() == muxData {
		for g.held > 0 && g.held+int64(h.length()) > muxHeld && !g.closed {
			g.freed.Wait()
		}
		f.in += int64(h.length())
		g.held += int64(h.length())
	}
	if h.has(muxFIN) {
		f.finIn = true
		g.over(f)
		if f.stream != nil && f.reset != nil {
			f.stream.wasReset(f.reset)
		}
	}
	return h, true, nil
}

// opened notes a stream that the other side opens; g.mu is held.
func (g *guard) opened(id uint32) error {
	switch {
	case (id%2 == 1) == g.client || id <= g.last:
		return fmt.Errorf("%w: stream %d opened after %d", errMux, id, g.last)
	case g.theirs >= g.events.limit:
		return &CloseError{Code: CloseLimit}
	}
	g.last = id
	g.theirs++
	g.flows[id] = &flow{id: id, theirs: true}
	return nil
}

// over forgets a flow whose both directions have ended; g.mu is held.
func (g *guard) over(f *flow) {
	if !f.finIn || !f.finOut || g.flows[f.id] != f {
		return
	}
	delete(g.flows, f.id)
	if f.theirs {
		g.theirs--
	} else {
		g.events.freed()
	}
}

// Write sends what yamux writes: a header, then the frame's data. Both leave
// together.
func (g *guard) Write(b []byte) (int, error) {
	g.sending <- struct{}{}
	defer func() { <-g.sending }()
	if g.body > 0 {
		g.out = append(g.out, b...)
		if g.body -= len(b); g.body > 0 || g.dropped {
			return len(b), nil
		}
		err := g.send(g.out)
		g.out = g.out[:0]
		return len(b), err
	}
	h := muxHeader(b)
	if h.kind() == muxGoAway || h.has(muxRST) {
		return len(b), nil // close says more
	}
	h, late := g.leaving(h)
	if h.kind() == muxData && h.length() > 0 {
		g.out, g.body, g.dropped = append(g.out[:0], h[:]...), int(h.length()), late
		return len(b), nil
	}
	return len(b), g.send(h[:])
}

// leaving notes a frame of ours and adds the code of a reset. It tells whether
// the frame's stream has ended in our direction: then its data is not sent.
func (g *guard) leaving(h muxHeader) (muxHeader, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if h.has(muxSYN) {
		g.flows[h.stream()] = &flow{id: h.stream()}
	}
	f := g.flows[h.stream()]
	if f == nil || f.finOut || !h.has(muxFIN) {
		return h, f == nil || f.finOut
	}
	f.finOut = true
	g.over(f)
	if f.resetOut != nil && h.kind() == muxWindow {
		return newMuxHeader(muxWindow, h.flags()|muxReset, h.stream(), uint32(*f.resetOut)), false
	}
	return h, false
}

// frame sends a frame without data that is not yamux's. It may leave between
// a header of yamux and its data, because that header waits.
func (g *guard) frame(h muxHeader) error {
	g.sending <- struct{}{}
	defer func() { <-g.sending }()
	return g.send(h[:])
}

// send writes to the connection; g.sending is held.
func (g *guard) send(b []byte) error {
	g.mu.Lock()
	if !g.leaves {
		_ = g.conn.SetWriteDeadline(time.Now().Add(muxIdle)) // else Write says why
	}
	g.mu.Unlock()
	_, err := g.conn.Write(b)
	return err
}

// leave limits all further writing to a time.
func (g *guard) leave(until time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leaves = true
	_ = g.conn.SetWriteDeadline(until)
}

// each calls a function for each stream that is open.
func (g *guard) each(do func(*muxStream)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range g.flows {
		if f.stream != nil {
			do(f.stream)
		}
	}
}

// Close ends the connection without a word.
func (g *guard) Close() error {
	g.mu.Lock()
	g.closed = true
	g.freed.Broadcast()
	g.mu.Unlock()
	if t, ok := g.conn.(*tls.Conn); ok {
		return t.NetConn().Close() // a farewell of TLS could block, and GoAway said all
	}
	return g.conn.Close()
}

// wasRead notes that bytes of a flow are held no more.
func (g *guard) wasRead(f *flow, n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f.read += int64(n)
	g.held -= int64(n)
	g.freed.Signal()
}

// whole tells whether all of a flow was read up to its end in order.
func (g *guard) whole(f *flow) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return f.finIn && f.reset == nil && f.read == f.in
}

// bind joins a stream with its flow; false if that is over already.
func (g *guard) bind(s *muxStream) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	f := g.flows[s.y.StreamID()]
	if f == nil {
		return false
	}
	f.stream, s.flow = s, f
	if f.stop != nil {
		s.stopped(f.stop)
	}
	if f.reset != nil {
		s.wasReset(f.reset)
	}
	return true
}

// resets has our end of a flow say that it did not end in order, if it is
// still to come.
func (g *guard) resets(f *flow, c StreamCode) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f.resetOut = &c
}

// ended returns why reading from the connection ended.
func (g *guard) ended() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.cause
}
