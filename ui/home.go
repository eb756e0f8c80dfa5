package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A home shows what waits for a person, and all folders.
type home struct {
	w       *Window
	box     fyne.CanvasObject
	folders *rows[app.FolderID, app.Folder]
}

func newHome(w *Window) *home {
	h := &home{w: w}
	h.folders = newRows(func(f app.Folder) app.FolderID { return f.ID }, func(app.Folder) row[app.Folder] { return newFolderCard(w) })
	h.box = page(container.NewVBox(heading(tr("Folders")), h.folders.box, newButton(w, tr("Share a folder"), func() { w.askShare("") })))
	return h
}

func (h *home) object() fyne.CanvasObject { return h.box }

func (h *home) draw(s app.State) { h.folders.draw(s.Folders) }

// A folderCard is a folder on the home screen.
type folderCard struct {
	w    *Window
	id   app.FolderID
	box  fyne.CanvasObject
	name *widget.Label
}

func newFolderCard(w *Window) *folderCard {
	c := &folderCard{w: w, name: strong("")}
	c.box = card(spread(c.name, newButton(w, tr("Open"), func() { w.goTo(place{kind: atFolder, folder: c.id}) })))
	return c
}

func (c *folderCard) object() fyne.CanvasObject { return c.box }

func (c *folderCard) draw(f app.Folder) {
	c.id = f.ID
	setText(c.name, shown(f.Name))
}
