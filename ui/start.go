package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A start is what a window shows while nothing is there: three doors. Nothing
// is sent, and nothing asked, before one is chosen.
type start struct {
	w   *Window
	box fyne.CanvasObject
}

func newStart(w *Window) *start {
	s := &start{w: w}
	title := heading(tr("What brings you here?"))
	title.Alignment = fyne.TextAlignCenter
	promise := muted(tr("Nothing is sent, and nothing is asked, before you say so."))
	promise.Alignment = fyne.TextAlignCenter
	doors := container.New(&sides{least: 200, gap: 16},
		s.door("letter", tr("I have an invitation"), tr("Somebody wants to share a folder with you: open the file from the mail, or paste the whole message."), func() { w.askAccept("") }),
		s.door("folder", tr("Share a folder"), tr("Choose a folder and the person who shall have it too. It goes straight from your computer to theirs."), func() { w.askShare("") }),
		s.door("device", tr("Connect my other computer"), tr("Keep the same folders on both of your computers, without a cloud in between."), w.askInvite),
	)
	hint := muted(tr("Or drop a folder or an invitation anywhere in this window."))
	hint.Alignment = fyne.TextAlignCenter
	more := container.NewHBox(layout.NewSpacer(), s.link(tr("Settings"), "gear", place{kind: atSettings}), s.link(tr("About"), "info", place{kind: atAbout}), layout.NewSpacer())
	s.box = container.NewBorder(nil, container.New(inset{16, 10}, more), nil, nil, page(container.NewVBox(
		layout.NewSpacer(), title, promise, gap(12), doors, gap(6), hint, layout.NewSpacer(), layout.NewSpacer(),
	)))
	return s
}

// door is a large card that leads somewhere.
func (s *start) door(icon, title, text string, open func()) fyne.CanvasObject {
	name := subheading(title)
	name.Alignment = fyne.TextAlignCenter
	about := muted(text)
	about.Alignment = fyne.TextAlignCenter
	pic := container.NewCenter(stretch(widget.NewIcon(glyph(icon)), 56, 56))
	t := newTile(s.w, title, container.New(inset{16, 26}, container.NewVBox(pic, gap(6), name, about)), open)
	t.fill, t.radius = colorCard, 14
	return t
}

func (s *start) link(text, icon string, p place) fyne.CanvasObject {
	b := newIconButton(s.w, text, glyph(icon), func() { s.w.goTo(p) })
	b.Importance = widget.LowImportance
	return b
}

func (s *start) object() fyne.CanvasObject { return s.box }

// draw leaves the start once there is something to show.
func (s *start) draw(st app.State) {
	if p := s.w.first(st); p.kind != atStart {
		s.w.goTo(p)
	}
}
