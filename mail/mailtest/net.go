package mailtest

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"
)

// listener hands over connections in memory.
type listener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newListener() *listener {
	return &listener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *listener) Addr() net.Addr { return address{} }

type address struct{}

func (address) Network() string { return "memory" }
func (address) String() string  { return "mailtest" }

// dial reaches the services in memory by port, whatever the host is called.
func (s *Server) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	_, text, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	port, _ := strconv.Atoi(text)
	l := s.memory[port]
	refused := &net.OpError{Op: "dial", Net: network, Addr: address{}, Err: syscall.ECONNREFUSED}
	if l == nil || s.now().Refuse {
		return nil, refused
	}
	ours, theirs := Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.done:
		return nil, refused
	case <-ctx.Done():
		return nil, fmt.Errorf("dial %s: %w", addr, ctx.Err())
	}
}

// tracked is a listener whose connections the server can cut and hold.
type tracked struct {
	net.Listener
	server *Server
}

func (t *tracked) Accept() (net.Conn, error) {
	for {
		raw, err := t.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: raw, server: t.server, done: make(chan struct{})}
		if t.server.admit(c) {
			return c, nil
		}
		raw.Close()
	}
}

// conn is the server's end of a connection.
type conn struct {
	net.Conn
	server *Server
	done   chan struct{}
	once   sync.Once
}

func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.hold()
	return n, err
}

func (c *conn) Write(b []byte) (int, error) {
	c.hold()
	return c.Conn.Write(b)
}

func (c *conn) Close() error {
	c.once.Do(func() {
		close(c.done)
		c.server.mu.Lock()
		delete(c.server.conns, c)
		c.server.mu.Unlock()
	})
	return c.Conn.Close()
}

// hold waits while the server hangs.
func (c *conn) hold() {
	c.server.mu.Lock()
	resume := c.server.resume
	c.server.mu.Unlock()
	if resume == nil {
		return
	}
	select {
	case <-resume:
	case <-c.done:
	}
}

func (s *Server) admit(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.faults.Refuse {
		return false
	}
	s.conns[c] = true
	return true
}

// Cut ends all connections at once. New ones are taken.
func (s *Server) Cut() {
	s.mu.Lock()
	var all []*conn
	for c := range s.conns {
		all = append(all, c)
	}
	s.mu.Unlock()
	for _, c := range all {
		c.Close()
	}
}
