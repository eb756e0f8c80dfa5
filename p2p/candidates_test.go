package p2p

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestUsable(t *testing.T) {
	lan := newNetwork(
		[]netip.Addr{netip.MustParseAddr("0.0.0.0"), netip.MustParseAddr("::")},
		[]Candidate{
			{Addr: netip.MustParseAddrPort("192.168.1.5:4001"), Kind: Host},
			{Addr: netip.MustParseAddrPort("[fe80::1%eth0]:4001"), Kind: Host},
		}, nil)
	local := newNetwork([]netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil, nil)
	for _, tt := range []struct {
		name string
		n    network
		addr string
		ok   bool
	}{
		{"public", lan, "8.8.8.8:4001", true},
		{"private, on-link", lan, "192.168.1.77:1024", true},
		{"private elsewhere", lan, "10.1.2.3:4001", true}, // three times
		{"port 443", lan, "8.8.8.8:443", true},
		{"IPv6", lan, "[2001:db8::1]:4001", true},
		{"own scope", lan, "[fe80::2%eth0]:4001", true},
		{"foreign scope", lan, "[fe80::2%eth1]:4001", false},
		{"no scope", lan, "[fe80::2]:4001", false},
		{"link-local IPv4", lan, "169.254.1.1:4001", false},
		{"port 25", lan, "8.8.8.8:25", false},
		{"port 0", lan, "8.8.8.8:0", false},
		{"port 1023", lan, "8.8.8.8:1023", false},
		{"unspecified", lan, "0.0.0.0:4001", false},
		{"multicast", lan, "224.0.0.251:5353", false},
		{"multicast IPv6", lan, "[ff02::fb]:5353", false},
		{"broadcast", lan, "255.255.255.255:4001", false},
		{"loopback", lan, "127.0.0.1:4001", false},
		{"loopback IPv6", lan, "[::1]:4001", false},
		{"loopback, bound to it", local, "127.0.0.1:4001", true},
		{"family without socket", local, "[2001:db8::1]:4001", false},
	} {
		err := tt.n.usable(netip.MustParseAddrPort(tt.addr))
		if (err == nil) != tt.ok || (err != nil && !errors.Is(err, errCandidate)) {
			t.Errorf("%s: usable(%s) = %v, want ok %v", tt.name, tt.addr, err, tt.ok)
		}
	}
	if err := lan.usable(netip.AddrPort{}); err == nil {
		t.Error("usable(no address) = nil")
	}
}

func TestOnLink(t *testing.T) {
	own := []Candidate{{Addr: netip.MustParseAddrPort("10.1.1.5:4001"), Kind: Host}, {Addr: netip.MustParseAddrPort("8.8.8.8:4001"), Kind: Reflexive}}
	v4 := []netip.Addr{netip.MustParseAddr("0.0.0.0")}
	for _, tt := range []struct {
		n    network
		addr string
		want bool
	}{
		{newNetwork(v4, own, nil), "10.1.1.200", true},
		{newNetwork(v4, own, nil), "10.1.2.200", false},
		{newNetwork(v4, own, nil), "8.8.8.9", false},
		{newNetwork(v4, own, nil), "127.0.0.1", true},
		{newNetwork(v4, own, []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}), "10.1.2.200", true},
	} {
		if got := tt.n.onLink(netip.MustParseAddr(tt.addr)); got != tt.want {
			t.Errorf("onLink(%s) with %v = %v, want %v", tt.addr, tt.n.prefixes, got, tt.want)
		}
	}
}

// TestWorth reads: what is known, what is dialled in which order.
func TestWorth(t *testing.T) {
	n := newNetwork([]netip.Addr{netip.MustParseAddr("0.0.0.0"), netip.MustParseAddr("::")}, []Candidate{{Addr: netip.MustParseAddrPort("192.168.1.5:4001"), Kind: Host}}, nil)
	now := time.Now()
	var s candidates
	for i, c := range []Candidate{
		{Addr: netip.MustParseAddrPort("[2001:db8::1]:4001"), Kind: Host},
		{Addr: netip.MustParseAddrPort("9.9.9.9:4001"), Kind: Relayed},
		{Addr: netip.MustParseAddrPort("9.9.9.8:4001"), Kind: Mapped},
		{Addr: netip.MustParseAddrPort("9.9.9.7:4001"), Kind: Reflexive},
		{Addr: netip.MustParseAddrPort("10.7.7.7:4001"), Kind: Host},
		{Addr: netip.MustParseAddrPort("192.168.1.9:4001"), Kind: Host},
	} {
		s.add(c, now.Add(time.Duration(i)*time.Second))
	}
	s.add(Candidate{Addr: netip.MustParseAddrPort("127.0.0.1:4001"), Kind: Host}, now) // usable once, not on this network
	order := func() string {
		var list []string
		for _, k := range s.worth(n, now) {
			list = append(list, k.Addr.Addr().String())
		}
		return strings.Join(list, " ")
	}
	if got, want := order(), "192.168.1.9 2001:db8::1 10.7.7.7 9.9.9.8 9.9.9.9"; got != want {
		t.Errorf("worth = %s, want %s", got, want)
	}
	for _, k := range s {
		k.tries = privateTries
	}
	if got, want := order(), "192.168.1.9 2001:db8::1 9.9.9.8 9.9.9.9"; got != want {
		t.Errorf("worth after three tries = %s, want %s", got, want)
	}
	if s.add(Candidate{Addr: netip.MustParseAddrPort("10.7.7.7:4001"), Kind: Host}, now.Add(time.Minute)) {
		t.Error("an address told again after a minute is worth a dial at once, want not")
	}
	if got, want := order(), "192.168.1.9 2001:db8::1 9.9.9.8 9.9.9.9"; got != want {
		t.Errorf("worth after it was told again soon = %s, want %s", got, want)
	}
	s.add(Candidate{Addr: netip.MustParseAddrPort("10.7.7.7:4001"), Kind: Host, Source: "last"}, now)
	for _, k := range s {
		k.tries = privateTries
	}
	if got, want := order(), "192.168.1.9 10.7.7.7 2001:db8::1 9.9.9.8 9.9.9.9"; got != want {
		t.Errorf("worth of a proven one = %s, want %s", got, want)
	}
	s[3].open = now
	if got, want := order(), "9.9.9.7 192.168.1.9 10.7.7.7 2001:db8::1 9.9.9.8 9.9.9.9"; got != want {
		t.Errorf("worth with a reflexive one that answered = %s, want %s", got, want)
	}
	now = now.Add(openTime)
	if got, want := order(), "192.168.1.9 10.7.7.7 2001:db8::1 9.9.9.8 9.9.9.9"; got != want {
		t.Errorf("worth some time after it answered = %s, want %s", got, want)
	}
}

func TestAtMostSixteenCandidates(t *testing.T) {
	now := time.Now()
	addr := func(i int) netip.AddrPort {
		return netip.MustParseAddrPort(fmt.Sprintf("9.9.%d.%d:4001", i/250, i%250))
	}
	var s candidates
	s.add(Candidate{Addr: addr(0), Source: "lan"}, now)
	s.prove(PeerID{}, addr(1), now)
	for i := 2; i < 10_000; i++ {
		s.add(Candidate{Addr: addr(i), Source: "mail"}, now.Add(time.Duration(i)))
	}
	if len(s) != maxCandidates {
		t.Errorf("%d candidates are kept, want %d", len(s), maxCandidates)
	}
	if s[0].Addr != addr(0) || s[1].Addr != addr(1) {
		t.Errorf("a flood of one source pushed out %v or %v", addr(0), addr(1))
	}
	for i := 20_000; i < 20_100; i++ {
		s.prove(PeerID{}, addr(i), now.Add(time.Duration(i)))
	}
	if len(s) != maxCandidates {
		t.Errorf("%d candidates are kept after many proofs, want %d", len(s), maxCandidates)
	}
}
