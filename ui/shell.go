package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A shell is what stands around each screen: the sidebar at the left, notes
// at the lower edge, and a line on top where the window has something to say.
type shell struct {
	w       *Window
	object  fyne.CanvasObject
	middle  *fyne.Container
	side    *sidebar
	notes   *notes
	hint    *widget.Label
	hintBox *fyne.Container
}

func newShell(w *Window) *shell {
	s := &shell{w: w, middle: container.NewStack(), side: newSidebar(w), notes: newNotes(w), hint: para("")}
	s.hintBox = container.New(inset{16, 8}, notice(container.NewBorder(nil, nil, picture("info"), nil, s.hint)))
	s.hintBox.Hide()
	s.object = container.NewStack(
		newFill(theme.ColorNameBackground, 0),
		container.NewBorder(nil, nil, s.side.object(), nil, container.NewBorder(s.hintBox, nil, nil, nil, s.middle)),
		s.notes.object,
	)
	return s
}

func (s *shell) show(o fyne.CanvasObject) {
	s.middle.Objects = []fyne.CanvasObject{o}
	s.middle.Refresh()
}

func (s *shell) draw(st app.State) { s.side.draw(st) }

// SetHint shows a line on top of the window until it is changed; "" is none.
// It may be called from any goroutine.
func (w *Window) SetHint(text string) {
	fyne.Do(func() {
		setText(w.shell.hint, text)
		show(w.shell.hintBox, text != "")
	})
}

// A sidebar says where one is, and shows all devices.
type sidebar struct {
	w       *Window
	box     fyne.CanvasObject
	devices *rows[app.DeviceID, app.Device]
	count   *widget.Label
}

const sidebarWidth = 236

func newSidebar(w *Window) *sidebar {
	s := &sidebar{w: w, count: mutedLine("")}
	s.devices = newRows(func(d app.Device) app.DeviceID { return d.ID }, func(app.Device) row[app.Device] { return newDeviceRow(w) })
	nav := container.NewVBox(
		s.entry(tr("Home"), "home", place{kind: atHome}),
		s.entry(tr("Settings"), "gear", place{kind: atSettings}),
		s.entry(tr("About"), "info", place{kind: atAbout}),
	)
	link := newIconButton(w, tr("Link a device"), glyph("plus"), w.askInvite)
	link.Importance = widget.LowImportance
	link.Alignment = widget.ButtonAlignLeading
	body := container.NewBorder(
		container.NewVBox(gap(10), nav, gap(10), s.count), link, nil, nil,
		container.NewVScroll(s.devices.box),
	)
	s.box = container.NewStack(newFill(colorSidebar, 0), container.New(inset{10, 10}, stretch(body, sidebarWidth, 0)))
	return s
}

func (s *sidebar) object() fyne.CanvasObject { return s.box }

func (s *sidebar) entry(text, picture string, p place) fyne.CanvasObject {
	b := newIconButton(s.w, text, glyph(picture), func() { s.w.goTo(p) })
	b.Importance = widget.LowImportance
	b.Alignment = widget.ButtonAlignLeading
	return b
}

func (s *sidebar) draw(st app.State) {
	on := 0
	for _, d := range st.Devices {
		if d.Connected {
			on++
		}
	}
	text := ""
	if len(st.Devices) > 0 {
		text = tr("Devices, {{.On}} of {{.N}} connected", "On", on, "N", len(st.Devices))
	}
	setText(s.count, text)
	s.devices.draw(st.Devices)
}

// A deviceRow is a device in the sidebar.
type deviceRow struct {
	w      *Window
	id     app.DeviceID
	button *button
	box    *fyne.Container
	state  *widget.Label
}

func newDeviceRow(w *Window) *deviceRow {
	r := &deviceRow{w: w, state: mutedLine("")}
	r.button = newIconButton(w, "", glyph("device"), func() { w.goTo(place{kind: atDevice, device: r.id}) })
	r.button.Importance = widget.LowImportance
	r.button.Alignment = widget.ButtonAlignLeading
	r.box = column(r.button, container.NewBorder(nil, nil, gap2(28), nil, r.state))
	return r
}

func gap2(width float32) fyne.CanvasObject { return stretch(layout.NewSpacer(), width, 0) }

func (r *deviceRow) object() fyne.CanvasObject { return r.box }

func (r *deviceRow) draw(d app.Device) {
	r.id = d.ID
	if name := shown(d.Name); r.button.Text != name {
		r.button.SetText(name)
	}
	setText(r.state, deviceState(d, r.w.now()))
}
