package mail

import (
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"foldpost/p2p"
)

func testLink() InviteLink {
	return InviteLink{Payload: testInvitation(), Salt: testSalt, Secret: p2p.LinkSecret(seq[[16]byte](0xe0))}
}

func mustReveal(t testing.TB, l InviteLink) string {
	t.Helper()
	s, err := l.Reveal()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLinkRoundTrip(t *testing.T) {
	s := mustReveal(t, testLink())
	if got, err := ParseLink(s); err != nil || !reflect.DeepEqual(got, testLink()) {
		t.Errorf("ParseLink(Reveal()) = %#v, %v", got.Payload, err)
	}
	if got, err := ParseLink("FoldPost:" + strings.TrimPrefix(s, "foldpost:")); err != nil || !reflect.DeepEqual(got, testLink()) {
		t.Errorf("ParseLink of a scheme in capitals = %v", err)
	}
}

func TestParseLinkRefuses(t *testing.T) {
	good := mustReveal(t, testLink())
	b, err := testLink().encode()
	if err != nil {
		t.Fatal(err)
	}
	noSecret, err := testInvitation().encode(func(*payload) {})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := testAnswer().encode(func(w *payload) { w.Secret[0] = 1 })
	if err != nil {
		t.Fatal(err)
	}
	link := func(b []byte) string { return linkPrefix + base64.RawURLEncoding.EncodeToString(b) }
	for _, tt := range []struct{ name, in, says string }{
		{"empty", "", "begin"},
		{"another scheme", "https://foldpost.example/" + good, "begin"},
		{"a peer's uri", "foldpost://id@203.0.113.7:41000", "begin"},
		{"an option", "foldpost:--home=//evil/share", "begin"},
		{"version 2", strings.Replace(good, ":1/", ":2/", 1), "version 2"},
		{"query", good + "?share=/etc", "options"},
		{"fragment", good + "#x", "options"},
		{"percent", good[:20] + "%2F" + good[23:], "options"},
		{"padding", good + "=", "options"},
		{"second argument", good + " --home //evil/share", "more than"},
		{"line end", good + "\n", "more than"},
		{"line end inside", good[:40] + "\n" + good[40:], "more than"},
		{"standard alphabet", good[:20] + "+" + good[21:], "changed"},
		{"cut short", good[:len(good)-8], "changed"},
		{"only the beginning", "foldpost:1/", "changed"},
		{"something behind", link(append(slices.Clone(b), 0)), "changed"},
		{"no secret", link(noSecret), "no secret"},
		{"an answer", link(answer), "answer"},
		{"too long", "foldpost:1/" + strings.Repeat("A", MaxLink), "at most"},
		{"five bytes", link([]byte{0xdf, 0xff, 0xff, 0xff, 0xff}), "changed"},
	} {
		_, err := ParseLink(tt.in)
		if !errors.Is(err, ErrLink) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: ParseLink = %v, want ErrLink saying %q", tt.name, err, tt.says)
		}
		if err != nil && strings.Contains(err.Error(), "e0e1") {
			t.Errorf("%s: the error shows the secret: %v", tt.name, err)
		}
	}
}

func TestLinkHidesItself(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(verb, testLink()); s != "***" {
			t.Errorf("Sprintf(%q, link) = %q, want ***", verb, s)
		}
	}
}

func TestRevealRefuses(t *testing.T) {
	for name, change := range map[string]func(*InviteLink){
		"an answer":       func(l *InviteLink) { l.Payload = testAnswer() },
		"no secret":       func(l *InviteLink) { l.Secret = p2p.LinkSecret{} },
		"wrong signature": func(l *InviteLink) { l.Payload.StaticSig[0]++ },
		"more than 4 KiB": func(l *InviteLink) {
			l.Payload.Folders = slices.Repeat([]FolderOffer{{Name: strings.Repeat("x", 256)}}, 16)
		},
		"without any token": func(l *InviteLink) { l.Payload.Token = p2p.Token{} },
	} {
		l := testLink()
		change(&l)
		if s, err := l.Reveal(); err == nil {
			t.Errorf("Reveal of a link with %s = %q", name, s)
		}
	}
}

func FuzzParseLink(f *testing.F) {
	f.Add(mustReveal(f, testLink()))
	f.Add("foldpost:1/3_____8")
	f.Fuzz(func(t *testing.T, s string) {
		l, err := ParseLink(s)
		if err != nil {
			return
		}
		again, err := ParseLink(mustReveal(t, l))
		if err != nil || !reflect.DeepEqual(again, l) {
			t.Errorf("ParseLink(Reveal(ParseLink(%q))) = %v, %v", s, again.Payload, err)
		}
	})
}

// TestLinkHasOneSpelling sets bits of the last character that stand for
// nothing.
func TestLinkHasOneSpelling(t *testing.T) {
	for _, person := range []string{"", "A", "Ad"} { // so that two of three have such bits
		l := testLink()
		l.Payload.Person = person
		good := mustReveal(t, l)
		last := good[len(good)-1]
		for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
			got, err := ParseLink(good[:len(good)-1] + string(c))
			if c != last && err == nil && reflect.DeepEqual(got, l) {
				t.Errorf("a link that ends in %q is also read when it ends in %q", last, c)
			}
		}
	}
}
