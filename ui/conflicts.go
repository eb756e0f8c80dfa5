package ui

import (
	"cmp"
	"context"
	"maps"
	"path"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A conflicts is the list of files of which several versions were kept, and
// for the chosen one its versions beside each other, to choose from.
type conflicts struct {
	w    *Window
	view seenFolder
	box  *fyne.Container

	load   *load[conflictList]
	shown  []app.Conflict
	solved map[string]time.Time // by path: the list may have them a moment longer
	list   *list
	left   *fyne.Container // the list, and what can be done with all of it
	lack   *lack
	detail *conflictDetail
}

type conflictList struct {
	all  []app.Conflict
	days int // for which the trash keeps files
}

func newConflicts(w *Window, id app.FolderID) *conflicts {
	c := &conflicts{w: w, solved: map[string]time.Time{}}
	c.load = newLoad(w, func(ctx context.Context) (conflictList, error) {
		all, err := w.svc.Conflicts(ctx, id)
		return conflictList{all, keptDays(ctx, w.svc)}, err
	}, c.took)
	c.list = newList(w, func() int { return len(c.shown) }, func(i int, r *listRow) { c.drawRow(c.shown[i], r) })
	c.list.chosen = func(i int) { c.detail.open(c.view, c.shown[i]) }
	c.lack = newLack(w, c.load.again)
	c.detail = newConflictDetail(w, c.solve)
	alike := newButton(w, tr("Solve all alike…"), func() { askSolveAll(w, id, c.shown, c.ended) })
	c.left = container.NewBorder(nil, alike, nil, nil, c.list.box)
	both := container.New(&listAndDetail{list: 190, least: 380}, c.left, c.detail.box)
	c.box = container.NewStack(both, c.lack.box)
	return c
}

func (c *conflicts) object() fyne.CanvasObject { return c.box }

func (c *conflicts) draw(v seenFolder) {
	c.view = v
	type mark struct{ changed, n any }
	c.load.draw(mark{v.Changed, v.Conflicts})
	for _, at := range c.solved {
		if v.now.Sub(at) > solvedFor {
			c.took()
			break
		}
	}
}

// solvedFor is how long a conflict may take to leave the service's list.
const solvedFor = 10 * time.Second

// took shows what was loaded: the conflict that was open, else the first.
func (c *conflicts) took() {
	now := c.w.now()
	maps.DeleteFunc(c.solved, func(_ string, at time.Time) bool { return now.Sub(at) > solvedFor })
	c.shown = slices.DeleteFunc(slices.Clone(c.load.value.all), func(k app.Conflict) bool { return !c.solved[k.Path].IsZero() })
	at := min(0, len(c.shown)-1)
	for i, k := range c.shown {
		if k.Path == c.detail.conflict.Path {
			at = i
		}
	}
	c.list.changed(at)
	c.lack.draw(c.load.done, c.load.err, len(c.shown), tr("No conflicts. Where two devices change a file at the same time, both versions are kept, and you choose here."))
	show(c.left, len(c.shown) > 1)
	show(c.detail.box, len(c.shown) > 0)
}

// ended takes what was solved from the list.
func (c *conflicts) ended(paths ...string) {
	for _, p := range paths {
		c.solved[p] = c.w.now()
	}
	c.took()
	settle(c.w.win.Content())
}

func (c *conflicts) drawRow(k app.Conflict, r *listRow) {
	detail := trn(len(k.Copies)+1, "{{.N}} version", "{{.N}} versions")
	if dir := path.Dir(k.Path); dir != "." {
		detail = tr("in {{.Dir}}", "Dir", shownPath(dir))
	}
	r.draw("warning", shown(path.Base(k.Path)), detail, "")
}

// key implements keyed: a digit keeps that version, the one after the last
// keeps all.
func (c *conflicts) key(e *fyne.KeyEvent) bool {
	if len(e.Name) != 1 || e.Name < "1" || e.Name > "9" || c.list.at < 0 {
		return false
	}
	return c.detail.press(int(e.Name[0] - '0'))
}

// solve ends a conflict and says where the other versions are.
func (c *conflicts) solve(k app.Conflict, keep string) {
	c.detail.enable(false)
	c.w.do(func(ctx context.Context) error { return c.w.svc.Resolve(ctx, c.view.ID, k.Path, keep, k.Versions...) }, func(err error) {
		c.detail.enable(true)
		if err != nil {
			c.w.fail(err)
			return
		}
		c.w.say(solvedText(k, keep, c.load.value.days))
		c.ended(k.Path)
	})
}

func solvedText(k app.Conflict, keep string, days int) string {
	file := shown(path.Base(k.Path))
	switch {
	case keep == app.KeepBoth:
		return tr("All versions of {{.File}} are files of their own now.", "File", file)
	case days == 0:
		return tr("{{.File}} is as you chose. What you did not choose is kept under deleted and replaced files.", "File", file)
	}
	return trn(days, "{{.File}} is as you chose. What you did not choose is kept for {{.N}} day under deleted and replaced files.",
		"{{.File}} is as you chose. What you did not choose is kept for {{.N}} days under deleted and replaced files.", "File", file)
}

// A conflictDetail shows the versions of one file.
type conflictDetail struct {
	w        *Window
	box      *fyne.Container
	keep     func(k app.Conflict, keep string)
	conflict app.Conflict

	title, where *widget.Label
	versions     *fyne.Container
	parts        []*versionPart
	both         *button
}

func newConflictDetail(w *Window, keep func(k app.Conflict, keep string)) *conflictDetail {
	d := &conflictDetail{w: w, keep: keep, title: subheading(""), where: muted(""), versions: container.New(&sides{least: 200, gap: 10})}
	d.both = newButton(w, "", func() { d.keep(d.conflict, app.KeepBoth) })
	explain := muted(tr("It was changed on two devices at the same time. Nothing was lost: choose what shall be in its place."))
	head := container.New(&asideIfRoom{least: 200}, column(d.title, d.where), container.NewHBox(d.both))
	d.box = container.New(pile{gap: 4}, head, explain, d.versions)
	return d
}

// open shows a conflict. What is shown already stays.
func (d *conflictDetail) open(v seenFolder, k app.Conflict) {
	versions := versionsOf(k)
	if d.conflict.Path == k.Path && sameVersions(versionsOf(d.conflict), versions) {
		return
	}
	d.conflict = k
	setText(d.title, shown(path.Base(k.Path)))
	setText(d.where, tr("in {{.Dir}}", "Dir", shownPath(path.Join(shown(v.Name), path.Dir(k.Path)))))
	d.parts, d.versions.Objects = nil, nil
	for i, version := range versions {
		keep := version.Path
		if i == 0 {
			keep = app.KeepHere
		}
		p := newVersionPart(d.w, i+1, func() { d.keep(k, keep) })
		p.name(v, version, i == 0)
		d.parts = append(d.parts, p)
		d.versions.Objects = append(d.versions.Objects, p.box)
	}
	setButton(d.both, keepAllText(len(versions)))
	d.versions.Refresh()
	d.look(v, k, versions)
}

func keepAllText(n int) string {
	if n == 2 {
		return tr("Keep both ({{.Key}})", "Key", n+1)
	}
	return tr("Keep all ({{.Key}})", "Key", n+1)
}

// look reads the versions, while others things go on.
func (d *conflictDetail) look(v seenFolder, k app.Conflict, versions []app.Version) {
	previews := make([]filePreview, len(versions))
	d.w.do(func(ctx context.Context) error {
		for i, version := range versions {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			previews[i] = previewFile(v.Path, version.Path)
		}
		return nil
	}, func(error) {
		if d.conflict.Path != k.Path || len(d.parts) != len(previews) {
			return // another one was opened since
		}
		for i, p := range d.parts {
			p.draw(previews[i], other(previews, i), v)
		}
		settle(d.w.win.Content())
	})
}

// other is the version that one is compared with.
func other(previews []filePreview, i int) []string {
	if i > 0 {
		return previews[0].lines
	}
	if len(previews) > 1 {
		return previews[1].lines
	}
	return nil
}

// press does what a key stands for.
func (d *conflictDetail) press(n int) bool {
	var b *button
	switch {
	case n >= 1 && n <= len(d.parts):
		b = d.parts[n-1].keep
	case n == len(d.parts)+1:
		b = d.both
	}
	if b == nil || b.Disabled() {
		return false
	}
	b.OnTapped()
	return true
}

func (d *conflictDetail) enable(on bool) {
	setEnabled(d.both, on)
	for _, p := range d.parts {
		setEnabled(p.keep, on)
	}
}

// versionsOf are a conflict's versions, the one at its path first.
func versionsOf(k app.Conflict) []app.Version {
	if len(k.Versions) > 0 {
		return k.Versions
	}
	list := []app.Version{{Path: k.Path}}
	for _, c := range k.Copies {
		list = append(list, app.Version{Path: c})
	}
	return list
}

func sameVersions(a, b []app.Version) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// versionBy names who wrote a version.
func versionBy(v seenFolder, version app.Version) string {
	if version.Device == v.state.Device.ID && version.Device != "" {
		return tr("This device")
	}
	return cmp.Or(nameOf(v.state, version.Device), shown(version.By), tr("A device that is not known any more"))
}
