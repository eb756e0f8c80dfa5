package folder

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

func addSystemStat(st *Stat, info fs.FileInfo) {
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		st.CTime = sys.Ctim.Nano()
		st.Dev, st.Ino = uint64(sys.Dev), sys.Ino
		st.NLink = uint32(sys.Nlink)
	}
}

// renameNew renames without replacing: fs.ErrExist.
func renameNew(from *dirAt, a string, to *dirAt, b string) error {
	err := withBoth(from, to, func(x, y int) error {
		return unix.Renameat2(x, a, y, b, unix.RENAME_NOREPLACE)
	})
	if cannotFlag(err) {
		return linkNew(from, a, to, b)
	}
	return err
}

// exchange swaps two names at once; errors.ErrUnsupported where the file
// system can not.
func exchange(from *dirAt, a string, to *dirAt, b string) error {
	err := withBoth(from, to, func(x, y int) error {
		return unix.Renameat2(x, a, y, b, unix.RENAME_EXCHANGE)
	})
	if cannotFlag(err) {
		return errors.ErrUnsupported
	}
	return err
}

func cannotFlag(err error) bool {
	return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.ENOTSUP)
}

// syncAll waits for the whole file system, data and names.
func syncAll(d *dirAt) error {
	f, err := d.Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	return onFD(f, func(fd int) error { return os.NewSyscallError("syncfs", unix.Syncfs(fd)) })
}
