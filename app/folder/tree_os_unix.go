//go:build linux || darwin

package folder

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// dirsSync says that a directory can be synced.
const dirsSync = true

func rename(from *dirAt, a string, to *dirAt, b string) error {
	return withBoth(from, to, func(x, y int) error { return unix.Renameat(x, a, y, b) })
}

// link gives a file, or a symlink itself, a second name: fs.ErrExist where
// that is taken.
func link(from *dirAt, a string, to *dirAt, b string) error {
	return withBoth(from, to, func(x, y int) error { return unix.Linkat(x, a, y, b, 0) })
}

// linkNew is renameNew for file systems that can not do it at once.
func linkNew(from *dirAt, a string, to *dirAt, b string) error {
	err := link(from, a, to, b)
	if err == nil {
		return from.Remove(a)
	}
	if !cannotLink(err) {
		return err
	}
	if _, err := to.Lstat(b); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fs.ErrExist, err)
	}
	return rename(from, a, to, b)
}

// cannotLink is true where a file system, or what protects it, gives a file no
// second name, but may let it be copied.
func cannotLink(err error) bool {
	return errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOTSUP) ||
		errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EMLINK) || errors.Is(err, unix.EXDEV)
}

func removeDir(d *dirAt, name string) error {
	f, err := d.Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	return onFD(f, func(fd int) error { return unix.Unlinkat(fd, name, unix.AT_REMOVEDIR) })
}

func freeBytes(d *dirAt) (int64, error) {
	f, err := d.Open(".")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var st unix.Statfs_t
	err = onFD(f, func(fd int) error { return unix.Fstatfs(fd, &st) })
	return int64(st.Bavail) * int64(st.Bsize), err
}

func isFull(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }

func isNotEmpty(err error) bool { return errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.EEXIST) }

// withBoth runs a call that takes two directories.
func withBoth(a, b *dirAt, call func(x, y int) error) error {
	fa, err := a.Open(".")
	if err != nil {
		return err
	}
	defer fa.Close()
	fb, err := b.Open(".")
	if err != nil {
		return err
	}
	defer fb.Close()
	return onFD(fa, func(x int) error {
		return onFD(fb, func(y int) error { return call(x, y) })
	})
}

// onFD runs a call on a descriptor, again when a signal interrupts it.
func onFD(f *os.File, call func(fd int) error) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var callErr error
	err = conn.Control(func(fd uintptr) {
		for {
			if callErr = call(int(fd)); !errors.Is(callErr, unix.EINTR) {
				return
			}
		}
	})
	return errors.Join(err, callErr)
}
