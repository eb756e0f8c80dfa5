package node

import (
	"context"
	"errors"

	"foldpost/app"
	"foldpost/mail"
)

// FindMailbox implements [app.Service].
func (n *Node) FindMailbox(ctx context.Context, address string) (app.MailboxGuess, error) {
	f := n.cfg.MailFinder
	if f.Dial == nil {
		f.Dial = n.cfg.MailDial
	}
	s, err := f.Find(ctx, address)
	if p, ok := errors.AsType[*mail.Problem](err); ok && p.Kind == mail.NotAnAddress {
		return app.MailboxGuess{}, app.Errorf(app.CodeUsage, "%s", p.Text)
	}
	if err != nil {
		return app.MailboxGuess{}, mailError(err)
	}
	g := app.MailboxGuess{
		Provider: s.Provider, User: s.User, Login: app.MailboxLogin(s.Login), Help: s.Help, Hint: s.Hint,
		Source: app.MailboxSource(s.Source), Confirm: s.Confirm,
	}
	if s.Login != mail.LoginNone {
		g.IMAP, g.SMTP = s.IMAP.String(), s.SMTP.String()
	}
	return g, nil
}
