package node

import (
	"cmp"
	"context"
	"slices"
	"time"

	"foldpost/app"
	"foldpost/assets"
)

// Draft implements [app.Service].
func (n *Node) Draft(_ context.Context, r app.DraftRequest) (app.Draft, error) {
	s := n.keep.view()
	inv := invitation{With: r.To, Note: r.Note, Expires: time.Now().Truncate(time.Second).Add(wordsExpire)}
	if open := s.openFor(r.To); open != nil { // its mail is the one that is sent
		inv.Note, inv.Expires, inv.Folders = cmp.Or(r.Note, open.Note), open.Expires, open.Folders
	}
	var d app.Draft
	if s.Mailbox != nil {
		d.From = s.Mailbox.Address
	}
	text := n.invitationText(inv)
	text.Folder = text.Folder || r.Folder
	mail := assets.InvitationMail(text)
	d.Subject, d.Text = mail.Subject, mail.Body
	return d, nil
}

// resendPause is how long a second press of the button counts as the first.
const resendPause = time.Minute

// Resend implements [app.Service]. The mail has a Message-ID of its own: mail
// servers drop what they have seen.
func (n *Node) Resend(_ context.Context, id app.InvitationID) error {
	return n.update(func(s *kept) error {
		i := slices.IndexFunc(s.Invitations, func(inv invitation) bool {
			return inv.id() == id && inv.Direction == app.Sent && inv.refusal(time.Now()) == 0
		})
		switch {
		case i < 0:
			return app.Errorf(app.CodeNotFound, "no open invitation %s that was sent from here: foldpost status lists them", id)
		case s.Invitations[i].With == "":
			return app.Errorf(app.CodeUsage, "this invitation is a link, which no mail carries: give it to the other device yourself")
		case s.Mailbox == nil:
			return app.Errorf(app.CodeFailed, "no e-mail account is set up to send the invitation: foldpost mailbox set YOUR-ADDRESS, or send it yourself with foldpost pair %s --by-hand", s.Invitations[i].With)
		}
		inv := &s.Invitations[i]
		if inv.Mailed != mailDue && time.Since(inv.SentAt) >= resendPause {
			inv.Mailed, inv.MessageID, inv.Problem = mailDue, "", ""
		}
		return nil
	})
}
