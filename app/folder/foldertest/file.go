package foldertest

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"foldpost/app/folder"
)

// A file is an open file: of a path, of the trash or of the stage.
type file struct {
	tree *Tree
	disk *disk
	node *node
	path folder.Path // or the name in stage or trash
}

// Open implements [folder.Tree].
func (t *Tree) Open(p folder.Path) (c folder.Content, err error) {
	err = t.do("Open", p, false, func(d *disk) error {
		at, err := d.at(p)
		switch {
		case err != nil:
			return err
		case at.node == nil:
			return folder.ErrGone
		case at.kind == folder.Nothing:
			return errSpecial
		case at.kind != folder.File:
			return folder.ErrChanged
		}
		c = &file{t, d, at.node, p}
		return nil
	})
	return c, err
}

// do runs one operation on the open file, with its faults.
func (f *file) do(op string, run func(*disk) error) error {
	err := f.tree.fault(op, f.path)
	if err == nil {
		err = f.locked(op, run)
	}
	if err != nil && err != io.EOF {
		return fmt.Errorf("%s %q: %w", op, f.path, err)
	}
	return err
}

func (f *file) locked(op string, run func(*disk) error) error {
	f.tree.mu.Lock()
	defer f.tree.mu.Unlock()
	switch {
	case f.tree.off:
		return ErrOff
	case f.tree.disk != f.disk:
		return ErrIO
	case op != "Read" && f.disk.readOnly:
		return errReadOnly
	}
	defer f.tree.notify()
	return run(f.disk)
}

// ReadAt implements [io.ReaderAt].
func (f *file) ReadAt(b []byte, off int64) (n int, err error) {
	err = f.tree.fault("Read", f.path)
	if err == ErrShort {
		b = b[:len(b)/2]
	} else if err != nil {
		return 0, fmt.Errorf("Read %q: %w", f.path, err)
	}
	rerr := f.locked("Read", func(*disk) error {
		if off < int64(len(f.node.data)) {
			n = copy(b, f.node.data[off:])
		}
		if n < len(b) || err != nil {
			return io.EOF
		}
		return nil
	})
	return n, rerr
}

// Close implements [io.Closer].
func (f *file) Close() error { return nil }

// Stat implements [folder.Content].
func (f *file) Stat() (st folder.Stat, err error) {
	f.tree.mu.Lock()
	defer f.tree.mu.Unlock()
	if f.tree.off {
		return st, ErrOff
	}
	return f.disk.stat(f.node), nil
}

// A stagedFile is a file of the stage.
type stagedFile struct{ file }

// Stage implements [folder.Tree].
func (t *Tree) Stage(name string) (s folder.Staged, err error) {
	if err := checkStageName(name); err != nil {
		return nil, err
	}
	err = t.do("Stage", folder.Path(name), true, func(d *disk) error {
		stage, err := d.own("stage")
		if err != nil {
			return err
		}
		n := stage.kids[name]
		if n == nil || n.kind != folder.File || n.links != 1 {
			n = d.newNode(folder.File, 0o600)
			d.name(slot{stage, name, n})
		}
		d.chmod(n, 0o600)
		s = &stagedFile{file{t, d, n, folder.Path(name)}}
		return nil
	})
	return s, err
}

func checkStageName(name string) error {
	if name == "" || len(name) > 128 || strings.Trim(name, "0123456789abcdef") != "" {
		return fmt.Errorf("stage name %.40q", name)
	}
	return nil
}

// own returns a directory below OwnDir, which Mark must have made.
func (d *disk) own(name string) (*node, error) {
	own := d.root.kids[folder.OwnDir]
	if own == nil || own.kind != folder.Dir {
		return nil, errors.New("folder is not marked")
	}
	dir := d.makeDir(own, name, 0o700)
	if dir == nil {
		return nil, errors.New("not a directory")
	}
	return dir, nil
}

// Size implements [folder.Staged].
func (s *stagedFile) Size() (n int64, err error) {
	st, err := s.Stat()
	return st.Size, err
}

// WriteAt implements [folder.Staged].
func (s *stagedFile) WriteAt(b []byte, off int64) (n int, err error) {
	err = s.do("Write", func(d *disk) error {
		var data []byte
		if off == int64(len(s.node.data)) {
			data = append(s.node.data, b...) // readers see their shorter slice only
		} else {
			data = slices.Clone(s.node.data)
			if end := off + int64(len(b)); end > int64(len(data)) {
				data = append(data, make([]byte, end-int64(len(data)))...)
			}
			copy(data[off:], b)
		}
		n = len(b)
		if !d.setData(s.node, data) {
			n = 0
			return ErrFull
		}
		return nil
	})
	return n, err
}

// Truncate implements [folder.Staged].
func (s *stagedFile) Truncate(size int64) error {
	return s.do("Truncate", func(d *disk) error {
		data := slices.Clone(s.node.data[:min(size, int64(len(s.node.data)))])
		data = append(data, make([]byte, size-int64(len(data)))...)
		if !d.setData(s.node, data) {
			return ErrFull
		}
		return nil
	})
}

// Seal implements [folder.Staged].
func (s *stagedFile) Seal(mtime int64, bits uint32) error {
	return s.do("Seal", func(d *disk) error {
		s.node.mtime, s.node.bits, s.node.dirty = mtime, bits&0o777, true
		s.node.ctime = d.now()
		return nil
	})
}

// Discard implements [folder.Staged].
func (s *stagedFile) Discard() error {
	return s.do("Discard", func(d *disk) error {
		stage, err := d.own("stage")
		if err != nil {
			return err
		}
		if stage.kids[string(s.path)] == nil {
			return nil
		}
		d.name(slot{stage, string(s.path), nil})
		return nil
	})
}
