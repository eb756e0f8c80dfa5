package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

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
	s.box = page(container.NewVBox(
		heading(tr("What brings you here?")),
		newButton(w, tr("I have an invitation"), func() { w.askAccept("") }),
		newButton(w, tr("Share a folder"), func() { w.askShare("") }),
		newButton(w, tr("Connect my other computer"), w.askInvite),
		muted(tr("Nothing is sent, and nothing is asked, before you say so.")),
	))
	return s
}

func (s *start) object() fyne.CanvasObject { return s.box }

// draw leaves the start once there is something to show.
func (s *start) draw(st app.State) {
	if p := s.w.first(st); p.kind != atStart {
		s.w.goTo(p)
	}
}
