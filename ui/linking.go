package ui

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A nearbyLink is one request between this computer and one nearby, on a sheet of
// its own: until somebody opens it, the words, and how it ended.
type nearbyLink struct {
	w    *Window
	sh   *sheet
	name string // of the other device, as it claims

	stage  linkStage
	asked  app.QuestionID // the request of the other device; "" if it is ours
	before []app.DeviceID // devices there were when it began
	older  []app.QuestionID
	words  app.QuestionID     // of the words that were answered
	stop   func()             // breaks ours off
	again  func()             // asks anew; nil if it was theirs
	device app.DeviceID       // that ours has led to
	linked func(app.DeviceID) // called once when ours has led to a device; may be nil
}

type linkStage int

const (
	linkWaits   linkStage = iota // for the other person to open it
	linkAsks                     // this person, whether to open it
	linkShows                    // the words
	linkAgreed                   // the same here; the other person still looks
	linkDiffers                  // said so here
	linkEnded
	linkDone
)

// linkNearby asks a device nearby to be linked. Linked is called when it is.
func (w *Window) linkNearby(d app.Nearby, linked func(app.DeviceID)) {
	l := w.newLinking(d.Name)
	l.linked = linked
	l.again = func() { l.sh.close(); w.linkNearby(d, linked) }
	l.stop = w.hold(func(ctx context.Context) error {
		id, err := w.svc.PairNearby(ctx, d.ID)
		l.device = id
		return err
	}, l.ended)
	l.turn(linkWaits, app.Question{})
}

// newLinking opens a sheet that follows the State from now on.
func (w *Window) newLinking(name string) *nearbyLink {
	l := &nearbyLink{w: w, sh: w.open(""), name: shown(name), stop: func() {}}
	for _, d := range w.state.Devices {
		l.before = append(l.before, d.ID)
	}
	for _, q := range w.state.Questions {
		l.older = append(l.older, q.ID)
	}
	w.linking = l
	l.sh.draw = l.draw
	l.sh.closed = func() {
		l.stop()
		if w.linking == l {
			w.linking = nil
		}
	}
	return l
}

// showRequests opens what devices nearby ask, once each: somebody waits at the
// other screen at this moment.
func (w *Window) showRequests(s app.State) {
	for _, q := range s.Questions {
		if q.Kind != app.AskNearby && q.Kind != app.AskSame || slices.Contains(w.requests, q.ID) || w.linking != nil {
			continue
		}
		w.requests = append(w.requests, q.ID)
		w.openRequest(q)
	}
}

// openRequest shows the request of a device nearby, or the words of one.
func (w *Window) openRequest(q app.Question) {
	l := w.newLinking(q.Name)
	l.asked = q.ID
	if q.Kind == app.AskSame {
		l.turn(linkShows, q)
		return
	}
	l.turn(linkAsks, q)
}

func (l *nearbyLink) draw(s app.State) {
	for _, q := range s.Questions {
		switch {
		case q.Kind == app.AskSame && q.ID != l.words && l.stage < linkShows:
			l.w.requests = append(l.w.requests, q.ID)
			l.turn(linkShows, q)
			return
		case q.Kind == app.AskBrokenOff && shown(q.Name) == l.name && !slices.Contains(l.older, q.ID):
			l.older = append(l.older, q.ID)
			l.forget(q.ID) // it is shown here
			if l.asked != "" && l.stage < linkDiffers {
				l.end(brokenText(q, s))
			}
			return
		}
	}
	if l.asked == "" || l.stage >= linkDiffers {
		return // PairNearby tells
	}
	for _, d := range s.Devices {
		if !slices.Contains(l.before, d.ID) && d.Verified == "nearby" {
			l.done(d)
			return
		}
	}
	waiting := slices.ContainsFunc(s.Questions, func(q app.Question) bool { return q.Kind == app.AskNearby || q.Kind == app.AskSame })
	if !waiting && (l.stage == linkAsks || l.stage == linkShows) {
		l.sh.close() // it was answered elsewhere
	}
}

// ended follows PairNearby.
func (l *nearbyLink) ended(err error) {
	switch {
	case l.stage == linkDiffers || !l.sh.isOpen():
	case err != nil:
		l.end(errorText(err))
	default:
		l.done(app.Device{ID: l.device, Name: l.name})
	}
}

// turn shows the page of another stage.
func (l *nearbyLink) turn(to linkStage, q app.Question) {
	w := l.w
	l.stage = to
	if q.Name != "" {
		l.name = shown(q.Name)
	}
	switch to {
	case linkWaits:
		l.sh.retitle(tr("Linking with {{.Name}}", "Name", l.name))
		text := tr("Open the request on {{.Name}} now. Then both screens show three words.", "Name", l.name)
		if l.asked != "" {
			text = tr("One moment: the words come.")
		}
		l.sh.page(waitingFor(text), newButton(w, tr("Cancel"), l.sh.close), nil)
	case linkAsks:
		l.sh.retitle(tr("{{.Name}} wants to be linked", "Name", l.name))
		l.sh.page(container.NewVBox(
			para(tr("A computer in this network asks. Its name is its own word: three words on both screens will tell whether it is the right one.")),
			muted(tr("Nothing is shared by that. If you do not expect it, refuse it.")),
		), nil, newButton(w, tr("Refuse"), func() { l.answer(q, app.ChoiceNo) }), newButton(w, tr("Compare words"), func() { l.answer(q, app.ChoiceOpen) }), nil)
	case linkShows:
		l.sh.retitle(tr("Compare three words"))
		l.sh.page(container.NewVBox(
			para(tr("Does the screen of {{.Name}} show the same three words?", "Name", l.name)),
			sameFrame(q.Words),
			muted(tr("Look at the other screen, or have its person read them to you. If only one word differs, say no.")),
		), nil, newButton(w, tr("No, they differ"), func() { l.answer(q, app.ChoiceDifferent) }), newButton(w, tr("Yes, the same"), func() { l.answer(q, app.ChoiceSame) }), nil)
	case linkAgreed:
		l.sh.page(container.NewVBox(
			sameFrame(q.Words), waitingFor(tr("Now {{.Name}} has to say so, too.", "Name", l.name)),
		), newButton(w, tr("Cancel"), l.sh.close), nil)
	}
}

// answer gives an answer, and goes on to what follows it.
func (l *nearbyLink) answer(q app.Question, choice string) {
	l.w.do(func(ctx context.Context) error { return l.w.svc.Answer(ctx, q.ID, choice) }, func(err error) {
		switch {
		case !l.sh.isOpen() || l.stage >= linkDiffers:
		case app.CodeOf(err) == app.CodeNotFound && err != nil:
			l.end(tr("This does not wait for an answer any more."))
		case err != nil:
			l.sh.say(errorText(err))
		case choice == app.ChoiceNo:
			l.sh.close()
		case choice == app.ChoiceOpen:
			l.turn(linkWaits, q)
		case choice == app.ChoiceSame:
			l.words = q.ID
			l.turn(linkAgreed, q)
		case choice == app.ChoiceDifferent:
			l.words, l.stage = q.ID, linkDiffers
			l.endPage(tr("Then somebody else may be in between. Nothing was shared."))
		}
	})
}

// end shows why nothing came of it.
func (l *nearbyLink) end(why string) {
	l.stage = linkEnded
	l.endPage(why)
}

func (l *nearbyLink) endPage(why string) {
	l.stop()
	l.sh.retitle(tr("Not linked"))
	buttons := []*button{newButton(l.w, tr("Use an invitation instead"), func() { l.sh.close(); l.w.askInvite() })}
	if l.again != nil {
		buttons = append(buttons, newButton(l.w, tr("Try again"), l.again))
	}
	l.sh.page(para(why), append(buttons, newButton(l.w, tr("Close"), l.sh.close))...)
}

// done says that the device is linked, and what can be done now.
func (l *nearbyLink) done(d app.Device) {
	l.stage = linkDone
	l.w.say(tr("Linked with {{.Who}}", "Who", shown(d.Name)))
	l.sh.close()
	if l.linked != nil {
		l.linked(d.ID)
	}
	for _, sh := range slices.Clone(l.w.sheets) {
		if sh.linked != nil {
			sh.linked()
		}
	}
}

// waitingFor says what the other person has to do.
func waitingFor(text string) fyne.CanvasObject {
	r := newStepRow()
	r.draw(step{stepNow, text})
	return r.object()
}

// brokenText is how a request came to nothing.
func brokenText(q app.Question, s app.State) string {
	text := tr("Linking with {{.Name}} broke off. Nothing was shared. If neither of you ended it, somebody else may have been in between: try again, and compare the words well.", "Name", "“"+shown(q.Name)+"”")
	if !s.Device.Visible {
		text += " " + tr("Nobody can ask this computer now, until you open “Devices nearby” again.")
	}
	return text
}

// forget takes the end of a request off the list of questions.
func (l *nearbyLink) forget(id app.QuestionID) {
	l.w.do(func(ctx context.Context) error { return l.w.svc.Answer(ctx, id, app.ChoiceSeen) }, func(error) {})
}

// sameFrame shows three words that are compared, below each other: the six that
// are typed never look so.
func sameFrame(words []string) fyne.CanvasObject {
	box := column()
	for _, word := range words {
		box.Add(&widget.Label{Text: word, SizeName: theme.SizeNameHeadingText, TextStyle: fyne.TextStyle{Bold: true}, Alignment: fyne.TextAlignCenter})
	}
	return surface(colorNotice, container.New(inset{0, 10}, box))
}
