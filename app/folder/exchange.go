package folder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// peerState is which members can be reached, and how far their rows came.
type peerState struct {
	remotes map[DeviceID][]*connected
	heard   map[DeviceID]bool // members whose rows are all here since the start
}

// A connected member's feed is being taken.
type connected struct {
	remote Remote
	cancel context.CancelCauseFunc
	lost   bool
}

// freshWait is how long a fresh index waits for a member's rows before its
// first scan. With them most files are recognized; without, equal files of two
// devices meet later, which costs nothing but a copy where they differ.
const freshWait = 10 * time.Second

// errReconnect: the index was made anew; the feed starts from the beginning.
var errReconnect = errors.New("the index was made anew")

// Connect takes the rows of a member that can be reached and reads content
// from it until ctx is done or its feed ends, and returns why.
func (f *Folder) Connect(ctx context.Context, r Remote) error {
	for {
		if err := f.take(ctx, r); !errors.Is(err, errReconnect) {
			return err
		}
	}
}

func (f *Folder) take(ctx context.Context, r Remote) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c := &connected{remote: r}
	var after Cursor
	var err error
	if e := f.call(ctx, func(e *engine) {
		after, err = e.connect(c)
		c.cancel = cancel
	}); e != nil || err != nil {
		return errors.Join(e, err)
	}
	defer f.call(context.WithoutCancel(ctx), func(e *engine) { e.disconnect(c) })
	for b, err := range r.Since(ctx, after) {
		if err != nil && context.Cause(ctx) != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		if e := f.call(ctx, func(e *engine) { err = e.receive(c, b) }); e != nil || err != nil {
			return errors.Join(e, err)
		}
	}
	return errors.Join(context.Cause(ctx), errFeedEnded)
}

var errFeedEnded = errors.New("the feed ended")

func (e *engine) connect(c *connected) (Cursor, error) {
	d := c.remote.Device()
	if _, ok := e.members[d]; !ok {
		return Cursor{}, ErrNotMember
	}
	if e.peers.remotes == nil {
		e.peers.remotes = map[DeviceID][]*connected{}
	}
	// The newest link is tried first: the others may be dead already.
	e.peers.remotes[d] = slices.Insert(e.peers.remotes[d], 0, c)
	e.retryPull()
	return e.rep.cursor(d), nil
}

func (e *engine) disconnect(c *connected) {
	d := c.remote.Device()
	c.lost = true
	if rest := slices.DeleteFunc(e.peers.remotes[d], func(o *connected) bool { return o == c }); len(rest) > 0 {
		e.peers.remotes[d] = rest
	} else {
		delete(e.peers.remotes, d)
		delete(e.peers.heard, d)
	}
}

// receive takes one batch; it is stored before anything is told about it.
func (e *engine) receive(c *connected, b Batch) error {
	d := c.remote.Device()
	if _, ok := e.members[d]; !ok {
		return ErrNotMember
	}
	if c.lost || !slices.Contains(e.peers.remotes[d], c) {
		return errReconnect
	}
	err := e.rep.receive(d, b)
	switch {
	case errors.Is(err, errFresh):
		e.log.Warn("make the index anew", "reason", err)
		if err := e.store.write(func() error { return e.store.renew(e.cfg) }); err != nil {
			e.fail(err)
			return err
		}
		e.fail(errFresh)
		return errReconnect
	case err != nil:
		e.log.Warn("refuse rows", "device", fmt.Sprintf("%x", d[:4]), "error", err)
		return err
	}
	if b.Head != nil {
		if e.peers.heard == nil {
			e.peers.heard = map[DeviceID]bool{}
		}
		e.peers.heard[d] = true
	}
	if e.pull.missing && len(b.Rows) > 0 {
		e.retryPull() // what changed while it was read is told anew
	}
	if !e.scan.after.IsZero() && len(b.Rows) > 0 {
		e.scan.after = time.Now().Add(freshWait) // they are coming
	}
	return nil
}

// dropRemotes forgets links to devices that are no members any more.
func (e *engine) dropRemotes() {
	for d, cs := range e.peers.remotes {
		if _, ok := e.members[d]; ok {
			continue
		}
		for _, c := range cs {
			c.lost = true
			c.cancel(ErrNotMember)
		}
		delete(e.peers.remotes, d)
		delete(e.peers.heard, d)
	}
}

// unlink has every feed taken anew, from the engine that comes after this one.
func (e *engine) unlink() {
	for _, cs := range e.peers.remotes {
		for _, c := range cs {
			c.cancel(errReconnect)
		}
	}
	close(e.committed)
}

// waitsForWriter is true while a fresh index has not heard of a writer what it
// has, and may still do so soon.
func (e *engine) waitsForWriter(now time.Time) bool {
	s := &e.scan
	if s.after.IsZero() {
		return false
	}
	writers, heard := 0, 0
	for d, m := range e.members {
		if m.Role != ReadWrite || m.Invited {
			continue
		}
		writers++
		if e.peers.heard[d] {
			heard++
		}
	}
	if writers > 0 && heard == 0 && now.Before(s.after) {
		return true
	}
	s.after = time.Time{}
	return false
}

// call runs fn on the event loop and returns when it is done.
func (f *Folder) call(ctx context.Context, fn func(*engine)) error {
	done := make(chan struct{})
	call := func(e *engine) {
		fn(e)
		close(done)
	}
	select {
	case f.calls <- call:
		<-done
		return nil
	case <-f.ended:
		return ErrEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}
