package ui

import (
	"context"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A folderHead says what a folder is, how it does and what is in its way.
type folderHead struct {
	w    *Window
	view seenFolder
	box  fyne.CanvasObject

	name, path, what, state *widget.Label
	icon                    *widget.Icon
	bar                     *bar
	pause                   *button
	questions               *rows[app.QuestionID, app.Question]
	problem                 *problem
}

func newFolderHead(w *Window) *folderHead {
	h := &folderHead{w: w, name: heading(""), path: selectable(""), what: muted(""), state: para(""), icon: widget.NewIcon(nil), bar: newBar()}
	h.name.Wrapping, h.name.Truncation = fyne.TextWrapOff, fyne.TextTruncateEllipsis
	h.path.Importance = widget.LowImportance
	h.pause = newIconButton(w, tr("Pause")+opens, glyph("pause"), h.pauseOrResume)
	buttons := container.New(&flow{gap: 4},
		newIconButton(w, tr("Open folder"), glyph("folder"), func() { w.openPath(h.view.Path) }),
		newIconButton(w, tr("Share with…"), glyph("plus"), func() { w.askShare(h.view.Path) }),
		h.pause,
	)
	h.questions = newRows(func(q app.Question) app.QuestionID { return q.ID }, func(app.Question) row[app.Question] { return newQuestionRow(w) })
	h.problem = newProblem(h)
	state := container.NewBorder(nil, nil, container.NewCenter(stretch(h.icon, 22, 22)), nil, h.state)
	names := container.New(&asideIfRoom{least: 300}, column(h.name, h.path, h.what), buttons)
	h.box = container.New(pile{gap: 2}, names, state, h.bar, h.questions.box, h.problem.box)
	return h
}

func (h *folderHead) object() fyne.CanvasObject { return h.box }

func (h *folderHead) draw(v seenFolder) {
	h.view = v
	setText(h.name, shown(v.Name))
	setText(h.path, shownPath(h.w.tilde(v.Path)))
	setText(h.what, folderWhat(v))
	setText(h.state, headSentence(v))
	setIcon(h.icon, folderIcon(v.Folder))
	show(h.bar, v.NeedBytes > 0 && v.State != app.FolderStopped)
	h.bar.set(folderDone(v.Folder))
	questions := questionsOf(v)
	h.questions.draw(questions)
	show(h.questions.box, len(questions) > 0)
	h.problem.draw(v, v.Problem != "" && len(questions) == 0) // which say what it is about
	h.drawPause()
}

func (h *folderHead) drawPause() {
	text, icon := tr("Pause")+opens, "pause"
	switch {
	case h.view.state.Paused:
		text, icon = tr("Resume all folders"), "play"
	case h.view.State == app.FolderPaused:
		text, icon = tr("Resume"), "play"
	}
	if h.pause.Text != text {
		h.pause.SetIcon(glyph(icon))
		h.pause.SetText(text)
	}
}

func (h *folderHead) pauseOrResume() {
	id := h.view.ID
	switch {
	case h.view.state.Paused:
		h.w.do(func(ctx context.Context) error { return h.w.svc.Resume(ctx, "") }, h.w.fail)
		return
	case h.view.State == app.FolderPaused:
		h.w.do(func(ctx context.Context) error { return h.w.svc.Resume(ctx, id) }, h.w.fail)
		return
	}
	pause := func(d time.Duration) func() {
		return func() {
			h.w.do(func(ctx context.Context) error { return h.w.svc.Pause(ctx, id, d) }, h.w.fail)
		}
	}
	h.w.menu(h.pause,
		fyne.NewMenuItem(tr("For 1 hour"), pause(time.Hour)),
		fyne.NewMenuItem(tr("Until tomorrow"), pause(untilTomorrow(h.w.now()))),
		fyne.NewMenuItem(tr("Until I resume"), pause(0)),
	)
}

// untilTomorrow is the time until the next morning, when people are back.
func untilTomorrow(now time.Time) time.Duration {
	const morning = 6 * time.Hour
	return midnight(now).AddDate(0, 0, 1).Add(morning).Sub(now)
}

// rescan looks at a whole folder; b, which may be nil, is disabled meanwhile.
func rescan(w *Window, id app.FolderID, b *button) {
	if b != nil {
		b.Disable()
	}
	w.do(func(ctx context.Context) error { return w.svc.Rescan(ctx, id) }, func(err error) {
		if b != nil {
			b.Enable()
		}
		if err == nil {
			w.say(tr("Every file was looked at."))
		}
		w.fail(err)
	})
}

// headSentence is folderSentence, but where a problem or question stands below.
func headSentence(v seenFolder) string {
	if v.State == app.FolderStopped {
		return tr("Stopped for now. Nothing is sent or received.")
	}
	return folderSentence(v.Folder, v.state.Devices, v.now)
}

// folderWhat says how much a folder is, and who has it.
func folderWhat(v seenFolder) string {
	parts := []string{trn(v.Files, "{{.N}} file, {{.Size}}", "{{.N}} files, {{.Size}}", "Size", bytes(v.Bytes))}
	if with := sharedWith(v.Folder, v.state); with != "" {
		parts = append(parts, with)
	}
	if v.Role == roleReadOnly {
		parts = append(parts, tr("you only receive"))
	}
	return strings.Join(parts, " · ")
}

// Roles, as states name them.
const (
	roleReadWrite = "read-write"
	roleReadOnly  = "read-only"
)

func folderIcon(f app.Folder) string {
	switch {
	case f.State == app.FolderStopped || f.Problem != "":
		return "warning"
	case f.State == app.FolderPaused:
		return "pause"
	case f.State == app.FolderScanning || f.State == app.FolderSyncing:
		return "arrows"
	}
	return "check"
}

func questionsOf(v seenFolder) (qs []app.Question) {
	for _, q := range v.state.Questions {
		if q.Folder == v.ID && q.Kind != app.AskOffer {
			qs = append(qs, q)
		}
	}
	return qs
}

// opens follows the text of a button that shows a menu.
const opens = " ▾"

// menu shows choices below a button. Arrow keys and Enter choose, Escape
// closes it.
func (w *Window) menu(below fyne.CanvasObject, items ...*fyne.MenuItem) {
	widget.ShowPopUpMenuAtRelativePosition(fyne.NewMenu("", items...), w.win.Canvas(), fyne.NewPos(0, below.Size().Height+2), below)
}
