package ui

import (
	"testing"

	"fyne.io/fyne/v2"

	"foldpost/app/apptest"
)

func TestTypedPath(t *testing.T) {
	w := newTestWindow(t, apptest.NewFake())
	for typed, want := range map[string]string{
		"":                  "",
		"  /srv/photos/ ":   "/srv/photos",
		"~":                 "/home/ada",
		"~/Photos 2026":     "/home/ada/Photos 2026",
		"~bob/x":            "~bob/x",
		"/home/ada/../bob":  "/home/bob",
		"/home/ada/Photos/": "/home/ada/Photos",
	} {
		if got := w.typedPath(typed); got != want {
			t.Errorf("typedPath(%q) = %q, want %q", typed, got, want)
		}
	}
	for path, want := range map[string]string{
		"/home/ada":        "~",
		"/home/ada/Photos": "~/Photos",
		"/home/adalbert":   "/home/adalbert",
	} {
		if got := w.tilde(path); got != want {
			t.Errorf("tilde(%q) = %q, want %q", path, got, want)
		}
	}
}

// TestPickFolderByTyping: where the desktop has no dialog for it.
func TestPickFolderByTyping(t *testing.T) {
	w := newTestWindow(t, apptest.NewFake())
	dir, got := t.TempDir(), ""
	w.pickFolder("Where?", func(d string) { got = d })
	typeInto(t, w, "path of a folder", "/nowhere")
	w.key(&fyne.KeyEvent{Name: fyne.KeyReturn})
	reads(t, w, "There is no folder /nowhere.")
	for range len("/nowhere") {
		w.win.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyBackspace})
	}
	typeInto(t, w, "path of a folder", dir)
	w.key(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if got != dir || len(w.sheets) != 0 {
		t.Errorf("picked %q with %d sheets open, want %q and none", got, len(w.sheets), dir)
	}
}
