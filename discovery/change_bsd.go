//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package discovery

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// systemNotices hears of changes on a routing socket (route(4)).
func systemNotices(ctx context.Context, notice func(lost link)) error {
	fd, err := unix.Socket(unix.AF_ROUTE, unix.SOCK_RAW, unix.AF_UNSPEC)
	if err != nil {
		return fmt.Errorf("hear of network changes: %w", err)
	}
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		return errors.Join(fmt.Errorf("hear of network changes: %w", err), unix.Close(fd))
	}
	f := os.NewFile(uintptr(fd), "route")
	defer f.Close()
	defer context.AfterFunc(ctx, func() { f.Close() })()
	b := make([]byte, 1<<16)
	for {
		n, err := f.Read(b) // one message: length, version, type
		if err != nil && !errors.Is(err, syscall.ENOBUFS) {
			return fmt.Errorf("hear of network changes: %w", err)
		}
		if err != nil || n < 4 {
			notice(anyLink)
			continue
		}
		switch b[3] {
		case unix.RTM_DELADDR:
			notice(anyLink)
		case unix.RTM_NEWADDR, unix.RTM_IFINFO, unix.RTM_ADD, unix.RTM_DELETE, unix.RTM_CHANGE:
			notice(0)
		}
	}
}
