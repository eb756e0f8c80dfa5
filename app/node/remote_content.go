package node

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"foldpost/app/folder"
	"foldpost/p2p"
	"foldpost/p2p/wire"
)

// How a content goes on when its link ends.
const (
	repeats   = 8                // without a byte in between
	repeating = 15 * time.Second // for another link to be there
)

// content reads the chunks of one want. Where the link ends meanwhile, the
// rest is asked for on another one.
type content struct {
	remote *remote
	ctx    context.Context // of Read: it bounds the content
	want   folder.Want     // of what is still to come
	stream p2p.Stream
	stop   func() bool
	wait   func(n int) error // until n bytes may have been read
	left   int               // bytes of the chunk that are still to come
	tries  int               // since a byte came
	stayed int               // bytes that came by this stream
	moving bool              // to another link
	ended  bool
	broken bool  // nothing more can be read
	failed error // asking again
}

// request asks for what is wanted, on another link where one ends.
func (c *content) request() error {
	for {
		err := c.ask()
		if err == nil || c.ended || !c.again(err) {
			return err
		}
	}
}

// again tells whether what failed so may work on another link, and notes the try.
func (c *content) again(err error) bool {
	if c.tries++; c.tries > repeats || c.ctx.Err() != nil {
		return false
	}
	return errors.Is(err, p2p.ErrLinkEnded)
}

// ask asks once.
func (c *content) ask() error {
	ctx, cancel := context.WithTimeout(c.ctx, repeating)
	defer cancel()
	s, err := c.remote.reading(ctx, c.moving)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(c.ctx, func() { s.Reset(p2p.StreamCancelled) })
	var st statusFrame
	err = wire.Write(s, wire.MaxControl, c.want)
	if err == nil {
		err = wire.Read(s, wire.MaxControl, &st)
	}
	c.stream, c.stop, c.left, c.stayed = s, stop, 0, 0
	if err == nil && st.err() != nil {
		c.ended = true // in order: the stream can be used again
		err = st.err()
	}
	if err != nil {
		c.broken = !c.ended
		return errors.Join(err, c.Close())
	}
	c.broken = false
	return nil
}

// staysFor is how much of a content comes by a stream before it may change to a
// faster link: what is on its way by the old one is lost.
const staysFor = 4 << 20

// move has the rest of a large content come over a faster link, if there is one.
func (c *content) move() error {
	b, ok := c.stream.(p2p.BulkStream)
	if !ok || c.ended || c.stayed < staysFor || !b.Slow() {
		return nil
	}
	c.broken, c.moving = true, true
	err := errors.Join(c.Close(), c.request())
	c.failed, c.moving = err, false
	return err
}

func (c *content) Read(p []byte) (int, error) {
	if err := c.move(); err != nil {
		return 0, err
	}
	for {
		n, err := c.read(p)
		if n > 0 {
			c.want.Offset += int64(n)
			c.tries = 0
			c.stayed += n
			if errors.Is(err, p2p.ErrLinkEnded) {
				err = nil // the next Read finds out
			}
			return n, err
		}
		if err == nil || c.ended || c.failed != nil || !c.again(err) {
			return 0, err
		}
		_ = c.Close()
		if err := c.request(); err != nil {
			c.failed = err
			return 0, err
		}
	}
}

func (c *content) read(p []byte) (int, error) {
	switch {
	case c.failed != nil:
		return 0, c.failed
	case c.ended:
		return 0, io.EOF
	}
	if err := c.stream.SetDeadline(time.Now().Add(stall)); err != nil {
		c.broken = true
		return 0, err
	}
	if c.left == 0 {
		if err := c.next(); err != nil {
			c.broken = true
			return 0, err
		}
		if c.ended {
			return 0, io.EOF
		}
	}
	n, err := c.stream.Read(p[:c.remote.down.part(min(len(p), c.left))])
	c.left -= n
	if err == nil {
		err = c.wait(n)
	}
	c.broken = err != nil
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (c *content) next() error {
	var head [4]byte
	if _, err := io.ReadFull(c.stream, head[:]); errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	} else if err != nil {
		return err
	}
	switch n := binary.BigEndian.Uint32(head[:]); {
	case n == cutShort:
		return errCutShort
	case n > maxChunk:
		return fmt.Errorf("chunk of %d bytes, at most %d", n, maxChunk)
	default:
		c.left = int(n)
		c.ended = n == 0
		return nil
	}
}

// Close keeps the stream for the next read if this one came to its end. Who
// knows the size reads no further than that: then the end is the next thing
// on the stream.
func (c *content) Close() error {
	if c.stream == nil {
		return nil
	}
	s := c.stream
	if !c.ended && !c.broken && c.left == 0 && s.SetDeadline(time.Now().Add(linger)) == nil {
		c.broken = c.next() != nil
	}
	c.stream = nil
	live := c.stop()
	if c.ended && !c.broken && live && s.SetDeadline(time.Time{}) == nil {
		select {
		case c.remote.idle <- s:
			c.remote.tidy.Reset(keepIdle)
			return nil
		default:
		}
	}
	s.Reset(p2p.StreamCancelled)
	return nil
}
