package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A sidebar says where one is, and shows all devices.
type sidebar struct {
	w       *Window
	box     fyne.CanvasObject
	entries []*navEntry
	home    *navEntry
	devices *rows[app.DeviceID, app.Device]
	count   *widget.Label
}

const sidebarWidth = 228

func newSidebar(w *Window) *sidebar {
	s := &sidebar{w: w, count: mutedLine("")}
	s.devices = newRows(func(d app.Device) app.DeviceID { return d.ID }, func(app.Device) row[app.Device] { return newDeviceRow(w) })
	s.devices.box = container.New(layout.NewCustomPaddedVBoxLayout(2))
	s.home = newNavEntry(w, tr("Home"), "home", place{kind: atHome})
	s.entries = []*navEntry{s.home, newNavEntry(w, tr("Settings"), "gear", place{kind: atSettings}), newNavEntry(w, tr("About"), "info", place{kind: atAbout})}
	nav := container.New(layout.NewCustomPaddedVBoxLayout(2))
	for _, e := range s.entries {
		nav.Add(e.tile)
	}
	link := newIconButton(w, tr("Link a device"), glyph("plus"), w.askInvite)
	top, bottom := container.NewVBox(gap(6), nav, gap(8), widget.NewSeparator(), s.count), container.NewVBox(gap(6), link)
	body := container.New(layout.NewBorderLayout(top, bottom, nil, nil), top, container.NewVScroll(s.devices.box), bottom) // Tab goes from top to bottom
	s.box = container.NewStack(newFill(colorSidebar, 0), container.New(inset{10, 10}, stretch(body, sidebarWidth, 0)))
	return s
}

func (s *sidebar) object() fyne.CanvasObject { return s.box }

func (s *sidebar) draw(st app.State) {
	home := tr("Home")
	if n := len(st.Questions); n > 0 {
		home = tr("Home · {{.N}}", "N", n)
	}
	s.home.rename(home)
	for _, e := range s.entries {
		e.mark(e.to.kind == s.w.place.kind)
	}
	on := 0
	for _, d := range st.Devices {
		if d.Connected {
			on++
		}
	}
	text := tr("No device is linked yet")
	if len(st.Devices) > 0 {
		text = tr("Devices, {{.On}} of {{.N}} connected", "On", on, "N", len(st.Devices))
	}
	setText(s.count, text)
	s.devices.draw(st.Devices)
}

// A navEntry leads to a place, and is marked while that is shown.
type navEntry struct {
	to   place
	tile *tile
	name *widget.Label
}

func newNavEntry(w *Window, text, icon string, to place) *navEntry {
	e := &navEntry{to: to, name: line(text)}
	e.tile = newTile(w, text, container.New(inset{8, 2}, container.NewBorder(nil, nil, picture(icon), nil, e.name)), func() { w.goTo(to) })
	return e
}

func (e *navEntry) rename(text string) {
	e.tile.label = text
	setText(e.name, text)
}

func (e *navEntry) mark(here bool) {
	e.tile.setSelected(here)
	setBold(e.name, here)
}

// A deviceRow is a device in the sidebar.
type deviceRow struct {
	w     *Window
	id    app.DeviceID
	tile  *tile
	icon  *widget.Icon
	name  *widget.Label
	state *widget.Label
	on    bool
}

func newDeviceRow(w *Window) *deviceRow {
	r := &deviceRow{w: w, icon: widget.NewIcon(glyph("clock")), name: line(""), state: muted("")}
	r.tile = newTile(w, "", container.New(inset{8, 0}, container.NewBorder(nil, nil, container.NewCenter(stretch(r.icon, 22, 22)), nil, column(r.name, r.state))), func() {
		w.goTo(place{kind: atDevice, device: r.id})
	})
	return r
}

func (r *deviceRow) object() fyne.CanvasObject { return r.tile }

func (r *deviceRow) draw(d app.Device) {
	r.id = d.ID
	name := shown(d.Name)
	r.tile.label = name
	setText(r.name, name)
	setText(r.state, deviceState(d, r.w.now()))
	here := r.w.place.kind == atDevice && r.w.place.device == d.ID
	r.tile.setSelected(here)
	setBold(r.name, here)
	if r.on != d.Connected {
		r.on = d.Connected
		r.icon.SetResource(glyph(deviceIcon(d)))
	}
}

// deviceIcon is a tick where the device is connected, and a clock where it is
// waited for.
func deviceIcon(d app.Device) string {
	if d.Connected {
		return "check"
	}
	return "clock"
}
