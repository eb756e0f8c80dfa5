package folder

import (
	"context"
	"errors"
	"io"
	"iter"
	"reflect"
	"time"
)

// rowsPerBatch keeps a frame below its limit: an entry has at most some KiB.
const rowsPerBatch = 256

// A feed pauses to gather what is committed shortly one after another: each
// batch costs both sides a durable commit. While commits do not rest for
// feedRest, the pause grows.
const (
	feedPause       = 5 * time.Millisecond
	feedPauseAtMost = 100 * time.Millisecond
	feedRest        = 50 * time.Millisecond // less than somebody who saves again and again
)

// A served is our replica as one member may see it.
type served struct {
	f      *Folder
	device DeviceID // the member's
}

// Serve returns our replica as a member may see it. Each call on it looks
// again whether the device is a member, and each content whether it is still
// live in the index and unchanged on disk. It fails with ErrNotMember.
func (f *Folder) Serve(d DeviceID) (Remote, error) {
	if !f.isMember(d) {
		return nil, ErrNotMember
	}
	return &served{f: f, device: d}, nil
}

func (f *Folder) isMember(d DeviceID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.members {
		if m.Device == d {
			return true
		}
	}
	return false
}

// Device is ours: whose replica this is.
func (s *served) Device() DeviceID { return s.f.cfg.Device }

// Since yields our rows after the cursor and then what changes.
func (s *served) Since(ctx context.Context, after Cursor) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		var last *Head
		pause := feedPause
		for {
			b, more, err := s.next(ctx, after, last)
			if err != nil {
				yield(Batch{}, err)
				return
			}
			if len(b.Rows) > 0 || b.Head != nil {
				if b.Head != nil {
					last = b.Head
				}
				after = advanced(after, b)
				if !yield(b, nil) {
					return
				}
				continue
			}
			waits := time.Now()
			if err := s.wait(ctx, more, pause); err != nil {
				yield(Batch{}, err)
				return
			}
			if time.Since(waits)-pause < feedRest {
				pause = min(2*pause, feedPauseAtMost)
			} else {
				pause = feedPause
			}
		}
	}
}

// advanced is the cursor of who took b.
func advanced(after Cursor, b Batch) Cursor {
	if after.Replica != b.Replica {
		after = Cursor{Replica: b.Replica}
	}
	if n := len(b.Rows); n > 0 {
		after.Seq = b.Rows[n-1].Seq
	}
	if b.Head != nil {
		after.Seq = max(after.Seq, b.Head.Seq)
	}
	return after
}

// next returns what a member has not been told, or what to wait for.
func (s *served) next(ctx context.Context, after Cursor, last *Head) (Batch, <-chan struct{}, error) {
	var b Batch
	var more <-chan struct{}
	err := s.f.call(ctx, func(e *engine) {
		if e.commit(); e.fatal != nil {
			return
		}
		more = e.committed
		if b = e.rep.feed(after, rowsPerBatch); len(b.Rows) == 0 && b.Head != nil && last != nil && reflect.DeepEqual(*last, *b.Head) {
			b = Batch{}
		}
	})
	if err == nil && !s.f.isMember(s.device) {
		err = ErrNotMember
	}
	return b, more, err
}

func (s *served) wait(ctx context.Context, more <-chan struct{}, pause time.Duration) error {
	if more != nil {
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.f.ended:
			return ErrEnded
		}
	}
	select {
	case <-time.After(pause):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Read opens a content that our index lists as live, from a file that is still
// as the index says. The reader fails when the file is changed meanwhile or
// the device is no member any more.
func (s *served) Read(ctx context.Context, w Want) (io.ReadCloser, error) {
	if err := CheckPath(w.Path); err != nil || w.Offset < 0 {
		return nil, errors.Join(ErrRefused, err)
	}
	if !s.f.isMember(s.device) {
		return nil, ErrNotMember
	}
	var at []Row
	err := s.f.call(ctx, func(e *engine) {
		if !e.paused && e.root.ok && e.rep.offers(w.Path, w.Content) {
			at = e.holders(w.Path, w.Content)
		}
	})
	if err != nil {
		return nil, err
	}
	for _, row := range at {
		c, err := s.f.cfg.Tree.Open(row.Path)
		if err == nil {
			var st Stat
			if st, err = c.Stat(); err == nil && sameFile(st, row.Stat) && w.Offset <= st.Size {
				return &serving{s: s, c: c, was: row.Stat, at: w.Offset}, nil
			}
			c.Close()
		}
		_ = s.f.call(ctx, func(e *engine) { e.unserved(row, time.Now()) })
	}
	return nil, ErrGone
}

// unserved is called where a file is not what its row says.
func (e *engine) unserved(r Row, now time.Time) {
	if r.Frozen {
		e.rep.lost(r.Path)
	} else {
		e.notice(r.Path, now)
	}
}

// holders are the rows whose files have a content, the asked one first.
func (e *engine) holders(p Path, h Hash) []Row {
	var rows []Row
	if r, ok := e.rep.row(p); ok && r.Seen.Kind == File && r.Seen.Content == h {
		rows = append(rows, r)
	}
	for _, q := range e.rep.holding(h) {
		if r, ok := e.rep.row(q); ok && q != p && r.Seen.Kind == File {
			rows = append(rows, r)
		}
	}
	return rows
}

// serving reads one file for a member.
type serving struct {
	s   *served
	c   Content
	was Stat
	at  int64
}

// Read looks once per piece whether the member still is one.
func (r *serving) Read(b []byte) (int, error) {
	if !r.s.f.isMember(r.s.device) {
		return 0, ErrNotMember
	}
	n, err := r.c.ReadAt(b, r.at)
	r.at += int64(n)
	if err == io.EOF && n == 0 {
		if st, e := r.c.Stat(); e != nil || st.Size != r.was.Size || st.MTime != r.was.MTime {
			return 0, ErrGone
		}
	}
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

func (r *serving) Close() error { return r.c.Close() }
