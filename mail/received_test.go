package mail

import (
	"net/netip"
	"testing"
)

func TestSubmittedFrom(t *testing.T) {
	for _, tt := range []struct {
		received, want string
	}{
		{"from laptop (pool.example.net [203.0.113.7]) by smtp.example.org (Postfix) with ESMTPSA id 4F2; Fri, 20 Nov 2026 11:00:00 +0000", "203.0.113.7"},
		{"from [192.168.1.5] (pool.example.net. [203.0.113.7])\r\n by smtp.example.org with ESMTPSA id x-20", "203.0.113.7"},
		{"from laptop ([IPv6:2001:db8::7]) by smtp.example.org with esmtpsa; now", "2001:db8::7"},
		{"from laptop ([::ffff:203.0.113.7]) by smtp.example.org with ESMTPA", "203.0.113.7"},
		{"from mx.other.example (mx.other.example [203.0.113.9]) by mx.example.org with ESMTPS id 1", ""}, // between providers
		{"from [203.0.113.7] by smtp.example.org with ESMTPSA", ""},                                       // its own words
		{"from laptop (unknown [192.168.1.5]) by smtp.example.org with ESMTPSA", ""},
		{"from laptop (unknown [127.0.0.1]) by smtp.example.org with ESMTPSA", ""},
		{"from laptop (unknown [fe80::1%eth0]) by smtp.example.org with ESMTPSA", ""},
		{"from laptop (unknown [203.0.113.7) by smtp.example.org with ESMTPSA", ""},
		{"from laptop (unknown [203.0.113.7]) by smtp.example.org with", ""},
		{"by smtp.example.org with HTTP", ""},
		{"", ""},
	} {
		got, ok := SubmittedFrom(Message{Received: tt.received})
		if want, _ := netip.ParseAddr(tt.want); ok != (tt.want != "") || ok && got != want {
			t.Errorf("SubmittedFrom(%q) = %v, %v, want %q", tt.received, got, ok, tt.want)
		}
	}
}

func FuzzSubmittedFrom(f *testing.F) {
	f.Add("from laptop (pool.example.net [203.0.113.7]) by smtp.example.org with ESMTPSA id 4F2")
	f.Add("from ( [ ] by with ESMTPA")
	f.Fuzz(func(t *testing.T, s string) {
		if a, ok := SubmittedFrom(Message{Received: s}); ok && (!a.IsGlobalUnicast() || a.IsPrivate()) {
			t.Errorf("SubmittedFrom(%q) = %s", s, a)
		}
	})
}
