package node

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"foldpost/p2p"
)

// TestWhoMoved: the connection to the mail server, and others who see us, tell
// whether it was our address that changed when a device was lost.
func TestWhoMoved(t *testing.T) {
	lost := time.Unix(1_800_000_000, 0)
	at := func(d time.Duration) time.Time { return lost.Add(d) }
	hour, sec := time.Hour, time.Second
	for _, tt := range []struct {
		name string
		e    evidence
		want verdict
	}{
		{"nobody says anything", evidence{}, undecided},
		{"mail has not answered since", evidence{since: at(-hour), alive: at(-sec)}, undecided},
		{"mail answers on the old connection", evidence{since: at(-hour), alive: at(sec)}, stayed},
		{"mail was connected anew before the loss was noticed", evidence{since: at(-20 * sec), alive: at(sec)}, mayHaveMoved},
		{"mail was connected anew", evidence{since: at(5 * sec), alive: at(6 * sec)}, mayHaveMoved},
		{"a device sees us where it did", evidence{since: at(5 * sec), alive: at(6 * sec), same: at(sec)}, stayed},
		{"a device saw us where it did before the loss", evidence{same: at(-sec)}, undecided},
		{"a device sees us elsewhere", evidence{other: at(-20 * sec), same: at(sec)}, mayHaveMoved},
		{"a device saw us elsewhere long before", evidence{other: at(-hour), since: at(-hour), alive: at(sec)}, stayed},
	} {
		l := loss{at: lost, silent: true}
		if decided := l.judge(tt.e); l.verdict != tt.want || decided != (tt.want != undecided) {
			t.Errorf("%s: judge = %v, verdict %d, want %d", tt.name, decided, l.verdict, tt.want)
		}
		if l := (loss{at: lost}); l.judge(tt.e) {
			t.Errorf("%s: a loss is judged though the other side said why", tt.name)
		}
	}
}

func TestSilentEnd(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{errors.New("timeout: no recent network activity"), true},
		{&p2p.CloseError{Code: p2p.CloseDead}, true},
		{&p2p.CloseError{Code: p2p.CloseGoingAway, Remote: true}, false},
		{&p2p.CloseError{Code: p2p.CloseRevoked}, false},
	} {
		if got := silentEnd(tt.err); got != tt.want {
			t.Errorf("silentEnd(%v) = %v, want %v", tt.err, got, tt.want)
		}
	}
}

func TestNear(t *testing.T) {
	n := &Node{addrs: func() []netip.AddrPort { return nil }}
	for addr, want := range map[string]bool{
		"192.168.1.5:4001": true, "127.0.0.1:4001": true, "[fd00::1]:4001": true, "203.0.113.7:4001": false, "[2001:db8::1]:4001": false, "": true,
	} {
		if got := n.near(&keptPeer{Last: []string{addr}}); got != want {
			t.Errorf("near(%s) = %v, want %v", addr, got, want)
		}
	}
	if !n.near(nil) || !n.near(&keptPeer{}) {
		t.Error("who never was reached is far")
	}
}
