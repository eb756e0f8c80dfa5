package ui

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A joining asks where an offered folder shall be, and shows its first files
// arriving.
type joining struct {
	w     *Window
	sh    *sheet
	offer app.Offer
	from  app.Device // that offers it; zero if it is not known
	name  string     // of the person, if it is known better than by the device
	fresh bool       // the device was linked a moment ago

	linked *fyne.Container // says so, while there is room for it
	size   *widget.Label
	path   *entry
	room   *widget.Label
	meets  *fyne.Container // what is in the directory already
	ok     *button

	looked string // the directory that the page tells about; "" while it is looked at
	fits   bool
	stop   context.CancelFunc // of the look that is going on
	away   bool               // who offers is not connected
	busy   bool               // Join is going on
	gone   bool               // the sheet was closed
}

// askJoin opens the sheet that asks where an offered folder shall be.
func (w *Window) askJoin(id app.FolderID) {
	for _, o := range w.state.Offers {
		if o.ID == id {
			w.join(w.open(""), o, linking{})
			return
		}
	}
	w.say(tr("This folder is not offered now. It is shown again when the other computer is on."))
}

// A linking is what came before an offer, if that was a moment ago.
type linking struct {
	who    string // was linked; "" if it is longer ago
	repair string // says which word was misheard; "" if none
}

// join fills a sheet with the question where an offer shall be.
func (w *Window) join(sh *sheet, o app.Offer, l linking) {
	j := &joining{w: w, sh: sh, offer: o, name: l.who, fresh: l.who != "", stop: func() {}, room: para(""), meets: container.NewVBox()}
	j.from, _ = deviceOf(w.state.Devices, o.From)
	j.linked = container.NewVBox(container.NewBorder(nil, nil, picture("check"), nil, para(tr("Linked with {{.Name}}", "Name", j.who()))))
	if l.repair != "" { // on the page before it may have been for a moment only
		j.linked.Add(para(l.repair))
	}
	show(j.linked, j.fresh)
	sh.dropped, sh.pasted, sh.draw = j.setDir, nil, j.draw
	sh.closed = func() { j.gone = true; j.stop() }
	j.ask()
}

func (j *joining) ask() {
	o := j.offer
	j.path = newEntry(j.w, tr("path of a folder"))
	j.path.Text = j.w.tilde(j.proposed())
	j.path.OnChanged = func(string) { j.unlooked() }
	j.ok = newButton(j.w, tr("Accept and start"), j.press)
	j.size = line(sizeText(o) + ", " + roleText(o.Role))
	change := newButton(j.w, tr("Change…"), j.choose)
	j.sh.retitle(tr("{{.Name}} shares a folder with you", "Name", j.who()))
	j.sh.page(container.NewVBox(
		j.linked,
		card(container.NewBorder(nil, nil, picture("folder"), nil, column(
			strong(shown(o.Name)), j.size, mutedLine(j.whoExactly()),
		))),
		j.where(),
		container.NewBorder(nil, nil, nil, change, j.path),
		j.room, j.meets,
	), newButton(j.w, tr("Decline"), j.decline), nil, newButton(j.w, tr("Not now"), j.sh.close), j.ok)
	j.look()
}

// who is the person that shares, as short as it is clear.
func (j *joining) who() string {
	if name := cmp.Or(j.name, j.from.Owner, j.from.Name); name != "" {
		return shown(name)
	}
	return tr("A device")
}

// whoExactly is the device, and what proved that it is the person's.
func (j *joining) whoExactly() string {
	device := shown(j.from.Name)
	if owner := shown(j.from.Owner); owner != "" && owner != j.who() {
		device = tr("{{.Owner}} ({{.Device}})", "Owner", owner, "Device", device)
	}
	switch j.from.Verified {
	case "words":
		return tr("from {{.Device}}, proved by the six words", "Device", device)
	case "nearby":
		return tr("from {{.Device}}, proved by three words on both screens", "Device", device)
	case "link":
		return tr("from {{.Device}}, linked by an invite link", "Device", device)
	}
	return tr("from {{.Device}}", "Device", device)
}

// where stands before the directory.
func (j *joining) where() fyne.CanvasObject {
	if _, here := j.here(); here {
		return para(tr("You have this folder already. If you accept, {{.Name}} sees everything in it and may change it.", "Name", j.who()))
	}
	return para(tr("Save in"))
}

// here is the folder if this computer has it already.
func (j *joining) here() (app.Folder, bool) {
	i := slices.IndexFunc(j.w.state.Folders, func(f app.Folder) bool { return f.ID == j.offer.Folder })
	if i < 0 {
		return app.Folder{}, false
	}
	return j.w.state.Folders[i], true
}

// sizeText is how much an offer says it has.
func sizeText(o app.Offer) string {
	return tr("{{.Size}}, {{.Files}}", "Size", bytes(o.Bytes), "Files", trn(o.Files, "{{.N}} file", "{{.N}} files"))
}

// proposed is where the folder will be if its user says nothing else.
func (j *joining) proposed() string {
	if f, here := j.here(); here {
		return f.Path
	}
	name := safeName(j.offer.Name)
	root := filepath.Join(j.w.opts.Home, "Foldpost")
	for i := 1; ; i++ {
		dir := filepath.Join(root, name)
		if i > 1 {
			dir = filepath.Join(root, fmt.Sprintf("%s %d", name, i))
		}
		if !slices.ContainsFunc(j.w.state.Folders, func(f app.Folder) bool { return f.Path == dir }) {
			return dir
		}
	}
}

// maxName bounds a directory's name: file systems take 255 bytes.
const maxName = 200

// safeName makes a directory's name of a foreign one: nothing that a path or
// any system takes for something else.
func safeName(name string) string {
	name = fileName(name)
	for len(name) > maxName {
		_, n := utf8.DecodeLastRuneInString(name)
		name = strings.TrimRight(name[:len(name)-n], " .")
	}
	base, _, _ := strings.Cut(strings.ToUpper(name), ".")
	if name == "" || slices.Contains(devicesOfDOS, strings.TrimSpace(base)) {
		return strings.TrimSpace(tr("Folder") + " " + name)
	}
	return name
}

// devicesOfDOS are no names for files on Windows, whatever follows a dot.
var devicesOfDOS = strings.Fields("CON PRN AUX NUL COM1 COM2 COM3 COM4 COM5 COM6 COM7 COM8 COM9 LPT1 LPT2 LPT3 LPT4 LPT5 LPT6 LPT7 LPT8 LPT9")

func (j *joining) dir() string { return j.w.typedPath(j.path.Text) }

func (j *joining) choose() {
	j.w.pickFolder(tr("Save {{.Folder}} in", "Folder", shown(j.offer.Name)), j.setDir)
}

// setDir takes a directory that was chosen, and looks at it.
func (j *joining) setDir(dir string) {
	if j.gone || j.busy {
		return
	}
	j.path.SetText(j.w.tilde(dir))
	j.look()
}

// unlooked is after a change of the path: what the page says is not about it.
func (j *joining) unlooked() {
	j.stop()
	j.looked = ""
	j.sh.wrong.say("")
	j.sayRoom("")
	j.meets.RemoveAll()
	j.setButton(tr("Look there"), j.dir() != "")
}

// sayRoom tells about the disk.
func (j *joining) sayRoom(text string) {
	setText(j.room, text)
	show(j.room, text != "")
}

// press is the primary button, which looks first where it did not.
func (j *joining) press() {
	switch {
	case j.looked == "":
		j.look()
	case !j.fits:
		j.choose()
	default:
		j.accept()
	}
}

func (j *joining) setButton(text string, on bool) {
	if j.ok.Text != text {
		j.ok.SetText(text)
	}
	setEnabled(j.ok, on)
}

// look tells what is in the directory, and whether there is room.
func (j *joining) look() {
	dir := j.dir()
	if !filepath.IsAbs(dir) {
		j.sh.wrong.say(tr("Give the whole path of the folder, or choose it."))
		j.sh.fit()
		return
	}
	j.unlooked()
	ctx, stop := context.WithCancel(j.w.ctx)
	j.stop = stop
	j.setButton(tr("Accept and start"), false)
	j.sayRoom(tr("Looking at the disk…"))
	var m app.Measure
	j.w.do(func(context.Context) (err error) {
		m, err = j.w.svc.Measure(ctx, dir)
		return err
	}, func(err error) {
		if ctx.Err() != nil {
			return // the sheet is closed, or another directory was chosen
		}
		if err != nil {
			j.sayRoom("")
			j.sh.wrong.say(errorText(err))
			j.setButton(tr("Look there"), true)
			j.sh.fit()
			return
		}
		j.measured(ctx, dir, m)
	})
}

// measured says whether the folder fits, and compares it with files that are
// there.
func (j *joining) measured(ctx context.Context, dir string, m app.Measure) {
	j.looked = dir
	j.sh.wrong.say("")
	more := j.offer.Bytes - m.Bytes
	j.fits = more <= 0 || more <= m.Free-m.Kept
	switch {
	case !j.fits:
		j.sayRoom("")
		j.sh.wrong.say(noRoomText(j.offer, m))
		j.setButton(tr("Choose another disk"), true)
	case m.Files > 0:
		j.sayRoom(tr("{{.Size}} free on this disk.", "Size", bytes(m.Free)))
		j.compare(ctx, dir, m)
	default:
		j.sayRoom(tr("{{.Size}} free on this disk.", "Size", bytes(m.Free)))
		j.setButton(tr("Accept and start"), true)
	}
	j.draw(j.w.state)
	j.sh.fit()
}

// noRoomText says why an offer does not fit on a disk.
func noRoomText(o app.Offer, m app.Measure) string {
	pairs := []any{"Folder", shown(o.Name), "Need", bytes(o.Bytes), "Free", bytes(m.Free), "Kept", bytes(m.Kept)}
	if o.Bytes <= m.Free+m.Bytes {
		return tr("{{.Folder}} needs {{.Need}}; this disk has {{.Free}} free, of which {{.Kept}} stay free for everything else. Nothing was overwritten or removed.", pairs...)
	}
	return tr("{{.Folder}} needs {{.Need}}; this disk has {{.Free}} free. Nothing was overwritten or removed.", pairs...)
}

// compare shows what joining a directory with files would meet.
func (j *joining) compare(ctx context.Context, dir string, m app.Measure) {
	j.meets.Objects = []fyne.CanvasObject{para(trn(m.Files,
		"There is {{.N}} file already. Comparing; nothing is sent or changed…", "There are {{.N}} files already. Comparing; nothing is sent or changed…"))}
	j.meets.Refresh()
	j.setButton(tr("Accept and start"), false)
	j.linked.Hide()
	var c app.Comparison
	j.w.do(func(context.Context) (err error) {
		c, err = j.w.svc.Compare(ctx, j.offer.ID, dir)
		return err
	}, func(err error) {
		if ctx.Err() != nil {
			return
		}
		j.meets.RemoveAll()
		if err != nil {
			j.sh.wrong.say(errorText(err))
			j.looked = ""
			j.setButton(tr("Compare again"), true)
		} else {
			j.meets.Add(comparisonCard(c, j.offer.Role, j.who()))
			j.setButton(tr("Accept and start"), true)
		}
		j.draw(j.w.state)
		j.sh.fit()
		j.sh.scroll.ScrollToBottom() // nobody says yes to what was out of sight
	})
}

// draw follows the offer: who shares may still be counting, or go away.
func (j *joining) draw(s app.State) {
	i := slices.IndexFunc(s.Offers, func(o app.Offer) bool { return o.ID == j.offer.ID })
	switch {
	case j.busy:
	case i >= 0 && s.Offers[i] != j.offer:
		j.offer = s.Offers[i]
		setText(j.size, sizeText(j.offer)+", "+roleText(j.offer.Role))
		if j.looked != "" {
			j.look()
		}
	case j.looked == "" || !j.fits:
	case i < 0 && !j.ok.Disabled():
		j.sh.wrong.say(tr("The computer of {{.Name}} is not connected now. You can accept when it is back.", "Name", j.who()))
		j.ok.Disable()
		j.away = true
		j.sh.fit()
	case i >= 0 && j.away:
		j.away = false
		j.look()
	}
}

// accept is the user's yes.
func (j *joining) accept() {
	dir := j.looked
	j.busy = true
	j.sh.wrong.say("")
	j.setButton(tr("Starting…"), false)
	j.path.Disable()
	j.w.do(func(ctx context.Context) error { return j.w.svc.Join(ctx, j.offer.ID, dir) }, func(err error) {
		j.busy = false
		switch {
		case j.gone:
			j.w.fail(err)
		case err != nil:
			j.path.Enable()
			j.sh.wrong.say(errorText(err))
			j.setButton(tr("Accept and start"), true)
			j.sh.fit()
		default:
			j.arrive(dir)
		}
	})
}

// decline takes the offer off the list, for good.
func (j *joining) decline() {
	i := slices.IndexFunc(j.w.state.Questions, func(q app.Question) bool { return q.Kind == app.AskOffer && offerOf(q) == j.offer.ID })
	if i < 0 {
		j.sh.close()
		return
	}
	q := j.w.state.Questions[i]
	j.w.confirm(tr("Decline {{.Folder}}?", "Folder", shown(j.offer.Name)),
		tr("It is not shown again. Nothing changes on this computer, and {{.Name}} keeps what is there.", "Name", j.who()),
		tr("Decline"), func() {
			j.sh.close()
			j.w.do(func(ctx context.Context) error { return j.w.svc.Answer(ctx, q.ID, "decline") }, j.w.fail)
		})
}
