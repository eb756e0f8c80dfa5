package node

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"
	"time"

	"foldpost/app/folder"
	"foldpost/p2p"
	"foldpost/p2p/wire"
)

// protocolFolder is the stream protocol between two replicas of a folder;
// app/folder/PROTOCOL.md, "Streams".
const protocolFolder = "folder/1"

// openFrame begins a folder stream. Cursor is for feeds.
type openFrame struct {
	Folder folder.ID     `wire:"1"`
	What   uint64        `wire:"2"`
	After  folder.Cursor `wire:"3"`
}

const (
	openFeed = 1
	openRead = 2
)

// statusFrame answers an open or a want.
type statusFrame struct {
	Status uint64 `wire:"1"`
}

const (
	statusOK      = 1
	statusRefused = 2 // not a member, or no such folder here
	statusGone    = 3 // the content is not here any more
	statusPaused  = 4
)

// Content travels as chunks: uint32 length and that many bytes; length 0 ends
// it, cutShort says that it can not be finished.
const (
	maxChunk = 256 << 10
	cutShort = 0xffffffff
	stall    = 60 * time.Second // without a byte, a read is given up
	linger   = time.Second      // for the end of a content that was read as a whole
	keepIdle = 2 * time.Second  // after the last read that ended
)

var errCutShort = errors.New("the other side could not finish the content")

// streamOpener opens streams to one peer.
type streamOpener func(ctx context.Context, protocol string) (p2p.Stream, error)

// A remote is a [folder.Remote] over streams of a link. It keeps the streams of
// finished reads for the next ones.
type remote struct {
	device folder.DeviceID
	id     folder.ID
	open   streamOpener

	openBulk streamOpener // for contents; nil: as open
	down     *limit       // of what is read
	idle     chan p2p.Stream
	tidy     *time.Timer // closes what is idle: a link has few streams
}

func newRemote(d folder.DeviceID, id folder.ID, open streamOpener, down *limit) *remote {
	r := &remote{device: d, id: id, open: open, down: down, idle: make(chan p2p.Stream, 24)}
	r.tidy = time.AfterFunc(keepIdle, r.close)
	return r
}

func (r *remote) Device() folder.DeviceID { return r.device }

// close ends the streams that are kept for later.
func (r *remote) close() {
	for {
		select {
		case s := <-r.idle:
			s.Close()
		default:
			return
		}
	}
}

func (r *remote) begin(ctx context.Context, o openFrame) (p2p.Stream, error) {
	open := r.open
	if o.What == openRead && r.openBulk != nil {
		open = r.openBulk
	}
	s, err := open(ctx, protocolFolder)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { s.Reset(p2p.StreamCancelled) })
	defer stop()
	var st statusFrame
	err = wire.Write(s, wire.MaxControl, o)
	if err == nil {
		err = wire.Read(s, wire.MaxControl, &st)
	}
	if err == nil {
		err = st.err()
	}
	if err != nil {
		s.Reset(p2p.StreamCancelled)
		return nil, fmt.Errorf("open folder stream: %w", err)
	}
	return s, nil
}

func (s statusFrame) err() error {
	switch s.Status {
	case statusOK:
		return nil
	case statusGone:
		return folder.ErrGone
	case statusRefused:
		return folder.ErrNotMember
	case statusPaused:
		return errors.New("paused on the other side")
	}
	return fmt.Errorf("status %d is not known", s.Status)
}

// Since implements [folder.Remote].
func (r *remote) Since(ctx context.Context, after folder.Cursor) iter.Seq2[folder.Batch, error] {
	return func(yield func(folder.Batch, error) bool) {
		s, err := r.begin(ctx, openFrame{Folder: r.id, What: openFeed, After: after})
		if err != nil {
			yield(folder.Batch{}, err)
			return
		}
		stop := context.AfterFunc(ctx, func() { s.Reset(p2p.StreamCancelled) })
		defer stop()
		defer s.Reset(p2p.StreamCancelled)
		for {
			var b folder.Batch
			if err := wire.Read(s, wire.MaxIndex, &b); err != nil {
				yield(folder.Batch{}, errors.Join(ctx.Err(), err))
				return
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

// Read implements [folder.Remote].
func (r *remote) Read(ctx context.Context, w folder.Want) (io.ReadCloser, error) {
	c := &content{remote: r, ctx: ctx, want: w, wait: func(n int) error { return r.down.wait(ctx, n) }}
	if err := c.request(); err != nil {
		return nil, fmt.Errorf("read %q from %x: %w", w.Path, r.device[:4], err)
	}
	return c, nil
}

// reading returns a stream for the next read, a fresh one where the kept ones
// are too slow.
func (r *remote) reading(ctx context.Context, fresh bool) (p2p.Stream, error) {
	if !fresh {
		select {
		case s := <-r.idle:
			return s, nil
		default:
		}
	}
	return r.begin(ctx, openFrame{Folder: r.id, What: openRead})
}

// serveFolder answers one folder stream of a paired peer. find returns our
// replica as that peer may see it; contents go no faster than up.
func serveFolder(ctx context.Context, s p2p.Stream, find func(folder.ID) (folder.Remote, error), up *limit) error {
	var o openFrame
	if err := wire.Read(s, wire.MaxControl, &o); err != nil {
		s.Reset(p2p.StreamMalformed)
		return fmt.Errorf("read open: %w", err)
	}
	ours, err := find(o.Folder)
	if err == nil && o.What != openFeed && o.What != openRead {
		s.Reset(p2p.StreamUnsupported)
		return fmt.Errorf("open of kind %d", o.What)
	}
	if werr := wire.Write(s, wire.MaxControl, statusOf(err)); werr != nil || err != nil {
		return errors.Join(err, werr)
	}
	if o.What == openFeed {
		return serveFeed(ctx, s, ours, o.After)
	}
	return serveReads(ctx, s, ours, up)
}

func statusOf(err error) statusFrame {
	switch {
	case err == nil:
		return statusFrame{statusOK}
	case errors.Is(err, folder.ErrGone):
		return statusFrame{statusGone}
	}
	return statusFrame{statusRefused}
}

func serveFeed(ctx context.Context, s p2p.Stream, ours folder.Remote, after folder.Cursor) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // ends with the stream, which ends when we return
		defer cancel()
		io.Copy(io.Discard, s) // the reader says nothing more: its end is the end
	}()
	for b, err := range ours.Since(ctx, after) {
		if err != nil {
			return err
		}
		if err := wire.Write(s, wire.MaxIndex, b); err != nil {
			return err
		}
	}
	return nil
}

func serveReads(ctx context.Context, s p2p.Stream, ours folder.Remote, up *limit) error {
	wait := func(n int) error { return up.wait(ctx, n) }
	to := bufio.NewWriterSize(limited{s, up, wait}, 8<<10) // a small content is one write
	for {
		var w folder.Want
		if err := wire.Read(s, wire.MaxControl, &w); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if w.Offset < 0 {
			s.Reset(p2p.StreamMalformed)
			return fmt.Errorf("want from byte %d", w.Offset)
		}
		r, err := ours.Read(ctx, w)
		werr := wire.Write(to, wire.MaxControl, statusOf(err))
		if err == nil {
			werr = errors.Join(werr, sendContent(to, r), r.Close())
		}
		if err := errors.Join(werr, to.Flush()); err != nil {
			return err
		}
	}
}

// chunks are buffers for the length and the bytes of one.
var chunks = sync.Pool{New: func() any { return new([4 + maxChunk]byte) }}

// sendContent sends r as chunks. Only an error of the stream is returned: the
// peer is told about the others.
func sendContent(s io.Writer, r io.Reader) error {
	pooled := chunks.Get().(*[4 + maxChunk]byte)
	defer chunks.Put(pooled)
	buf := pooled[:]
	for {
		n, err := io.ReadFull(r, buf[4:])
		if n > 0 {
			binary.BigEndian.PutUint32(buf, uint32(n))
			if _, err := s.Write(buf[:4+n]); err != nil {
				return err
			}
		}
		if err == nil {
			continue
		}
		end := uint32(0)
		if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			end = cutShort
		}
		_, err = s.Write(binary.BigEndian.AppendUint32(nil, end))
		return err
	}
}
