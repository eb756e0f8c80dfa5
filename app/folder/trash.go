package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The trash holds TIME/PATH, where TIME is when it was replaced or deleted,
// with a number behind it when the path was kept before in the same second.
// So people find things there without this program.
const trashTime = "20060102T150405Z"

// maxSameSecond is how often one path is kept in a second. It stays below what
// would add up to another second in [Kept.At].
const maxSameSecond = 999

// trashNames is what is remembered of names in the trash.
type trashNames struct {
	mu      sync.Mutex
	touched map[string]bool // directories that got names since the last Sync, in disk names below the root
	second  time.Time
	tried   map[Path]int // numbers that are taken in this second
}

// number returns a number that p may be free under in this second.
func (n *trashNames) number(second time.Time, p Path) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.second.Equal(second) {
		n.second, n.tried = second, map[Path]int{}
	}
	i := n.tried[p]
	n.tried[p]++
	return i
}

func (n *trashNames) touch(rel string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.touched == nil {
		n.touched = map[string]bool{}
	}
	n.touched[rel] = true
}

func (n *trashNames) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	names := slices.Sorted(maps.Keys(n.touched))
	n.touched = nil
	return names
}

// A bin is the place in the trash for one old version.
type bin struct {
	*dirAt
	name string
	kept Kept
}

// newBin calls fill with one free place for p after another, until fill does
// not fail with fs.ErrExist. It returns the place that was filled.
func (t *diskTree) newBin(root *dirAt, p Path, fill func(bin) error) (bin, error) {
	trash, err := root.own(trashDir)
	if err != nil {
		return bin{}, err
	}
	defer trash.Close()
	for range maxSameSecond {
		now := time.Now().UTC().Truncate(time.Second)
		n := t.trash.number(now, p)
		if n >= maxSameSecond {
			break
		}
		stamp := now.Format(trashTime)
		if n > 0 {
			stamp += "-" + strconv.Itoa(n)
		}
		at := now.Add(time.Duration(n) * time.Millisecond)
		b, err := t.tryBin(trash, stamp, p, at, fill)
		if errors.Is(err, fs.ErrExist) || errors.Is(err, errNotDir) {
			continue
		}
		if err != nil {
			return bin{}, fmt.Errorf("keep in trash: %w", err)
		}
		return b, nil
	}
	return bin{}, fmt.Errorf("keep in trash: %d versions in one second", maxSameSecond)
}

func (t *diskTree) tryBin(trash *dirAt, stamp string, p Path, at time.Time, fill func(bin) error) (bin, error) {
	dir := trash
	parent, name := Path(stamp).Join(string(p)).Split()
	t.trash.touch(trash.rel)
	for part := range strings.SplitSeq(string(parent), "/") {
		sub, err := dir.makeChild(part)
		if dir != trash {
			dir.Close()
		}
		if err != nil {
			return bin{}, err
		}
		dir = sub
		t.trash.touch(dir.rel)
	}
	b := bin{dir, name, Kept{Path: p, Name: stamp + "/" + string(p), At: at}}
	if err := fill(b); err != nil {
		dir.Close()
		return bin{}, err
	}
	return b, nil
}

// linkOld keeps what is at a place in the trash, and leaves it there. A file
// that has other names is copied, because writing by them would change it.
func (t *diskTree) linkOld(root *dirAt, p Path, dir *dirAt, at onDisk) (bin, error) {
	b, err := t.newBin(root, p, func(b bin) error {
		if at.NLink > 1 && at.Kind == File {
			return copyFile(dir, at, b)
		}
		err := link(dir, at.name, b.dirAt, b.name)
		if errors.Is(err, fs.ErrNotExist) { // also when it went between lookup and link
			return ErrChanged
		}
		if err != nil && !errors.Is(err, fs.ErrExist) && cannotLink(err) {
			return copyOld(dir, at, b)
		}
		return err
	})
	if err != nil {
		return bin{}, err
	}
	info, err := b.Lstat(b.name)
	if err == nil && !sameContent(statOf(info), at.Stat) {
		err = ErrChanged
	}
	if err != nil {
		b.drop()
		return bin{}, sysErr(err)
	}
	b.kept.Stat = statOf(info)
	return b, nil
}

// drop forgets what was put into the place, and closes it.
func (b bin) drop() {
	b.Remove(b.name) // a version too many in the trash does no harm
	b.Close()
}

// settle tells what is in the place now, after what it was linked from is
// gone. Where somebody wrote into it in between, the older state is told, and
// a second look will differ.
func (b bin) settle() *Kept {
	defer b.Close()
	kept := b.kept
	if info, err := b.Lstat(b.name); err == nil {
		if st := statOf(info); sameContent(st, kept.Stat) {
			kept.Stat = st
		}
	}
	return &kept
}

func copyOld(dir *dirAt, at onDisk, b bin) error {
	if at.Kind == Link {
		target, err := dir.Readlink(at.name)
		if err != nil {
			return err
		}
		return b.Symlink(target, b.name)
	}
	return copyFile(dir, at, b)
}

// copyFile copies a file that must not change meanwhile, with its mtime, which
// tells that the copy is whole.
func copyFile(dir *dirAt, at onDisk, b bin) error {
	from, err := dir.openFile(at.name)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := b.OpenFile(b.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if err == nil {
		err = to.Chmod(fs.FileMode(at.Bits))
	}
	if err == nil {
		err = b.setMTime(b.name, to, at.MTime)
	}
	info, serr := from.Stat()
	if err == nil && (serr != nil || statOf(info) != at.Stat) {
		err = ErrChanged
	}
	if err = errors.Join(err, to.Close()); err != nil {
		b.Remove(b.name)
	}
	return err
}

// Trash implements [Tree].
func (t *diskTree) Trash() iter.Seq2[Kept, error] {
	return func(yield func(Kept, error) bool) {
		kept, err := t.allKept()
		for _, k := range kept {
			if !yield(k, nil) {
				return
			}
		}
		if err != nil {
			yield(Kept{}, fmt.Errorf("list trash: %w", err))
		}
	}
}

func (t *diskTree) allKept() ([]Kept, error) {
	root, err := t.hold()
	if err != nil {
		return nil, err
	}
	defer t.mu.RUnlock()
	trash, err := root.through(OwnDir + "/" + trashDir)
	if errors.Is(err, ErrGone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer trash.Close()
	stamps, err := trash.names()
	if err != nil {
		return nil, err
	}
	slices.Sort(stamps)
	var all []Kept
	for _, stamp := range stamps {
		at, ok := parseStamp(stamp)
		if !ok {
			continue
		}
		dir, err := trash.child(stamp)
		if err != nil {
			continue // expired meanwhile
		}
		err = dir.walk(context.Background(), "", func(p Path, st Stat) {
			all = append(all, Kept{Path: p, Name: stamp + "/" + string(p), At: at, Stat: st})
		})
		dir.Close()
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// walk calls found for each file and link below.
func (d *dirAt) walk(ctx context.Context, at Path, found func(Path, Stat)) error {
	names, err := d.names()
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		info, err := d.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return sysErr(err)
		}
		st := statOf(info)
		if st.Kind != Dir {
			found(at.Join(name), st)
			continue
		}
		sub, err := d.child(name)
		if err != nil {
			return err
		}
		err = sub.walk(ctx, at.Join(name), found)
		sub.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// parseStamp reads the time that a directory of the trash is named after.
func parseStamp(stamp string) (time.Time, bool) {
	sec, number, more := strings.Cut(stamp, "-")
	at, err := time.Parse(trashTime, sec)
	if err != nil {
		return time.Time{}, false
	}
	if !more {
		return at, true
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n >= maxSameSecond {
		return time.Time{}, false
	}
	return at.Add(time.Duration(n) * time.Millisecond), true
}

// keptAt opens the directory that an old version is in. Names come from people
// too, so they are checked like paths.
func (t *diskTree) keptAt(root *dirAt, name string) (*dirAt, string, error) {
	stamp, p, _ := strings.Cut(name, "/")
	if _, ok := parseStamp(stamp); !ok || CheckPath(Path(p)) != nil || p == "" {
		return nil, "", fmt.Errorf("%w: no such name", ErrGone)
	}
	dir, base := Path(name).Split()
	at, err := root.through(OwnDir + "/" + trashDir + "/" + string(dir))
	return at, base, err
}

// OpenKept implements [Tree].
func (t *diskTree) OpenKept(name string) (Content, error) {
	f, err := t.openKept(name)
	if err != nil {
		return nil, fmt.Errorf("open %q in trash: %w", name, err)
	}
	return diskFile{f}, nil
}

func (t *diskTree) openKept(name string) (*os.File, error) {
	root, err := t.hold()
	if err != nil {
		return nil, err
	}
	defer t.mu.RUnlock()
	dir, base, err := t.keptAt(root, name)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.openFile(base)
}

// StatKept implements [Tree].
func (t *diskTree) StatKept(name string) (Stat, error) {
	st, err := t.statKept(name)
	if err != nil {
		return Stat{}, fmt.Errorf("look at %q in trash: %w", name, err)
	}
	return st, nil
}

func (t *diskTree) statKept(name string) (Stat, error) {
	root, err := t.hold()
	if err != nil {
		return Stat{}, err
	}
	defer t.mu.RUnlock()
	dir, base, err := t.keptAt(root, name)
	if err != nil {
		return Stat{}, err
	}
	defer dir.Close()
	info, err := dir.Lstat(base)
	if err != nil {
		return Stat{}, sysErr(err)
	}
	return statOf(info), nil
}

// Expire implements [Tree].
func (t *diskTree) Expire(before time.Time) error {
	root, err := t.hold()
	if err != nil {
		return err
	}
	defer t.mu.RUnlock()
	trash, err := root.through(OwnDir + "/" + trashDir)
	if errors.Is(err, ErrGone) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("expire trash: %w", err)
	}
	defer trash.Close()
	stamps, err := trash.names()
	if err != nil {
		return fmt.Errorf("expire trash: %w", err)
	}
	var errs []error
	for _, stamp := range stamps {
		if at, ok := parseStamp(stamp); ok && at.Before(before) {
			if err := trash.RemoveAll(stamp); err != nil {
				errs = append(errs, fmt.Errorf("expire trash of %s: %w", stamp, bare(err)))
			}
		}
	}
	return errors.Join(errs...)
}
