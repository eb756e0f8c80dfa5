package ui

import (
	"cmp"
	"slices"
	"strings"

	"fyne.io/fyne/v2/container"

	"foldpost/app"
)

// A following shows how far an accepted invitation is, until what it leads to
// is there.
type following struct {
	a      *accepting
	id     app.InvitationID
	repair string // says which word was misheard; "" if none

	before []app.DeviceID // linked when it began
	last   app.OpenInvitation
	device app.DeviceID // that the invitation led to; "" before
	phase  phase
}

// A phase is what a page of a following says.
type phase string

const (
	phaseLooking phase = "looking"
	phaseByHand  phase = "by hand" // its user has to send the answer
	phaseSaving  phase = "saving"
	phaseLinked  phase = "linked" // and nothing is offered yet
	phaseFailed  phase = "failed"
	phaseOver    phase = "over" // and what came of it is not known
)

// follow shows how an accepted invitation goes on.
func (a *accepting) follow(id app.InvitationID, repair string) {
	f := &following{a: a, id: id, repair: repair}
	for _, d := range a.w.state.Devices {
		f.before = append(f.before, d.ID)
	}
	a.sh.dropped, a.sh.pasted = nil, nil
	a.sh.draw = f.draw
	f.draw(a.w.state)
}

func (f *following) draw(s app.State) {
	i, open := findInvitation(s, f.id)
	if open {
		f.last = i
		if i.Device != "" {
			f.device = i.Device
		}
	}
	if f.device == "" && !open {
		f.device = f.newcomer(s)
	}
	if o, ok := offerFrom(s, f.device); ok {
		f.a.sh.draw = nil
		f.a.w.join(f.a.sh, o, linking{who: f.who(), repair: f.repair})
		return
	}
	f.turn(f.now(i, open), s)
}

// now is the phase that a state shows.
func (f *following) now(i app.OpenInvitation, open bool) phase {
	switch {
	case f.device != "":
		return phaseLinked
	case !open && f.last.ID == "":
		return phaseLooking // accepted a moment ago
	case !open:
		return phaseOver
	case i.Step == app.StepFailed:
		return phaseFailed
	case i.Step == app.StepSaving:
		return phaseSaving
	case i.AnswerByHand:
		return phaseByHand
	}
	return phaseLooking
}

// newcomer is the device that was linked meanwhile, if the invitation has left
// the list already.
func (f *following) newcomer(s app.State) app.DeviceID {
	var found []app.DeviceID
	for _, d := range s.Devices {
		switch {
		case f.last.With != "" && strings.EqualFold(d.Owner, f.last.With):
			return d.ID
		case !slices.Contains(f.before, d.ID):
			found = append(found, d.ID)
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	return ""
}

// turn shows the page of a phase.
func (f *following) turn(p phase, s app.State) {
	if p == f.phase {
		return
	}
	f.phase = p
	w, sh, who := f.a.w, f.a.sh, f.who()
	body := container.NewVBox()
	if f.repair != "" && p != phaseFailed {
		body.Add(notice(para(f.repair)))
	}
	buttons := []*button{newButton(w, tr("Close"), sh.close)}
	switch p {
	case phaseLooking:
		sh.retitle(tr("Looking for the computer of {{.Name}}…", "Name", who))
		body.Add(para(tr("You have accepted the invitation. Both computers must be on at the same time to find each other.")))
		body.Add(muted(tr("You may close this window: it goes on by itself, and you are asked here when the other computer is found.")))
	case phaseSaving:
		sh.retitle(tr("Found. Linking with {{.Name}}…", "Name", who))
		body.Add(para(tr("The two computers have proved to each other that they are the right ones.")))
	case phaseByHand:
		sh.retitle(tr("The computer of {{.Name}} does not answer", "Name", who))
		body.Add(para(tr("It may be off, or have moved. Send {{.Name}} your answer, which says where this computer is, and leave Foldpost running.", "Name", who)))
		buttons = append(buttons, newButton(w, tr("Send my answer…"), func() {
			sh.close()
			w.showInvitation(f.id)
		}))
	case phaseLinked:
		sh.retitle(tr("Linked with {{.Name}}", "Name", f.deviceName(s)))
		body.Add(para(tr("What {{.Name}} shares with you is shown here as soon as both computers are on. You may close this window.", "Name", who)))
		buttons = []*button{newButton(w, tr("Share a folder"), func() { sh.close(); w.askShare("") }), newButton(w, tr("Done"), sh.close)}
	case phaseFailed:
		sh.retitle(tr("This invitation can not be used"))
		body.Add(para(f.why()))
	case phaseOver:
		sh.retitle(tr("This invitation is not open any more"))
		body.Add(para(tr("It was used, withdrawn or has expired. If you did not do this, ask {{.Name}} for a new one.", "Name", who)))
	}
	sh.page(body, buttons...)
}

// why says why the invitation came to nothing.
func (f *following) why() string {
	if f.last.Problem != "" {
		return sentence(endText(f.last.Problem))
	}
	return tr("Ask {{.Name}} for a new one.", "Name", f.who())
}

// who is the other person, as far as it is known.
func (f *following) who() string {
	p := f.a.proposal
	return whoIs(app.OpenInvitation{Direction: app.Received, Name: cmp.Or(f.last.Name, p.Name), With: cmp.Or(f.last.With, p.From)})
}

func (f *following) deviceName(s app.State) string {
	for _, d := range s.Devices {
		if d.ID == f.device {
			return personOf(d)
		}
	}
	return f.who()
}

// whoIs names the person at the other end of an invitation.
func whoIs(i app.OpenInvitation) string {
	if i.Name == "" && i.With == "" {
		return tr("the other person")
	}
	return partner(i)
}

// personOf names a device by its owner and its own name.
func personOf(d app.Device) string {
	if d.Owner == "" {
		return shown(d.Name)
	}
	return tr("{{.Owner}} ({{.Device}})", "Owner", shown(d.Owner), "Device", shown(d.Name))
}

// offerFrom is the first folder that a device offers.
func offerFrom(s app.State, d app.DeviceID) (app.Offer, bool) {
	for _, o := range s.Offers {
		if o.From == d && d != "" {
			return o, true
		}
	}
	return app.Offer{}, false
}
