package ui

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
)

// notes are short messages at the lower edge that go away by themselves.
type notes struct {
	w      *Window
	object *fyne.Container
	box    *fyne.Container
}

type noteKind string

// The kinds of notes, which are the names of their pictures.
const (
	noteDone  noteKind = "check"
	noteError noteKind = "warning"
)

const (
	noteTime  = 4 * time.Second
	errorTime = 12 * time.Second
	maxNotes  = 3
)

func newNotes(w *Window) *notes {
	n := &notes{w: w, box: container.NewVBox()}
	n.object = container.NewVBox(layout.NewSpacer(), container.NewHBox(layout.NewSpacer(), container.New(inset{16, 16}, n.box)))
	return n
}

func (n *notes) add(text string, kind noteKind) {
	label := para(text)
	shut := newIconButton(n.w, "", glyph("close"), nil)
	note := notice(container.NewBorder(nil, nil, picture(string(kind)), container.NewCenter(shut), stretch(label, 340, 0)))
	gone := func() {
		n.box.Remove(note)
		n.box.Refresh()
	}
	shut.OnTapped = gone
	n.box.Add(note)
	for len(n.box.Objects) > maxNotes {
		n.box.Remove(n.box.Objects[0])
	}
	if n.w.inline {
		return // it stays, to be read
	}
	life := noteTime
	if kind == noteError {
		life = errorTime
	}
	ctx := n.w.ctx
	go func() {
		select {
		case <-ctx.Done():
		case <-time.After(life):
			fyne.Do(gone)
		}
	}()
}
