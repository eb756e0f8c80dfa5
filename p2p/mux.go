package p2p

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
)

// Times of a connection that carries streams by yamux.
const (
	muxPingEvery = 10 * time.Second
	muxFarewell  = time.Second // for a close code to arrive
)

// mux is a carrier over TLS on any connection: streams by yamux behind a [guard].
type mux struct {
	conn    *tls.Conn
	on      carrying
	guard   *guard
	session *yamux.Session
	tasks   sync.WaitGroup

	opening chan struct{} // held by who opens a stream: ids must reach the other side in order
	room    chan struct{} // a token for each stream of ours
	pings   chan uint32   // to be answered
	pongs   chan uint32
	leave   chan struct{} // closed with why

	mu     sync.Mutex
	why    error // it ended
	closed bool  // no task begins any more
	smooth time.Duration
}

// muxConfig is what a mux is made of.
type muxConfig struct {
	conn    *tls.Conn // its handshake is done
	client  bool
	on      carrying
	streams int          // that the other side may have open
	spawn   func(func()) // runs a function in a goroutine that its caller waits for
}

// newMux makes a carrier that is closed when ctx is done.
func newMux(ctx context.Context, c muxConfig) (*mux, error) {
	m := &mux{
		conn: c.conn, on: c.on,
		room: make(chan struct{}, maxStreams), pings: make(chan uint32, 1), pongs: make(chan uint32, 1),
		leave: make(chan struct{}), opening: make(chan struct{}, 1),
	}
	m.guard = newGuard(c.conn, c.client, guardEvents{
		ping: offer(m.pings), pong: offer(m.pongs), freed: func() { <-m.room }, limit: c.streams,
	})
	config := &yamux.Config{
		AcceptBacklog:          maxStreams + 1, // the guard lets no more through
		KeepAliveInterval:      time.Hour,      // not used: the guard answers pings
		ConnectionWriteTimeout: muxIdle,
		MaxStreamWindowSize:    muxStreamWindow,
		Logger:                 log.New(io.Discard, "", 0),
	}
	begin := yamux.Server
	if c.client {
		begin = yamux.Client
	}
	var err error
	if m.session, err = begin(m.guard, config); err != nil {
		return nil, fmt.Errorf("begin streams: %w", err)
	}
	c.spawn(func() { m.run(ctx) })
	return m, nil
}

// offer returns a function that leaves a value in a channel if there is room:
// who floods us with pings gets few answers.
func offer(c chan uint32) func(uint32) {
	return func(n uint32) {
		select {
		case c <- n:
		default:
		}
	}
}

// run answers pings, measures the round trip and ends the connection.
func (m *mux) run(ctx context.Context) {
	defer m.finish()
	tick := time.NewTicker(muxPingEvery)
	defer tick.Stop()
	var nonce uint32
	var sent time.Time
	ping := func() {
		nonce++
		sent = time.Now()
		_ = m.guard.frame(newMuxHeader(muxPing, muxSYN, 0, nonce))
	}
	ping()
	for {
		select {
		case n := <-m.pings:
			_ = m.guard.frame(newMuxHeader(muxPing, muxACK, 0, n))
		case n := <-m.pongs:
			if n == nonce && !sent.IsZero() {
				m.measured(time.Since(sent))
				sent = time.Time{}
			}
		case <-tick.C:
			ping()
		case <-m.session.CloseChan():
			m.fail(m.lost())
			return
		case <-ctx.Done():
			m.close(CloseGoingAway)
			m.farewell()
			return
		case <-m.leave:
			m.farewell()
			return
		}
	}
}

// lost says why the connection ended that nobody here closed.
func (m *mux) lost() error {
	if err := m.guard.ended(); err != nil && err != io.EOF {
		return err
	}
	return io.ErrUnexpectedEOF
}

// finish ends what is left of the connection.
func (m *mux) finish() {
	_ = m.session.Close()
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.tasks.Wait()
}

// do runs a function beside its caller, unless the connection is closed.
func (m *mux) do(task func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.tasks.Go(task)
	}
}

func (m *mux) measured(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.smooth == 0 {
		m.smooth = d
	}
	m.smooth += (d - m.smooth) / 4
}

// farewell sends the close code and leaves the other side the time to read it.
func (m *mux) farewell() {
	c, ok := errors.AsType[*CloseError](m.err())
	if !ok {
		return
	}
	if m.guard.frame(newGoAway(c.Code)) != nil {
		return
	}
	timer := time.NewTimer(muxFarewell)
	defer timer.Stop()
	select {
	case <-m.session.CloseChan():
	case <-timer.C:
	}
}

// fail notes why the connection ended, once, and fails all that waits for it.
func (m *mux) fail(err error) {
	m.mu.Lock()
	if m.why != nil {
		m.mu.Unlock()
		return
	}
	m.why = err
	close(m.leave)
	m.mu.Unlock()
	m.guard.leave(time.Now().Add(muxFarewell))
	m.guard.each(func(s *muxStream) { s.wake() })
}

func (m *mux) close(c CloseCode) { m.fail(&CloseError{Code: c}) }

func (m *mux) done() <-chan struct{} { return m.leave }

func (m *mux) err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.why
}

// end returns why the connection ended, once it has.
func (m *mux) end() error {
	<-m.leave
	return m.err()
}

func (m *mux) rtt() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.smooth
}

func (m *mux) kind() string { return m.on.kind }

func (m *mux) remote() netip.AddrPort { return m.on.addr }

func (m *mux) state() tls.ConnectionState { return m.conn.ConnectionState() }

func (m *mux) open(ctx context.Context) (carried, error) {
	select {
	case m.room <- struct{}{}:
	case <-m.leave:
		return nil, m.err()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	m.opening <- struct{}{}
	y, err := m.session.OpenStream()
	<-m.opening
	if err != nil { // the connection ended, and with it the count of streams
		return nil, m.broken(err)
	}
	return m.stream(y)
}

func (m *mux) accept(ctx context.Context) (carried, error) {
	y, err := m.session.AcceptStreamWithContext(ctx)
	if err != nil {
		return nil, m.broken(err)
	}
	return m.stream(y)
}

func (m *mux) stream(y *yamux.Stream) (carried, error) {
	s := &muxStream{mux: m, y: y, piece: firstPiece}
	if !m.guard.bind(s) {
		m.fail(fmt.Errorf("%w: stream %d is over before it began", errMux, y.StreamID()))
		return nil, m.err()
	}
	return s, nil
}

// broken turns what yamux says into our words. What it says of a connection
// ends it: some of its errors leave a half-written stream behind.
func (m *mux) broken(err error) error {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, yamux.ErrConnectionWriteTimeout):
		m.close(CloseDead)
	case errors.Is(err, yamux.ErrTimeout):
		return os.ErrDeadlineExceeded
	case !m.session.IsClosed():
		m.fail(err)
	}
	return m.end()
}
