package ui

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"foldpost/app"
	"foldpost/app/apptest"
)

// thesis is a folder of two members, in a directory of the test's own.
func thesis(t *testing.T) (*apptest.Fake, string) {
	t.Helper()
	f := apptest.NewFake()
	dir := t.TempDir()
	f.Update(func(s *app.State) {
		s.Devices = []app.Device{
			{ID: "bobid", Name: "Bob's laptop", Owner: "bob@example.org", Connected: true},
			{ID: "officeid", Name: "Office", LastSeen: noon.Add(-40 * time.Hour)},
		}
		s.Folders = []app.Folder{{
			ID: "thesisid", Name: "Thesis", Path: dir, State: app.FolderIdle, Role: "read-write", Files: 214, Bytes: 38e6,
			Members: []app.Member{
				{Device: "bobid", Role: "read-write", Joined: true, HasAll: true},
				{Device: "officeid", Role: "read-only", Joined: true, NeedBytes: 3.2e6},
			},
			Changed: noon.Add(-time.Hour),
		}}
	})
	f.Happen("thesisid", app.Change{Path: "chapters/thesis.tex", What: app.Changed, At: noon.Add(-time.Hour - 18*time.Minute), Device: "officeid", Size: 41e3})
	f.Happen("thesisid", app.Change{Path: "old.pdf", What: app.Deleted, At: noon.Add(-26 * time.Hour), Device: "bobid"})
	f.Happen("thesisid", app.Change{Path: "figures/2026/harz.png", What: app.Changed, At: noon.Add(-3 * 24 * time.Hour), Device: "hereid", Size: 2.4e6})
	return f, dir
}

// folderWindow shows the folder thesisid with a tab of it.
func folderWindow(t *testing.T, f *apptest.Fake, tab string) *Window {
	t.Helper()
	w := newTestWindow(t, f)
	w.goTo(place{kind: atFolder, folder: "thesisid", tab: tab})
	w.sync()
	return w
}

// looks is look in light and dark, and in the smallest window.
func looks(t *testing.T, w *Window, name string) {
	t.Helper()
	if os.Getenv("LOOK") == "" {
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

func TestFolderTabs(t *testing.T) {
	f, dir := thesis(t)
	f.Keep("thesisid", "old.pdf", noon.Add(-26*time.Hour), "old")
	f.Update(func(s *app.State) { s.Folders[0].Conflicts = 1 })
	f.Conflict("thesisid", app.Conflict{Path: "a.tex", Copies: []string{"a (conflict Bob's laptop 2026-11-20 1).tex"}, Versions: []app.Version{
		{Path: "a.tex", Device: "hereid", Size: 40, At: noon},
		{Path: "a (conflict Bob's laptop 2026-11-20 1).tex", Device: "bobid", By: "Bob's laptop", Size: 44, At: noon.Add(-time.Hour)},
	}})
	for name, text := range map[string]string{
		"a.tex": "one\ntwo\nthree\nfour\nfive changed here\nsix\n", "a (conflict Bob's laptop 2026-11-20 1).tex": "one\ntwo\nthree\nfour\nfive changed by Bob\nand more\nsix\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := folderWindow(t, f, "")
	reads(t, w, "Thesis", "214 files, 38 MB", "[Open folder]", "[Pause]", "[Share with…]", "All done. Last change: thesis.tex by Office, 10:42.")
	looks(t, w, "now")
	tap(t, w, "Recent changes")
	reads(t, w, "thesis.tex", "changed by Office · 41 kB · in chapters", "deleted by Bob's laptop", "changed by this device")
	looks(t, w, "recent")
	tap(t, w, "1 conflict")
	reads(t, w, "a.tex", "[Keep this one (1)]", "[Keep this one (2)]", "[Keep both (3)]")
	looks(t, w, "conflicts")
	tap(t, w, "Deleted and replaced")
	reads(t, w, "old.pdf", "28 days left")
	looks(t, w, "trash")
	tap(t, w, "Members")
	reads(t, w, "Bob's laptop · bob@example.org", "has everything")
	looks(t, w, "members")
	tap(t, w, "More")
	looks(t, w, "more")
}
