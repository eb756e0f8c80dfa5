package node

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"foldpost/app"
)

func TestFindMailbox(t *testing.T) {
	n := sleeping(t)
	n.cfg.MailDial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no network") }
	for address, want := range map[string]app.MailboxGuess{
		"ada@gmail.com": {
			Provider: "Gmail", IMAP: "imap.gmail.com:993", SMTP: "smtp.gmail.com:465", Login: app.LoginAppPassword,
			Help: "https://myaccount.google.com/apppasswords", Hint: "Two-step sign-in must be on.", Source: app.FromTable,
		},
		"ada@live.com": {Provider: "Outlook.com", Login: app.LoginNone, Source: app.FromTable},
		"ada@o2.pl": {
			Provider: "o2", IMAP: "poczta.o2.pl:993", SMTP: "poczta.o2.pl:465", User: "ada", Login: app.LoginPassword,
			Help: "https://pomoc.o2.pl/aktywacja-dostepu-dla-programow-pocztowych", Hint: "Mail programs must be let in first, in the settings of your mail account.", Source: app.FromTable,
		},
	} {
		if got, err := n.FindMailbox(t.Context(), address); err != nil || got != want {
			t.Errorf("FindMailbox(%s) = %+v, %v; want %+v", address, got, err, want)
		}
	}
	if _, err := n.FindMailbox(t.Context(), "ada"); app.CodeOf(err) != app.CodeUsage || !strings.Contains(err.Error(), "name@example.org") {
		t.Errorf("FindMailbox(ada) = %v, want an error about the address", err)
	}
}
