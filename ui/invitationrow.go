package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// An invitationRow is an open invitation in a list: with whom, how far, and a
// button that opens it.
type invitationRow struct {
	w     *Window
	do    func()
	box   *fyne.Container
	name  *widget.Label
	state *widget.Label
	open  *button
}

func newInvitationRow(w *Window) row[app.OpenInvitation] {
	r := &invitationRow{w: w, name: strong(""), state: muted("")}
	r.open = newButton(w, "", func() { r.do() })
	r.box = card(container.NewBorder(nil, nil, picture("letter"), container.NewCenter(r.open), column(r.name, r.state)))
	return r
}

func (r *invitationRow) object() fyne.CanvasObject { return r.box }

func (r *invitationRow) draw(o app.OpenInvitation) {
	setText(r.name, invitationTitle(o))
	setText(r.state, invitationState(o, r.w.state.Mailbox, r.w.now()))
	text := invitationAction(o)
	if r.open.Text != text {
		r.open.SetText(text)
	}
	r.do = func() { r.w.showInvitation(o.ID) }
	switch {
	case o.Step == app.StepWords:
		r.do = func() { r.w.askAccept(string(o.ID)) }
	case o.Step == app.StepPaired && o.Device != "":
		r.do = func() { r.w.goTo(place{kind: atDevice, device: o.Device}) }
	}
}

func invitationTitle(o app.OpenInvitation) string {
	switch {
	case o.Direction == app.Received:
		return tr("Invitation from {{.Who}}", "Who", partner(o))
	case o.With == "":
		return tr("A link for another device")
	}
	return tr("Invitation to {{.Who}}", "Who", partner(o))
}

// invitationAction is what the button of an invitation does.
func invitationAction(o app.OpenInvitation) string {
	switch {
	case o.Step == app.StepPaired:
		return tr("Show the device")
	case o.Step == app.StepWords:
		return tr("Type the words")
	case o.Direction == app.Received && o.AnswerByHand:
		return tr("Send your answer")
	case o.Direction == app.Received, o.Step == app.StepFailed, o.Step == app.StepSaving:
		return tr("Open")
	case o.With == "":
		return tr("Show the link")
	}
	return tr("Show the words")
}
