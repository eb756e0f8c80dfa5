package ui

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// An adviceRow is about a linked device that cannot be reached.
type adviceRow struct {
	w    *Window
	id   app.DeviceID
	box  fyne.CanvasObject
	text *widget.Label
}

func newAdviceRow(w *Window) *adviceRow {
	r := &adviceRow{w: w, text: para("")}
	help := newButton(w, tr("What can I do?"), func() { w.adviseOn(r.id) })
	r.box = request(widget.NewIcon(glyph("link")), r.text, container.New(&flow{gap: 6}, help))
	return r
}

func (r *adviceRow) object() fyne.CanvasObject { return r.box }

func (r *adviceRow) draw(d app.Device) {
	r.id = d.ID
	if d.Problem == "" || d.Why != nil && d.Why.Reason == app.FoundNever {
		d.Problem = ownSide(r.w.state)
	}
	setText(r.text, deviceAdvice(d, r.w.now()))
}

// ownSide says what is known of this computer's own network, so that nobody
// looks for the fault there in vain; "" if that is nothing.
func ownSide(s app.State) string {
	switch {
	case slices.ContainsFunc(s.Devices, func(d app.Device) bool { return d.Connected }):
		return tr("Your computer does reach other devices.")
	case s.Mailbox != nil && s.Mailbox.State == "ok":
		return tr("Your computer is on the internet: your e-mail account answers.")
	}
	return ""
}

// adviseOn says what a person can do about a device that cannot be reached.
func (w *Window) adviseOn(id app.DeviceID) {
	d, ok := deviceOf(w.state.Devices, id)
	if !ok {
		return
	}
	sh := w.open(tr("How to reach {{.Name}}", "Name", shown(d.Name)))
	steps := container.NewVBox()
	if d.Why != nil {
		text, help := foundText(*d.Why)
		steps.Add(para(text))
		if help != "" {
			steps.Add(container.NewBorder(nil, nil, picture("next"), nil, para(help)))
		}
	}
	for _, text := range []string{
		tr("Is the other computer on, and is Foldpost running on it? Ask, if you can."),
		tr("Bring both computers into one network, if only once: they find each other there, and the files go across."),
		tr("Try another network: many offices, hotels and mobile networks let no direct connection in or out."),
		tr("A firewall on either computer may be in the way. Foldpost uses port {{.Port}} (UDP) on this one.", "Port", w.state.Device.Port),
		tr("Share the folder with a third device that both reach: it passes the files on."),
	} {
		steps.Add(container.NewBorder(nil, nil, picture("next"), nil, para(text)))
	}
	steps.Add(muted(tr("Nothing is lost meanwhile. Foldpost goes on trying by itself.")))
	works := newButton(w, tr("What works"), func() { sh.close(); w.goTo(place{kind: atWorks}) })
	sh.page(steps, newButton(w, tr("Close"), sh.close), works)
}
