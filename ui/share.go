package ui

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A shareSheet shares a directory: which, with whom, and what they may do. The
// pages after it are a preview and an invitation.
type shareSheet struct {
	w  *Window
	sh *sheet

	dir     *entry
	counted *widget.Label
	stop    func() // the counting
	who     *who
	near    *nearbyList
	linked  []app.DeviceID // from here, to get the folder
	devices []*deviceCheck
	checks  *fyne.Container
	may     *choice
	person  *nameEntry
	next    *button
	body    fyne.CanvasObject
}

// A deviceCheck is a linked device that the folder can be shared with.
type deviceCheck struct {
	*check
	id app.DeviceID
}

func mayChange() string  { return tr("They may add and change files") }
func mayReceive() string { return tr("They only receive") }

// askShare opens the sheet that shares a directory; "" lets the user choose
// one.
func (w *Window) askShare(dir string) {
	s := &shareSheet{w: w, sh: w.open(tr("Share a folder")), stop: func() {}}
	s.dir = newEntry(w, tr("folder on this computer"))
	s.counted = muted(tr("Choose a folder, or drop one here."))
	s.dir.OnChanged = func(string) { s.typed() }
	choose := newButton(w, tr("Choose…"), func() {
		w.pickFolder(tr("Which folder do you want to share?"), func(dir string) { s.dir.SetText(w.tilde(dir)) })
	})
	s.who, s.person = newWho(w, s.sh), newNameEntry(w)
	s.who.changed = s.follow
	s.may = newChoice([]string{mayChange(), mayReceive()}, nil)
	s.may.Selected = mayChange()
	s.next = newButton(w, tr("Next"), s.press)
	s.checks = container.NewVBox()
	s.addDevices(w.state)
	s.near = newNearbyList(w, s.sh, func(d app.Nearby) {
		w.linkNearby(d, func(id app.DeviceID) { s.linked = append(s.linked, id); s.draw(w.state) })
	})
	s.body = container.NewVBox(
		container.NewBorder(nil, nil, nil, choose, s.dir), s.counted,
		subheading(tr("Share it with")), s.who.box, s.checks, s.near.box, s.may, s.person.box,
	)
	s.sh.closed = func() { s.stop(); s.near.close() }
	s.page()
	if dir != "" {
		s.dir.SetText(w.tilde(dir))
		w.win.Canvas().Focus(s.who.entry)
	}
}

// draw follows what is near, and who was linked meanwhile.
func (s *shareSheet) draw(st app.State) {
	s.addDevices(st)
	s.near.draw(st)
}

// addDevices adds checks for devices that have none yet. Only one that was
// linked from here is chosen by that.
func (s *shareSheet) addDevices(st app.State) {
	for _, d := range st.Devices {
		if slices.ContainsFunc(s.devices, func(c *deviceCheck) bool { return c.id == d.ID }) {
			continue
		}
		c := &deviceCheck{newCheck(s.w, deviceLabel(d), func(bool) { s.follow() }), d.ID}
		s.devices = append(s.devices, c)
		s.checks.Add(c.check)
	}
	for _, c := range s.devices {
		if i := slices.Index(s.linked, c.id); i >= 0 {
			s.linked = slices.Delete(s.linked, i, i+1)
			c.SetChecked(true)
		}
	}
}

// deviceLabel names a device and whose it is.
func deviceLabel(d app.Device) string {
	if d.Owner == "" || strings.EqualFold(d.Owner, d.Name) {
		return shown(d.Name)
	}
	return tr("{{.Device}} of {{.Owner}}", "Device", shown(d.Name), "Owner", shown(d.Owner))
}

func (s *shareSheet) page() {
	s.sh.retitle(tr("Share a folder"))
	s.sh.draw, s.sh.dropped = s.draw, func(path string) { s.dir.SetText(s.w.tilde(path)) }
	s.sh.page(s.body, newButton(s.w, tr("Cancel"), s.sh.close), s.next)
	s.follow()
}

func (s *shareSheet) path() string { return s.w.typedPath(s.dir.Text) }

// typed counts what is in the directory, as soon as its name is whole.
func (s *shareSheet) typed() {
	s.stop()
	s.sh.say("")
	dir := s.path()
	if !filepath.IsAbs(dir) || !isDir(dir) {
		setText(s.counted, tr("Choose a folder, or drop one here."))
		s.follow()
		return
	}
	if text := notShareable(dir, s.w.state); text != "" {
		setText(s.counted, text)
		s.follow()
		return
	}
	setText(s.counted, tr("Counting the files…"))
	s.follow()
	ctx, cancel := context.WithCancel(s.w.ctx)
	later := s.w.soon(func() { s.count(ctx, dir) })
	s.stop = func() { cancel(); later() }
}

func (s *shareSheet) count(ctx context.Context, dir string) {
	var m app.Measure
	s.w.do(func(context.Context) (err error) {
		m, err = s.w.svc.Measure(ctx, dir)
		return err
	}, func(err error) {
		switch {
		case ctx.Err() != nil: // another one was typed
		case err != nil:
			setText(s.counted, errorText(err))
		default:
			setText(s.counted, countText(dir, m.Count, s.w.state))
		}
		s.sh.fit()
	})
}

// countText says what would be shared, and with whom it is already.
func countText(dir string, c app.Count, s app.State) string {
	text := trn(c.Files, "{{.Name}}: {{.N}} file, {{.Size}}.", "{{.Name}}: {{.N}} files, {{.Size}}.", "Name", shown(filepath.Base(dir)), "Size", bytes(c.Bytes))
	if f, ok := folderAt(dir, s); ok {
		text += " " + sharedAlready(f, s)
	}
	return text
}

func sharedAlready(f app.Folder, s app.State) string {
	var names []string
	for _, d := range s.Devices {
		if slices.ContainsFunc(f.Members, func(m app.Member) bool { return m.Device == d.ID }) {
			names = append(names, shown(d.Name))
		}
	}
	if len(names) == 0 {
		return tr("It is shared already. You can share it with more people.")
	}
	return tr("It is shared already with {{.Names}}. You can share it with more people.", "Names", strings.Join(names, ", "))
}

func folderAt(dir string, s app.State) (app.Folder, bool) {
	i := slices.IndexFunc(s.Folders, func(f app.Folder) bool { return f.Path == dir })
	if i < 0 {
		return app.Folder{}, false
	}
	return s.Folders[i], true
}

// notShareable says why a directory can not be shared, as far as it can be seen
// here; "" if nothing speaks against it.
func notShareable(dir string, s app.State) string {
	for _, f := range s.Folders {
		switch {
		case f.Path == dir && f.Role == "read-only":
			return tr("{{.Folder}} is shared with you to receive only. Ask its owner to share it with others.", "Folder", shown(f.Name))
		case f.Path == dir:
			return ""
		case isWithin(dir, f.Path):
			return tr("This is a part of the folder {{.Folder}}, which is shared already. Share that one.", "Folder", shown(f.Name))
		case isWithin(f.Path, dir):
			return tr("It contains the folder {{.Folder}}, which is shared already. Choose another one.", "Folder", shown(f.Name))
		}
	}
	return ""
}

func isWithin(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// follow draws what depends on what was chosen.
func (s *shareSheet) follow() {
	f, _ := folderAt(s.path(), s.w.state)
	for _, c := range s.devices { // who has the folder already is checked, and stays it
		member := slices.ContainsFunc(f.Members, func(m app.Member) bool { return m.Device == c.id })
		if was := c.Disabled(); was != member {
			setEnabled(c, !member)
			c.SetChecked(member)
		}
	}
	r := s.who.recipient()
	text := tr("Next")
	if r.address == "" && (len(r.devices) > 0 || len(s.checked()) > 0) {
		text = tr("Share")
	}
	if s.next.Text != text {
		s.next.SetText(text)
	}
	s.person.ask(r.address != "")
	s.sh.fit()
}

// checked are the devices that were chosen and do not have the folder yet.
func (s *shareSheet) checked() []app.DeviceID {
	var list []app.DeviceID
	for _, c := range s.devices {
		if c.Checked && !c.Disabled() {
			list = append(list, c.id)
		}
	}
	return list
}

// request is what was chosen; what is missing in it, and where, if anything is.
func (s *shareSheet) request() (r app.ShareRequest, missing string, at *entry) {
	dir, to := s.path(), s.who.recipient()
	r = app.ShareRequest{Dir: dir, Devices: s.checked(), ReadOnly: s.may.Selected == mayReceive()}
	for _, d := range to.devices {
		if !slices.Contains(r.Devices, d) {
			r.Devices = append(r.Devices, d)
		}
	}
	if to.address != "" {
		r.People = []string{to.address}
	}
	switch {
	case dir == "":
		return r, tr("Choose the folder first."), s.dir
	case !filepath.IsAbs(dir) || !isDir(dir):
		return r, tr("There is no folder {{.Path}}.", "Path", shownPath(s.dir.Text)), s.dir
	case notShareable(dir, s.w.state) != "":
		return r, notShareable(dir, s.w.state), s.dir
	case to.wrong != "":
		return r, to.wrong, s.who.entry
	case len(r.People)+len(r.Devices) == 0:
		return r, tr("Say with whom you want to share it."), s.who.entry
	case s.person.missing():
		return r, tr("Type your name, so that the invitation tells who sent it."), s.person.entry
	}
	return r, "", nil
}

// press goes on to the preview, or shares at once with who is linked already.
func (s *shareSheet) press() {
	r, missing, at := s.request()
	s.sh.say(missing)
	if missing != "" {
		s.w.win.Canvas().Focus(at)
		return
	}
	setEnabled(s.next, false)
	if len(r.People) > 0 {
		s.person.keep(func(err error) {
			setEnabled(s.next, true)
			if err != nil {
				s.sh.say(errorText(err))
				return
			}
			s.preview(r)
		})
		return
	}
	s.w.do(func(ctx context.Context) error {
		_, err := s.w.svc.Share(ctx, r)
		return err
	}, func(err error) {
		setEnabled(s.next, true)
		if err != nil {
			s.sh.say(errorText(err))
			return
		}
		s.sh.close()
		s.w.say(tr("{{.Folder}} is shared. The files go when both computers are on.", "Folder", shown(filepath.Base(r.Dir))))
	})
}

func (s *shareSheet) preview(r app.ShareRequest) {
	p := &preview{w: s.w, sh: s.sh, to: r.People[0], folder: true, back: s.page}
	p.make = func(ctx context.Context, note string, byHand bool) (app.Invitation, error) {
		r.Note, r.ByHand = note, byHand
		shared, err := s.w.svc.Share(ctx, r)
		if err != nil || len(shared.Invitations) == 0 {
			return app.Invitation{}, err
		}
		return shared.Invitations[0], nil
	}
	p.open()
}

// A nameEntry asks for the name that invitations tell, once.
type nameEntry struct {
	w     *Window
	box   *fyne.Container
	entry *entry
	empty bool // it is not known
}

func newNameEntry(w *Window) *nameEntry {
	n := &nameEntry{w: w, entry: newEntry(w, tr("your name"))}
	n.entry.Text = w.opts.Person
	n.box = container.NewVBox(n.entry, muted(tr("So that the invitation tells who sent it.")))
	n.box.Hide()
	var list []app.Setting
	w.do(func(ctx context.Context) (err error) {
		list, err = w.svc.Config(ctx)
		return err
	}, func(error) { // without it the invitation names the device
		n.empty = slices.ContainsFunc(list, func(s app.Setting) bool { return s.Key == "person" && s.Value == "" })
	})
	return n
}

// ask shows the entry if a name is needed and not known.
func (n *nameEntry) ask(needed bool) { show(n.box, needed && n.empty) }

func (n *nameEntry) missing() bool {
	return n.box.Visible() && strings.TrimSpace(n.entry.Text) == ""
}

// keep saves the name.
func (n *nameEntry) keep(then func(error)) {
	name := strings.TrimSpace(n.entry.Text)
	if !n.box.Visible() || name == "" {
		then(nil)
		return
	}
	n.w.do(func(ctx context.Context) error { return n.w.svc.SetConfig(ctx, "person", name) }, func(err error) {
		n.empty = n.empty && err != nil
		then(err)
	})
}
