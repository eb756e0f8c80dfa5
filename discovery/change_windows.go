package discovery

import (
	"context"
	"fmt"
	"sync"
	"unsafe"

	"golang.org/x/sys/windows"
)

// hearers are told by Windows of each change. There is one callback for all:
// a process can make some thousands, and never frees one.
var hearers struct {
	mu   sync.Mutex
	last uintptr
	list map[uintptr]func(lost link)
}

var heard = sync.OnceValue(func() uintptr {
	return windows.NewCallback(func(_ unsafe.Pointer, _ unsafe.Pointer, kind uintptr) uintptr {
		lost := link(0)
		if uint32(kind) == windows.MibDeleteInstance {
			lost = anyLink
		}
		hearers.mu.Lock()
		defer hearers.mu.Unlock()
		for _, notice := range hearers.list {
			notice(lost) // returns at once
		}
		return 0
	})
})

// systemNotices hears of changes from the IP helper.
func systemNotices(ctx context.Context, notice func(lost link)) error {
	hearers.mu.Lock()
	hearers.last++
	id := hearers.last
	if hearers.list == nil {
		hearers.list = map[uintptr]func(lost link){}
	}
	hearers.list[id] = notice
	hearers.mu.Unlock()
	defer func() {
		hearers.mu.Lock()
		defer hearers.mu.Unlock()
		delete(hearers.list, id)
	}()
	for _, register := range []func(uint16, uintptr, unsafe.Pointer, bool, *windows.Handle) error{
		windows.NotifyUnicastIpAddressChange, windows.NotifyRouteChange2, windows.NotifyIpInterfaceChange,
	} {
		var h windows.Handle
		if err := register(windows.AF_UNSPEC, heard(), nil, false, &h); err != nil {
			return fmt.Errorf("hear of network changes: %w", err)
		}
		defer windows.CancelMibChangeNotify2(h) // waits for calls under way
	}
	<-ctx.Done()
	return ctx.Err()
}
