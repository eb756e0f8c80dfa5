package discovery

import (
	"errors"
	"syscall"

	"golang.org/x/sys/windows"
)

// sharePort lets other programs that do multicast DNS have its port too.
func sharePort(_, _ string, c syscall.RawConn) error {
	var err error
	control := c.Control(func(fd uintptr) {
		err = windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_REUSEADDR, 1)
	})
	return errors.Join(control, err)
}
