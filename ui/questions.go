package ui

import (
	"context"
	"reflect"
	"slices"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// openQuestion opens what a question needs: a sheet for words or a directory,
// else its choices.
func (w *Window) openQuestion(q app.Question) {
	switch q.Kind {
	case app.AskInvitation, app.AskOffer, app.AskMailbox:
		opener(q)(w)
		return
	case app.AskNearby, app.AskSame:
		w.requests = append(w.requests, q.ID)
		w.openRequest(q)
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

// askDisk says what helps against a full disk.
func (w *Window) askDisk(id app.FolderID) {
	f, ok := folderOf(w.state, id)
	if !ok {
		return
	}
	sh := w.open(tr("No room for {{.Folder}}", "Folder", shown(f.Name)))
	sh.page(container.NewVBox(
		para(tr("Free some room on its disk, and it goes on by itself.")),
		para(tr("Or keep it on another disk: move the folder there with your file manager, then show where it is now. While it is away nothing is deleted anywhere.")),
		muted(tr("It is in {{.Path}} now.", "Path", shownPath(w.tilde(f.Path)))),
	),
		newButton(w, tr("Close"), sh.close),
		newButton(w, tr("Open folder"), func() { w.openPath(f.Path) }),
		newButton(w, tr("Show where it is now …"), func() { sh.close(); w.pickMoved(id) }))
}

// loadDays finds out how long deleted and replaced files are kept.
func (w *Window) loadDays() {
	w.days = usualDays
	days := 0
	w.do(func(ctx context.Context) error {
		list, err := w.svc.Config(ctx)
		for _, s := range list {
			if s.Key == "trash-days" && err == nil {
				days, err = strconv.Atoi(s.Value)
			}
		}
		return err
	}, func(err error) {
		if err == nil && days > 0 && days != w.days {
			w.days = days
			w.redraw()
		}
	})
}

// usualDays is what trash-days is unless it was changed.
const usualDays = 30

// pickMoved asks where a folder's directory is now.
func (w *Window) pickMoved(id app.FolderID) {
	w.pickFolder(tr("Where is the folder now?"), func(dir string) {
		w.do(func(ctx context.Context) error { return w.svc.Move(ctx, id, dir) }, func(err error) {
			if err != nil {
				w.fail(err)
				return
			}
			w.say(tr("Found. It goes on from there."))
		})
	})
}

// request is a notice with buttons below what it says.
func request(icon *widget.Icon, text fyne.CanvasObject, buttons *fyne.Container) fyne.CanvasObject {
	pic := container.New(inset{4, 0}, container.NewVBox(gap(4), stretch(icon, 24, 24)))
	return notice(container.NewBorder(nil, nil, pic, nil, container.NewVBox(text, container.New(inset{8, 2}, buttons))))
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
	r := &questionRow{w: w, icon: widget.NewIcon(glyph("question")), text: para(""), safe: muted(""), error: para(""), buttons: container.New(&flow{gap: 6})}
	r.error.Importance = widget.DangerImportance
	r.safe.Hide()
	r.error.Hide()
	r.box = request(r.icon, column(r.text, r.safe, r.error), r.buttons)
	return r
}

func (r *questionRow) object() fyne.CanvasObject { return r.box }

func (r *questionRow) draw(q app.Question) {
	t := textOf(q, r.w.state, r.w.days)
	setText(r.text, t.text)
	setText(r.safe, t.safe)
	show(r.safe, t.safe != "")
	same := r.q.ID == q.ID && slices.Equal(r.q.Choices, q.Choices) && reflect.DeepEqual(r.q.Loss, q.Loss)
	if r.q = q; same {
		return
	}
	r.icon.SetResource(glyph(t.icon))
	r.buttons.Objects = nil
	for i, a := range answersTo(q) {
		b := newButton(r.w, a.text, func() { r.choose(a) })
		if i == 0 && !slices.Contains(evenHanded, q.Kind) {
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
		asked := r.q
		r.w.confirm(a.text+"?", a.sure, a.text, func() {
			if reflect.DeepEqual(asked.Loss, r.q.Loss) {
				r.give(a)
				return
			}
			r.refused(tr("It has become another number of files meanwhile. Look at it again."))
		})
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
		case app.CodeOf(err) == app.CodeNotFound && err != nil:
			r.w.say(tr("This does not wait for an answer any more."))
		case err != nil:
			r.refused(errorText(err))
		}
	})
}

// refused says why an answer was not given.
func (r *questionRow) refused(why string) {
	r.setBusy(false)
	setText(r.error, why)
	show(r.error, true)
	settle(r.w.win.Content())
	for _, sh := range r.w.sheets {
		sh.fit()
	}
}

func (r *questionRow) setBusy(busy bool) {
	for _, o := range r.buttons.Objects {
		if b, ok := o.(*button); ok {
			setEnabled(b, !busy)
		}
	}
}

// ShowQuestions shows what waits for a person: the one question, or the list. A
// sheet that is open stays: somebody may have typed into it.
func (w *Window) ShowQuestions() {
	w.Show()
	w.goTo(place{kind: atHome})
	if len(w.state.Questions) == 1 && len(w.sheets) == 0 {
		w.openQuestion(w.state.Questions[0])
	}
}

// ShowFolder shows one folder, with a tab of it: "", "recent", "conflicts",
// "trash" or "members".
func (w *Window) ShowFolder(id app.FolderID, tab string) {
	w.Show()
	w.goTo(place{kind: atFolder, folder: id, tab: tab})
}

// ShowDevice shows one device.
func (w *Window) ShowDevice(id app.DeviceID) {
	w.Show()
	w.goTo(place{kind: atDevice, device: id})
}
