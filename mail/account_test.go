package mail

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for in, want := range map[string]string{
		"bob@b.test": "bob@b.test", "  Bob.Smith+x@B.Test ": "Bob.Smith+x@b.test", "o_o@sub.b.test": "o_o@sub.b.test",
		"bob@Bücher.test": "bob@xn--bcher-kva.test", "jörg@b.test": "jörg@b.test", "root@localhost": "root@localhost",
	} {
		if got, err := ParseAddress(in); err != nil || got != want {
			t.Errorf("ParseAddress(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "bob", "@b.test", "bob@", "bob@@b.test", "a@b@c.test", "Bob <bob@b.test>", "<bob@b.test>", "bob@b.test, eve@e.test", "bob b@b.test",
		"bob@b.test\r\nRCPT TO:<eve@e.test>", "bob@b.test\x00", "bob@[127.0.0.1]", "bob@b..test", "bob@-b.test", "\"a b\"@b.test", "bob@b.test(x)", strings.Repeat("x", 250) + "@b.test",
	} {
		got, err := ParseAddress(in)
		var p *Problem
		if !errors.As(err, &p) || p.Kind != NotAnAddress || p.Text == "" {
			t.Errorf("ParseAddress(%.40q) = %q, %v; want a problem %v", in, got, err, NotAnAddress)
		}
	}
}

func TestParseServer(t *testing.T) {
	for in, want := range map[string]Server{
		"imap.b.test:993":  {"imap.b.test", 993, ImplicitTLS},
		"smtp.b.test:465":  {"smtp.b.test", 465, ImplicitTLS},
		"mail.b.test:143":  {"mail.b.test", 143, StartTLS},
		"mail.b.test:587":  {"mail.b.test", 587, StartTLS},
		"127.0.0.1:15587":  {"127.0.0.1", 15587, AutoTLS},
		"[2001:db8::1]:99": {"2001:db8::1", 99, AutoTLS},
	} {
		if got, err := ParseServer(in); err != nil || got != want {
			t.Errorf("ParseServer(%q) = %+v, %v; want %+v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "b.test", ":993", "b.test:", "b.test:0", "b.test:65536", "b.test:-1", "b.test:imaps", "a b:993", "imap://b.test:993", "b.test:993:1", "x@b.test:1"} {
		if got, err := ParseServer(in); err == nil {
			t.Errorf("ParseServer(%q) = %+v, want an error", in, got)
		}
	}
}

func TestSecretDoesNotShow(t *testing.T) {
	a := Account{Address: "bob@b.test", Password: "hunter2"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T%v"} {
		if s := fmt.Sprintf(verb, a, a); strings.Contains(s, "hunter2") || strings.Contains(s, "68756e74657232") {
			t.Errorf("Sprintf(%q) = %s", verb, s)
		}
		if s := fmt.Sprintf(verb, a.Password, &a); strings.Contains(s, "hunter2") || strings.Contains(s, "68756e74657232") {
			t.Errorf("Sprintf(%q) of the password = %s", verb, s)
		}
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "account", a.Password, "all", fmt.Sprint(a))
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "account", a.Password, "struct", struct{ P Secret }{a.Password})
	if strings.Contains(log.String(), "hunter2") {
		t.Errorf("the log shows %s", log.String())
	}
	if b, err := json.Marshal(struct{ P Secret }{a.Password}); err != nil || strings.Contains(string(b), "hunter2") {
		t.Errorf("json.Marshal = %s, %v", b, err)
	}
	if string(a.Password) != "hunter2" {
		t.Error("the password is lost")
	}
}

func TestRedact(t *testing.T) {
	a := Account{Address: "bob@b.test", Password: "hunter2"}
	for _, said := range []string{"535 bad password hunter2 for bob", "got aHVudGVyMg==", "got AGJvYkBiLnRlc3QAaHVudGVyMg=="} {
		if got := a.redact(errors.New(said)).Error(); !strings.Contains(got, "***") || strings.Contains(got, "hunter2") || strings.Contains(got, "aHVudGVyMg") {
			t.Errorf("redact(%q) = %q", said, got)
		}
	}
	err := errors.New("535 no")
	if got := a.redact(err); got != err {
		t.Errorf("redact(%v) = %v, want the same error", err, got)
	}
}

func TestGuess(t *testing.T) {
	a := Guess("bob@b.test")
	if a.Address != "bob@b.test" || a.IMAP.String() != "imap.b.test:993" || a.SMTP.String() != "smtp.b.test:465" || a.IMAP.Security != ImplicitTLS || a.SMTP.Security != ImplicitTLS {
		t.Errorf("Guess(bob@b.test) = %+v", a)
	}
	if a := Guess("bob@o2.pl"); a.IMAP.String() != "poczta.o2.pl:993" || a.User != "bob" {
		t.Errorf("Guess(bob@o2.pl) = %+v, want what the table says", a)
	}
}
