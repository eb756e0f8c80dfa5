package p2p

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"
)

// What was tried names what came of each address.
func TestTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newNATWorld(t)
		a := w.node(1, "192.0.2.1:4001", nil, withSecret(2))
		stranger := w.node(3, "192.0.2.3:4003", nil, paired())
		here := w.node(2, "192.0.2.2:4002", nil, withSecret(1))
		peer := here.id
		for addr, kind := range map[string]Kind{"192.0.2.2:4002": Host, "198.51.100.9:4001": Host, "198.51.100.8:4001": Reflexive} {
			_ = a.AddCandidate(Candidate{Peer: peer, Addr: netip.MustParseAddrPort(addr), Kind: kind, Source: "mail"}, Metadata{})
		}
		_ = a.AddCandidate(Candidate{Peer: peer, Addr: stranger.addr, Kind: Host, Source: "mail"}, Metadata{})
		here.stop()
		pass(30 * time.Second)
		got := map[string]Tried{}
		for _, k := range a.Tried(peer) {
			got[k.Addr.String()] = k
		}
		for addr, check := range map[string]func(Tried) bool{
			"198.51.100.9:4001": func(k Tried) bool {
				return k.Dials > 0 && errors.Is(k.Failed, errNoAnswer) && k.Checks > 0 && k.Answered.IsZero()
			},
			"198.51.100.8:4001": func(k Tried) bool { return k.Dials == 0 && k.Failed == nil && k.Checks > 0 },
			"192.0.2.3:4003":    func(k Tried) bool { return k.Dials > 0 && k.Failed != nil && !errors.Is(k.Failed, errNoAnswer) },
		} {
			if !check(got[addr]) {
				t.Errorf("tried %s: %+v", addr, got[addr])
			}
		}
	})
}

func TestFailure(t *testing.T) {
	write := &net.OpError{Op: "write", Net: "udp", Addr: &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}, Err: syscall.ENETUNREACH}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{context.Canceled, "<nil>"},
		{fmt.Errorf("x: %w", context.DeadlineExceeded), "no answer"},
		{&quic.IdleTimeoutError{}, "no answer"},
		{&quic.HandshakeTimeoutError{}, "no answer"},
		{write, "network is unreachable"},
	} {
		if got := fmt.Sprint(failure(tt.err)); got != tt.want {
			t.Errorf("failure(%v) = %s, want %s", tt.err, got, tt.want)
		}
	}
}
