package p2p

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"foldpost/p2p/wire"
)

// A MessageManager is a [Manager] that takes what [Endpoint.Send] sends.
type MessageManager interface {
	Manager
	// Message takes a message of a linked peer; channel may be any. It must
	// return soon, and may come at the same time as all other calls. The payload
	// is its own.
	Message(id PeerID, channel string, payload []byte)
}

// Limits of messages.
const (
	maxMessage        = 1000 // bytes of a payload
	maxChannel        = 32   // bytes of a channel's name
	maxDatagram       = 1200 // bytes of a message in a datagram
	messagesPerSecond = 100  // of a link; what is beyond is dropped
	messagesWaiting   = 8    // to be sent on a link; likewise
)

// A message may be lost, and be overtaken by a later one.
type message struct {
	Channel string `wire:"1"`
	Payload []byte `wire:"2"`
}

func (m message) check() error {
	switch {
	case m.Channel == "" || len(m.Channel) > maxChannel:
		return fmt.Errorf("%w: a channel of %d bytes", wire.ErrMismatch, len(m.Channel))
	case len(m.Payload) > maxMessage:
		return fmt.Errorf("%w: a message of %d bytes", wire.ErrTooLarge, len(m.Payload))
	}
	return nil
}

func parseMessage(b []byte) (message, error) {
	if len(b) > maxDatagram {
		return message{}, fmt.Errorf("%w: a datagram of %d bytes", wire.ErrTooLarge, len(b))
	}
	var m message
	if err := wire.Unmarshal(b, &m); err != nil {
		return message{}, err
	}
	return m, m.check()
}

var errNotLinked = errors.New("no link")

// Send sends a message that may be lost, or be overtaken by another, over the
// primary link to a peer: for what is soon out of date. A channel has 1 to 32
// bytes and says what the payload, of at most 1,000 bytes, is about. Nil does
// not say that the message went anywhere. Send never waits.
func (e *Endpoint) Send(id PeerID, channel string, payload []byte) error {
	m := message{Channel: channel, Payload: slices.Clone(payload)}
	err := m.check()
	if err == nil {
		err = errNotLinked
		e.mu.Lock()
		if p := e.peers[id]; p != nil && p.link != nil {
			err = nil
			select {
			case p.link.messages <- m:
			default: // the link does not take so many
			}
		}
		e.mu.Unlock()
	}
	if err != nil {
		return fmt.Errorf("send on %q to %s: %w", channel, id.Short(), err)
	}
	return nil
}

// writeMessages sends what waits until the link ends: as datagrams where the
// link has any, else on the control stream, as long as that is not behind.
func (l *link) writeMessages(ctx context.Context) {
	for {
		var m message
		select {
		case m = <-l.messages:
		case <-ctx.Done():
			return
		}
		if c, ok := l.conn.(lossy); ok {
			if b, err := wire.Marshal(m); err == nil && c.sendDatagram(b) == nil {
				continue
			}
		}
		if len(l.out) < cap(l.out)/2 { // the rest is for what the link needs
			l.send(control{Type: controlMessage, Channel: m.Channel, Payload: m.Payload})
		}
	}
}

// readDatagrams takes what comes as datagrams until the link ends.
func (e *Endpoint) readDatagrams(ctx context.Context, l *link) {
	c, ok := l.conn.(lossy)
	if !ok {
		return
	}
	for {
		b, err := c.receiveDatagram(ctx)
		if err != nil {
			return
		}
		if m, err := parseMessage(b); err == nil {
			l.pulse.hear()
			e.takeMessage(l, m)
		}
	}
}

// takeMessage hands a message to the application, or drops it.
func (e *Endpoint) takeMessage(l *link, m message) {
	manager, ok := e.config.Manager.(MessageManager)
	if !ok || m.check() != nil || !l.taken.Allow() {
		return
	}
	select {
	case <-l.ready:
		e.turns.now(func() { manager.Message(l.peer, m.Channel, m.Payload) })
	default: // the application has not been told of the peer yet
	}
}
