package mail_test

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/mail/mailtest"
)

// leaving is a connection that seems to leave from an address.
type leaving struct {
	net.Conn
	from *atomic.Pointer[netip.AddrPort]
}

func (l leaving) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(*l.from.Load()) }

// TestComputerThatMovedCallsAgain: the connection is dead, though nobody says
// so; one whose address is still there is asked.
func TestComputerThatMovedCallsAgain(t *testing.T) {
	here, gone := netip.MustParseAddrPort("127.0.0.1:4000"), netip.MustParseAddrPort("192.0.2.7:4000")
	for _, c := range []struct {
		name   string
		from   netip.AddrPort
		within time.Duration
	}{
		{"moved", gone, 100 * time.Millisecond},
		{"stayed", here, 20 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := provider(t)
				a := s.Account(bob)
				from := new(atomic.Pointer[netip.AddrPort])
				from.Store(&here)
				dial := a.Dial
				a.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
					conn, err := dial(ctx, network, addr)
					return leaving{conn, from}, err
				}
				calls := dials(&a)
				b := boxOf(a)
				receive(t, b)
				time.Sleep(2 * time.Minute)
				s.SetFaults(mailtest.Faults{Hang: true})
				from.Store(&c.from)
				before := calls.Load()
				b.Retry()
				began := time.Now()
				for calls.Load() == before && time.Since(began) < time.Minute {
					time.Sleep(10 * time.Millisecond)
				}
				if took := time.Since(began); took > c.within || c.from == here && took < time.Second {
					t.Errorf("called again after %s, want %s at most", took, c.within)
				}
				s.SetFaults(mailtest.Faults{})
			})
		})
	}
}
