package ui

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A deviceScreen is everything about one device.
type deviceScreen struct {
	w       *Window
	id      app.DeviceID
	box     fyne.CanvasObject
	name    *widget.Label
	owner   *widget.Label
	state   *widget.Label
	icon    *widget.Icon
	advice  *rows[app.DeviceID, app.Device]
	facts   *widget.Label
	details *widget.Label
	folders *rows[app.FolderID, sharedFolder]
	none    *widget.Label
	on      bool
}

func newDevice(w *Window, id app.DeviceID) *deviceScreen {
	d := &deviceScreen{
		w: w, id: id, name: heading(""), owner: muted(""), state: para(""), icon: widget.NewIcon(glyph("clock")), facts: para(""), details: selectable(""),
		none: muted(tr("No folder is shared with it.")),
	}
	d.advice = newRows(func(d app.Device) app.DeviceID { return d.ID }, func(app.Device) row[app.Device] { return newAdviceRow(w) })
	d.folders = newRows(func(f sharedFolder) app.FolderID { return f.ID }, func(sharedFolder) row[sharedFolder] { return newSharedRow(w, id) })
	state := container.NewBorder(nil, nil, container.NewCenter(stretch(d.icon, 22, 22)), nil, d.state)
	share := newIconButton(w, tr("Share a folder with it"), glyph("plus"), func() { w.askShare("") })
	remove := newIconButton(w, tr("Remove this device …"), glyph("trash"), d.remove)
	d.box = page(container.NewVBox(
		column(d.name, d.owner), state, d.advice.box, d.facts, folded(w, d.details), gap(6),
		subheading(tr("Folders shared with it")), d.none, d.folders.box, gap(6), container.New(&flow{gap: 6}, share, remove),
	))
	return d
}

func (d *deviceScreen) object() fyne.CanvasObject { return d.box }

func (d *deviceScreen) draw(s app.State) {
	dev, ok := deviceOf(s.Devices, d.id)
	if !ok {
		d.w.goTo(place{kind: atHome}) // it is gone
		return
	}
	now := d.w.now()
	setText(d.name, shown(dev.Name))
	owner := ""
	if dev.Owner != "" {
		owner = tr("of {{.Who}}", "Who", shown(dev.Owner))
	}
	setText(d.owner, owner)
	show(d.owner, owner != "")
	setText(d.state, connectionText(dev, now))
	if d.on != dev.Connected {
		d.on = dev.Connected
		d.icon.SetResource(glyph(deviceIcon(dev)))
	}
	d.advice.draw(unreached([]app.Device{dev}, now))
	setText(d.facts, deviceFacts(dev, s))
	setText(d.details, deviceDetails(dev))
	shared := sharedFolders(s, d.id)
	d.folders.draw(shared)
	show(d.none, len(shared) == 0)
}

// remove asks, says what it cannot do, and removes the device.
func (d *deviceScreen) remove() {
	dev, ok := deviceOf(d.w.state.Devices, d.id)
	if !ok {
		return
	}
	d.w.confirm(tr("Remove {{.Name}}?", "Name", shown(dev.Name)),
		tr("The link ends at once, and no folder is shared with it any more. What is on it stays on it: files that it has already cannot be taken back. Your own files stay as they are."),
		tr("Remove it"), func() {
			d.w.do(func(ctx context.Context) error { return d.w.svc.Unpair(ctx, dev.ID) }, func(err error) {
				if err != nil {
					d.w.fail(err)
					return
				}
				d.w.say(tr("{{.Name}} is removed.", "Name", shown(dev.Name)))
			})
		})
}

// connectionText is how a device is connected, in a sentence.
func connectionText(d app.Device, now time.Time) string {
	took := max(1, int(d.RTTms+0.5))
	switch {
	case d.Connected && d.Link == "relay" && d.RTTms > 0:
		return trn(took, "Connected through another device. An answer takes {{.N}} thousandth of a second.", "Connected through another device. An answer takes {{.N}} thousandths of a second.")
	case d.Connected && d.Local && d.RTTms > 0:
		return trn(took, "Connected in this network. An answer takes {{.N}} thousandth of a second.", "Connected in this network. An answer takes {{.N}} thousandths of a second.")
	case d.Connected && d.RTTms > 0:
		return trn(took, "Connected directly. An answer takes {{.N}} thousandth of a second.", "Connected directly. An answer takes {{.N}} thousandths of a second.")
	case d.Connected:
		return tr("Connected directly.")
	case d.LastSeen.IsZero():
		return tr("Linked, but not reached yet.")
	}
	return deviceAdvice(d, now)
}

// deviceFacts are the sentences about a device that change seldom.
func deviceFacts(d app.Device, s app.State) string {
	var lines []string
	if text := verifiedText(d); text != "" {
		lines = append(lines, text)
	}
	if d.Version != "" && s.Device.Version != "" {
		if d.Version == s.Device.Version {
			lines = append(lines, tr("It has the same version of the program as this device: {{.Version}}.", "Version", shown(d.Version)))
		} else {
			lines = append(lines, tr("It has version {{.There}} of the program, this device has {{.Here}}.", "There", shown(d.Version), "Here", shown(s.Device.Version)))
		}
	}
	return strings.Join(lines, "\n")
}

// verifiedText is how the two devices came to know each other, and when.
func verifiedText(d app.Device) string {
	day := d.Linked.Format("2006-01-02")
	switch {
	case d.Verified == "words" && d.Linked.IsZero():
		return tr("Verified by six words that were told from person to person.")
	case d.Verified == "words":
		return tr("Verified by six words that were told from person to person, on {{.Day}}.", "Day", day)
	case d.Verified == "nearby" && d.Linked.IsZero():
		return tr("Verified by three words that were the same on both screens.")
	case d.Verified == "nearby":
		return tr("Verified by three words that were the same on both screens, on {{.Day}}.", "Day", day)
	case d.Verified == "link" && d.Linked.IsZero():
		return tr("Verified by an invite link: as sure as the way that the link went.")
	case d.Verified == "link":
		return tr("Verified by an invite link, on {{.Day}}: as sure as the way that the link went.", "Day", day)
	}
	return ""
}

// deviceDetails are for somebody who is asked for them.
func deviceDetails(d app.Device) string {
	lines := []string{tr("Id: {{.ID}}", "ID", shownPath(string(d.ID)))}
	if d.Connected {
		lines = append(lines, tr("Address: {{.Address}}", "Address", shown(d.Address)), tr("Connection: {{.Kind}}", "Kind", shown(d.Link)),
			tr("Round trip: {{.MS}} ms", "MS", fmt.Sprintf("%.1f", d.RTTms)))
	}
	if !d.LastSeen.IsZero() {
		lines = append(lines, tr("Last seen: {{.When}}", "When", d.LastSeen.Format("2006-01-02 15:04:05")))
	}
	switch {
	case d.Why != nil:
		text, help := foundText(*d.Why)
		lines = append(lines, strings.TrimSpace(text+" "+help))
	case d.Problem != "":
		lines = append(lines, shownText(d.Problem))
	}
	return strings.Join(lines, "\n")
}

// folded hides an object behind a button "Details".
func folded(w *Window, o fyne.CanvasObject) fyne.CanvasObject {
	o.Hide()
	b := newIconButton(w, tr("Details"), glyph("next"), nil)
	b.Importance = widget.LowImportance
	b.OnTapped = func() {
		show(o, !o.Visible())
		text := tr("Details")
		if o.Visible() {
			text = tr("Hide details")
		}
		b.SetText(text)
		settle(w.win.Content())
	}
	return container.NewVBox(container.NewHBox(b), o)
}

// A sharedFolder is a folder as one member has it.
type sharedFolder struct {
	app.Folder
	member app.Member
}

func sharedFolders(s app.State, id app.DeviceID) (list []sharedFolder) {
	for _, f := range s.Folders {
		for _, m := range f.Members {
			if m.Device == id {
				list = append(list, sharedFolder{f, m})
			}
		}
	}
	return list
}

// A sharedRow is a folder on the screen of a device it is shared with.
type sharedRow struct {
	w      *Window
	device app.DeviceID
	folder sharedFolder
	box    fyne.CanvasObject
	name   *widget.Label
	state  *widget.Label
	role   *choice
}

func newSharedRow(w *Window, id app.DeviceID) *sharedRow {
	r := &sharedRow{w: w, device: id, name: strong(""), state: muted("")}
	r.role = newChoice([]string{tr("may add and change files"), tr("only receives")}, nil)
	r.role.Horizontal = true
	stop := newButton(w, tr("Stop sharing …"), r.stop)
	open := newButton(w, tr("Details of the folder"), func() { w.goTo(place{kind: atFolder, folder: r.folder.ID}) })
	r.box = card(container.NewVBox(
		container.NewBorder(nil, nil, container.NewCenter(stretch(widget.NewIcon(glyph("folder")), 28, 28)), nil,
			container.New(&asideIfRoom{least: 220}, column(r.name, r.state), container.New(&flow{gap: 6}, open, stop))),
		r.role,
	))
	return r
}

func (r *sharedRow) object() fyne.CanvasObject { return r.box }

func (r *sharedRow) draw(f sharedFolder) {
	r.folder = f
	setText(r.name, shown(f.Name))
	setText(r.state, memberState(f.member))
	want := r.role.Options[0]
	if f.member.Role == "read-only" {
		want = r.role.Options[1]
	}
	if r.role.Selected != want {
		r.role.OnChanged = nil
		r.role.SetSelected(want)
	}
	r.role.OnChanged = r.setRole
}

// memberState is how far a member is with a folder.
func memberState(m app.Member) string {
	switch {
	case !m.Joined:
		return tr("It has not said yes yet.")
	case m.HasAll:
		return tr("It has everything.")
	case m.NeedBytes > 0:
		return tr("It still needs {{.Size}}.", "Size", bytes(m.NeedBytes))
	}
	return tr("It has not said yet that it has everything.")
}

func (r *sharedRow) setRole(text string) {
	readOnly := text == r.role.Options[1]
	if readOnly == (r.folder.member.Role == "read-only") {
		return
	}
	r.w.do(func(ctx context.Context) error {
		_, err := r.w.svc.Share(ctx, app.ShareRequest{Dir: r.folder.Path, Devices: []app.DeviceID{r.device}, ReadOnly: readOnly})
		return err
	}, func(err error) {
		r.w.fail(err)
		r.draw(r.folder)
	})
}

func (r *sharedRow) stop() {
	f, dev := r.folder, r.device
	r.w.confirm(tr("Stop sharing {{.Folder}} with it?", "Folder", shown(f.Name)),
		tr("It keeps the files that it has, and gets no more changes. You keep yours."), tr("Stop sharing"), func() {
			r.w.do(func(ctx context.Context) error { return r.w.svc.Unshare(ctx, f.ID, dev) }, r.w.fail)
		})
}
