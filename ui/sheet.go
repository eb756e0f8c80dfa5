package ui

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A sheet is a dialog over the window. Escape closes it, Enter presses its
// primary button, wherever the focus is.
type sheet struct {
	w       *Window
	pop     *widget.PopUp
	title   *widget.Label
	middle  *fyne.Container
	scroll  *container.Scroll // around middle
	wrong   *trouble          // above the buttons, always in sight
	buttons *fyne.Container
	primary *button
	fitted  fyne.Size // by fit

	draw    func(s app.State) // called with each new state; may be nil
	closed  func()            // called once when the sheet is gone; may be nil
	dropped func(path string) // takes what is dropped while it is on top; may be nil
	pasted  func(text string) // takes Ctrl+V while no entry has the focus; may be nil
	linked  func()            // called when a computer nearby was linked; may be nil
	kept    bool              // Escape does not close it
}

// sheetWidth fits six words, and a small screen.
const sheetWidth = 620

// open shows a sheet. Its content is set by page.
func (w *Window) open(title string) *sheet {
	sh := &sheet{w: w, title: heading(title), middle: container.NewStack(), wrong: newTrouble(), buttons: container.NewHBox()}
	sh.scroll = container.NewVScroll(container.New(inset{x: 3}, sh.middle))
	body := container.New(inset{28, 24}, container.NewBorder(sh.title, container.NewVBox(gap(8), sh.wrong.box, sh.buttons), nil, nil, sh.scroll))
	sh.pop = widget.NewModalPopUp(body, w.win.Canvas())
	w.sheets = append(w.sheets, sh)
	sh.pop.Show()
	return sh
}

// page fills the sheet: a body, and buttons at the right, of which the last is
// the primary one; those before a nil stand at the left.
func (sh *sheet) page(body fyne.CanvasObject, buttons ...*button) {
	sh.middle.Objects = []fyne.CanvasObject{body}
	sh.buttons.Objects = nil
	if !slices.Contains(buttons, nil) {
		sh.buttons.Objects = append(sh.buttons.Objects, layout.NewSpacer())
	}
	sh.primary = nil
	sh.wrong.say("")
	for i, b := range buttons {
		if b == nil {
			sh.buttons.Objects = append(sh.buttons.Objects, layout.NewSpacer())
			continue
		}
		if i == len(buttons)-1 {
			b.Importance = widget.HighImportance
			sh.primary = b
		}
		sh.buttons.Objects = append(sh.buttons.Objects, b)
	}
	sh.fitted = fyne.Size{}
	sh.fit()
	sh.w.focusFirst(body)
}

// say tells what is wrong with what was typed or tried; "" takes it away.
func (sh *sheet) say(text string) {
	if text != sh.wrong.text.Text {
		sh.wrong.say(text)
		sh.fit()
	}
}

// retitle changes the heading.
func (sh *sheet) retitle(title string) { setText(sh.title, title) }

// fit makes the sheet as high as its content, if the window is.
func (sh *sheet) fit() {
	room := sh.w.win.Canvas().Size()
	width := min(sheetWidth, room.Width-40)
	want := fyne.NewSize(width, min(sh.height(), room.Height-40))
	if sh.fitted == want {
		return
	}
	sh.pop.Resize(fyne.NewSize(width, room.Height-40)) // text knows its height once it knows its width
	sh.middle.Refresh()
	sh.fitted = fyne.NewSize(width, min(sh.height(), room.Height-40))
	sh.pop.Resize(sh.fitted)
	sh.pop.Refresh()
}

// height is what the content needs in the width that it has.
func (sh *sheet) height() float32 {
	body := float32(0)
	for _, o := range sh.middle.Objects {
		body += o.MinSize().Height
	}
	body += sh.title.MinSize().Height + sh.buttons.MinSize().Height + 96
	if sh.wrong.box.Visible() {
		body += sh.wrong.box.MinSize().Height + 4
	}
	return body
}

// isOpen tells whether the sheet is still there, after a call that took time.
func (sh *sheet) isOpen() bool { return slices.Contains(sh.w.sheets, sh) }

// close takes the sheet away.
func (sh *sheet) close() {
	for i, s := range sh.w.sheets {
		if s != sh {
			continue
		}
		sh.w.sheets = append(sh.w.sheets[:i:i], sh.w.sheets[i+1:]...)
		sh.pop.Hide()
		if sh.closed != nil {
			sh.closed()
		}
		return
	}
}

func (w *Window) closeSheets() {
	for len(w.sheets) > 0 {
		w.sheets[len(w.sheets)-1].close()
	}
}

// confirm asks before something that cannot be undone, or surprises. Yes says
// what will be done, in a word or two.
func (w *Window) confirm(title, text, yes string, do func()) {
	sh := w.open(title)
	ok := newButton(w, yes, func() { sh.close(); do() })
	sh.page(para(text), newButton(w, tr("Cancel"), sh.close), ok)
}
