package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A folderCard is a folder on the home screen.
type folderCard struct {
	w    *Window
	id   app.FolderID
	path string
	box  fyne.CanvasObject

	name     *widget.Label
	with     *widget.Label
	state    *widget.Label
	bar      *bar
	percent  *widget.Label
	progress *fyne.Container
	problem  *widget.Label
	trouble  *fyne.Container
	conflict *widget.Label
	solve    *fyne.Container
}

func newFolderCard(w *Window) *folderCard {
	c := &folderCard{
		w: w, name: strong(""), with: mutedLine(""), state: para(""), bar: newBar(), percent: line(""), problem: para(""), conflict: para(""),
	}
	c.percent.Alignment = fyne.TextAlignTrailing
	c.progress = container.NewBorder(nil, nil, nil, stretch(c.percent, 64, 0), container.New(middle{}, container.New(inset{8, 0}, c.bar)))
	c.trouble = container.NewBorder(nil, nil, picture("warning"), nil, c.problem)
	c.solve = container.NewBorder(nil, nil, picture("warning"), container.NewCenter(newButton(w, tr("Solve"), func() {
		w.goTo(place{kind: atFolder, folder: c.id, tab: "conflicts"})
	})), c.conflict)
	open := newButton(w, tr("Open folder"), func() { w.openPath(c.path) })
	details := newButton(w, tr("Details"), func() { w.goTo(place{kind: atFolder, folder: c.id}) })
	icon := container.NewVBox(gap(2), stretch(widget.NewIcon(glyph("folder")), 34, 34))
	head := container.New(&asideIfRoom{least: 180}, column(c.name, c.with), container.New(&flow{gap: 6}, open, details))
	c.box = card(container.NewBorder(nil, nil, container.New(inset{2, 4}, icon), nil, container.NewVBox(column(head, c.state), c.progress, c.trouble, c.solve)))
	return c
}

func (c *folderCard) object() fyne.CanvasObject { return c.box }

func (c *folderCard) draw(v folderView) {
	c.id, c.path = v.ID, v.Path
	st := c.w.state
	setText(c.name, shown(v.Name))
	with := sharedWith(v.Folder, st)
	setText(c.with, with)
	show(c.with, with != "")
	setText(c.state, folderSentence(v.Folder, st.Devices, c.w.now()))
	done := folderDone(v.Folder)
	show(c.progress, done < 1)
	c.bar.set(done)
	setText(c.percent, percent(done))
	trouble := v.Problem != "" && v.asks == 0 // else its question says it
	show(c.trouble, trouble)
	if trouble {
		text, _, _ := problemText(v.Folder, c.w.tilde(v.Path))
		setText(c.problem, text)
	}
	show(c.solve, v.Conflicts > 0)
	setText(c.conflict, trn(v.Conflicts, "{{.N}} file was changed in two places; both versions were kept", "{{.N}} files were changed in two places; both versions were kept"))
}

// openPath shows a directory or file in the desktop's own program.
func (w *Window) openPath(path string) {
	if w.opts.OpenPath == nil {
		w.say(shownPath(path))
		return
	}
	w.fail(w.opts.OpenPath(path))
}

// middle is a layout that stands one object of little height in the middle of
// a row.
type middle struct{}

// Layout implements fyne.Layout.
func (middle) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		h := o.MinSize().Height
		o.Move(fyne.NewPos(0, (size.Height-h)/2))
		o.Resize(fyne.NewSize(size.Width, h))
	}
}

// MinSize implements fyne.Layout.
func (middle) MinSize(objects []fyne.CanvasObject) fyne.Size {
	m := fyne.Size{}
	for _, o := range objects {
		m = m.Max(o.MinSize())
	}
	return m
}
