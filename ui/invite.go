package ui

import (
	"context"

	"fyne.io/fyne/v2/container"

	"foldpost/app"
)

// An inviteSheet links another device, without a folder: one nearby, or by an
// address, or by a link.
type inviteSheet struct {
	w      *Window
	sh     *sheet
	near   *nearbyList
	who    *who
	person *nameEntry
	next   *button
	link   *button
}

// askInvite opens the sheet that links another device, without a folder.
func (w *Window) askInvite() {
	s := &inviteSheet{w: w, sh: w.open("")}
	s.near = newNearbyList(w, s.sh, func(d app.Nearby) { w.linkNearby(d, nil) })
	s.sh.closed = s.near.close
	s.sh.linked = func() {
		if s.who.entry.Text == "" { // that was it
			s.sh.close()
		}
	}
	s.who, s.person = newWho(w, s.sh), newNameEntry(w)
	s.who.entry.SetPlaceHolder(tr("e-mail address"))
	s.who.changed = func() { s.person.ask(s.who.recipient().address != "") }
	s.next, s.link = newButton(w, tr("Next"), s.press), newIconButton(w, tr("Make a link"), glyph("link"), s.makeLink)
	s.page()
}

func (s *inviteSheet) page() {
	s.sh.retitle(tr("Link a device"))
	s.sh.draw = s.near.draw
	s.sh.page(container.NewVBox(
		subheading(tr("In this network")), s.near.box,
		subheading(tr("Somewhere else")),
		para(tr("Whose device is it? Your own address connects your other computer.")),
		s.who.box, s.person.box,
		subheading(tr("Or with a link")),
		muted(tr("For a device that you can reach yourself, by chat or remote login. It is good for 24 hours. Anyone who has it can ask to come in; you will be asked once.")),
		container.NewHBox(s.link),
	), newButton(s.w, tr("Cancel"), s.sh.close), s.next)
	s.w.win.Canvas().Focus(s.who.entry)
}

// press goes on to the preview of the mail.
func (s *inviteSheet) press() {
	r := s.who.recipient()
	switch {
	case len(r.devices) > 0:
		s.sh.say(tr("This device is linked already. To link another one of the same person, make a link."))
		return
	case r.address == "":
		s.sh.say(tr("Type an e-mail address, like bob@example.org, or make a link."))
		return
	case s.person.missing():
		s.sh.say(tr("Type your name, so that the invitation tells who sent it."))
		s.w.win.Canvas().Focus(s.person.entry)
		return
	}
	s.sh.say("")
	setEnabled(s.next, false)
	s.person.keep(func(err error) {
		setEnabled(s.next, true)
		if err != nil {
			s.sh.say(errorText(err))
			return
		}
		p := &preview{w: s.w, sh: s.sh, to: r.address, back: s.page}
		p.make = func(ctx context.Context, note string, byHand bool) (app.Invitation, error) {
			return s.w.svc.Invite(ctx, app.InviteRequest{To: r.address, Note: note, ByHand: byHand})
		}
		p.open()
	})
}

func (s *inviteSheet) makeLink() {
	setEnabled(s.link, false)
	var inv app.Invitation
	s.w.do(func(ctx context.Context) (err error) {
		inv, err = s.w.svc.Invite(ctx, app.InviteRequest{})
		return err
	}, func(err error) {
		setEnabled(s.link, true)
		if err != nil {
			s.sh.say(errorText(err))
			return
		}
		s.w.showOpen(s.sh, inv)
	})
}
