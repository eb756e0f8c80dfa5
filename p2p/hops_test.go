package p2p

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/ipv4"
)

// A limit of hops counts for one packet, not for the socket.
func TestWriteHops(t *testing.T) {
	var conns [2]*net.UDPConn
	for i := range conns {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		conns[i] = c
	}
	in := ipv4.NewPacketConn(conns[1])
	if err := in.SetControlMessage(ipv4.FlagTTL, true); err != nil {
		t.Skipf("this system does not tell the hops that are left: %v", err)
	}
	to := conns[1].LocalAddr().(*net.UDPAddr).AddrPort()
	usual, err := ipv4.NewConn(conns[0]).TTL()
	if err != nil {
		t.Fatal(err)
	}
	for _, hops := range []int{2, 0, 5, 0} {
		want := hops
		if hops == 0 {
			want = usual
			_, err = conns[0].WriteToUDPAddrPort([]byte{1}, to)
		} else {
			err = writeHops(conns[0], []byte{1}, netip.AddrPortFrom(to.Addr().Unmap(), to.Port()), hops)
		}
		if err != nil {
			t.Fatalf("send with %d hops: %v", hops, err)
		}
		if err := in.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		_, cm, _, err := in.ReadFrom(make([]byte, 8))
		if err != nil || cm == nil || cm.TTL != want {
			t.Errorf("sent with %d hops: arrived with %+v, %v, want %d", hops, cm, err, want)
		}
	}
}
