//go:build unix

package folder

import (
	"os"
	"syscall"
)

// inodeOf tells a file from a copy of it at the same place.
func inodeOf(file string) uint64 {
	fi, err := os.Stat(file)
	if err != nil {
		return 0
	}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Ino)
	}
	return 0
}
