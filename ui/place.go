package ui

import (
	"fyne.io/fyne/v2"

	"foldpost/app"
)

// A place is what the window shows beside its sidebar.
type place struct {
	kind   placeKind
	folder app.FolderID
	device app.DeviceID
	tab    string // of a folder: "", "recent", "conflicts", "trash", "members"
}

type placeKind int

const (
	atStart placeKind = iota // nothing is here yet: three doors
	atHome
	atFolder
	atDevice
	atSettings
	atAbout
	atWorks // what works and what does not
)

// A screen is the content of a place. It lives while the window is there.
type screen interface {
	object() fyne.CanvasObject
	// draw shows a state. It must be cheap, keep what the user has typed and
	// scrolled to, and touch only what has changed.
	draw(s app.State)
}

// goTo shows a place. While nothing is there, home is the start.
func (w *Window) goTo(p place) {
	if p.kind == atHome {
		p = w.first(w.state)
	}
	w.place = p
	w.screen = w.make(p)
	w.shell.show(w.screen.object())
	w.redraw()
}

func (w *Window) make(p place) screen {
	switch p.kind {
	case atStart:
		return newStart(w)
	case atFolder:
		return newFolder(w, p.folder, p.tab)
	case atDevice:
		return newDevice(w, p.device)
	case atSettings:
		return newSettings(w)
	case atAbout:
		return newAbout(w)
	case atWorks:
		return newWorks(w)
	}
	return newHome(w)
}

// first is where a window begins.
func (w *Window) first(s app.State) place {
	if len(s.Folders)+len(s.Devices)+len(s.Invitations)+len(s.Offers)+len(s.Questions) == 0 {
		return place{kind: atStart}
	}
	return place{kind: atHome}
}
