package mail_test

import (
	"testing"
	"testing/synctest"

	"foldpost/mail"
)

// TestIntroduces: servers that want to know are told which program this is,
// others are not.
func TestIntroduces(t *testing.T) {
	for _, c := range []struct {
		address string
		answer  string // "": it is not asked for
	}{
		{"bob@163.com", "OK done"},
		{"bob@163.com", "BAD what"},
		{bob, ""},
	} {
		t.Run(c.address+" "+c.answer, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := playedFor(t, c.address, mail.ImplicitTLS, func(n int, s *script) {
					if n > 1 {
						return // the server to send
					}
					s.login()
					if c.answer != "" {
						s.say(s.hear(`ID ("name" "foldpost")`) + " " + c.answer)
					}
					s.say(s.hear("LOGOUT") + " OK bye")
				})
				expectKind(t, "Test", mail.NewIMAP(a, nil).Test(t.Context()), mail.Unreachable) // by the server to send
			})
		})
	}
}
