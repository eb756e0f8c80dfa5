//go:build !linux && !darwin

package folder

import (
	"errors"
	"io/fs"
)

// These systems have no calls on two open directories that we use: paths from
// the root are walked again, and os.Root keeps them inside of it.

const dirsSync = false

func rename(from *dirAt, a string, to *dirAt, b string) error {
	return from.top.Rename(joinRel(from.rel, a), joinRel(to.rel, b))
}

func link(from *dirAt, a string, to *dirAt, b string) error {
	return from.top.Link(joinRel(from.rel, a), joinRel(to.rel, b))
}

// renameNew renames without replacing: fs.ErrExist.
func renameNew(from *dirAt, a string, to *dirAt, b string) error {
	if _, err := to.Lstat(b); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fs.ErrExist, err)
	}
	return rename(from, a, to, b)
}

// exchange is nothing these systems have.
func exchange(*dirAt, string, *dirAt, string) error { return errors.ErrUnsupported }

// removeDir removes an empty directory.
func removeDir(d *dirAt, name string) error {
	info, err := d.Lstat(name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return ErrChanged
	}
	return d.Remove(name)
}

func syncAll(*dirAt) error { return errors.ErrUnsupported }
