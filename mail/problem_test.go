package mail_test

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/mail"
	"foldpost/mail/mailtest"
)

func TestProblemsOfConnecting(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*mail.Account, *mailtest.Server)
		kind mail.ProblemKind
		says []string // in the text
	}{
		{"works", func(*mail.Account, *mailtest.Server) {}, 0, nil},
		{"starttls works", func(a *mail.Account, s *mailtest.Server) { *a = s.StartTLSAccount(bob) }, 0, nil},
		{"login name", func(a *mail.Account, s *mailtest.Server) { a.User, a.Address = bob, "info@b.test" }, 0, nil},
		{"wrong password", func(a *mail.Account, _ *mailtest.Server) { a.Password = "hunter2" }, mail.WrongPassword, []string{"imap.b.test", bob, "app password"}},
		{"refused password", func(_ *mail.Account, s *mailtest.Server) { s.SetFaults(mailtest.Faults{WrongPassword: true}) }, mail.WrongPassword, []string{"imap.b.test"}},
		{"wrong name", func(a *mail.Account, _ *mailtest.Server) { a.IMAP.Host = "imap.e.test" }, mail.WrongCertificate, []string{"imap.e.test", "imap.a.test", "not sent"}},
		{"wrong name to send", func(a *mail.Account, _ *mailtest.Server) { a.SMTP.Host = "smtp.e.test" }, mail.WrongCertificate, []string{"smtp.e.test", "smtp.a.test", "not sent"}},
		{"wrong name, starttls", func(a *mail.Account, s *mailtest.Server) { *a = s.StartTLSAccount(bob); a.SMTP.Host = "x.test" }, mail.WrongCertificate, []string{"x.test"}},
		{"unknown authority", func(a *mail.Account, _ *mailtest.Server) { a.RootCAs = x509.NewCertPool() }, mail.WrongCertificate, []string{"imap.b.test", "not sent"}},
		{"expired", func(*mail.Account, *mailtest.Server) { time.Sleep(100 * 365 * 24 * time.Hour) }, mail.WrongCertificate, []string{"imap.b.test", "date"}},
		{"nobody there", func(_ *mail.Account, s *mailtest.Server) { s.SetFaults(mailtest.Faults{Refuse: true}) }, mail.Unreachable, []string{"imap.b.test", "993"}},
		{"wrong port", func(a *mail.Account, _ *mailtest.Server) { a.SMTP.Port = 25 }, mail.Unreachable, []string{"smtp.b.test", "25"}},
		{"no such host", func(a *mail.Account, _ *mailtest.Server) {
			a.Dial = func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "imap.b.test", IsNotFound: true}}
			}
		}, mail.Unreachable, []string{"no server imap.b.test"}},
		{"hangs", func(_ *mail.Account, s *mailtest.Server) { s.SetFaults(mailtest.Faults{Hang: true}) }, mail.Hanging, []string{"imap.b.test"}},
		{"tls where starttls is", func(a *mail.Account, s *mailtest.Server) {
			*a = s.StartTLSAccount(bob)
			a.IMAP.Security = mail.ImplicitTLS
		}, mail.OddServer, []string{"imap.b.test", "143"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := provider(t)
				a := s.Account(bob)
				c.set(&a, s)
				var log strings.Builder
				began := time.Now()
				err := mail.NewIMAP(a, slog.New(slog.NewTextHandler(&log, nil))).Test(t.Context())
				if d := time.Since(began); d > time.Minute {
					t.Errorf("Test took %v, want at most a minute", d)
				}
				if c.kind == 0 {
					if err != nil {
						t.Errorf("Test: %v", err)
					}
					return
				}
				expectKind(t, "Test", err, c.kind)
				p := asProblem(t, err)
				for _, want := range c.says {
					if !strings.Contains(p.Text, want) {
						t.Errorf("the text %q does not say %q", p.Text, want)
					}
				}
				for _, text := range []string{p.Text, p.Error(), log.String()} {
					if strings.Contains(text, string(a.Password)) {
						t.Errorf("the password shows in %q", text)
					}
				}
			})
		})
	}
}

func TestProblemsOfSending(t *testing.T) {
	for _, c := range []struct {
		name      string
		faults    mailtest.Faults
		set       func(*mail.Message)
		kind      mail.ProblemKind
		temporary bool
	}{
		{"greylisted", mailtest.Faults{Greylist: true}, nil, mail.Later, true},
		{"full", mailtest.Faults{Full: true}, nil, mail.Full, false},
		{"nobody there", mailtest.Faults{}, func(m *mail.Message) { m.To = "eve@b.test" }, mail.Rejected, false},
		{"not an address", mailtest.Faults{}, func(m *mail.Message) { m.To = "bob" }, mail.NotAnAddress, false},
		{"password", mailtest.Faults{WrongPassword: true}, nil, mail.WrongPassword, false},
		{"hangs", mailtest.Faults{Hang: true}, nil, mail.Hanging, true},
		{"refuses", mailtest.Faults{Refuse: true}, nil, mail.Unreachable, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := provider(t)
				s.SetFaults(c.faults)
				m := letter(1)
				if c.set != nil {
					c.set(&m)
				}
				err := box(s, alice).Send(t.Context(), m)
				expectKind(t, "Send", err, c.kind)
				if got := asProblem(t, err).Temporary(); got != c.temporary {
					t.Errorf("Temporary() = %v, want %v", got, c.temporary)
				}
				if c.kind == mail.Later {
					send(t, box(s, alice), m)
					if n := len(s.Messages(bob)); n != 1 {
						t.Errorf("%d messages arrived, want 1", n)
					}
				}
			})
		})
	}
}

// submission plays an SMTP server up to the end of login.
func submission(s *script, auth string) {
	s.say("220 hi")
	s.hear("EHLO [127.0.0.1]")
	s.say("250-me", "250 AUTH "+auth)
}

func TestSubmissionServersThatRefuse(t *testing.T) {
	for name, c := range map[string]struct {
		play func(a mail.Account, s *script)
		kind mail.ProblemKind
	}{
		"password repeated": {func(a mail.Account, s *script) {
			submission(s, "PLAIN")
			s.hear("AUTH PLAIN")
			s.say("535 5.7.8 no, " + string(a.Password) + " is not it")
		}, mail.WrongPassword},
		"login method": {func(_ mail.Account, s *script) {
			submission(s, "LOGIN")
			s.hear("AUTH LOGIN")
			s.say("535 no")
		}, mail.WrongPassword},
		"no password":  {func(_ mail.Account, s *script) { submission(s, "XOAUTH2") }, mail.WrongPassword},
		"login later":  {func(_ mail.Account, s *script) { submission(s, "PLAIN"); s.hear("AUTH"); s.say("454 4.7.0 busy") }, mail.Later},
		"busy":         {func(_ mail.Account, s *script) { s.say("421 busy") }, mail.Later},
		"endless":      {func(_ mail.Account, s *script) { s.raw(strings.Repeat("220-hi\r\n", 1<<20)) }, mail.OddServer},
		"cut":          {func(_ mail.Account, s *script) { submission(s, "PLAIN"); s.hear("AUTH") }, mail.Unreachable},
		"sender":       {func(_ mail.Account, s *script) { accepted(s); s.hear("MAIL"); s.say("553 not you") }, mail.Rejected},
		"quota":        {func(_ mail.Account, s *script) { accepted(s); s.hear("MAIL"); s.say("452 4.3.1 later") }, mail.Full},
		"spam":         {func(_ mail.Account, s *script) { data(s); s.say("554 5.7.1 spam") }, mail.Rejected},
		"cut at end":   {func(_ mail.Account, s *script) { data(s) }, mail.Unreachable},
		"hangs at end": {func(_ mail.Account, s *script) { data(s); s.silence() }, mail.Hanging},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var a mail.Account
				a = played(t, mail.ImplicitTLS, func(_ int, s *script) { c.play(a, s) })
				err := mail.NewIMAP(a, nil).Send(t.Context(), toBob())
				expectKind(t, "Send", err, c.kind)
				p := asProblem(t, err)
				if strings.Contains(p.Text+p.Error(), string(a.Password)) {
					t.Errorf("the password shows in %v: %s", p, p.Text)
				}
			})
		})
	}
}

func accepted(s *script) {
	submission(s, "PLAIN")
	s.hear("AUTH PLAIN")
	s.say("235 ok")
}

// data plays up to the end of the message.
func data(s *script) {
	accepted(s)
	for _, command := range []string{"MAIL", "RCPT"} {
		s.hear(command)
		s.say("250 ok")
	}
	s.hear("DATA")
	s.say("354 go")
	for s.line() != ".\r\n" {
	}
}

func TestSendEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := provider(t)
		s.SetFaults(mailtest.Faults{Hang: true})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		b := box(s, alice)
		if err := b.Send(ctx, letter(1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Send: %v, want the context's error", err)
		}
		if err := b.Test(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Test: %v, want the context's error", err)
		}
	})
}
