package ui

import (
	"context"
	"io"
	"path"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"foldpost/app"
)

// A trashList lists deleted and replaced files, and brings them back.
type trashList struct {
	w    *Window
	view seenFolder
	box  fyne.CanvasObject

	filter        *entry
	list          *list
	restore, save *button
	lack          *lack
	load          *load[trashed]
	shown         []app.Kept // those that the filter lets through
}

// trashed is what is kept, and for how many days.
type trashed struct {
	files []app.Kept
	days  int
}

func newTrashList(w *Window, id app.FolderID) *trashList {
	t := &trashList{w: w, filter: newEntry(w, tr("Find a file"))}
	t.load = newLoad(w, func(ctx context.Context) (trashed, error) {
		files, err := w.svc.Trash(ctx, id)
		return trashed{files, keptDays(ctx, w.svc)}, err
	}, func() { t.sift() })
	t.list = newList(w, func() int { return len(t.shown) }, func(i int, row *listRow) { t.drawRow(t.shown[i], row) })
	t.lack = newLack(w, t.load.again)
	t.restore = newIconButton(w, tr("Restore"), glyph("restore"), func() { t.bringBack(t.list.at) })
	t.save = newIconButton(w, tr("Save a copy as…"), glyph("download"), func() { t.saveCopy(t.list.at) })
	t.list.entered = t.bringBack
	t.list.chosen = func(int) { t.enable() }
	t.filter.OnChanged = func(string) { t.sift() }
	foot := container.NewHBox(t.restore, t.save)
	top := container.New(pile{}, muted(tr("Deleted and replaced files are kept for a while on each device that had them. Restoring one keeps what is in its place now here, too.")), t.filter)
	t.box = container.New(pile{gap: 4}, top, container.NewBorder(nil, foot, nil, nil, container.NewStack(t.list.box, t.lack.box)))
	t.enable()
	return t
}

// keptDays is for how many days deleted and replaced files are kept; 0 if that
// is not known.
func keptDays(ctx context.Context, svc app.Service) int {
	settings, err := svc.Config(ctx)
	if err != nil {
		return 0
	}
	for _, s := range settings {
		if s.Key == "trash-days" {
			n, _ := strconv.Atoi(s.Value)
			return n
		}
	}
	return 0
}

func (t *trashList) object() fyne.CanvasObject { return t.box }

func (t *trashList) draw(v seenFolder) {
	t.view = v
	type mark struct {
		changed         time.Time
		files           int
		bytes           int64
		conflicts, need int
	}
	t.load.draw(mark{v.Changed, v.Files, v.Bytes, v.Conflicts, v.NeedFiles})
}

// sift shows what the filter lets through.
func (t *trashList) sift() {
	want := strings.ToLower(strings.TrimSpace(t.filter.Text))
	var at int
	t.shown, at = sift(t.shown, t.list.at, t.load.value.files, func(k app.Kept) bool {
		return want == "" || strings.Contains(strings.ToLower(k.Path), want)
	})
	t.list.changed(at)
	t.enable()
	empty := tr("No file was deleted or replaced lately.")
	if want != "" {
		empty = tr("No such file was deleted or replaced lately.")
	}
	t.lack.draw(t.load.done, t.load.err, len(t.shown), empty)
}

func (t *trashList) enable() {
	chosen := t.list.at >= 0 && t.list.at < len(t.shown)
	setEnabled(t.restore, chosen)
	setEnabled(t.save, chosen)
}

func (t *trashList) drawRow(k app.Kept, row *listRow) {
	detail := tr("deleted or replaced {{.When}}", "When", when(k.At, t.view.now)) + " · " + bytes(k.Size)
	if dir := path.Dir(k.Path); dir != "." {
		detail += " · " + tr("in {{.Dir}}", "Dir", shownPath(dir))
	}
	row.draw("file", shown(path.Base(k.Path)), detail, daysLeft(k.At, t.load.value.days, t.view.now))
}

// daysLeft says how long a file is still kept; "" if that is not known.
func daysLeft(at time.Time, days int, now time.Time) string {
	if days == 0 {
		return ""
	}
	left := at.Add(time.Duration(days) * 24 * time.Hour).Sub(now)
	if left <= 24*time.Hour {
		return tr("goes today")
	}
	return trn(int((left+24*time.Hour-1)/(24*time.Hour)), "{{.N}} day left", "{{.N}} days left")
}

func (t *trashList) bringBack(i int) {
	if i < 0 || i >= len(t.shown) || t.restore.Disabled() {
		return
	}
	k := t.shown[i]
	t.restore.Disable()
	t.w.do(func(ctx context.Context) error {
		return t.w.svc.Restore(ctx, app.RestoreRequest{Folder: t.view.ID, Path: k.Path, At: k.At}, nil)
	}, func(err error) {
		t.enable()
		if err != nil {
			t.w.fail(err)
			return
		}
		t.w.say(tr("{{.File}} is back where it was.", "File", shown(path.Base(k.Path))))
		t.load.again()
	})
}

func (t *trashList) saveCopy(i int) {
	if i < 0 || i >= len(t.shown) {
		return
	}
	k := t.shown[i]
	t.w.pickFolder(tr("Save a copy in"), func(dir string) {
		t.w.do(func(ctx context.Context) error {
			_, err := saveNew(dir, path.Base(k.Path), func(out io.Writer) error {
				return t.w.svc.Restore(ctx, app.RestoreRequest{Folder: t.view.ID, Path: k.Path, At: k.At}, out)
			})
			return err
		}, func(err error) {
			if err == nil {
				t.w.say(tr("A copy of {{.File}} is in {{.Path}}.", "File", shown(path.Base(k.Path)), "Path", shownPath(t.w.tilde(dir))))
			}
			t.w.fail(err)
		})
	})
}
