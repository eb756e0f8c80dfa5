package ui

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"foldpost/app"
)

// A folderScreen is everything about one folder: a head, and one of several
// tabs below it, which fills the window.
type folderScreen struct {
	w    *Window
	id   app.FolderID
	box  *container.Scroll
	head *folderHead
	bar  *tabBar
	body *fyne.Container

	tabs map[string]row[seenFolder] // those that were opened
	at   string
	view seenFolder // drawn last
}

// A seenFolder is a folder, the state that it is part of, and the time that
// its texts are made for.
type seenFolder struct {
	app.Folder
	state app.State
	now   time.Time
}

// Tabs of a folder, as places name them.
const (
	tabNow       = ""
	tabRecent    = "recent"
	tabConflicts = "conflicts"
	tabTrash     = "trash"
	tabMembers   = "members"
	tabMore      = "more"
)

func newFolder(w *Window, id app.FolderID, tab string) *folderScreen {
	f := &folderScreen{w: w, id: id, head: newFolderHead(w), body: container.NewStack(), tabs: map[string]row[seenFolder]{}}
	f.bar = newTabBar(f.open)
	f.bar.add(w, tabNow, tr("Now"))
	f.bar.add(w, tabRecent, tr("Recent changes"))
	f.bar.add(w, tabConflicts, tr("Conflicts"))
	f.bar.add(w, tabTrash, tr("Deleted and replaced"))
	f.bar.add(w, tabMembers, tr("Members"))
	f.bar.add(w, tabMore, tr("More"))
	const least = 280 // of a tab; a lower window scrolls
	f.box = container.NewVScroll(container.New(inset{24, 16}, container.New(pile{gap: 6}, f.head.object(), f.bar.box, stretch(f.body, 0, least))))
	for _, fo := range w.state.Folders {
		if fo.ID == id {
			f.view = seenFolder{fo, w.state, w.now()}
		}
	}
	f.bar.open(tab)
	return f
}

func (f *folderScreen) object() fyne.CanvasObject { return f.box }

func (f *folderScreen) draw(s app.State) {
	for _, fo := range s.Folders {
		if fo.ID == f.id {
			f.view = seenFolder{fo, s, f.w.now()}
			f.drawView()
			return
		}
	}
	f.w.goTo(place{kind: atHome}) // it is gone
}

func (f *folderScreen) drawView() {
	f.head.draw(f.view)
	conflicts := tr("Conflicts")
	if f.view.Conflicts > 0 {
		conflicts = trn(f.view.Conflicts, "{{.N}} conflict", "{{.N}} conflicts")
	}
	f.bar.setText(tabConflicts, conflicts)
	f.tabs[f.at].draw(f.view)
}

// open shows a tab.
func (f *folderScreen) open(tab string) {
	f.at = tab
	if f.tabs[tab] == nil {
		f.tabs[tab] = f.make(tab)
	}
	if p := &f.w.place; p.kind == atFolder && p.folder == f.id {
		p.tab = tab
	}
	f.body.Objects = []fyne.CanvasObject{f.tabs[tab].object()}
	f.body.Refresh()
	if f.view.ID != "" {
		f.tabs[tab].draw(f.view)
		settle(f.w.win.Content())
	}
}

func (f *folderScreen) make(tab string) row[seenFolder] {
	switch tab {
	case tabRecent:
		return newRecent(f.w, f.id)
	case tabConflicts:
		return newConflicts(f.w, f.id)
	case tabTrash:
		return newTrashList(f.w, f.id)
	case tabMembers:
		return newMembers(f.w)
	case tabMore:
		return newFolderMore(f.w)
	}
	return newFolderNow(f.w, f.id)
}

// key implements keyed.
func (f *folderScreen) key(e *fyne.KeyEvent) bool {
	if k, ok := f.tabs[f.at].(keyed); ok && k.key(e) {
		return true
	}
	page := f.box.Size().Height * 0.8
	switch e.Name {
	case fyne.KeyF5:
		rescan(f.w, f.id, nil)
	case fyne.KeyPageDown:
		f.scroll(page)
	case fyne.KeyPageUp:
		f.scroll(-page)
	default:
		return false
	}
	return true
}

func (f *folderScreen) scroll(by float32) {
	end := f.box.Content.MinSize().Height - f.box.Size().Height
	f.box.ScrollToOffset(fyne.NewPos(0, max(0, min(end, f.box.Offset.Y+by))))
}

// nameOf is what a device is called here; "" if it is not known.
func nameOf(s app.State, id app.DeviceID) string {
	if id == s.Device.ID {
		return tr("this device")
	}
	for _, d := range s.Devices {
		if d.ID == id {
			return shown(d.Name)
		}
	}
	return ""
}
