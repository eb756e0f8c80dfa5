package ui

import (
	"context"
	"path"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A folderNow shows what is going on in a folder: what arrives, what others
// still get, what is left out.
type folderNow struct {
	w    *Window
	view seenFolder
	box  fyne.CanvasObject

	calm   *widget.Label // while nothing arrives
	moving *rows[string, app.Moving]
	others *rows[app.DeviceID, memberNeed]
	heads  map[string]*widget.Label
	left   *widget.Label
	leftIn *fyne.Container
	last   *load[[]app.Change]
	out    *load[[]app.LeftOut]
}

func newFolderNow(w *Window, id app.FolderID) *folderNow {
	n := &folderNow{w: w, calm: para(""), left: para("")}
	n.heads = map[string]*widget.Label{"moving": subheading(tr("On their way here")), "others": subheading(tr("Others are getting"))}
	n.moving = newRows(func(m app.Moving) string { return m.Path }, func(app.Moving) row[app.Moving] { return newMovingRow(n) })
	n.others = newRows(func(m memberNeed) app.DeviceID { return m.id }, func(memberNeed) row[memberNeed] { return newNeedRow() })
	n.leftIn = notice(container.NewBorder(nil, nil, picture("info"), nil, n.left))
	n.last = newLoad(w, func(ctx context.Context) ([]app.Change, error) { return w.svc.Recent(ctx, id, 1) }, func() { n.draw(n.view) })
	n.out = newLoad(w, func(ctx context.Context) ([]app.LeftOut, error) { return w.svc.LeftOut(ctx, id) }, func() { n.draw(n.view) })
	n.box = container.New(inset{0, 6}, container.NewVBox(
		n.calm, n.heads["moving"], n.moving.box, n.heads["others"], n.others.box, n.leftIn,
	))
	return n
}

func (n *folderNow) object() fyne.CanvasObject { return n.box }

func (n *folderNow) draw(v seenFolder) {
	n.view = v
	n.last.draw(v.Changed)
	calm := n.calmText()
	setText(n.calm, calm)
	show(n.calm, calm != "")
	n.moving.draw(v.Moving)
	show(n.heads["moving"], len(v.Moving) > 0)
	need := needs(v)
	n.others.draw(need)
	show(n.heads["others"], len(need) > 0)
	show(n.leftIn, v.LeftOut > 0)
	if v.LeftOut > 0 {
		n.out.draw(v.LeftOut)
		setText(n.left, leftOutText(v.LeftOut, n.out.value))
	}
}

// leftOutText says how many paths are not synced, and names some of them.
func leftOutText(n int, list []app.LeftOut) string {
	const few = 5
	lines := []string{trn(n, "{{.N}} thing in this folder is on this device only:", "{{.N}} things in this folder are on this device only:")}
	for _, l := range list[:min(few, len(list))] {
		lines = append(lines, "· "+shownPath(l.Path)+" – "+shownText(l.Why))
	}
	if more := n - min(few, len(list)); len(list) > 0 && more > 0 {
		lines = append(lines, trn(more, "· and {{.N}} more", "· and {{.N}} more"))
	}
	return strings.Join(append(lines, tr("What cannot be read, pipes and sockets, links that lead out of the folder and names that not every system allows are left out.")), "\n")
}

// calmText says that nothing arrives, and what was the last that did.
func (n *folderNow) calmText() string {
	v := n.view
	switch {
	case len(v.Moving) > 0:
		return ""
	case v.NeedFiles > 0:
		return trn(v.NeedFiles, "{{.N}} file is still to come.", "{{.N}} files are still to come.")
	case v.State != app.FolderIdle:
		return tr("No file is on its way here just now.")
	case len(n.last.value) == 0:
		return tr("All done. Nothing has changed here yet.")
	}
	c := n.last.value[0]
	file, at := shown(path.Base(c.Path)), when(c.At, v.now)
	if by := nameOf(v.state, c.Device); by != "" {
		return tr("All done. Last change: {{.File}} by {{.Name}}, {{.When}}.", "File", file, "Name", by, "When", at)
	}
	return tr("All done. Last change: {{.File}}, {{.When}}.", "File", file, "When", at)
}

// A movingRow is a file on its way here.
type movingRow struct {
	n            *folderNow
	box          *fyne.Container
	name, detail *widget.Label
	bar          *bar
}

func newMovingRow(n *folderNow) *movingRow {
	r := &movingRow{n: n, name: strong(""), detail: mutedLine(""), bar: newBar()}
	r.box = card(column(r.name, r.detail, container.New(inset{8, 4}, r.bar)))
	return r
}

func (r *movingRow) object() fyne.CanvasObject { return r.box }

func (r *movingRow) draw(m app.Moving) {
	setText(r.name, shown(path.Base(m.Path)))
	text := tr("{{.Done}} of {{.Bytes}}", "Done", bytes(m.Done), "Bytes", bytes(m.Bytes))
	if from := nameOf(r.n.view.state, m.From); from != "" {
		text = tr("{{.Done}} of {{.Bytes}} from {{.Name}}", "Done", bytes(m.Done), "Bytes", bytes(m.Bytes), "Name", from)
	}
	if dir := path.Dir(m.Path); dir != "." {
		text += " · " + tr("in {{.Dir}}", "Dir", shownPath(dir))
	}
	setText(r.detail, text)
	r.bar.set(share(m.Done, m.Bytes))
}

// A memberNeed is what a member does not have yet.
type memberNeed struct {
	id        app.DeviceID
	name      string
	bytes     int64
	all       int64 // of the folder
	connected bool
}

func needs(v seenFolder) (list []memberNeed) {
	for _, m := range v.Members {
		if !m.Joined || m.HasAll || m.NeedBytes == 0 {
			continue
		}
		n := memberNeed{id: m.Device, name: nameOf(v.state, m.Device), bytes: m.NeedBytes, all: v.Bytes}
		if d, ok := deviceOf(v.state.Devices, m.Device); ok {
			n.connected = d.Connected
		}
		list = append(list, n)
	}
	return list
}

// A needRow is what a member does not have yet.
type needRow struct {
	box          *fyne.Container
	name, detail *widget.Label
	bar          *bar
}

func newNeedRow() *needRow {
	r := &needRow{name: strong(""), detail: mutedLine(""), bar: newBar()}
	r.box = card(column(r.name, r.detail, container.New(inset{8, 4}, r.bar)))
	return r
}

func (r *needRow) object() fyne.CanvasObject { return r.box }

func (r *needRow) draw(n memberNeed) {
	setText(r.name, n.name)
	text := tr("still needs {{.Bytes}}", "Bytes", bytes(n.bytes))
	if !n.connected {
		text = tr("still needs {{.Bytes}}; it goes on when this device is connected", "Bytes", bytes(n.bytes))
	}
	setText(r.detail, text)
	r.bar.set(share(n.all-n.bytes, n.all))
}

// share is a part of something, from 0 to 1.
func share(part, of int64) float64 { return float64(part) / float64(max(1, of)) }
