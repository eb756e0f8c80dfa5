// Package foldertest has what tests need instead of real disks and people: a
// [folder.Tree] in memory that fails on demand, forgets what was not synced
// when its power is cut, and knows no time but the caller's; users who change
// files; and the test that each Tree must pass. It does not know the engine
// above the Tree.
package foldertest

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"foldpost/app/folder"
)

// Options of a [Tree].
type Options struct {
	Size        int64         // of the disk in bytes; 0: 1 GiB
	Granularity time.Duration // of file times; 0: each change has a time of its own
	Seed        uint64        // of what a crash loses
}

// A Tree is a [folder.Tree] in memory. Its time is time.Now, so in a bubble of
// testing/synctest it is the bubble's.
type Tree struct {
	opts Options

	mu      sync.Mutex
	disk    *disk // nil: nothing is mounted
	faults  []*Fault
	watches map[*watch]bool
	off     bool // after Crash: every method fails
}

var _ folder.Tree = (*Tree)(nil)

// NewTree returns an empty tree that was never marked.
func NewTree(opts Options) *Tree {
	if opts.Size == 0 {
		opts.Size = 1 << 30
	}
	return &Tree{opts: opts, disk: newDisk(opts)}
}

// ErrOff is what every method of a tree says after Crash.
var ErrOff = errors.New("power is off")

// do runs one operation on the disk, with the faults that were ordered for it.
func (t *Tree) do(op string, p folder.Path, write bool, run func(*disk) error) error {
	err := t.fault(op, p)
	if err == nil {
		err = t.locked(op, write, run)
	}
	if err != nil {
		return fmt.Errorf("%s %q: %w", op, p, err)
	}
	return nil
}

func (t *Tree) locked(op string, write bool, run func(*disk) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.off:
		return ErrOff
	case t.disk == nil:
		return folder.ErrNoRoot
	case write && t.disk.readOnly:
		return errReadOnly
	}
	defer t.notify()
	return run(t.disk)
}

// Root implements [folder.Tree].
func (t *Tree) Root() (id folder.RootID, err error) {
	err = t.do("Root", "", false, func(d *disk) error {
		id = folder.RootID{Dev: d.dev, Ino: d.root.ino}
		if own := d.root.kids[folder.OwnDir]; own != nil && own.kids["folder"] != nil {
			id.Marker = string(own.kids["folder"].data)
		}
		return nil
	})
	return id, err
}

// Mark implements [folder.Tree].
func (t *Tree) Mark(marker string) error {
	return t.do("Mark", "", true, func(d *disk) error {
		own := d.makeDir(d.root, folder.OwnDir, 0o700)
		d.makeDir(own, "stage", 0o700)
		d.makeDir(own, "trash", 0o700)
		n := d.newNode(folder.File, 0o600)
		d.setData(n, []byte(marker))
		d.save(n)
		d.name(slot{own, "folder", n})
		d.saveNames(own)
		d.saveNames(d.root)
		return nil
	})
}

// Free implements [folder.Tree].
func (t *Tree) Free() (n int64, err error) {
	err = t.do("Free", "", false, func(d *disk) error {
		n = max(0, d.size-d.used)
		return nil
	})
	return n, err
}

// Close implements [folder.Tree].
func (t *Tree) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.off = true
	return nil
}

// Crash cuts the power: this tree fails from now on, and the one returned is
// what a new start finds. Of what was not synced some is lost: names that were
// made, changed or removed, so that no directory entry is half a change and
// none is there without those before it; content and times of files, in part
// or as zeros. What users did is never lost.
func (t *Tree) Crash() *Tree {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.off = true
	opts := t.opts
	opts.Seed = opts.Seed*6364136223846793005 + 1442695040888963407 // another one for the next crash
	if t.disk != nil {
		t.disk.crash(t.opts.Seed)
	}
	for w := range t.watches {
		w.wake()
	}
	return &Tree{opts: opts, disk: t.disk}
}

// SetReadOnly makes every change of the program fail, as on a disk that was
// mounted so. Users go on.
func (t *Tree) SetReadOnly(on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.disk.readOnly = on
}

// SetFree leaves so many bytes on the disk.
func (t *Tree) SetFree(n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.disk.size = t.disk.used + n
}

// A Volume is what can be mounted.
type Volume struct{ disk *disk }

// Unmount takes the disk away: folder.ErrNoRoot.
func (t *Tree) Unmount() Volume {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := Volume{t.disk}
	t.disk = nil
	return v
}

// Mount puts another disk, or one that was unmounted, under the root's name.
func (t *Tree) Mount(v Volume) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.disk = v.disk
}

// NewVolume returns an empty disk.
func NewVolume(opts Options) Volume { return Volume{NewTree(opts).disk} }

// errStage keeps a missing stage file apart from a missing path.
func errStage(name string) error { return fmt.Errorf("stage %s: %w", name, fs.ErrNotExist) }
