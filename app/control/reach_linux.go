package control

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// reach returns an address of a socket in home that is short enough for the
// kernel. It is valid until done is called.
func reach(home, socket string) (path string, done func(), err error) {
	path = filepath.Join(home, socket)
	if len(path) <= maxPath {
		return path, func() {}, nil
	}
	fd, err := unix.Open(home, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", nil, fmt.Errorf("open %s: %w", home, err)
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", fd, socket), func() { unix.Close(fd) }, nil
}
