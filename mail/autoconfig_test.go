package mail

import (
	"strings"
	"testing"
)

func FuzzAutoconfig(f *testing.F) {
	f.Add([]byte(`<clientConfig><emailProvider><displayName>B</displayName><incomingServer type="imap"><hostname>in.%EMAILDOMAIN%</hostname><port>993</port><socketType>SSL</socketType><username>%EMAILLOCALPART%</username></incomingServer><outgoingServer type="smtp"><hostname>out.b.test</hostname><port>587</port><socketType>STARTTLS</socketType></outgoingServer></emailProvider></clientConfig>`))
	f.Add([]byte(`<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><clientConfig><emailProvider>&b;</emailProvider></clientConfig>`))
	f.Add([]byte(strings.Repeat("<a>", 20000)))
	f.Add([]byte(`<?xml version="1.0" encoding="EBCDIC"?><clientConfig/>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseAutoconfig(b, "bob", "b.test")
		if err != nil || s.Login == LoginNone {
			return
		}
		for _, server := range []Server{s.IMAP, s.SMTP} {
			if !isHostName(server.Host) || server.Security == AutoTLS {
				t.Errorf("parseAutoconfig(%q) names %+v, want an encrypted server with a host name", b, server)
			}
		}
		if oneLine(s.User) != nil || oneLine(s.Provider) != nil {
			t.Errorf("parseAutoconfig(%q) = user %q, provider %q, want them to be shown safely", b, s.User, s.Provider)
		}
	})
}

func TestAutoconfigLogin(t *testing.T) {
	file := func(in, out string) []byte {
		return []byte(`<clientConfig><emailProvider><incomingServer type="imap"><hostname>in.b.test</hostname><port>993</port><socketType>SSL</socketType>` + in +
			`</incomingServer><outgoingServer type="smtp"><hostname>out.b.test</hostname><port>465</port><socketType>SSL</socketType>` + out + `</outgoingServer></emailProvider></clientConfig>`)
	}
	for _, c := range []struct {
		in, out string
		login   Login
		user    string
	}{
		{"", "", LoginPassword, ""},
		{"<username>%EMAILADDRESS%</username>", "<username>%EMAILADDRESS%</username>", LoginPassword, ""},
		{"<username>%EMAILLOCALPART%</username>", "<username>%EMAILLOCALPART%</username>", LoginPassword, "bob"},
		{"<username>%EMAILLOCALPART%</username>", "<username>%EMAILADDRESS%</username>", LoginPassword, ""},
		{"<username>x%EMAILDOMAIN%</username>", "<username>x%EMAILDOMAIN%</username>", LoginPassword, "xb.test"},
		{"<authentication>OAuth2</authentication><authentication>password-cleartext</authentication>", "", LoginPassword, ""},
		{"<authentication>OAuth2</authentication>", "", LoginNone, ""},
		{"", "<authentication>OAuth2</authentication>", LoginNone, ""},
	} {
		got, err := parseAutoconfig(file(c.in, c.out), "bob", "b.test")
		if err != nil || got.Login != c.login || got.User != c.user {
			t.Errorf("parseAutoconfig with %s, %s = login %s, user %q, %v; want %s, %q", c.in, c.out, got.Login, got.User, err, c.login, c.user)
		}
	}
}
