package ui

import (
	"context"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A nearbyList shows the devices in this network that can be linked, each with
// a button. For as long as its sheet is open this computer shows itself to them.
type nearbyList struct {
	w     *Window
	sh    *sheet
	box   *fyne.Container
	rows  *rows[app.NearbyID, app.Nearby]
	note  *widget.Label
	again *fyne.Container // shown if shut
	shut  string          // why nobody can ask this computer; "" if it can be asked
	why   string          // nobody is found, as far as this computer can tell
	stop  func()
	wait  func() // stops the wait until that is asked
}

// lookTime is how long others need to be found: who is there answers at once.
const lookTime = 4 * time.Second

// newNearbyList makes a list in a sheet, and opens the door. Chosen is called
// with the device whose button was pressed.
func newNearbyList(w *Window, sh *sheet, chosen func(app.Nearby)) *nearbyList {
	l := &nearbyList{w: w, sh: sh, note: muted("")}
	l.rows = newRows(func(d app.Nearby) app.NearbyID { return d.ID }, func(app.Nearby) row[app.Nearby] { return newNearbyRow(w, chosen) })
	l.again = container.NewHBox(newButton(w, tr("Let others find it again"), l.open))
	l.again.Hide()
	l.box = container.NewVBox(l.rows.box, l.note, l.again)
	l.open()
	l.wait = w.later(lookTime, l.ask)
	return l
}

// open lets devices nearby see this computer.
func (l *nearbyList) open() {
	l.shut = ""
	l.stop = l.w.hold(func(ctx context.Context) error { return l.w.svc.OpenNearby(ctx, 0) }, func(err error) {
		if err != nil {
			l.shut = errorText(err)
		}
		l.draw(l.w.state)
	})
	l.draw(l.w.state)
}

// close hides this computer again, unless something else shows it.
func (l *nearbyList) close() {
	l.stop()
	l.wait()
}

// ask finds out why nobody is found.
func (l *nearbyList) ask() {
	if len(l.w.state.Nearby) > 0 {
		return
	}
	var list []app.Finding
	l.w.do(func(ctx context.Context) (err error) {
		list, err = l.w.svc.Doctor(ctx)
		return err
	}, func(error) { // without it the list says what it can
		for _, f := range list {
			if f.Area == app.AreaNearby && f.Reason != app.FoundNearby && f.Reason != app.FoundNearbySoon {
				text, advice := foundText(f)
				l.why = strings.TrimSpace(text + " " + advice)
				break
			}
		}
		l.draw(l.w.state)
	})
}

func (l *nearbyList) draw(s app.State) {
	before := len(l.rows.keys)
	l.rows.draw(s.Nearby)
	text := ""
	switch {
	case l.shut != "":
		text = l.shut
	case len(s.Nearby) == 0:
		text = tr("No other computer is found here yet. Open Foldpost there, too, in the same network, and choose “Connect my other computer”.")
		if l.why != "" {
			text += "\n" + l.why
		}
	default:
		text = tr("They see this computer as {{.Name}}, while this is open.", "Name", shown(s.Device.Name))
	}
	if before != len(s.Nearby) || text != l.note.Text || l.again.Visible() != (l.shut != "") {
		setText(l.note, text)
		show(l.again, l.shut != "")
		l.sh.fit()
	}
}

// A nearbyRow is a device nearby, with the button that links it.
type nearbyRow struct {
	box  fyne.CanvasObject
	name *widget.Label
	d    app.Nearby
}

func newNearbyRow(w *Window, chosen func(app.Nearby)) row[app.Nearby] {
	r := &nearbyRow{name: strong("")}
	link := newButton(w, tr("Link"), func() { chosen(r.d) })
	r.box = container.NewBorder(nil, nil, picture("device"), container.NewCenter(link), r.name)
	return r
}

func (r *nearbyRow) object() fyne.CanvasObject { return r.box }

func (r *nearbyRow) draw(d app.Nearby) {
	r.d = d
	setText(r.name, shown(d.Name))
}

// askNearby opens the sheet of devices nearby.
func (w *Window) askNearby() {
	sh := w.open(tr("Devices nearby"))
	list := newNearbyList(w, sh, func(d app.Nearby) { w.linkNearby(d, nil) })
	sh.closed, sh.draw, sh.linked = list.close, list.draw, sh.close
	sh.page(container.NewVBox(
		para(tr("Computers in this network can be linked without a mail: both of you compare three words.")),
		list.box,
	), newButton(w, tr("Close"), sh.close))
}
