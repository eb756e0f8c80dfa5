package node

import (
	"net/netip"
	"strings"
	"testing"

	"foldpost/p2p"
)

func TestSettingSTUN(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		ok       bool
	}{
		{"", "", true},
		{"stun.example.org", "stun.example.org:3478", true},
		{"stun.example.org:19302, 192.0.2.1", "stun.example.org:19302 192.0.2.1:3478", true},
		{"[2001:db8::1]:3478", "[2001:db8::1]:3478", true},
		{"2001:db8::1", "[2001:db8::1]:3478", true},
		{"stun.example.org:0", "", false},
		{"stun.example.org:70000", "", false},
		{"stun:stun.example.org:1", "", false},
		{"https://example.org/", "", false},
		{strings.Repeat("a.example ", 9), "", false},
	} {
		var s kept
		err := setSTUN(&s, tt.in)
		if s.STUN != tt.want || (err == nil) != tt.ok {
			t.Errorf("setSTUN(%q) = %q, %v, want %q", tt.in, s.STUN, err, tt.want)
		}
	}
}

func TestKeptCandidates(t *testing.T) {
	for _, kind := range []p2p.Kind{p2p.Host, p2p.Mapped, p2p.Reflexive} {
		a := netip.MustParseAddrPort("[2001:db8::1]:4001")
		text := candidateText(p2p.Candidate{Addr: a, Kind: kind})
		if got, k, ok := parseCandidate(text); got != a || k != kind || !ok {
			t.Errorf("parseCandidate(%q) = %v, %v, %v", text, got, k, ok)
		}
	}
	if _, _, ok := parseCandidate("check://router.example:4001"); ok {
		t.Error("a name is an address")
	}
}
