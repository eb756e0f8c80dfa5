package folder

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/zeebo/blake3"
)

// errNobody: no replica that can be reached now has the content.
var errNobody = errors.New("nobody who can be reached has the content")

// A source is a member that announced the content at a path.
type source struct {
	remote Remote
	path   Path // where it has the content
}

// A fetch brings one content into the stage, from files here or from members,
// and verifies it as a whole.
type fetch struct {
	path     Path // what it is for
	content  Hash
	size     int64
	mtime    int64 // unix ns
	bits     uint32
	here     []Path
	from     []source
	received *atomic.Int64 // bytes from members are added
	inode    uint64        // of the stage file, after run

	began  time.Time
	done   atomic.Int64             // bytes of the stage file
	source atomic.Pointer[DeviceID] // the member that is being read
}

// stageOf names the stage file of a content wanted at a path. It is the same
// after a restart, so that the transfer goes on.
func stageOf(p Path, content Hash) string {
	sum := blake3.Sum256(append(content[:], p...)) // much cheaper than a Hasher
	return hex.EncodeToString(sum[:16])
}

// run returns when the stage file is complete, verified and sealed; what there
// is of it stays otherwise. It fails with ErrNoSpace, errNobody, ctx's error or
// what the disk says.
func (f *fetch) run(ctx context.Context, t Tree) error {
	st, err := t.Stage(stageOf(f.path, f.content))
	if err != nil {
		return err
	}
	err = f.fill(ctx, t, st)
	if err == nil {
		err = st.Seal(f.mtime, f.bits)
	}
	if is, e := st.Stat(); e == nil {
		f.inode = is.Ino
	}
	if e := st.Close(); err == nil {
		err = e
	}
	return err
}

func (f *fetch) fill(ctx context.Context, t Tree, st Staged) error {
	if f.size == 0 {
		if f.content != Hash(blake3.Sum256(nil)) {
			return errNobody
		}
		return st.Truncate(0)
	}
	if is, err := st.Stat(); err == nil && is.Size == f.size && f.verify(ctx, st) == nil {
		return nil // complete before a restart
	}
	for _, p := range f.here {
		if done, err := f.copyLive(ctx, t, st, p); done || err != nil {
			return err
		}
	}
	why := errNobody
	for _, s := range f.from {
		err := f.download(ctx, st, s)
		if errors.Is(err, errMixed) {
			err = f.download(ctx, st, s) // from the start, all of it from one
		}
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, ErrNoSpace), errors.As(err, new(diskError)):
			return err
		}
		why = fmt.Errorf("%w: %q from a member: %w", errNobody, s.path, err)
	}
	return why
}

// copyLive takes the content from a file here, if that still has it. An error
// is one of the stage.
func (f *fetch) copyLive(ctx context.Context, t Tree, st Staged, p Path) (bool, error) {
	c, err := t.Open(p)
	if err != nil {
		return false, nil
	}
	defer c.Close()
	if s, err := c.Stat(); err != nil || s.Size != f.size {
		return false, nil
	}
	if err := st.Truncate(0); err != nil {
		return false, diskError{err}
	}
	h := blake3.New()
	to := &stageWriter{st: st, h: h}
	if n, err := copyAt(ctx, to, c, 0); err != nil || n != f.size || sumOf(h) != f.content {
		if to.err != nil {
			return false, to.err
		}
		return false, errors.Join(ctx.Err(), st.Truncate(0))
	}
	return true, nil
}

// errMixed: bytes of several transfers did not fit together.
var errMixed = errors.New("the parts do not fit together")

// errWrong: a member sent other bytes than those it announced.
var errWrong = errors.New("content differs from its hash")

// download appends what is missing. It keeps what it got when the transfer
// breaks, and drops everything when the whole is wrong.
func (f *fetch) download(ctx context.Context, st Staged, s source) error {
	is, err := st.Stat()
	if err != nil {
		return diskError{err}
	}
	have := is.Size
	if have > f.size {
		have = 0
		if err := st.Truncate(0); err != nil {
			return diskError{err}
		}
	}
	h := blake3.New()
	if have > 0 {
		if n, err := copyAt(ctx, h, io.NewSectionReader(st, 0, have), 0); err != nil || n != have {
			return errors.Join(ctx.Err(), err, errMixed, st.Truncate(0))
		}
	}
	f.done.Store(have)
	device := s.remote.Device()
	f.source.Store(&device)
	if have < f.size {
		if err := f.receive(ctx, &stageWriter{st: st, at: have, h: h}, s, have); err != nil {
			return err
		}
	}
	if sumOf(h) == f.content {
		return nil
	}
	if err := st.Truncate(0); err != nil {
		return diskError{err}
	}
	if have > 0 {
		return errMixed
	}
	return errWrong
}

func (f *fetch) receive(ctx context.Context, to *stageWriter, s source, have int64) error {
	from, err := s.remote.Read(ctx, Want{Path: s.path, Content: f.content, Offset: have})
	if err != nil {
		return err
	}
	defer from.Close()
	pooled := buffers.Get().(*[]byte)
	defer buffers.Put(pooled)
	buf := *pooled
	for left := f.size - have; left > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := from.Read(buf[:min(int64(len(buf)), left)])
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return err
			}
			f.received.Add(int64(n))
			f.done.Add(int64(n))
			left -= int64(n)
		}
		if err != nil && left > 0 {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
	// A member's stream can be used again only when its end was read.
	if n, _ := from.Read(buf[:1]); n > 0 {
		return errWrong
	}
	return nil
}

func (f *fetch) verify(ctx context.Context, st Staged) error {
	h := blake3.New()
	if _, err := copyAt(ctx, h, io.NewSectionReader(st, 0, f.size), 0); err != nil {
		return err
	}
	if sumOf(h) != f.content {
		return errWrong
	}
	return nil
}

// A diskError is a fault of our disk: no other source would help.
type diskError struct{ error }

func (e diskError) Unwrap() error { return e.error }

// A stageWriter appends to a stage file and to the hash of the whole.
type stageWriter struct {
	st  Staged
	at  int64
	h   *blake3.Hasher
	err error // of the stage
}

func (w *stageWriter) Write(b []byte) (int, error) {
	n, err := w.st.WriteAt(b, w.at)
	w.at += int64(n)
	if err != nil {
		w.err = diskError{err}
		return n, w.err
	}
	return w.h.Write(b)
}
