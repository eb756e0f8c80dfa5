package ui

import (
	"context"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// urgency orders kinds of questions: first where somebody waits at this moment,
// then what has stopped, then what can wait.
var urgency = []app.QuestionKind{
	app.AskChangedKey, app.AskPairing, app.AskDeletions, app.AskRoot, app.AskDisk, app.AskRules, app.AskInvitation, app.AskOffer, app.AskMailbox,
}

// questionOrder is the questions as they are shown, the most urgent first.
func questionOrder(list []app.Question) []app.Question {
	list = slices.Clone(list)
	rank := func(q app.Question) int {
		if i := slices.Index(urgency, q.Kind); i >= 0 {
			return i
		}
		return len(urgency)
	}
	slices.SortStableFunc(list, func(a, b app.Question) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return a.Since.Compare(b.Since)
	})
	return list
}

// A questionText is what a question says.
type questionText struct {
	icon string
	text string // what is so, and what is asked
	safe string // what stays safe whatever is chosen, or what to know before; may be ""
}

func textOf(q app.Question, s app.State) questionText {
	t := questionText{icon: "question", text: shownText(q.Text)}
	switch q.Kind {
	case app.AskInvitation:
		t.icon = "letter"
	case app.AskOffer:
		t.icon = "folder"
		for _, o := range s.Offers {
			if q.ID != app.QuestionID("offer-"+string(o.ID)) {
				continue
			}
			t.safe = trn(o.Files, "{{.N}} file, {{.Size}}", "{{.N}} files, {{.Size}}", "Size", bytes(o.Bytes)) + " · " + roleText(o.Role)
		}
	case app.AskPairing:
		t.icon = "link"
		t.safe = tr("Its name is what it says of itself. Let it in only if you know that this is the person you gave the link to.")
	case app.AskChangedKey:
		t.icon = "warning"
		t.safe = tr("Ask the person by phone or in person before you link it. Nothing is shared with it until you do.")
	case app.AskDeletions:
		t.icon = "trash"
		t.safe = tr("Either way they stay restorable under deleted and replaced files.")
	case app.AskRoot:
		t.icon = "folder"
	case app.AskRules:
		t.icon = "question"
	case app.AskDisk, app.AskMailbox:
		t.icon = "warning"
	}
	return t
}

// roleText is what a member may do, seen from the member.
func roleText(role string) string {
	if role == "read-only" {
		return tr("you receive it and change nothing")
	}
	return tr("you may add and change files")
}

// An answer is one way to go on from a question.
type answer struct {
	text   string
	choice string // given to the service; "" if do is all there is to it
	done   string // said afterwards; may be ""

	// sure is asked once more before, if it is not "".
	sure string
	do   func(w *Window) // opens what the answer needs; may be nil
}

// answersTo are the ways to go on, the recommended one first.
func answersTo(q app.Question) []answer {
	var list []answer
	for _, c := range q.Choices {
		a := answer{text: choiceText(q.Kind, c), choice: c.ID}
		if c.Command != "" {
			a.choice, a.do = "", opener(q)
		}
		switch {
		case q.Kind == app.AskDeletions && c.ID == "delete":
			a.sure = tr("The other devices of this folder will do the same. The files stay restorable under deleted and replaced files on each device.")
		case q.Kind == app.AskChangedKey && c.ID == app.ChoiceYes:
			a.sure = tr("Link it only if the person has told you, by phone or in person, that this device is theirs.")
		case q.Kind == app.AskOffer && c.ID == "decline":
			a.done = tr("Declined. The other side keeps its files and can offer the folder again.")
		case q.Kind == app.AskInvitation && c.ID == "decline":
			a.done = tr("Ignored. Nobody was told.")
		}
		list = append(list, a)
	}
	if q.Kind == app.AskRoot && q.Folder != "" {
		list = append(list, answer{text: tr("I moved it …"), do: func(w *Window) { w.pickMoved(q.Folder) }})
	}
	return list
}

// opener opens what a question's command asks for on the command line.
func opener(q app.Question) func(*Window) {
	switch q.Kind {
	case app.AskInvitation:
		return func(w *Window) { w.askAccept(string(q.Invitation)) }
	case app.AskOffer:
		return func(w *Window) { w.askJoin(offerOf(q)) }
	case app.AskMailbox:
		return func(w *Window) {
			address := ""
			if m := w.state.Mailbox; m != nil {
				address = m.Address
			}
			w.askMailbox(address, func() {})
		}
	}
	return func(w *Window) { w.goTo(place{kind: atHome}) }
}

// offerOf is the offer that a question is about.
func offerOf(q app.Question) app.FolderID {
	return app.FolderID(strings.TrimPrefix(string(q.ID), "offer-"))
}

// choiceText is a choice in the window's words and language.
func choiceText(kind app.QuestionKind, c app.Choice) string {
	switch string(kind) + " " + c.ID {
	case "invitation accept":
		return tr("Type the six words …")
	case "invitation decline":
		return tr("Ignore it")
	case "offer join":
		return tr("Keep it here …")
	case "offer decline":
		return tr("Decline")
	case "pairing yes":
		return tr("Let it in")
	case "pairing no", "changed-key no":
		return tr("Refuse it")
	case "changed-key yes":
		return tr("Link it as well")
	case "deletions restore":
		return tr("Bring them back")
	case "deletions delete":
		return tr("Delete them for everyone")
	case "root look":
		return tr("The right one is back")
	case "root use":
		return tr("Use this directory")
	case "rules share":
		return tr("Share them too")
	case "rules keep":
		return tr("Keep them out")
	case "mailbox set":
		return tr("Set it up again …")
	case "mailbox forget":
		return tr("Use no e-mail account")
	}
	return shown(c.Text)
}

// openQuestion opens what a question needs: a sheet for words or a directory,
// else its choices.
func (w *Window) openQuestion(q app.Question) {
	switch q.Kind {
	case app.AskInvitation, app.AskOffer, app.AskMailbox:
		opener(q)(w)
		return
	}
	sh := w.open(tr("A question for you"))
	r := newQuestionRow(w)
	r.draw(q)
	sh.page(r.object(), newButton(w, tr("Later"), sh.close))
	sh.draw = func(s app.State) {
		if !slices.ContainsFunc(s.Questions, func(o app.Question) bool { return o.ID == q.ID }) {
			sh.close()
		}
	}
}

// pickMoved asks where a folder's directory is now.
func (w *Window) pickMoved(id app.FolderID) {
	if w.opts.PickFolder == nil {
		w.goTo(place{kind: atFolder, folder: id})
		return
	}
	w.opts.PickFolder(w.win, tr("Where is the folder now?"), func(dir string) {
		w.do(func(ctx context.Context) error { return w.svc.Move(ctx, id, dir) }, func(err error) {
			if err != nil {
				w.fail(err)
				return
			}
			w.say(tr("Found. It goes on from there."))
		})
	})
}

// A questionRow is a question with the buttons that answer it.
type questionRow struct {
	w       *Window
	q       app.Question
	box     fyne.CanvasObject
	icon    *widget.Icon
	text    *widget.Label
	safe    *widget.Label
	error   *widget.Label
	buttons *fyne.Container
}

func newQuestionRow(w *Window) row[app.Question] {
	r := &questionRow{w: w, icon: widget.NewIcon(glyph("question")), text: para(""), safe: muted(""), error: para(""), buttons: container.NewHBox()}
	r.error.Importance = widget.DangerImportance
	r.safe.Hide()
	r.error.Hide()
	icon := container.NewVBox(gap(4), stretch(r.icon, 24, 24))
	r.box = notice(container.NewBorder(nil, nil, container.New(inset{4, 0}, icon), nil, container.NewVBox(column(r.text, r.safe, r.error), r.buttons)))
	return r
}

func (r *questionRow) object() fyne.CanvasObject { return r.box }

func (r *questionRow) draw(q app.Question) {
	t := textOf(q, r.w.state)
	setText(r.text, t.text)
	setText(r.safe, t.safe)
	show(r.safe, t.safe != "")
	if r.q.ID == q.ID && slices.Equal(r.q.Choices, q.Choices) {
		r.q = q
		return
	}
	r.q = q
	r.icon.SetResource(glyph(t.icon))
	r.buttons.Objects = []fyne.CanvasObject{gap(1)}
	for i, a := range answersTo(q) {
		b := newButton(r.w, a.text, func() { r.choose(a) })
		if i == 0 {
			b.Importance = widget.HighImportance
		}
		r.buttons.Objects = append(r.buttons.Objects, b)
	}
	r.buttons.Refresh()
}

// choose answers, after a second question where the answer is dangerous.
func (r *questionRow) choose(a answer) {
	switch {
	case a.do != nil:
		a.do(r.w)
	case a.sure != "":
		r.w.confirm(a.text+"?", a.sure, a.text, func() { r.give(a) })
	default:
		r.give(a)
	}
}

func (r *questionRow) give(a answer) {
	r.setBusy(true)
	show(r.error, false)
	id := r.q.ID
	r.w.do(func(ctx context.Context) error { return r.w.svc.Answer(ctx, id, a.choice) }, func(err error) {
		switch {
		case err == nil && a.done != "":
			r.w.say(a.done)
		case err != nil:
			r.setBusy(false)
			setText(r.error, errorText(err))
			show(r.error, true)
		}
	})
}

func (r *questionRow) setBusy(busy bool) {
	for _, o := range r.buttons.Objects {
		if b, ok := o.(*button); ok {
			setEnabled(b, !busy)
		}
	}
}

// ShowQuestions shows what waits for a person: the one question, or the list.
func (w *Window) ShowQuestions() {
	w.Show()
	w.closeSheets()
	w.goTo(place{kind: atHome})
	if len(w.state.Questions) == 1 {
		w.openQuestion(w.state.Questions[0])
	}
}

// ShowFolder shows one folder, with a tab of it: "", "recent", "conflicts",
// "trash" or "members".
func (w *Window) ShowFolder(id app.FolderID, tab string) {
	w.Show()
	w.closeSheets()
	w.goTo(place{kind: atFolder, folder: id, tab: tab})
}

// ShowDevice shows one device.
func (w *Window) ShowDevice(id app.DeviceID) {
	w.Show()
	w.closeSheets()
	w.goTo(place{kind: atDevice, device: id})
}
