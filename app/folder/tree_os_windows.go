package folder

import (
	"errors"
	"io/fs"
	"syscall"

	"golang.org/x/sys/windows"
)

func addSystemStat(st *Stat, info fs.FileInfo) {
	if sys, ok := info.Sys().(*syscall.Win32FileAttributeData); ok {
		st.Birth = sys.CreationTime.Nanoseconds()
	}
}

func isFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}

func isNotEmpty(err error) bool { return errors.Is(err, windows.ERROR_DIR_NOT_EMPTY) }

func freeBytes(d *dirAt) (int64, error) {
	name, err := windows.UTF16PtrFromString(d.Name())
	if err != nil {
		return 0, err
	}
	var free uint64
	err = windows.GetDiskFreeSpaceEx(name, &free, nil, nil)
	return int64(free), err
}

func cannotLink(err error) bool {
	return !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist)
}
