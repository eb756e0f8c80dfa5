package mail

import (
	"strings"
	"testing"
)

func TestProviders(t *testing.T) {
	all, err := parseProviders(providersText)
	if err != nil || len(all) < 25 {
		t.Fatalf("parseProviders = %d providers, %v; want at least 25", len(all), err)
	}
	seen := map[string]string{}
	for _, p := range all {
		for _, d := range append(p.domains, p.mx...) {
			if d != strings.ToLower(d) || !isHostName(d) {
				t.Errorf("%s: %q is no domain in lower case", p.name, d)
			}
		}
		for _, d := range p.domains {
			if other, ok := seen[d]; ok {
				t.Errorf("%s belongs to %s and to %s", d, other, p.name)
			}
			seen[d] = p.name
		}
		if len(p.domains)+len(p.mx) == 0 {
			t.Errorf("%s has no domains", p.name)
		}
		switch p.login {
		case LoginPassword, LoginAppPassword:
			for _, s := range []Server{p.imap, p.smtp} {
				if s.Port == 0 || s.Security == AutoTLS && s.Host != "127.0.0.1" {
					t.Errorf("%s: server %s, want one that is known to be encrypted", p.name, s)
				}
			}
		case LoginNone:
			if p.imap.Port+p.smtp.Port != 0 {
				t.Errorf("%s has servers and takes no password", p.name)
			}
		default:
			t.Errorf("%s: login %q", p.name, p.login)
		}
		if p.help != "" && !strings.HasPrefix(p.help, "https://") {
			t.Errorf("%s: help %q, want an https address", p.name, p.help)
		}
	}
	for _, d := range strings.Fields("gmail.com googlemail.com outlook.com hotmail.com live.com msn.com icloud.com me.com mac.com yahoo.com aol.com gmx.de gmx.net gmx.com web.de t-online.de mailbox.org posteo.de fastmail.com zoho.com yandex.com mail.ru free.fr orange.fr laposte.net libero.it seznam.cz wp.pl o2.pl proton.me comcast.net att.net qq.com 163.com") {
		if seen[d] == "" {
			t.Errorf("%s is in no row", d)
		}
	}
}

func TestProviderLines(t *testing.T) {
	for text, want := range map[string]string{
		"  imap a.test:993":           "line 1",
		"A\n  imap a.test":            "HOST:PORT",
		"A\n  imap a.test:1\n  x y\n": `no key "x"`,
	} {
		if _, err := parseProviders(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parseProviders(%q) = %v, want an error that says %q", text, err, want)
		}
	}
}

func TestProviderOf(t *testing.T) {
	name := func(p *provider) string {
		if p == nil {
			return ""
		}
		return p.name
	}
	for host, want := range map[string]string{
		"aspmx.l.google.com.": "Google Workspace", "a-test.mail.protection.outlook.com.": "Microsoft 365", "x.olc.protection.outlook.com": "Outlook.com",
		"in1-smtp.messagingengine.com": "Fastmail", "mx.notgoogle.com": "", "google.com.e.test": "", "MX01.MAIL.ICLOUD.COM.": "iCloud",
	} {
		if got := name(providerOfMX(host)); got != want {
			t.Errorf("providerOfMX(%q) = %q, want %q", host, got, want)
		}
	}
	for server, want := range map[string]string{"imap.gmail.com:993": "Gmail", "SMTP.gmail.com:587": "Gmail", "127.0.0.1:1143": "Proton Mail", "127.0.0.1:1144": "", "imap.b.test:993": ""} {
		s, err := ParseServer(server)
		if got := name(providerOfServer(s)); got != want || err != nil {
			t.Errorf("providerOfServer(%s) = %q, %v; want %q", server, got, err, want)
		}
	}
}

func TestTypedPassword(t *testing.T) {
	for _, c := range []struct{ server, typed, want string }{
		{"imap.gmail.com:993", " abcd efgh\u00a0ijkl mnop\n", "abcdefghijklmnop"},
		{"imap.gmx.net:993", " a b ", " a b "},
		{"imap.b.test:993", "a b", "a b"},
	} {
		s, _ := ParseServer(c.server)
		if got := TypedPassword(s, c.typed); string(got) != c.want {
			t.Errorf("TypedPassword(%s, %q) = %q, want %q", c.server, c.typed, string(got), c.want)
		}
	}
}

func TestPasswordText(t *testing.T) {
	for server, says := range map[string][]string{
		"imap.gmail.com:993":   {"Gmail did not accept this password", "wants an app password, not your usual one", "Two-step", "https://myaccount.google.com/apppasswords"},
		"imap.gmx.net:993":     {"GMX did not accept", "let in first", "https://hilfe.gmx.net/"},
		"imap.b.test:993":      {"imap.b.test did not accept", "bob@b.test", "app password"},
		"imap.laposte.net:993": {"La Poste did not accept this password for bob@b.test."},
	} {
		s, _ := ParseServer(server)
		got := passwordText(Account{Address: "bob@b.test", Password: "hunter2"}, s)
		for _, want := range says {
			if !strings.Contains(got, want) {
				t.Errorf("passwordText(%s) = %q, want %q in it", server, got, want)
			}
		}
	}
}
