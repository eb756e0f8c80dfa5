package discovery

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// systemNotices hears of changes on a netlink socket (rtnetlink(7)).
func systemNotices(ctx context.Context, notice func(lost link)) error {
	f, err := openNetlink()
	if err != nil {
		return err
	}
	return hearNetlink(ctx, f, notice)
}

func hearNetlink(ctx context.Context, f *os.File, notice func(lost link)) error {
	defer f.Close()
	defer context.AfterFunc(ctx, func() { f.Close() })()
	b := make([]byte, 1<<16)
	for {
		n, err := f.Read(b)
		switch {
		case errors.Is(err, syscall.ENOBUFS): // some were dropped
			notice(anyLink)
		case err != nil:
			return fmt.Errorf("hear of network changes: %w", err)
		default:
			for _, lost := range lostLinks(b[:n]) {
				notice(lost)
			}
		}
	}
}

func openNetlink() (*os.File, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("hear of network changes: %w", err)
	}
	const groups = unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR | unix.RTMGRP_IPV4_ROUTE | unix.RTMGRP_IPV6_ROUTE
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		return nil, errors.Join(fmt.Errorf("hear of network changes: %w", err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), "netlink"), nil
}

// lostLinks returns, for each message, the link that lost its carrier or an
// address by it; 0 for other messages.
func lostLinks(b []byte) []link {
	messages, err := syscall.ParseNetlinkMessage(b)
	if err != nil {
		return []link{anyLink}
	}
	var list []link
	for _, m := range messages {
		lost := link(0)
		switch m.Header.Type {
		case unix.RTM_NEWLINK, unix.RTM_DELLINK:
			if len(m.Data) < unix.SizeofIfInfomsg {
				break
			}
			info := (*unix.IfInfomsg)(unsafe.Pointer(&m.Data[0]))
			if m.Header.Type == unix.RTM_DELLINK || info.Flags&unix.IFF_RUNNING == 0 {
				lost = link(info.Index)
			}
		case unix.RTM_DELADDR:
			if len(m.Data) >= unix.SizeofIfAddrmsg {
				lost = link((*unix.IfAddrmsg)(unsafe.Pointer(&m.Data[0])).Index)
			}
		}
		list = append(list, lost)
	}
	return list
}
