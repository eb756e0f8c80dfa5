package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A shell is what stands around each screen: the sidebar at the left, notes
// at the lower edge, and a line on top where the window has something to say.
type shell struct {
	w       *Window
	object  fyne.CanvasObject
	middle  *fyne.Container
	side    *sidebar
	notes   *notes
	hint    *widget.Label
	hintBox *fyne.Container
}

func newShell(w *Window) *shell {
	s := &shell{w: w, middle: container.NewStack(), side: newSidebar(w), notes: newNotes(w), hint: para("")}
	s.hintBox = container.New(inset{16, 8}, notice(container.NewBorder(nil, nil, picture("info"), nil, s.hint)))
	s.hintBox.Hide()
	s.object = container.New(&filling{w: w},
		newFill(theme.ColorNameBackground, 0),
		container.NewBorder(nil, nil, s.side.object(), nil, container.NewBorder(s.hintBox, nil, nil, nil, s.middle)),
		s.notes.object,
	)
	return s
}

// filling gives all its objects the whole window, and lets sheets follow its
// size.
type filling struct {
	w    *Window
	last fyne.Size
}

// Layout implements fyne.Layout.
func (f *filling) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.Position{})
		o.Resize(size)
	}
	if f.last != size {
		f.last = size
		for _, sh := range f.w.sheets {
			sh.fit()
		}
	}
}

// MinSize implements fyne.Layout.
func (*filling) MinSize(objects []fyne.CanvasObject) fyne.Size {
	m := fyne.Size{}
	for _, o := range objects {
		m = m.Max(o.MinSize())
	}
	return m
}

func (s *shell) show(o fyne.CanvasObject) {
	s.middle.Objects = []fyne.CanvasObject{o}
	s.middle.Refresh()
}

func (s *shell) draw(st app.State) {
	show(s.side.object(), s.w.place.kind != atStart)
	s.side.draw(st)
}

// SetHint shows a line on top of the window until it is changed; "" is none.
// It may be called from any goroutine.
func (w *Window) SetHint(text string) {
	fyne.Do(func() {
		setText(w.shell.hint, text)
		show(w.shell.hintBox, text != "")
		settle(w.win.Content())
	})
}
