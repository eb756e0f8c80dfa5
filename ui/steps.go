package ui

import (
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A step is one line of how far an invitation has come.
type step struct {
	state stepState
	text  string
}

// A stepState is also the name of its picture.
type stepState string

const (
	stepDone    stepState = "check"
	stepNow     stepState = "clock"
	stepLater   stepState = ""
	stepTrouble stepState = "warning"
)

// noSign is how long a mail may be under way before one should ask for it.
const noSign = 10 * time.Minute

// partner is who an invitation is for, or from, as they call themselves.
func partner(o app.OpenInvitation) string {
	switch {
	case o.Direction == app.Received && o.Name != "":
		return shown(o.Name)
	case o.With != "":
		return shown(o.With)
	case o.Name != "":
		return shown(o.Name)
	}
	return tr("the other device")
}

// isOwn tells whether an address is this user's own: then the invitation is for
// another computer of the same person.
func isOwn(address string, m *app.MailboxState) bool {
	return m != nil && address != "" && strings.EqualFold(address, m.Address)
}

// partnerWithDevice is who an invitation led to.
func partnerWithDevice(o app.OpenInvitation) string {
	if o.Direction == app.Sent && o.With != "" && o.Name != "" {
		return tr("{{.Person}} ({{.Device}})", "Person", shown(o.With), "Device", shown(o.Name))
	}
	return partner(o)
}

// stepsOf tells how far an open invitation has come, in its order.
func stepsOf(o app.OpenInvitation, m *app.MailboxState, now time.Time) []step {
	who := partner(o)
	var list []step
	switch {
	case o.Direction == app.Received:
		list = append(list, step{stepDone, tr("You accepted the invitation of {{.Who}}", "Who", who)}, lookingStep(o, who))
	case o.With == "":
		list = append(list, linkStep(o))
	default:
		list = append(list, sentStep(o, m, now), wordsStep(o, who, isOwn(o.With, m)))
	}
	last := step{stepLater, tr("Link the two computers: both have to be on for that")}
	switch o.Step {
	case app.StepReserved:
		last = reservedStep(o)
	case app.StepSaving:
		last = step{stepNow, tr("Linking the two computers…")}
	case app.StepPaired:
		last = step{stepDone, tr("Linked with {{.Who}}", "Who", partnerWithDevice(o))}
	}
	return append(list, last)
}

func sentStep(o app.OpenInvitation, m *app.MailboxState, now time.Time) step {
	switch {
	case o.Step == app.StepSending && m != nil && m.State == "problem":
		return step{stepTrouble, tr("The mail has not left yet, because your e-mail account has a problem. It is sent as soon as that is solved.")}
	case o.Step == app.StepSending:
		return step{stepNow, tr("Sending the mail…")}
	case o.Sent.IsZero():
		return step{stepDone, tr("You send the invitation yourself")}
	}
	return step{stepDone, tr("Sent {{.When}}", "When", when(o.Sent, now))}
}

func wordsStep(o app.OpenInvitation, who string, own bool) step {
	switch {
	case own && (o.Step == app.StepSending || o.Step == app.StepWaiting):
		return step{stepNow, tr("Waiting for your other computer")}
	case own:
		return step{stepDone, tr("Your other computer has the right words")}
	}
	switch o.Step {
	case app.StepSending:
		return step{stepLater, tr("Wait for {{.Who}}", "Who", who)}
	case app.StepWaiting:
		return step{stepNow, tr("Waiting for {{.Who}}; most people need a day", "Who", who)}
	}
	return step{stepDone, tr("{{.Who}} has the right words", "Who", who)}
}

func linkStep(o app.OpenInvitation) step {
	if o.Step == app.StepWaiting {
		return step{stepNow, tr("Waiting for the other device to use the link")}
	}
	return step{stepDone, tr("The link was used")}
}

func lookingStep(o app.OpenInvitation, who string) step {
	switch {
	case o.Step == app.StepLooking && o.AnswerByHand:
		return step{stepTrouble, tr("The computer of {{.Who}} does not answer: it may be off, or have moved", "Who", who)}
	case o.Step == app.StepLooking:
		return step{stepNow, tr("Looking for the computer of {{.Who}}…", "Who", who)}
	case o.Step == app.StepReserved:
		return step{stepDone, tr("{{.Who}} knows of your answer", "Who", who)}
	}
	return step{stepDone, tr("Found the computer of {{.Who}}", "Who", who)}
}

// reservedStep is shown once both people have done their part.
func reservedStep(o app.OpenInvitation) step {
	if !inTheWay(o.Why) {
		return step{stepNow, tr("Linked. Files start when both computers are on.")}
	}
	text, _ := foundText(*o.Why)
	return step{stepTrouble, tr("{{.Problem}} Nothing is lost: it goes on by itself as soon as there is a way.", "Problem", text)}
}

// inTheWay tells whether more is known than that a computer does not answer.
func inTheWay(f *app.Finding) bool {
	if f == nil {
		return false
	}
	switch f.Reason {
	case app.FoundHalfway, app.FoundIsolated, app.FoundNoWay, app.FoundCarrierHere, app.FoundBlockedHere, app.FoundBlockedThere,
		app.FoundBothChange, app.FoundChangesHere, app.FoundChangesThere:
		return true
	}
	return false
}

// isLate tells whether a mail may have gone astray.
func isLate(o app.OpenInvitation, now time.Time) bool {
	return o.Direction == app.Sent && o.Step == app.StepWaiting && !o.Sent.IsZero() && now.Sub(o.Sent) >= noSign
}

// invitationState is how far an invitation has come, in one sentence.
func invitationState(o app.OpenInvitation, m *app.MailboxState, now time.Time) string {
	until := when(o.Expires, now)
	switch o.Step {
	case app.StepFailed:
		return endText(o.Problem)
	case app.StepPaired:
		return tr("Linked with {{.Who}}", "Who", partnerWithDevice(o))
	case app.StepSaving:
		return tr("Linking the two computers…")
	case app.StepReserved:
		return reservedStep(o).text
	case app.StepWords:
		return tr("Waits for its six words. Good until {{.Until}}.", "Until", until)
	case app.StepLooking:
		if o.AnswerByHand {
			return tr("The other computer does not answer. Send your answer, and leave Foldpost running.")
		}
		return lookingStep(o, partner(o)).text
	case app.StepSending:
		return sentStep(o, m, now).text
	}
	switch {
	case o.With == "":
		return tr("Not used yet. The link is good until {{.Until}}.", "Until", until)
	case isLate(o, now):
		return tr("Sent {{.When}}, no sign yet. Good until {{.Until}}.", "When", when(o.Sent, now), "Until", until)
	}
	return tr("Waiting for an answer. Good until {{.Until}}.", "Until", until)
}

// folderWay tells how a folder comes to the device that an invitation led to.
func folderWay(f app.Folder, d app.Device, now time.Time) step {
	name, who := shown(f.Name), shown(d.Name)
	i := slices.IndexFunc(f.Members, func(m app.Member) bool { return m.Device == d.ID })
	switch {
	case i >= 0 && f.Members[i].HasAll:
		return step{stepDone, tr("{{.Folder}} is complete on both computers.", "Folder", name)}
	case !d.Connected:
		return step{stepNow, tr("{{.Who}} is off now: the files of {{.Folder}} start when both computers are on.", "Who", who, "Folder", name)}
	case i < 0 || !f.Members[i].Joined:
		return step{stepNow, tr("{{.Who}} still has to say where {{.Folder}} shall be.", "Who", who, "Folder", name)}
	}
	return step{stepNow, trn(f.Files, "{{.N}} file of {{.Folder}} is on its way. It goes on by itself after a break.",
		"{{.N}} files of {{.Folder}} are on their way, {{.Size}} to go. It goes on by itself after a break.",
		"Folder", name, "Size", bytes(f.Members[i].NeedBytes))}
}

// A stepRow shows a step: a picture and its text.
type stepRow struct {
	box  *fyne.Container
	icon *widget.Icon
	text *widget.Label
	last step
}

func newStepRow() *stepRow {
	r := &stepRow{icon: widget.NewIcon(nil), text: para("")}
	r.box = container.NewBorder(nil, nil, container.NewCenter(stretch(r.icon, 20, 20)), nil, r.text)
	return r
}

func (r *stepRow) object() fyne.CanvasObject { return r.box }

func (r *stepRow) draw(s step) {
	if r.last == s {
		return
	}
	if r.last.state != s.state {
		var picture fyne.Resource
		if s.state != stepLater {
			picture = glyph(string(s.state))
		}
		r.icon.SetResource(picture)
	}
	r.last = s
	importance := widget.MediumImportance
	if s.state == stepLater {
		importance = widget.LowImportance
	}
	setImportance(r.text, importance)
	setText(r.text, s.text)
}

// steps are rows of them.
type steps struct {
	box  *fyne.Container
	rows []*stepRow
}

func newSteps() *steps { return &steps{box: column()} }

func (l *steps) draw(list []step) {
	for len(l.rows) < len(list) {
		r := newStepRow()
		l.rows = append(l.rows, r)
		l.box.Add(r.object())
	}
	for i, r := range l.rows {
		show(r.box, i < len(list))
		if i < len(list) {
			r.draw(list[i])
		}
	}
}
