package foldertest

import (
	"context"
	"iter"
	"time"

	"golang.org/x/text/unicode/norm"

	"foldpost/app/folder"
)

// A watch is one running Watch.
type watch struct {
	paths []folder.Path
	errs  []error
	ready chan struct{} // has room for one
}

func (w *watch) wake() {
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

// changed notes a change for the watches. Names below OwnDir do not count.
func (d *disk) changed(p folder.Path) {
	if folder.CheckPath(p) == nil {
		d.events = append(d.events, p)
	}
}

// changedBelow notes a directory that appeared with everything in it.
func (d *disk) changedBelow(p folder.Path, n *node) {
	d.changed(p)
	for _, name := range sortedNames(n) {
		d.changedBelow(p.Join(norm.NFC.String(name)), n.kids[name])
	}
}

// notify hands what changed to the watches; t is locked.
func (t *Tree) notify() {
	if t.disk == nil || len(t.disk.events) == 0 {
		return
	}
	for w := range t.watches {
		w.paths = append(w.paths, t.disk.events...)
		w.wake()
	}
	t.disk.events = nil
}

// Watch implements [folder.Tree].
func (t *Tree) Watch(ctx context.Context, skip func(folder.Path) bool) iter.Seq2[folder.Path, error] {
	return func(yield func(folder.Path, error) bool) {
		w := &watch{ready: make(chan struct{}, 1), paths: []folder.Path{""}}
		w.wake()
		t.mu.Lock()
		if t.watches == nil {
			t.watches = map[*watch]bool{}
		}
		t.watches[w] = true
		t.mu.Unlock()
		defer func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			delete(t.watches, w)
		}()
		t.feed(ctx, w, skip, yield)
	}
}

func (t *Tree) feed(ctx context.Context, w *watch, skip func(folder.Path) bool, yield func(folder.Path, error) bool) {
	var poll <-chan time.Time // when something is not seen
	for {
		select {
		case <-ctx.Done():
			return
		case <-poll:
			if !yield("", nil) {
				return
			}
			continue
		case <-w.ready:
		}
		paths, errs, off := t.pending(w)
		if off {
			<-ctx.Done()
			return
		}
		for _, err := range errs {
			tick := time.NewTicker(time.Minute)
			defer tick.Stop()
			poll = tick.C
			if ctx.Err() != nil || !yield("", err) {
				return
			}
		}
		for _, p := range paths {
			if skipped(p, skip) {
				continue
			}
			if ctx.Err() != nil || !yield(p, nil) {
				return
			}
		}
	}
}

func (t *Tree) pending(w *watch) (paths []folder.Path, errs []error, off bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	paths, errs, w.paths, w.errs = w.paths, w.errs, nil, nil
	return paths, errs, t.off
}

// skipped is true for what is below a directory that is not watched.
func skipped(p folder.Path, skip func(folder.Path) bool) bool {
	for p != "" {
		if p, _ = p.Split(); p != "" && skip(p) {
			return true
		}
	}
	return false
}

// A BlindError is what Blind makes Watch say.
type BlindError struct{}

func (BlindError) Error() string {
	return "Changes in this folder are seen within a few minutes, not at once."
}

// Blind makes the running watches say that they do not see everything.
func (t *Tree) Blind() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for w := range t.watches {
		w.errs = append(w.errs, BlindError{})
		w.wake()
	}
}

// Overflow makes the running watches lose what they have not said yet.
func (t *Tree) Overflow() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for w := range t.watches {
		w.paths = []folder.Path{""}
		w.wake()
	}
}
