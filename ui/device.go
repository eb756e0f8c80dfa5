package ui

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A deviceScreen is everything about one device.
type deviceScreen struct {
	w    *Window
	id   app.DeviceID
	box  fyne.CanvasObject
	name *widget.Label
}

func newDevice(w *Window, id app.DeviceID) *deviceScreen {
	d := &deviceScreen{w: w, id: id, name: heading("")}
	d.box = page(container.NewVBox(d.name))
	return d
}

func (d *deviceScreen) object() fyne.CanvasObject { return d.box }

func (d *deviceScreen) draw(s app.State) {
	for _, dev := range s.Devices {
		if dev.ID == d.id {
			setText(d.name, shown(dev.Name))
			return
		}
	}
	d.w.goTo(place{kind: atHome}) // it is gone
}

// deviceState is a device's state in a few words.
func deviceState(d app.Device, now time.Time) string {
	if d.Connected {
		return tr("connected")
	}
	return tr("last seen {{.When}}", "When", when(d.LastSeen, now))
}
