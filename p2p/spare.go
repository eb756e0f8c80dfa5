package p2p

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// spare is one more socket, with a port of its own. Checks that may not leave
// from the main one do from here: a router on the other side that takes such a
// packet for its own refuses only the spare port then. Where the routers let
// the two meet there and nowhere else, they do.
type spare struct {
	open func() (net.PacketConn, error)

	mu     sync.Mutex
	socket *socket // nil: not open
	used   time.Time
	failed time.Time // to be opened
}

const (
	spareIdle  = 2 * time.Minute // then it is closed
	spareAgain = 10 * time.Minute
)

var errNoSpare = errors.New("no spare socket")

// onSpare tells whether a connection is on the spare socket.
func onSpare(c carrier) bool {
	q, ok := c.(quicCarrier)
	return ok && q.spare
}

// spareSocket returns the spare socket, opened if it was not.
func (e *Endpoint) spareSocket() (*socket, error) {
	e.mu.Lock()
	r := e.run
	e.mu.Unlock()
	f, now := &e.spare, time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.socket != nil {
		f.used = now
		return f.socket, nil
	}
	if r == nil || f.open == nil || !f.failed.IsZero() && now.Sub(f.failed) < spareAgain {
		return nil, errNoSpare
	}
	c, err := f.open()
	if err == nil {
		var list []*socket
		if list, err = r.listen([]net.PacketConn{c}); err == nil {
			s := list[0]
			s.spare = true
			f.socket, f.used = s, now
			r.wg.Go(func() { e.serveSpare(r.ctx, s) })
			return s, nil
		}
		_ = c.Close()
	}
	f.failed = now
	e.config.Log.Debug("no spare socket", "err", err)
	return nil, err
}

// serveSpare serves what comes to the spare socket until nobody uses it, and
// closes it then; until ctx is done, and leaves it open: links say goodbye.
func (e *Endpoint) serveSpare(ctx context.Context, s *socket) {
	serving, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { _ = e.accept(serving, s) })
	wg.Go(func() { e.readSTUN(serving, s) })
	tick := time.NewTicker(spareIdle / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if e.spare.closeIdle(time.Now()) {
				return
			}
		}
	}
}

// closeIdle closes the socket if it was not used for long.
func (f *spare) closeIdle(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.socket.conns.Load() > 0 || now.Sub(f.used) < spareIdle {
		return false
	}
	f.closeLocked()
	return true
}

// close ends what is open when nobody uses it any more.
func (f *spare) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.socket != nil {
		f.closeLocked()
	}
}

func (f *spare) closeLocked() {
	f.socket.close()
	_ = f.socket.transport.Conn.Close()
	f.socket = nil
}
