package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/text/unicode/norm"
)

// watchPoll is how often a watch that does not see everything says "look
// everywhere", and tries to see more.
const watchPoll = time.Minute

// Watch implements [Tree]. The first "" says that the watch is set up, so that
// what was changed before is not missed.
func (t *diskTree) Watch(ctx context.Context, skip func(Path) bool) iter.Seq2[Path, error] {
	return func(yield func(Path, error) bool) {
		w := &watcher{tree: t, skip: skip}
		w.yield = func(p Path, err error) {
			if !w.over {
				w.over = ctx.Err() != nil || !yield(p, err)
			}
		}
		for ctx.Err() == nil && !w.over {
			w.watch(ctx)
		}
	}
}

// A watcher belongs to the goroutine that ranges over Watch.
type watcher struct {
	tree  *diskTree
	skip  func(Path) bool
	yield func(Path, error)
	over  bool // yield is not to be called any more

	told  string // the problem that was last yielded
	blind error  // why not everything is seen

	fs   *fsnotify.Watcher
	root fs.FileInfo                // what is watched under the root's name
	kids map[string]map[string]bool // watched directories by disk path, with the names of those in them
}

// watch sets up everything, and returns when that has to be done again.
func (w *watcher) watch(ctx context.Context) {
	poll := time.NewTicker(w.tree.poll)
	defer poll.Stop()
	w.blind, w.kids, w.root = nil, map[string]map[string]bool{}, nil
	fsw, err := fsnotify.NewWatcher()
	if err != nil {
		w.blind = err
		w.tell()
		w.yield("", nil)
		select {
		case <-ctx.Done():
		case <-poll.C:
		}
		return
	}
	defer fsw.Close()
	w.fs = fsw
	w.root, _ = os.Stat(w.tree.dir) // missing: see moved
	w.add(ctx, "", false)
	w.tell()
	w.yield("", nil)
	for !w.over {
		select {
		case <-ctx.Done():
			return
		case ev := <-fsw.Events:
			w.event(ctx, ev)
			w.tell()
			if _, ok := w.kids[""]; !ok && w.root != nil {
				w.root = nil
				w.yield("", nil)
			}
		case <-fsw.Errors: // events were lost
			return
		case <-poll.C:
			if w.blind != nil || w.moved() {
				return
			}
		}
	}
}

// moved is true where something else is under the root's name now.
func (w *watcher) moved() bool {
	info, err := os.Stat(w.tree.dir)
	if w.root == nil || err != nil {
		return w.root != nil || err == nil
	}
	return !os.SameFile(info, w.root)
}

// tell yields a problem once.
func (w *watcher) tell() {
	text := ""
	if w.blind != nil {
		text = w.blind.Error()
	}
	if text != w.told {
		w.told = text
		if w.blind != nil {
			w.yield("", watchProblem(w.blind))
		}
	}
}

// A watchError is a sentence for a person, and its cause.
type watchError struct {
	text  string
	cause error
}

func (e *watchError) Error() string { return e.text }
func (e *watchError) Unwrap() error { return e.cause }

// watchProblem says what a person can do.
func watchProblem(err error) error {
	text := "Changes in this folder are seen within a few minutes, not at once: the system does not let the program watch it (" + err.Error() + ")."
	switch {
	case errors.Is(err, syscall.ENOSPC):
		text = "Changes in this folder are seen within a few minutes, not at once: it has more directories than the system lets programs watch." +
			" To change that, run: sudo sysctl fs.inotify.max_user_watches=1048576"
	case errors.Is(err, syscall.EMFILE):
		text = "Changes in this folder are seen within a few minutes, not at once: too many programs watch folders." +
			" To change that, run: sudo sysctl fs.inotify.max_user_instances=1024"
	}
	return &watchError{text, err}
}

// event handles one event, whose name is that of a watched directory and
// mostly a name in it.
func (w *watcher) event(ctx context.Context, ev fsnotify.Event) {
	rel, ok := w.rel(ev.Name)
	if !ok || rel == OwnDir || strings.HasPrefix(rel, OwnDir+"/") {
		return
	}
	p := Path(norm.NFC.String(rel))
	if CheckPath(p) != nil {
		p, _ = p.Split() // the directory's list says what is left out, and why
	}
	if ev.Has(fsnotify.Remove) || ev.Has(fsnotify.Rename) {
		w.drop(rel)
	}
	if rel != "" {
		w.yield(p, nil)
	}
	if ev.Has(fsnotify.Create) && rel != "" {
		w.add(ctx, rel, true)
	}
}

func (w *watcher) abs(rel string) string {
	return filepath.Join(w.tree.dir, filepath.FromSlash(rel))
}

func (w *watcher) rel(abs string) (string, bool) {
	rel, err := filepath.Rel(w.tree.dir, abs)
	if err != nil || !filepath.IsLocal(rel) {
		return "", false
	}
	if rel == "." {
		return "", true
	}
	return filepath.ToSlash(rel), true
}

// add watches a directory and those below. They are listed after the watch is
// there, and what is found then is yielded if asked: its events came too
// early. What is not a directory (any more) is no error.
func (w *watcher) add(ctx context.Context, rel string, report bool) {
	p := Path(norm.NFC.String(rel))
	if w.over || ctx.Err() != nil || CheckPath(p) != nil || p != "" && w.skip(p) {
		return
	}
	dir, err := w.open(rel)
	if err != nil {
		return
	}
	defer dir.Close()
	// The library takes a last component "..." for a pattern; such a
	// directory is seen by scans only.
	if filepath.Base(rel) == "..." {
		return
	}
	if err := w.fs.Add(w.abs(rel)); err != nil {
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			w.blind = err
		}
		return
	}
	w.note(rel)
	entries, err := dir.entries()
	if err != nil {
		return
	}
	for _, e := range entries {
		if rel == "" && e.Name() == OwnDir {
			continue
		}
		if report {
			w.report(p, e.Name())
		}
		if e.IsDir() && !w.full() {
			w.add(ctx, joinRel(orDot(rel), e.Name()), report)
		}
	}
}

func (w *watcher) report(dir Path, name string) {
	p := dir.Join(norm.NFC.String(name))
	if CheckPath(p) != nil {
		p = dir
	}
	w.yield(p, nil)
}

// full is true when there are no more watches to be had.
func (w *watcher) full() bool { return w.blind != nil }

func orDot(rel string) string {
	if rel == "" {
		return "."
	}
	return rel
}

// open holds a directory open while it is added, if it is a real one.
func (w *watcher) open(rel string) (*dirAt, error) {
	root, err := w.tree.hold()
	if err != nil {
		return nil, err
	}
	defer w.tree.mu.RUnlock()
	if rel == "" {
		dir, err := root.OpenRoot(".")
		if err != nil {
			return nil, fmt.Errorf("open folder: %w", bare(err))
		}
		return &dirAt{Root: dir, top: root.top, rel: "."}, nil
	}
	return root.through(rel)
}

func (d *dirAt) entries() ([]fs.DirEntry, error) {
	f, err := d.Open(".")
	if err != nil {
		return nil, sysErr(err)
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	return entries, sysErr(err)
}

func (w *watcher) note(rel string) {
	if w.kids[rel] == nil {
		w.kids[rel] = map[string]bool{}
	}
	if rel != "" {
		dir, name := Path(rel).Split()
		if kids := w.kids[string(dir)]; kids != nil {
			kids[name] = true
		}
	}
}

// drop stops watching a directory that went, and those below: after a move
// their events would come by their old names.
func (w *watcher) drop(rel string) {
	kids, ok := w.kids[rel]
	if !ok {
		return
	}
	for name := range kids {
		w.drop(joinRel(orDot(rel), name))
	}
	delete(w.kids, rel)
	dir, name := Path(rel).Split()
	delete(w.kids[string(dir)], name)
	w.fs.Remove(w.abs(rel)) // mostly gone already
}
