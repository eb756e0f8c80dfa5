package discovery

import (
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"foldpost/p2p"
)

func TestTagVector(t *testing.T) {
	var pairwise p2p.Secret
	var announcer p2p.PeerID
	for i := range pairwise {
		pairwise[i], announcer[i] = 0x11, 0x22
	}
	got := newTag(pairwise.LANKey(announcer), "aaaaaaaaaaaaaaaa", 491520)
	doc, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	if h := hex.EncodeToString(got[:]); !strings.Contains(string(doc), "tag "+h+".") {
		t.Errorf("the tag is %s, which PROTOCOL.md does not say", h)
	}
}

func TestRecognize(t *testing.T) {
	now := time.Unix(491520*3600+1800, 0)
	a, b := p2p.PeerID{1}, p2p.PeerID{2}
	secret := p2p.Secret{3}
	tests := []struct {
		name     string
		self     p2p.PeerID // who announces
		instance string
		at       time.Duration // when he did
		offset   time.Duration // his clock, as we remember it
		want     bool
	}{
		{"the peer", b, "i", 0, 0, true},
		{"an hour ago", b, "i", -time.Hour, 0, true},
		{"in an hour", b, "i", time.Hour, 0, true},
		{"two hours ago", b, "i", -2 * time.Hour, 0, false},
		{"two hours ago by a clock that is behind", b, "i", -2 * time.Hour, -2 * time.Hour, true},
		{"ourselves: each direction has a key", a, "i", 0, 0, false},
		{"another name", b, "j", 0, 0, false},
	}
	for _, tt := range tests {
		tags := tagsFor(tt.self, []Peer{{ID: p2p.PeerID{8}, Pairwise: p2p.Secret{8}}, {ID: a, Pairwise: secret}}, tt.instance, now.Add(tt.at))
		id, ok := recognize([]Peer{{ID: p2p.PeerID{9}}, {ID: b, Pairwise: secret, Offset: tt.offset}}, "i", tags, now)
		if ok != tt.want || ok && id != b {
			t.Errorf("%s: recognize = %v, %v, want %v", tt.name, id, ok, tt.want)
		}
	}
}

func TestTagsOfThoseSeenLatest(t *testing.T) {
	now := time.Unix(1e9, 0)
	var peers []Peer
	for i := range 60 {
		peers = append(peers, Peer{ID: p2p.PeerID{byte(i)}, Pairwise: p2p.Secret{byte(i)}, LastSeen: now.Add(time.Duration(i) * time.Second)})
	}
	tags := tagsFor(p2p.PeerID{99}, peers, "i", now)
	if len(tags) != maxTags {
		t.Fatalf("%d tags of 60 peers, want %d", len(tags), maxTags)
	}
	for i, p := range peers {
		had := slices.Contains(tags, newTag(p.Pairwise.LANKey(p2p.PeerID{99}), "i", hourOf(now)))
		if had != (i >= 10) {
			t.Errorf("the tag of the peer seen %d s after the first is there: %v", i, had)
		}
	}
}

func TestTextRoundTrip(t *testing.T) {
	for n := range maxTags + 1 {
		in := text{name: fmt.Sprintf(`Zoë's "laptop" \ %d = 1`, n)}
		for i := range n {
			in.tags = append(in.tags, tag{byte(i), 0xff, 0, 1})
		}
		out, ok := parseText(in.strings())
		if !ok || !out.equal(in) {
			t.Fatalf("parseText(%q) = %v, %v, want %v", in.strings(), out, ok, in)
		}
		for _, s := range in.strings() {
			if len(s) > 255 {
				t.Fatalf("a string of %d bytes with %d tags", len(s), n)
			}
		}
	}
}

func TestParseText(t *testing.T) {
	tests := []struct {
		name string
		in   []string
		ok   bool
		want string
	}{
		{"a name", []string{"v=1", "n=Anna"}, true, "Anna"},
		{"no version", []string{"n=Anna"}, false, ""},
		{"another version", []string{"v=2", "n=Anna"}, false, ""},
		{"the first of a key counts", []string{"v=1", "n=Anna", "n=Mallory"}, true, "Anna"},
		{"unknown and broken strings", []string{"", "=", "x", "v=1", "y=", "n=Anna"}, true, "Anna"},
		{"control characters", []string{"v=1", "n=A\x1b[31m\u202eb\x00"}, true, "A\ufffd[31m\ufffdb\ufffd"},
		{"half a tag", []string{"v=1", "t0=AAAA"}, false, ""},
		{"no base64", []string{"v=1", "t0=!"}, false, ""},
		{"too many tags", []string{"v=1", "t0=" + strings.Repeat("A", 600)}, false, ""},
		{"too long", []string{"v=1", "n=" + strings.Repeat("A", 1300)}, false, ""},
	}
	for _, tt := range tests {
		got, ok := parseText(tt.in)
		if ok != tt.ok || got.name != tt.want {
			t.Errorf("%s: parseText = %q, %v, want %q, %v", tt.name, got.name, ok, tt.want, tt.ok)
		}
	}
}
