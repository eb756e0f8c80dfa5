package p2p

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"testing"
)

// inWorldTCP is inWorld for nodes that have TCP too.
func inWorldTCP(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	forgetTimers()
	inWorld(t, func(t *testing.T, w *world) {
		w.haveTCP()
		test(t, w)
	})
}

// forgetTimers is called before a bubble in which there is TCP: yamux keeps
// timers of one for the next, where they must not be used. Collecting garbage
// twice empties its pool.
func forgetTimers() {
	runtime.GC()
	runtime.GC()
}

// haveTCP gives TCP to the nodes that come after it.
func (w *world) haveTCP() {
	w.listeners = map[netip.AddrPort]*pipeListener{}
	w.firewall = map[netip.AddrPort]bool{}
}

// pipeListener is a TCP listener of the simulated network. It keeps all
// connections that go to or from it.
type pipeListener struct {
	w     *world
	addr  netip.AddrPort
	calls chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (w *world) listen(addr netip.AddrPort) *pipeListener {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := &pipeListener{w: w, addr: addr, calls: make(chan net.Conn), done: make(chan struct{})}
	w.listeners[addr] = l
	return l
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.calls:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.addr) }

// tcpFrom dials by TCP from an address.
func (w *world) tcpFrom(from netip.AddrPort) func(context.Context, netip.AddrPort) (net.Conn, error) {
	passing := netip.AddrPortFrom(from.Addr(), 50000)
	return func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
		w.mu.Lock()
		at := to
		for old, now := range w.moved {
			if now == to {
				at = old
			}
		}
		l := w.listeners[at]
		_, gone := w.moved[to]
		off := w.cut[from] || w.cut[at] || gone
		w.mu.Unlock()
		if l == nil || off {
			return nil, errors.New("connection refused")
		}
		a, b := pipe(w)
		w.mu.Lock()
		w.pipes = append(w.pipes, pipeEnd{a, from}, pipeEnd{a, at})
		w.mu.Unlock()
		select {
		case l.calls <- pipeEnd{b, passing}:
			return pipeEnd{a, to}, nil
		case <-l.done:
			return nil, errors.New("connection refused")
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// pipe returns two ends of a connection that is closed when the test ends.
func pipe(w *world) (net.Conn, net.Conn) {
	a, b := net.Pipe()
	w.t.Cleanup(func() { _, _ = a.Close(), b.Close() })
	return a, b
}

type pipeEnd struct {
	net.Conn
	remote netip.AddrPort
}

func (p pipeEnd) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(p.remote) }

// cutPipes breaks the TCP connections of an address; w.mu is held.
func (w *world) cutPipes(a netip.AddrPort) {
	for _, p := range w.pipes {
		if p.remote == a {
			_ = p.Close()
		}
	}
}

// blockUDP loses all UDP to and from an address from now on.
func (w *world) blockUDP(a netip.AddrPort, off bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.firewall[a] = off
}
