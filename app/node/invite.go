package node

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"foldpost/app"
	"foldpost/assets"
	"foldpost/mail"
	"foldpost/p2p"
	"foldpost/p2p/wire"
)

// Invite implements [app.Service].
func (n *Node) Invite(_ context.Context, r app.InviteRequest) (app.Invitation, error) {
	if err := n.checkInvite(r); err != nil {
		return app.Invitation{}, err
	}
	return n.invite(r, nil)
}

// Bounds of an invitation's life.
const (
	minExpires = time.Minute
	maxExpires = 90 * 24 * time.Hour
)

// checkInvite refuses what can not become an invitation, before anything is
// changed for it.
func (n *Node) checkInvite(r app.InviteRequest) error {
	if r.Expires != 0 && (r.Expires < minExpires || r.Expires > maxExpires) {
		return app.Errorf(app.CodeUsage, "an invitation is good for a minute at least and 90 days at most")
	}
	if r.To == "" {
		return nil
	}
	if _, err := mail.ParseAddress(r.To); err != nil {
		return app.Errorf(app.CodeUsage, "%q is no e-mail address: it looks like bob@example.org", r.To)
	}
	if n.keep.view().Mailbox == nil && !r.ByHand {
		return app.Errorf(app.CodeFailed, "no e-mail account is set up to send the invitation: foldpost mailbox set YOUR-ADDRESS, or --by-hand to send it yourself")
	}
	return nil
}

// invite makes an invitation, or finds the open one for the same address, and
// lets a folder follow it.
func (n *Node) invite(r app.InviteRequest, share *keptShare) (app.Invitation, error) {
	inv := newInvitation(r, time.Now())
	err := n.update(func(s *kept) error {
		if !r.ByHand && r.To != "" && s.Mailbox != nil {
			inv.Mailed = mailDue
		}
		open := s.openFor(r.To)
		if open == nil {
			s.Invitations = append(s.Invitations, inv)
			open = &s.Invitations[len(s.Invitations)-1]
		}
		if share != nil {
			open.Folders = slices.DeleteFunc(open.Folders, func(k keptShare) bool { return k.ID == share.ID })
			open.Folders = append(open.Folders, *share)
		}
		if open.Mailed == mailNone && inv.Mailed == mailDue {
			open.Mailed, open.Note = mailDue, cmp.Or(r.Note, open.Note) // by hand before, now by mail as well
		}
		inv = *open
		return nil
	})
	if err != nil {
		return app.Invitation{}, err
	}
	return n.reveal(inv)
}

// openFor returns the open invitation that was sent to an address. Links are
// for whoever has them: each is a new one.
func (s *kept) openFor(to string) *invitation {
	for i := range s.Invitations {
		inv := &s.Invitations[i]
		if to != "" && inv.Direction == app.Sent && strings.EqualFold(inv.With, to) && inv.refusal(time.Now()) == 0 {
			return inv
		}
	}
	return nil
}

func newInvitation(r app.InviteRequest, now time.Time) invitation {
	inv := invitation{Direction: app.Sent, State: invOpen, With: r.To, Note: r.Note, Created: now.Truncate(time.Second)}
	rand.Read(inv.Token[:]) // never fails
	valid := r.Expires
	if r.To == "" {
		l := mail.NewLink(mail.Payload{})
		inv.Via, inv.Salt, inv.Secret, inv.PSK = p2p.ViaLink, tokenKey(l.Salt), tokenKey(l.Secret), key(l.PSK())
		if valid == 0 {
			valid = linkExpires
		}
	} else {
		words := p2p.NewWords()
		inv.Via, inv.Words, inv.Salt = p2p.ViaWords, words.Reveal(), tokenKey(mail.NewSalt())
		inv.PSK = key(p2p.WordsPSK(words, inv.Salt))
		if valid == 0 {
			valid = wordsExpire
		}
	}
	inv.Expires = inv.Created.Add(valid)
	return inv
}

// reveal returns an invitation with its secrets, for its user.
func (n *Node) reveal(inv invitation) (app.Invitation, error) {
	a := app.Invitation{ID: inv.id(), To: inv.With, Words: inv.Words, Expires: inv.Expires, Mailed: inv.Mailed != mailNone}
	p := n.payload(inv)
	if inv.Via == p2p.ViaLink {
		l := mail.InviteLink{Payload: p, Salt: mail.Salt(inv.Salt), Secret: p2p.LinkSecret(inv.Secret)}
		var err error
		if a.Link, err = l.Reveal(); err != nil {
			return a, err
		}
		a.File, err = mail.LinkFile(l)
		return a, err
	}
	letter, err := mail.SealInvitation(p2p.Secret(inv.PSK), mail.Salt(inv.Salt), p.ByHand())
	if err != nil {
		return a, err
	}
	text := assets.InvitationByHand(n.invitationText(inv))
	a.Subject = text.Subject
	if a.Mailed {
		a.Subject = assets.InvitationMail(n.invitationText(inv)).Subject
	}
	a.Text = mail.CopyText(text.Body, letter)
	a.File = mail.LetterFile(letter)
	if a.Mailto, err = mail.MailtoURL(inv.With, text.Subject, text.Body, letter); err != nil {
		inv.Note = "" // a long first line does not fit: the mail goes without it
		text = assets.InvitationByHand(n.invitationText(inv))
		if a.Mailto, err = mail.MailtoURL(inv.With, text.Subject, text.Body, letter); err != nil {
			a.Mailto = "" // the file and the text are left
		}
	}
	return a, nil
}

func (n *Node) invitationText(inv invitation) assets.Invitation {
	return assets.Invitation{Person: n.person(), Note: inv.Note, Folder: len(inv.Folders) > 0, Expires: inv.Expires.Local()}
}

// person is what this device's user is called in letters.
func (n *Node) person() string {
	s := n.keep.view()
	switch {
	case s.Person != "":
		return s.Person
	case s.Mailbox != nil:
		return s.Mailbox.Address
	}
	return s.Name
}

// payload is what an invitation's letter or link says.
func (n *Node) payload(inv invitation) mail.Payload {
	p := mail.NewInvitation(n.identity, inv.Created, inv.Expires.Sub(inv.Created))
	p.Token, p.To = p2p.Token(inv.Token), inv.With // the same each time it is written
	n.describe(&p)
	s := n.keep.view()
	for _, share := range inv.Folders {
		if f := s.folder(share.ID); f != nil {
			st := n.folderStatus(f.ID)
			p.Folders = append(p.Folders, mail.FolderOffer{
				ID: f.ID, Name: f.Name, Files: uint64(st.Files), Bytes: uint64(st.Bytes), Role: roleNumber(share.Role),
			})
		}
	}
	return p
}

// describe fills in what every letter says of this device.
func (n *Node) describe(p *mail.Payload) {
	s := n.keep.view()
	seen, mapped, addrs := n.reflexive(), n.mapping.addresses(), n.addrs()
	seen = slices.DeleteFunc(seen, func(a netip.AddrPort) bool { return slices.Contains(mapped, a) })
	p.Reflexive = seen[:min(len(seen), maxReflexive)]
	p.Mapped = mapped[:min(len(mapped), maxMapped)]
	p.Relayed = n.turn.addresses()
	p.Addrs = addrs[:min(len(addrs), mail.MaxAddrs-len(p.Mapped)-len(p.Reflexive)-len(p.Relayed))]
	p.Network = string(n.ownMapping())
	p.Person, p.Device, p.Program = n.person(), s.Name, wire.Name+" "+n.cfg.Version
	if s.Mailbox != nil {
		p.From = s.Mailbox.Address
	}
}

// answer is the letter that tells an inviter where this device is.
func (n *Node) answer(inv invitation) (letter []byte, p mail.Payload, err error) {
	p = mail.NewAnswer(n.identity, time.Now(), mail.Payload{Token: p2p.Token(inv.Token), From: inv.With, Expires: inv.Expires})
	n.describe(&p)
	letter, err = mail.SealAnswer(p2p.Secret(inv.PSK), mail.Salt(inv.Salt), p.ByHand())
	return letter, p, err
}

func (n *Node) answerText() assets.Answer {
	return assets.Answer{Person: n.person(), Device: n.keep.view().Name}
}

// Letter implements [app.Service].
func (n *Node) Letter(_ context.Context, id app.InvitationID) (app.Invitation, error) {
	s := n.keep.view()
	for i := range s.Invitations {
		inv := s.Invitations[i]
		switch {
		case inv.id() != id || inv.State != invOpen:
		case inv.Direction == app.Sent:
			return n.reveal(inv)
		case inv.Via == p2p.ViaLink:
			return app.Invitation{}, app.Errorf(app.CodeUsage, "a link needs no answer: both computers only have to be on")
		default:
			return n.answerByHand(inv)
		}
	}
	return app.Invitation{}, app.Errorf(app.CodeNotFound, "no open invitation %s: foldpost status lists them", id)
}

// answerByHand is the answer letter in the forms that a person can send.
func (n *Node) answerByHand(inv invitation) (app.Invitation, error) {
	letter, p, err := n.answer(inv)
	if err != nil {
		return app.Invitation{}, err
	}
	if err := n.update(func(s *kept) error {
		if k := s.received(p2p.Token(inv.Token)); k != nil {
			k.AnswerToken = tokenKey(p.Token)
		}
		return nil
	}); err != nil {
		return app.Invitation{}, err
	}
	text := assets.AnswerByHand(n.answerText())
	a := app.Invitation{ID: inv.id(), To: inv.With, Expires: inv.Expires, Subject: text.Subject, Text: mail.CopyText(text.Body, letter), File: mail.LetterFile(letter)}
	if a.Mailto, err = mail.MailtoURL(inv.With, text.Subject, text.Body, letter); err != nil {
		a.Mailto = "" // the file and the text are left
	}
	return a, nil
}

// Withdraw implements [app.Service].
func (n *Node) Withdraw(_ context.Context, id app.InvitationID) error {
	defer n.kick()
	if n.dismiss(id) {
		return nil
	}
	return n.update(func(s *kept) error {
		for i := range s.Invitations {
			inv := &s.Invitations[i]
			switch {
			case inv.id() != id:
				continue
			case inv.State == invUsed:
				return app.Errorf(app.CodeFailed, "the invitation was used already: foldpost unpair removes the device")
			}
			inv.end(invCancelled, "")
			// Half a pairing is none: the other side asks, and drops its half.
			s.Peers = slices.DeleteFunc(s.Peers, func(p keptPeer) bool { return p.Token == inv.Token && p.State == p2p.Pending })
			return nil
		}
		return app.Errorf(app.CodeNotFound, "no open invitation %s: foldpost status lists them", id)
	})
}

// Unpair implements [app.Service].
func (n *Node) Unpair(_ context.Context, d app.DeviceID) error {
	id := peerIDOf(d)
	err := n.update(func(s *kept) error {
		p := s.peer(id)
		if p == nil {
			return app.Errorf(app.CodeNotFound, "no device %s: foldpost devices lists them", d)
		}
		owner := p.Owner
		s.Peers = slices.DeleteFunc(s.Peers, func(p keptPeer) bool { return p.Peer == key(id) })
		s.Declined = slices.DeleteFunc(s.Declined, func(d declined) bool { return d.Peer == key(id) })
		for i := range s.Folders {
			f := &s.Folders[i]
			f.Members = slices.DeleteFunc(f.Members, func(m keptMember) bool { return m.Peer == key(id) })
		}
		for i := range s.Invitations {
			inv := &s.Invitations[i]
			open := inv.State == invOpen && owner != "" && strings.EqualFold(inv.With, owner)
			if open || (inv.State == invOpen || inv.State == invUsed) && inv.Peer == key(id) {
				inv.end(invCancelled, "")
			}
		}
		return nil
	})
	if err == nil {
		n.tellMembers()
		n.endpoint.Unpair(id)
	}
	return err
}

func bytesText(b int64) string {
	const unit = 1000
	if b < unit {
		return fmt.Sprintf("%d bytes", b)
	}
	f := float64(b)
	for _, u := range []string{"kB", "MB", "GB", "TB"} {
		if f /= unit; f < unit || u == "TB" {
			return fmt.Sprintf("%.1f %s", f, u)
		}
	}
	return ""
}
