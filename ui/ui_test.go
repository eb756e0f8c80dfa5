package ui

import (
	"errors"
	"flag"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
	"foldpost/app/apptest"
)

var update = flag.Bool("update", false, "write golden files anew; look at them afterwards")

// noon is when the tests of this package take place.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// newTestWindow shows a window of f. Calls of the service end before the tap
// that began them returns; call sync to see what they changed.
func newTestWindow(t *testing.T, f *apptest.Fake) *Window {
	t.Helper()
	return newTestWindowOf(t, test.NewTempApp(t), f, Options{Home: "/home/ada", Now: func() time.Time { return noon }})
}

// newTestWindowOf shows a window of any service.
func newTestWindowOf(t *testing.T, a fyne.App, f app.Service, o Options) *Window {
	t.Helper()
	a.Settings().SetTheme(Theme{Variant: "light"})
	w := New(a, f, o)
	w.inline, w.ctx, w.held = true, t.Context(), make(chan func(), 8)
	w.win.Resize(fyne.NewSize(980, 680))
	w.Show()
	w.draw(f.State())
	return w
}

// sync draws what the service knows now.
func (w *Window) sync() { w.draw(w.svc.State()) }

// golden compares the sheet on top, else the screen, with testdata/NAME.xml.
// Write it with -update.
func golden(t *testing.T, w *Window, name string) {
	t.Helper()
	settled(w)
	o := w.screen.object()
	if n := len(w.sheets); n > 0 {
		o = w.sheets[n-1].pop.Content
	}
	goldenOf(t, o, name)
}

// goldenOf compares one object.
func goldenOf(t *testing.T, o fyne.CanvasObject, name string) {
	t.Helper()
	file := name + ".xml"
	if *update {
		os.Remove(filepath.Join("testdata", file))
		probe := &testing.T{}
		test.AssertObjectRendersToMarkup(probe, file, o)
		if err := os.Rename(filepath.Join("testdata", "failed", file), filepath.Join("testdata", file)); err != nil {
			t.Fatal(err)
		}
		os.Remove(filepath.Join("testdata", "failed"))
		return
	}
	test.AssertObjectRendersToMarkup(t, file, o)
}

// picturePNG compares the window with testdata/NAME.png. Write it with -update.
func picturePNG(t *testing.T, w *Window, name string) {
	t.Helper()
	settled(w)
	got := w.win.Canvas().Capture()
	file := filepath.Join("testdata", name+".png")
	if *update {
		writePNG(t, file, got)
		return
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if n := differences(got, want); n > 0 {
		failed := filepath.Join("testdata", "failed", name+".png")
		if err := os.MkdirAll(filepath.Dir(failed), 0o755); err != nil {
			t.Fatal(err)
		}
		writePNG(t, failed, got)
		t.Errorf("%d pixels differ from %s: look at %s", n, file, failed)
	}
}

func writePNG(t *testing.T, file string, img image.Image) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(f, img), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// differences counts the pixels in which two pictures differ.
func differences(a, b image.Image) (n int) {
	size := a.Bounds()
	if size != b.Bounds() {
		return size.Dx() * size.Dy()
	}
	for y := size.Min.Y; y < size.Max.Y; y++ {
		for x := size.Min.X; x < size.Max.X; x++ {
			if color.NRGBAModel.Convert(a.At(x, y)) != color.NRGBAModel.Convert(b.At(x, y)) {
				n++
			}
		}
	}
	return n
}

// settled lays the window out as a real one does before each frame: texts that
// wrap know their height only once they have a width.
func settled(w *Window) {
	for range 4 {
		layOut(w.win.Content())
		for _, sh := range w.sheets {
			layOut(sh.pop.Content)
		}
	}
}

func layOut(o fyne.CanvasObject) {
	if !o.Visible() {
		return
	}
	var children []fyne.CanvasObject
	switch o := o.(type) {
	case *fyne.Container:
		if o.Layout != nil {
			o.Layout.Layout(o.Objects, o.Size())
		}
		children = o.Objects
	case fyne.Widget:
		r := test.WidgetRenderer(o)
		r.Layout(o.Size())
		children = r.Objects()
	}
	for _, c := range children {
		if c != nil {
			layOut(c)
		}
	}
}

// shot saves what the window looks like, where SHOTS names a directory.
func shot(t *testing.T, w *Window, name string) {
	t.Helper()
	dir := os.Getenv("SHOTS")
	if dir == "" {
		return
	}
	settled(w)
	f, err := os.Create(filepath.Join(dir, name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, w.win.Canvas().Capture()); err != nil {
		t.Fatal(err)
	}
}

// looks is shot in light and dark, and in the smallest window.
func looks(t *testing.T, w *Window, name string) {
	t.Helper()
	if os.Getenv("SHOTS") == "" {
		return
	}
	shot(t, w, name)
	w.app.Settings().SetTheme(Theme{Variant: "dark"})
	w.redraw()
	shot(t, w, name+"-dark")
	w.app.Settings().SetTheme(Theme{Variant: "light"})
	w.win.Resize(fyne.NewSize(760, 520))
	w.redraw()
	shot(t, w, name+"-small")
	w.win.Resize(fyne.NewSize(980, 680))
	w.redraw()
}

// find returns the first visible object in the window, the topmost sheet
// first, for which ok.
func find(w *Window, ok func(fyne.CanvasObject) bool) fyne.CanvasObject {
	var roots []fyne.CanvasObject
	for _, sh := range w.sheets {
		roots = append([]fyne.CanvasObject{sh.pop.Content}, roots...)
	}
	if len(roots) == 0 {
		roots = []fyne.CanvasObject{w.win.Content()}
	}
	for _, r := range roots {
		if o := findIn(r, ok); o != nil {
			return o
		}
	}
	return nil
}

func findIn(o fyne.CanvasObject, ok func(fyne.CanvasObject) bool) fyne.CanvasObject {
	if !o.Visible() {
		return nil
	}
	if ok(o) {
		return o
	}
	var children []fyne.CanvasObject
	switch o := o.(type) {
	case *fyne.Container:
		children = o.Objects
	case *container.Scroll:
		children = []fyne.CanvasObject{o.Content}
	case *container.AppTabs:
		if s := o.Selected(); s != nil {
			children = []fyne.CanvasObject{s.Content}
		}
	case *widget.PopUp:
		children = []fyne.CanvasObject{o.Content}
	case fyne.Widget:
		children = test.WidgetRenderer(o).Objects()
	}
	for _, c := range children {
		if c != nil {
			if f := findIn(c, ok); f != nil {
				return f
			}
		}
	}
	return nil
}

// tap presses the button with a text.
func tap(t *testing.T, w *Window, text string) {
	t.Helper()
	o := find(w, func(o fyne.CanvasObject) bool {
		switch o := o.(type) {
		case *button:
			return o.Text == text
		case *tile:
			return o.label == text
		}
		return false
	})
	if o == nil {
		t.Fatalf("there is no button %q; the window shows:\n%s", text, texts(w))
	}
	if b, ok := o.(*button); ok && b.Disabled() {
		t.Fatalf("button %q is disabled", text)
	}
	test.Tap(o.(fyne.Tappable))
	w.sync()
}

// typeInto types into the entry with a placeholder.
func typeInto(t *testing.T, w *Window, hint, text string) {
	t.Helper()
	o := find(w, func(o fyne.CanvasObject) bool { e, ok := o.(*entry); return ok && e.PlaceHolder == hint })
	if o == nil {
		t.Fatalf("there is no entry %q; the window shows:\n%s", hint, texts(w))
	}
	w.win.Canvas().Focus(o.(*entry))
	test.Type(o.(*entry), text)
	w.sync()
}

// texts is all that can be read in the window, a line each.
func texts(w *Window) string {
	var b strings.Builder
	find(w, func(o fyne.CanvasObject) bool {
		switch o := o.(type) {
		case *widget.Label:
			b.WriteString(o.Text + "\n")
		case *button:
			b.WriteString("[" + o.Text + "]\n")
		case *tile:
			b.WriteString("[" + o.label + "]\n")
		case *entry:
			b.WriteString("<" + o.PlaceHolder + ": " + o.Text + ">\n")
		case *widget.TextGrid:
			b.WriteString(o.Text() + "\n")
		case *check:
			b.WriteString("( ) " + o.Text + "\n")
		case *choice:
			b.WriteString("(o) " + strings.Join(o.Options, " | ") + ": " + o.Selected + "\n")
		}
		return false
	})
	return b.String()
}

// reads fails unless the window shows each text.
func reads(t *testing.T, w *Window, want ...string) {
	t.Helper()
	got := texts(w)
	for _, s := range want {
		if !strings.Contains(got, s) {
			t.Errorf("the window does not show %q, but:\n%s", s, got)
		}
	}
}

func TestStart(t *testing.T) {
	w := newTestWindow(t, apptest.NewFake())
	reads(t, w, "[I have an invitation]", "[Share a folder]", "[Connect my other computer]")
}

// TestLeavesStart: what comes by itself is shown at once.
func TestLeavesStart(t *testing.T) {
	f := apptest.NewFake()
	w := newTestWindow(t, f)
	f.Update(func(s *app.State) {
		s.Devices = append(s.Devices, app.Device{ID: "bobid", Name: "Bob's laptop", Connected: true})
	})
	w.sync()
	reads(t, w, "Folders", "[Bob's laptop]")
}
