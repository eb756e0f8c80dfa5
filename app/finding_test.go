package app

import (
	"encoding/json"
	"net/netip"
	"regexp"
	"strings"
	"testing"
)

func TestShortAddr(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"203.0.113.7", "203.0.x.x"},
		{"192.168.1.2", "192.168.x.x"},
		{"::ffff:203.0.113.7", "203.0.x.x"},
		{"127.0.0.1", "127.0.0.1"},
		{"::1", "::1"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:…"},
		{"fe80::1%eth0", "fe80:…"},
		{"fd12:3456:789a::1", "fd12:3456:…"},
	} {
		if got := ShortAddr(netip.MustParseAddr(c.in)); got != c.want {
			t.Errorf("ShortAddr(%s) = %q, want %q", c.in, got, c.want)
		}
	}
}

// TestForReport: nothing of what names people, files or homes is left.
func TestForReport(t *testing.T) {
	folder := Found(FoundFolderStopped, "Folder", "Secret Garden")
	folder.Detail = "open /home/ada/Secret Garden/roses.txt: no space"
	folder.Folder = "f0123456789"
	away := Found(FoundAway, "Name", "Ada Lovelace (Ada's laptop)", "When", "2026-11-20 10:41")
	away.Device = "d0123456789"
	away.Detail = "tried 203.0.113.7:4000, [2001:db8::7]:4000 and 2001:db8::8: at 10:41:07\n"
	mail := Found(FoundMailboxBad, "Mail", "ada@example.org", "Problem", "mail.example.org (198.51.100.9) refused <ada@example.org>.")
	through := Found(FoundLinkedRelay, "Name", "Ada's laptop", "Through", "ada@example.org (Ada's nas)", "RTT", "3.1")
	for _, f := range []Finding{folder, away, mail, through} {
		b, err := json.Marshal(f.ForReport())
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"Garden", "roses", "home", "Lovelace", "laptop", "ada", "113.7", "db8::7", "db8::8", "100.9"} {
			if strings.Contains(string(b), secret) {
				t.Errorf("ForReport() of %s has %q in it: %s", f.Reason, secret, b)
			}
		}
	}
	if got, want := away.ForReport().Text, "device d0123456 does not answer"; !strings.HasPrefix(got, want) {
		t.Errorf("ForReport().Text = %q, want %q first", got, want)
	}
	if got, want := away.ForReport().Detail, "tried 203.0.x.x, 2001:db8:… and 2001:db8:…: at 10:41:07\n"; got != want {
		t.Errorf("ForReport().Detail = %q, want %q", got, want)
	}
	if got, want := mail.ForReport().Text, "The e-mail account …@example.org does not work: mail.example.org (198.51.x.x) refused <…@example.org>."; got != want {
		t.Errorf("ForReport().Text = %q, want %q", got, want)
	}
	if !strings.Contains(folder.Text, "Garden") {
		t.Error("ForReport() changed the finding itself")
	}
}

// TestWordings: whole sentences; what is wrong has advice.
func TestWordings(t *testing.T) {
	sentence := regexp.MustCompile(`^(\p{Lu}|\{\{).*[.}]$`)
	for r, w := range wordings {
		if !sentence.MatchString(w.Text) || w.Area == "" || !w.OK && w.Advice == "" || strings.Contains(w.Text+w.Advice, "foldpost ") {
			t.Errorf("%s: %+v, want an area, a sentence, advice where it is wrong, and no command in them", r, w)
		}
	}
}
