package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A folderScreen is everything about one folder.
type folderScreen struct {
	w    *Window
	id   app.FolderID
	box  fyne.CanvasObject
	name *widget.Label
}

func newFolder(w *Window, id app.FolderID, _ string) *folderScreen {
	f := &folderScreen{w: w, id: id, name: heading("")}
	f.box = page(container.NewVBox(f.name))
	return f
}

func (f *folderScreen) object() fyne.CanvasObject { return f.box }

func (f *folderScreen) draw(s app.State) {
	for _, fo := range s.Folders {
		if fo.ID == f.id {
			setText(f.name, shown(fo.Name))
			return
		}
	}
	f.w.goTo(place{kind: atHome}) // it is gone
}
