package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// same is true where nothing was written between two looks at a path. A
// directory's times tell of what is in it, so they do not count.
func same(a, b Stat) bool {
	if a.Kind != b.Kind || a.Kind == Nothing {
		return a.Kind == b.Kind
	}
	if a.Kind == Dir {
		return a.Dev == b.Dev && a.Ino == b.Ino
	}
	return sameInode(a, b) && a.CTime == b.CTime
}

// sameInode is same for a file that got or lost a name, which changes ctime.
func sameInode(a, b Stat) bool {
	return sameContent(a, b) && a.MTime == b.MTime && a.Dev == b.Dev && a.Ino == b.Ino
}

// sameContent is same for a copy, as far as a file system can tell.
func sameContent(a, b Stat) bool {
	return a.Kind == b.Kind && a.Size == b.Size && (a.MTime == b.MTime || a.Kind == Link)
}

// Put implements [Tree].
func (t *diskTree) Put(p Path, old Stat, stage string) (Stat, *Kept, error) {
	st, kept, err := t.put(p, old, stage)
	if err != nil {
		return Stat{}, nil, fmt.Errorf("put %q: %w", p, err)
	}
	return st, kept, nil
}

func (t *diskTree) put(p Path, old Stat, name string) (Stat, *Kept, error) {
	if err := checkStageName(name); err != nil {
		return Stat{}, nil, err
	}
	root, err := t.hold()
	if err != nil {
		return Stat{}, nil, err
	}
	defer t.mu.RUnlock()
	stage, err := root.stage()
	if err != nil {
		return Stat{}, nil, err
	}
	defer stage.Close()
	return t.place(root, p, old, staged{stage, name})
}

// PutLink implements [Tree].
func (t *diskTree) PutLink(p Path, old Stat, target string) (Stat, *Kept, error) {
	st, kept, err := t.putLink(p, old, target)
	if err != nil {
		return Stat{}, nil, fmt.Errorf("put link %q: %w", p, err)
	}
	return st, kept, nil
}

func (t *diskTree) putLink(p Path, old Stat, target string) (Stat, *Kept, error) {
	if err := CheckTarget(p, target); err != nil {
		return Stat{}, nil, fmt.Errorf("%w: %w", ErrLeftOut, err)
	}
	root, err := t.hold()
	if err != nil {
		return Stat{}, nil, err
	}
	defer t.mu.RUnlock()
	stage, err := root.stage()
	if err != nil {
		return Stat{}, nil, err
	}
	defer stage.Close()
	s := staged{stage, "link-" + randomHex()}
	if err := stage.Symlink(target, s.name); err != nil {
		return Stat{}, nil, sysErr(err)
	}
	st, kept, err := t.place(root, p, old, s)
	if err != nil {
		stage.Remove(s.name)
	}
	return st, kept, err
}

// A staged is a name in the stage that is to become a path's content.
type staged struct {
	*dirAt
	name string
}

// place gives p what is staged.
func (t *diskTree) place(root *dirAt, p Path, old Stat, s staged) (Stat, *Kept, error) {
	info, err := s.Lstat(s.name)
	if err != nil {
		return Stat{}, nil, fmt.Errorf("stage %s: %w", s.name, bare(err))
	}
	dir, at, err := root.find(p, old)
	if err != nil {
		return Stat{}, nil, err
	}
	defer dir.Close()
	var kept *Kept
	switch old.Kind {
	case File, Link:
		kept, err = t.replace(root, p, dir, at, s)
	case Dir:
		if err = dir.removeDir(at.name); err != nil {
			return Stat{}, nil, err
		}
		fallthrough
	default:
		err = dir.unlocked(func() error { return renameNew(s.dirAt, s.name, dir, at.name) })
	}
	if errors.Is(err, fs.ErrExist) {
		err = ErrChanged
	}
	if err != nil {
		return Stat{}, nil, sysErr(err)
	}
	return dir.placed(at.name, statOf(info)), kept, nil
}

// placed looks at what was just put. The state before that is told where
// somebody wrote since, so that a scan will see the difference.
func (d *dirAt) placed(name string, put Stat) Stat {
	info, err := d.Lstat(name)
	if err != nil {
		return put
	}
	if st := statOf(info); sameInode(st, put) {
		return st
	}
	return put
}

// find opens p's directory and makes sure that p is old.
func (d *dirAt) find(p Path, old Stat) (*dirAt, onDisk, error) {
	dir, name, err := d.parent(p)
	if err != nil {
		return nil, onDisk{}, err
	}
	at, err := dir.lookup(name)
	switch {
	case err != nil:
	case at.info != nil && at.Kind == Nothing:
		err = fmt.Errorf("%w: %s", ErrLeftOut, special(at.info.Mode()))
	case !same(at.Stat, old):
		err = ErrChanged
	case at.info == nil:
		err = at.free()
	}
	if err != nil {
		dir.Close()
		return nil, onDisk{}, err
	}
	return dir, at, nil
}

// replace puts what is staged in the place of a file or link, which stays in
// the trash. Where the system can exchange two names at once, even a program
// that saves between our look and our rename loses nothing: what comes out is
// looked at, and goes back if it is not what was kept.
func (t *diskTree) replace(root *dirAt, p Path, dir *dirAt, at onDisk, s staged) (*Kept, error) {
	b, err := t.linkOld(root, p, dir, at)
	if err != nil {
		return nil, err
	}
	swap := func() error {
		return dir.unlocked(func() error { return exchange(s.dirAt, s.name, dir, at.name) })
	}
	put, err := s.Lstat(s.name)
	open, _ := s.openFile(s.name) // while it is, no new file gets its inode number
	defer open.Close()
	if err == nil {
		err = swap()
	}
	switch {
	case err == nil:
		err = t.checkOut(root, p, at, s, statOf(put), swap)
	case errors.Is(err, errors.ErrUnsupported):
		open.Close() // some systems do not rename open files
		err = dir.unlocked(func() error { return rename(s.dirAt, s.name, dir, at.name) })
	case errors.Is(err, fs.ErrNotExist):
		err = ErrChanged
	}
	if err != nil {
		b.drop()
		return nil, err
	}
	return b.settle(), nil
}

// checkOut removes what came out of the exchange if it is at, of which the
// trash has a name. Else it exchanges again: ErrChanged. If something else
// than put comes out of that, then p was written once more meanwhile: the
// newest goes back, and the one before into the trash.
func (t *diskTree) checkOut(root *dirAt, p Path, at onDisk, s staged, put Stat, swap func() error) error {
	info, err := s.Lstat(s.name)
	switch {
	case errors.Is(err, fs.ErrNotExist): // file systems in user space have taken it for a plain rename
		return nil
	case err != nil:
		return err
	case sameInode(statOf(info), at.Stat):
		return s.Remove(s.name)
	}
	if err := swap(); err != nil {
		return t.rescue(root, p, s, err)
	}
	if info, err = s.Lstat(s.name); err == nil && sameInode(statOf(info), put) {
		return ErrChanged
	}
	return t.rescue(root, p, s, swap())
}

// rescue keeps in the trash what a user wrote and the stage holds now.
func (t *diskTree) rescue(root *dirAt, p Path, s staged, cause error) error {
	b, err := t.newBin(root, p, func(b bin) error { return renameNew(s.dirAt, s.name, b.dirAt, b.name) })
	if err != nil {
		return errors.Join(ErrChanged, cause, err)
	}
	b.Close()
	return errors.Join(ErrChanged, cause)
}

// Remove implements [Tree].
func (t *diskTree) Remove(p Path, old Stat) (*Kept, error) {
	kept, err := t.remove(p, old)
	if err != nil {
		return nil, fmt.Errorf("remove %q: %w", p, err)
	}
	return kept, nil
}

func (t *diskTree) remove(p Path, old Stat) (*Kept, error) {
	if old.Kind != File && old.Kind != Link {
		return nil, ErrChanged
	}
	root, err := t.hold()
	if err != nil {
		return nil, err
	}
	defer t.mu.RUnlock()
	dir, at, err := root.find(p, old)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	b, err := t.newBin(root, p, func(b bin) error {
		return dir.unlocked(func() error { return renameNew(dir, at.name, b.dirAt, b.name) })
	})
	if err != nil {
		return nil, sysErr(err)
	}
	if err := b.checkMoved(dir, at); err != nil {
		b.Close()
		return nil, err
	}
	return b.settle(), nil
}

// checkMoved makes sure that what was moved into the place is what was to be
// removed, and gives it back otherwise. A file with other names becomes one of
// its own.
func (b *bin) checkMoved(dir *dirAt, at onDisk) error {
	info, err := b.Lstat(b.name)
	if err != nil {
		return sysErr(err)
	}
	b.kept.Stat = statOf(info)
	if !sameInode(b.kept.Stat, at.Stat) {
		if err := dir.unlocked(func() error { return renameNew(b.dirAt, b.name, dir, at.name) }); err != nil {
			return fmt.Errorf("%w, and what was there is in the trash as %q: %w", ErrChanged, b.kept.Name, bare(err))
		}
		return ErrChanged
	}
	if at.Kind != File || b.kept.Stat.NLink == 1 {
		return nil
	}
	own := bin{b.dirAt, b.name + "-" + randomHex()[:6], Kept{}}
	moved := onDisk{name: b.name, info: info, Stat: b.kept.Stat}
	if err := copyFile(b.dirAt, moved, own); err != nil {
		return nil // it stays under its other names too; a second look tells of changes
	}
	if err := b.Rename(own.name, b.name); err != nil {
		b.Remove(own.name)
		return nil
	}
	if info, err := b.Lstat(b.name); err == nil {
		b.kept.Stat = statOf(info)
	}
	return nil
}

// Mkdir implements [Tree].
func (t *diskTree) Mkdir(p Path, bits uint32) (Stat, error) {
	st, err := t.mkdir(p, bits)
	if err != nil {
		return Stat{}, fmt.Errorf("make directory %q: %w", p, err)
	}
	return st, nil
}

func (t *diskTree) mkdir(p Path, bits uint32) (Stat, error) {
	root, err := t.hold()
	if err != nil {
		return Stat{}, err
	}
	defer t.mu.RUnlock()
	dir, name, err := root.parent(p)
	if err != nil {
		return Stat{}, err
	}
	defer dir.Close()
	at, err := dir.lookup(name)
	if err != nil {
		return Stat{}, err
	}
	if at.info == nil {
		if err := at.free(); err != nil {
			return Stat{}, err
		}
		err := dir.unlocked(func() error { return dir.Mkdir(at.name, fs.FileMode(bits&0o777)) })
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return Stat{}, sysErr(err)
		}
		if at, err = dir.lookup(name); err != nil {
			return Stat{}, err
		}
	}
	if at.Kind != Dir {
		return Stat{}, ErrChanged
	}
	return dir.chmod(at, bits)
}

// Chmod implements [Tree].
func (t *diskTree) Chmod(p Path, old Stat, bits uint32) (Stat, error) {
	st, err := t.chmod(p, old, bits)
	if err != nil {
		return Stat{}, fmt.Errorf("set bits of %q: %w", p, err)
	}
	return st, nil
}

func (t *diskTree) chmod(p Path, old Stat, bits uint32) (Stat, error) {
	root, err := t.hold()
	if err != nil {
		return Stat{}, err
	}
	defer t.mu.RUnlock()
	dir, at, err := root.find(p, old)
	if err != nil {
		return Stat{}, err
	}
	defer dir.Close()
	if at.Kind != File && at.Kind != Dir || at.Bits != old.Bits {
		return Stat{}, ErrChanged
	}
	return dir.chmod(at, bits)
}

// chmod leaves the bits above 0777 alone: they are this system's business.
func (d *dirAt) chmod(at onDisk, bits uint32) (Stat, error) {
	if at.Bits == bits&0o777 {
		return at.Stat, nil
	}
	above := at.info.Mode() & (fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)
	if err := d.Root.Chmod(at.name, above|fs.FileMode(bits&0o777)); err != nil {
		return Stat{}, sysErr(err)
	}
	info, err := d.Lstat(at.name)
	if err != nil {
		return Stat{}, sysErr(err)
	}
	st := statOf(info)
	if st.Kind != at.Kind || st.Dev != at.Dev || st.Ino != at.Ino || st.Kind == File && !sameInode(st, at.Stat) {
		return Stat{}, ErrChanged
	}
	return st, nil
}

// Rmdir implements [Tree].
func (t *diskTree) Rmdir(p Path) error {
	if err := t.rmdir(p); err != nil {
		return fmt.Errorf("remove directory %q: %w", p, err)
	}
	return nil
}

func (t *diskTree) rmdir(p Path) error {
	root, err := t.hold()
	if err != nil {
		return err
	}
	defer t.mu.RUnlock()
	dir, name, err := root.parent(p)
	if err != nil {
		return err
	}
	defer dir.Close()
	at, err := dir.lookup(name)
	switch {
	case err != nil:
		return err
	case at.info == nil:
		return ErrGone
	case at.Kind != Dir:
		return ErrChanged
	}
	return dir.removeDir(at.name)
}

func (d *dirAt) removeDir(name string) error {
	err := d.unlocked(func() error { return removeDir(d, name) })
	switch {
	case isNotEmpty(err):
		return ErrNotEmpty
	case errors.Is(err, syscall.ENOTDIR):
		return ErrChanged
	}
	return sysErr(err)
}

// unlocked runs an operation on a name of the directory. A directory whose
// bits keep even its owner from that (they may come from another device) gets
// write permission for the moment.
func (d *dirAt) unlocked(op func() error) error {
	err := op()
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	info, serr := d.Lstat(".")
	if serr != nil || info.Mode()&0o300 == 0o300 {
		return err
	}
	if d.Root.Chmod(".", info.Mode()|0o700) != nil {
		return err
	}
	defer d.Root.Chmod(".", info.Mode())
	return op()
}
