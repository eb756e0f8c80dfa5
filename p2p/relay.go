package p2p

import (
	"context"
	"fmt"
	"net"
	"time"
)

// LinkThrough keeps a link to a paired peer on a stream whose bytes another
// one passes on, until it ends; the stream is closed then. What passes there is
// TLS between the two ends, so who passes it on can end it and no more. One
// side calls, the other is called.
func (e *Endpoint) LinkThrough(ctx context.Context, id, through PeerID, s Stream, call bool) error {
	conn := relayConn{Stream: s, through: through}
	defer conn.Close()
	var l *link
	var err error
	if call {
		l, err = e.callThrough(ctx, id, conn)
	} else {
		l, err = e.calledThrough(ctx, id, conn)
	}
	if err != nil {
		return fmt.Errorf("link with %s through %s: %w", id.Short(), through.Short(), err)
	}
	l.through = through
	e.keep(ctx, l)
	return nil
}

func (e *Endpoint) callThrough(ctx context.Context, id PeerID, conn net.Conn) (*link, error) {
	if r, ok := e.record(id); !ok || r.State == Pending {
		return nil, errNotPaired
	}
	run := e.running()
	if run == nil {
		return nil, net.ErrClosed
	}
	c, err := run.dialOver(ctx, conn, id, alpnLink, carrying{kind: kindRelay})
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	number := e.peerLocked(id).clock + 1
	e.mu.Unlock()
	return e.greet(ctx, c, id, number)
}

func (e *Endpoint) calledThrough(ctx context.Context, id PeerID, conn net.Conn) (*link, error) {
	run := e.running()
	if run == nil {
		return nil, net.ErrClosed
	}
	c, err := run.acceptOver(ctx, conn, kindRelay)
	if err != nil {
		return nil, err
	}
	cs := c.state()
	key, err := publicKeyOf(cs)
	if err != nil || cs.NegotiatedProtocol != alpnLink || PeerIDOf(key[:]) != id {
		c.close(CloseNotPaired)
		return nil, errPeer
	}
	if !e.enter(id) {
		c.close(CloseLimit)
		return nil, errPeer
	}
	defer e.leave(id)
	return e.greet(ctx, c, id, 0)
}

// relayConn is a stream that a peer passes on, as a connection.
type relayConn struct {
	Stream
	through PeerID
}

// deadlines are those of a stream for one direction.
type deadlines interface {
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

func (c relayConn) SetReadDeadline(t time.Time) error {
	if s, ok := c.Stream.(deadlines); ok {
		return s.SetReadDeadline(t)
	}
	return c.Stream.SetDeadline(t)
}

func (c relayConn) SetWriteDeadline(t time.Time) error {
	if s, ok := c.Stream.(deadlines); ok {
		return s.SetWriteDeadline(t)
	}
	return c.Stream.SetDeadline(t)
}

func (c relayConn) LocalAddr() net.Addr  { return relayAddr(c.through) }
func (c relayConn) RemoteAddr() net.Addr { return relayAddr(c.through) }

// relayAddr stands where a network address would.
type relayAddr PeerID

func (relayAddr) Network() string  { return kindRelay }
func (a relayAddr) String() string { return PeerID(a).Short() }
