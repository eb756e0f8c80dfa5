package folder

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// Open implements [Tree].
func (t *diskTree) Open(p Path) (Content, error) {
	f, err := t.open(p)
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", p, err)
	}
	return diskFile{f}, nil
}

func (t *diskTree) open(p Path) (*os.File, error) {
	root, err := t.hold()
	if err != nil {
		return nil, err
	}
	defer t.mu.RUnlock()
	dir, name, err := root.parent(p)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.openFile(name)
}

// openFile opens a regular file for reading.
func (d *dirAt) openFile(name string) (*os.File, error) {
	at, err := d.lookup(name)
	switch {
	case err != nil:
		return nil, err
	case at.info == nil:
		return nil, ErrGone
	case at.Kind == Nothing:
		return nil, fmt.Errorf("%w: %s", ErrLeftOut, special(at.info.Mode()))
	case at.Kind != File:
		return nil, ErrChanged
	}
	// A pipe that took the name since must not make us wait for its writer.
	f, err := d.OpenFile(at.name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, sysErr(err)
	}
	info, err := f.Stat()
	if err == nil && !os.SameFile(info, at.info) {
		err = ErrChanged
	}
	if err != nil {
		f.Close()
		return nil, sysErr(err)
	}
	return f, nil
}

// writeFile makes a small file of the program's own, or replaces it, durably
// but for the name.
func (d *dirAt) writeFile(name, content string) error {
	tmp := "new-" + randomHex()
	f, err := d.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return sysErr(err)
	}
	_, err = f.WriteString(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = d.Rename(tmp, name)
	}
	if err != nil {
		d.Remove(tmp)
	}
	return sysErr(err)
}

func randomHex() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// setMTime gives the open file its time of change by its name in d, which is
// how all systems take nanoseconds. ErrChanged where the name is not the open
// file's any more.
func (d *dirAt) setMTime(name string, f *os.File, mtime int64) error {
	open, err := f.Stat()
	if err != nil {
		return err
	}
	named, err := d.Lstat(name)
	if err != nil {
		return err
	}
	if !os.SameFile(open, named) {
		return ErrChanged
	}
	return d.Chtimes(name, time.Time{}, time.Unix(0, mtime))
}

// sync makes the directory's names durable, as far as the file system can:
// network and user-space ones often have no way to ask for it.
func (d *dirAt) sync() error {
	if !dirsSync {
		return nil
	}
	f, err := d.Open(".")
	if err != nil {
		return sysErr(err)
	}
	defer f.Close()
	err = f.Sync()
	if cannotSync(err) {
		if err = syncAll(d); cannotSync(err) {
			return nil
		}
	}
	return sysErr(err)
}

func cannotSync(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL)
}

// A diskFile is an open file as [Content].
type diskFile struct{ *os.File }

// Stat implements [Content].
func (f diskFile) Stat() (Stat, error) {
	info, err := f.File.Stat()
	if err != nil {
		return Stat{}, fmt.Errorf("look at open file: %w", bare(err))
	}
	return statOf(info), nil
}

// kindOf is Nothing for what is left out.
func kindOf(m fs.FileMode) Kind {
	switch {
	case m.IsRegular():
		return File
	case m.IsDir():
		return Dir
	case m&fs.ModeType == fs.ModeSymlink:
		return Link
	}
	return Nothing
}

// statOf reads all that the system says of a file.
func statOf(info fs.FileInfo) Stat {
	st := Stat{
		Kind:  kindOf(info.Mode()),
		Size:  info.Size(),
		MTime: info.ModTime().UnixNano(),
		NLink: 1,
	}
	if st.Kind == Dir {
		st.Size = 0
	}
	if st.Kind != Link {
		st.Bits = uint32(info.Mode().Perm())
	}
	addSystemStat(&st, info)
	return st
}
