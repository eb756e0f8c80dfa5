package ui

import (
	"context"
	"path"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"foldpost/app"
)

// recentChanges are as many changes as a person looks through.
const recentChanges = 200

// A recent lists what has changed in a folder: what, by whom, when.
type recent struct {
	w    *Window
	view seenFolder
	box  fyne.CanvasObject

	filter *entry
	list   *list
	open   *button
	lack   *lack
	load   *load[[]app.Change]
	shown  []app.Change // those that the filter lets through
}

func newRecent(w *Window, id app.FolderID) *recent {
	r := &recent{w: w, filter: newEntry(w, tr("Find a file or a device"))}
	r.load = newLoad(w, func(ctx context.Context) ([]app.Change, error) { return w.svc.Recent(ctx, id, recentChanges) }, func() { r.sift() })
	r.list = newList(w, func() int { return len(r.shown) }, func(i int, row *listRow) { r.drawRow(r.shown[i], row) })
	r.lack = newLack(w, r.load.again)
	r.open = newIconButton(w, tr("Open where it is"), glyph("folder"), func() { r.openDir(r.list.at) })
	r.open.Disable()
	r.list.entered = r.openDir
	r.list.chosen = func(int) { r.open.Enable() }
	r.filter.OnChanged = func(string) { r.sift() }
	foot := container.NewHBox(r.open)
	r.box = container.NewBorder(r.filter, foot, nil, nil, container.NewStack(r.list.box, r.lack.box))
	return r
}

func (r *recent) object() fyne.CanvasObject { return r.box }

func (r *recent) draw(v seenFolder) {
	names := deviceNames(r.view.state) != deviceNames(v.state)
	midnightPassed := !midnight(r.view.now).Equal(midnight(v.now))
	r.view = v
	r.load.draw(v.Changed)
	if names || midnightPassed {
		r.sift()
	}
}

// deviceNames is equal for states whose devices have the same names.
func deviceNames(s app.State) string {
	var b strings.Builder
	b.WriteString(string(s.Device.ID))
	for _, d := range s.Devices {
		b.WriteString("\x00" + string(d.ID) + "\x00" + d.Name)
	}
	return b.String()
}

// sift shows what the filter lets through.
func (r *recent) sift() {
	want := strings.ToLower(strings.TrimSpace(r.filter.Text))
	var at int
	r.shown, at = sift(r.shown, r.list.at, r.load.value, func(c app.Change) bool {
		return strings.Contains(strings.ToLower(c.Path), want) || strings.Contains(strings.ToLower(nameOf(r.view.state, c.Device)), want)
	})
	r.list.changed(at)
	setEnabled(r.open, at >= 0)
	empty := tr("Nothing has changed since this folder is here.")
	if want != "" {
		empty = tr("No change fits what you look for.")
	}
	r.lack.draw(r.load.done, r.load.err, len(r.shown), empty)
}

func (r *recent) drawRow(c app.Change, row *listRow) {
	icon, what := "edit", tr("changed")
	if c.What == app.Deleted {
		icon, what = "trash", tr("deleted")
	}
	if by := nameOf(r.view.state, c.Device); by != "" {
		what = tr("{{.What}} by {{.Name}}", "What", what, "Name", by)
	}
	if c.What != app.Deleted {
		what += " · " + bytes(c.Size)
	}
	if dir := path.Dir(c.Path); dir != "." {
		what += " · " + tr("in {{.Dir}}", "Dir", shownPath(dir))
	}
	row.draw(icon, shown(path.Base(c.Path)), what, when(c.At, r.view.now))
}

// openDir shows the directory of a change in the file manager: never the file
// itself, which others may have made.
func (r *recent) openDir(i int) {
	if i < 0 || i >= len(r.shown) {
		return
	}
	dir := r.view.Path
	if rel := path.Dir(r.shown[i].Path); filepath.IsLocal(filepath.FromSlash(rel)) {
		if d := filepath.Join(dir, filepath.FromSlash(rel)); isDir(d) {
			dir = d
		}
	}
	r.w.openPath(dir)
}
