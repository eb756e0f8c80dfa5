package folder

import (
	"errors"
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"
)

func addSystemStat(st *Stat, info fs.FileInfo) {
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		st.CTime = sys.Ctimespec.Nano()
		st.Birth = sys.Birthtimespec.Nano()
		st.Dev, st.Ino = uint64(sys.Dev), sys.Ino
		st.NLink = uint32(sys.Nlink)
	}
}

// renameNew renames without replacing: fs.ErrExist.
func renameNew(from *dirAt, a string, to *dirAt, b string) error {
	err := withBoth(from, to, func(x, y int) error {
		return unix.RenameatxNp(x, a, y, b, unix.RENAME_EXCL)
	})
	if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EINVAL) {
		return linkNew(from, a, to, b)
	}
	return err
}

// exchange swaps two names at once; errors.ErrUnsupported where the file
// system can not.
func exchange(from *dirAt, a string, to *dirAt, b string) error {
	err := withBoth(from, to, func(x, y int) error {
		return unix.RenameatxNp(x, a, y, b, unix.RENAME_SWAP)
	})
	if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EINVAL) {
		return errors.ErrUnsupported
	}
	return err
}

// syncAll is nothing that this system has for one file system.
func syncAll(*dirAt) error { return errors.ErrUnsupported }
