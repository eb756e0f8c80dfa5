package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"foldpost/app"
	"foldpost/app/apptest"
)

func TestConnectionText(t *testing.T) {
	for _, c := range []struct {
		d    app.Device
		want string
	}{
		{app.Device{Connected: true, Link: "quic"}, "Connected directly."},
		{app.Device{Connected: true, RTTms: 12.4}, "Connected directly. An answer takes 12 thousandths of a second."},
		{app.Device{Connected: true, RTTms: 0.2}, "Connected directly. An answer takes 1 thousandth of a second."},
		{app.Device{Name: "PC"}, "Linked, but not reached yet."},
		{app.Device{Name: "PC", LastSeen: noon.Add(-time.Hour)}, "PC is off or asleep (last seen 11:00). It goes on by itself."},
	} {
		if got := connectionText(c.d, noon); got != c.want {
			t.Errorf("connectionText(%+v) = %q, want %q", c.d, got, c.want)
		}
	}
}

func TestDeviceFacts(t *testing.T) {
	s := app.State{Device: app.ThisDevice{Version: "1.2"}}
	for _, c := range []struct {
		d    app.Device
		want string
	}{
		{
			app.Device{Verified: "words", Linked: noon, Version: "1.2"},
			"Verified by six words that were told from person to person, on 2026-11-20.\nIt has the same version of the program as this device: 1.2.",
		},
		{
			app.Device{Verified: "link", Version: "1.3"},
			"Verified by an invite link: as sure as the way that the link went.\nIt has version 1.3 of the program, this device has 1.2.",
		},
		{app.Device{Verified: "a later way"}, ""},
	} {
		if got := deviceFacts(c.d, s); got != c.want {
			t.Errorf("deviceFacts(%+v) = %q, want %q", c.d, got, c.want)
		}
	}
}

// TestUnreached: who was linked a moment ago is still being looked for.
func TestUnreached(t *testing.T) {
	devices := []app.Device{
		{ID: "never"},
		{ID: "new", Linked: noon.Add(-time.Minute)},
		{ID: "old", Linked: noon.Add(-time.Hour)},
		{ID: "connected", Connected: true},
		{ID: "seen", LastSeen: noon},
		{ID: "problem", LastSeen: noon, Problem: "It speaks a newer version."},
	}
	var got []app.DeviceID
	for _, d := range unreached(devices, noon) {
		got = append(got, d.ID)
	}
	if want := []app.DeviceID{"never", "old", "problem"}; !slices.Equal(got, want) {
		t.Errorf("unreached() = %q, want %q", got, want)
	}
}

func atAnna(t *testing.T) (*apptest.Fake, *Window) {
	t.Helper()
	f := apptest.NewFake()
	f.Update(busy)
	w := newTestWindow(t, f)
	w.goTo(place{kind: atDevice, device: "annaid"})
	return f, w
}

func TestDevice(t *testing.T) {
	f, w := atAnna(t)
	reads(t, w, "Anna's laptop", "of anna@example.org", "Connected directly.", "Verified by six words", "It has version 1.3 of the program, this device has test.",
		"Folders shared with it", "Photos 2026", "may add and change files")
	golden(t, w, "device")
	shot(t, w, "device")
	if got := texts(w); strings.Contains(got, "192.0.2.7") {
		t.Errorf("the address is shown before it was asked for:\n%s", got)
	}
	tap(t, w, "Details")
	reads(t, w, "Id: annaid", "Address: 192.0.2.7:4100", "Connection: quic", "Round trip: 12.3 ms", "[Hide details]")
	shot(t, w, "device-details")

	f.Update(func(s *app.State) { s.Devices[0].Connected, s.Devices[0].LastSeen = false, noon })
	w.sync()
	reads(t, w, "Anna's laptop is off or asleep (last seen 12:00). It goes on by itself.")
	w.goTo(place{kind: atDevice, device: "nasid"})
	reads(t, w, "No folder is shared with it.", "cannot reach each other yet", "Your computer does reach other devices.", "[What can I do?]")
	w.win.Resize(fyne.NewSize(760, 520))
	shot(t, w, "device-never")
}

func TestRemoveDevice(t *testing.T) {
	f, w := atAnna(t)
	tap(t, w, "Remove this device …")
	reads(t, w, "Remove Anna's laptop?", "What is on it stays on it")
	tap(t, w, "Cancel")
	if len(f.State().Devices) != 4 {
		t.Fatal("Cancel has removed a device")
	}
	tap(t, w, "Remove this device …")
	tap(t, w, "Remove it")
	if w.place.kind != atHome {
		t.Errorf("after the device is gone the window is at %+v, want at home", w.place)
	}
	reads(t, w, "Anna's laptop is removed.")
}

func TestShareRole(t *testing.T) {
	f, w := atAnna(t)
	o := find(w, func(o fyne.CanvasObject) bool { _, ok := o.(*choice); return ok })
	if o == nil {
		t.Fatal("there is no choice of the role")
	}
	o.(*choice).SetSelected("only receives")
	if got, want := lastCall(f), "Share /home/ada/Pictures/Photos 2026 [annaid] [] true false"; got != want {
		t.Errorf("the last call was %q, want %q", got, want)
	}
	f.Update(func(s *app.State) { s.Folders[2].Members[0].Role = "read-only" })
	n := len(f.Calls())
	w.sync()
	if got := f.Calls()[n:]; len(got) != 0 {
		t.Errorf("drawing the new role has called %q", got)
	}
}

func TestStopSharing(t *testing.T) {
	f, w := atAnna(t)
	tap(t, w, "Stop sharing …")
	reads(t, w, "It keeps the files that it has")
	tap(t, w, "Stop sharing")
	if got, want := lastCall(f), "Unshare photosid annaid"; got != want {
		t.Errorf("the last call was %q, want %q", got, want)
	}
	reads(t, w, "No folder is shared with it.")
}

// TestFocusMarks: a tile shows that it has the focus, and gives the keys it
// does not want to the window.
func TestFocusMarks(t *testing.T) {
	_, w := atAnna(t)
	pressed := 0
	x := newTile(w, "x", para("x"), func() { pressed++ })
	ring := test.WidgetRenderer(x).(*tileRenderer).ring
	x.FocusGained()
	if _, _, _, a := ring.StrokeColor.RGBA(); a == 0 {
		t.Error("a tile with the focus has no ring")
	}
	x.TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
	if pressed != 1 {
		t.Errorf("Space has pressed it %d times, want once", pressed)
	}
	x.FocusLost()
	if _, _, _, a := ring.StrokeColor.RGBA(); a != 0 {
		t.Error("a tile without the focus has a ring")
	}
	w.open("a sheet")
	x.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if len(w.sheets) != 0 {
		t.Error("Escape on a tile does not close the sheet")
	}
}
