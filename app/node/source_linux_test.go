package node

import (
	"context"
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// The wish is one that the system knows.
func TestLastingSource(t *testing.T) {
	config := net.ListenConfig{Control: lastingSource}
	c, err := config.ListenPacket(context.Background(), "udp6", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here: ", err)
	}
	defer c.Close()
	raw, err := c.(*net.UDPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Control(func(fd uintptr) {
		if v, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_ADDR_PREFERENCES); err != nil || v&preferPublic == 0 {
			t.Errorf("source address preferences = %#x, %v, want %#x among them", v, err, preferPublic)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
