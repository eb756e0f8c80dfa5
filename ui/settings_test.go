package ui

import (
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"foldpost/app"
	"foldpost/app/apptest"
)

func atSettingsScreen(t *testing.T, f *apptest.Fake) *Window {
	t.Helper()
	w := newTestWindow(t, f)
	w.goTo(place{kind: atSettings})
	return w
}

func TestSettingsLook(t *testing.T) {
	w := atSettingsScreen(t, apptest.NewFake())
	w.win.Resize(fyne.NewSize(980, 1580)) // all of it
	golden(t, w, "settings")
	tap(t, w, "Remove everything…")
	golden(t, w, "settings-reset")
}

// TestSettingsAreSaved at once, and shown as saved.
func TestSettingsAreSaved(t *testing.T) {
	f := apptest.NewFake()
	var changed []string
	w := atSettingsScreen(t, f)
	w.opts.Changed = func(key, value string) { changed = append(changed, key+"="+value) }

	name := find(w, func(o fyne.CanvasObject) bool { e, ok := o.(*entry); return ok && e.Text == "here" }).(*entry)
	w.win.Canvas().Focus(name)
	name.SetText("Ada's PC")
	w.win.Canvas().Unfocus()
	choose(t, w, "Dark")
	choose(t, w, "115 %")
	setCheck(t, w, "Start when I log in", true)
	setCheck(t, w, "Tell me of questions, conflicts and arrivals", false)

	calls := slices.DeleteFunc(f.Calls(), func(c string) bool { return !strings.HasPrefix(c, "SetConfig") })
	want := []string{"SetConfig name Ada's PC", "SetConfig theme dark", "SetConfig size 115", "SetConfig start-at-login on", "SetConfig notify off"}
	if !slices.Equal(calls, want) {
		t.Errorf("the program was asked %q, want %q", calls, want)
	}
	wantChanged := []string{"name=Ada's PC", "theme=dark", "size=115", "start-at-login=on", "notify=off"}
	if !slices.Equal(changed, wantChanged) {
		t.Errorf("Changed was called with %q, want %q", changed, wantChanged)
	}
	if n := strings.Count(texts(w), "✓ Saved"); n != 5 {
		t.Errorf("%d fields say that they are saved, want 5", n)
	}
}

// TestSettingsRefused: the reason stands under the field, and what was typed
// stays.
func TestSettingsRefused(t *testing.T) {
	f := apptest.NewFake()
	w := atSettingsScreen(t, f)
	f.Fail("SetConfig", app.Errorf(app.CodeUsage, "a port is a number from 1024 to 65535, or 443"))
	e := find(w, func(o fyne.CanvasObject) bool { e, ok := o.(*entry); return ok && e.Text == "4000" }).(*entry)
	w.win.Canvas().Focus(e)
	test.Type(e, "0")
	e.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	reads(t, w, "A port is a number from 1024 to 65535, or 443")
	if e.Text == "4000" {
		t.Errorf("the entry shows %q, want what was typed", e.Text)
	}
}

func TestLimits(t *testing.T) {
	f := apptest.NewFake()
	w := atSettingsScreen(t, f)
	for _, c := range []struct{ text, want string }{{"500", "SetConfig limit-up 500"}, {"", "SetConfig limit-up 0"}} {
		e := find(w, func(o fyne.CanvasObject) bool { e, ok := o.(*entry); return ok && e.PlaceHolder == "No limit" }).(*entry)
		w.win.Canvas().Focus(e)
		e.SetText(c.text)
		w.win.Canvas().Unfocus()
		if calls := f.Calls(); calls[len(calls)-1] != c.want {
			t.Errorf("limit %q: the program was asked %q, want %q", c.text, calls[len(calls)-1], c.want)
		}
	}
}

// TestReset: Enter and Escape keep everything, only the button removes it.
func TestReset(t *testing.T) {
	f := apptest.NewFake()
	w := atSettingsScreen(t, f)
	ended := false
	w.opts.Reset = func() { ended = true }
	asked := func() bool { return slices.Contains(f.Calls(), "Reset") }

	for _, key := range []fyne.KeyName{fyne.KeyReturn, fyne.KeyEscape} {
		tap(t, w, "Remove everything…")
		w.key(&fyne.KeyEvent{Name: key})
		if len(w.sheets) != 0 || asked() {
			t.Fatalf("%s: %d sheets are open, Reset was asked: %v; want neither", key, len(w.sheets), asked())
		}
	}
	f.Fail("Reset", app.Errorf(app.CodeFailed, "a folder is in use"))
	tap(t, w, "Remove everything…")
	tap(t, w, "Remove everything")
	reads(t, w, "A folder is in use")
	f.Fail("Reset", nil)
	tap(t, w, "Remove everything")
	if !asked() || !ended {
		t.Errorf("Reset was asked: %v, the program was ended: %v; want both", asked(), ended)
	}
}

// TestSettingsUnknown: what the program does not have is not shown.
func TestSettingsUnknown(t *testing.T) {
	f := apptest.NewFake()
	f.Fail("Config", app.Errorf(app.CodeNotRunning, "foldpost does not run"))
	w := atSettingsScreen(t, f)
	if got := texts(w); strings.Contains(got, "Port") {
		t.Errorf("without settings the window shows:\n%s", got)
	}
	reads(t, w, "Foldpost does not run", "[Remove everything…]")
}

func choose(t *testing.T, w *Window, option string) {
	t.Helper()
	o := find(w, func(o fyne.CanvasObject) bool { c, ok := o.(*choice); return ok && slices.Contains(c.Options, option) })
	if o == nil {
		t.Fatalf("there is no choice %q; the window shows:\n%s", option, texts(w))
	}
	o.(*choice).SetSelected(option)
}

func setCheck(t *testing.T, w *Window, text string, on bool) {
	t.Helper()
	o := find(w, func(o fyne.CanvasObject) bool { c, ok := o.(*check); return ok && c.Text == text })
	if o == nil {
		t.Fatalf("there is no check %q; the window shows:\n%s", text, texts(w))
	}
	o.(*check).SetChecked(on)
}
