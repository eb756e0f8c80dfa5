package ui

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

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
	if path := f.State().Folders[0].Path; strings.HasPrefix(path, os.TempDir()) {
		w.opts.Home = filepath.Dir(path)
	}
	w.goTo(place{kind: atFolder, folder: "thesisid", tab: tab})
	w.sync()
	return w
}

func TestFolderTabs(t *testing.T) {
	f, dir := thesis(t)
	f.Keep("thesisid", "old.pdf", noon.Add(-26*time.Hour), "old")
	collide(t, f, dir, "a.tex", "one\ntwo\nthree\nfour\nfive changed here\nsix\n", "one\ntwo\nthree\nfour\nfive changed by Bob\nand more\nsix\n")
	w := folderWindow(t, f, "")
	reads(t, w, "Thesis", "~/001", "214 files, 38 MB", "with Bob's laptop and Office", "[Open folder]", "[Pause ▾]", "[Share with…]",
		"All done. Last change: thesis.tex by Office, 10:42.", "still needs 3.2 MB; it goes on when this device is connected")
	looks(t, w, "now")
	golden(t, w, "folder")
	tap(t, w, "Recent changes")
	reads(t, w, "thesis.tex", "changed by Office · 41 kB · in chapters", "deleted by Bob's laptop", "changed by this device")
	looks(t, w, "recent")
	golden(t, w, "folder_recent")
	tap(t, w, "1 conflict")
	reads(t, w, "a.tex", "This device", "in its place now", "Bob's laptop", "[Keep this one (1)]", "[Keep this one (2)]", "[Keep both (3)]",
		"› five changed here", "› five changed by Bob", "… 2 lines are the same")
	looks(t, w, "conflicts")
	tap(t, w, "Deleted and replaced")
	reads(t, w, "old.pdf", "29 days left")
	looks(t, w, "trash")
	golden(t, w, "folder_trash")
	tap(t, w, "Members")
	reads(t, w, "Bob's laptop · bob@example.org", "has everything")
	looks(t, w, "members")
	golden(t, w, "folder_members")
	tap(t, w, "More")
	looks(t, w, "more")
	if w.place.tab != tabMore {
		t.Errorf("the place is %+v after the last tab was opened", w.place)
	}
	w.Rebuild()
	reads(t, w, "[Leave this folder…]")
}

// collide makes a conflict: a file, and Bob's version of it beside it.
func collide(t *testing.T, f *apptest.Fake, dir, name, here, there string) {
	t.Helper()
	ext := filepath.Ext(name)
	beside := strings.TrimSuffix(name, ext) + " (conflict Bob's laptop 2026-11-20 1)" + ext
	for name, content := range map[string]string{name: here, beside: there} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f.Conflict("thesisid", app.Conflict{Path: name, Copies: []string{beside}, Versions: []app.Version{
		{Path: name, Device: "hereid", Size: int64(len(here)), At: noon},
		{Path: beside, Device: "bobid", By: "Bob's laptop", Size: int64(len(there)), At: noon.Add(-time.Hour)},
	}})
	f.Update(func(s *app.State) { s.Folders[0].Conflicts++ })
}

// press sends a key to what has the focus, else to the window.
func press(w *Window, keys ...fyne.KeyName) {
	for _, k := range keys {
		if o := w.win.Canvas().Focused(); o != nil {
			o.TypedKey(&fyne.KeyEvent{Name: k})
		} else {
			w.key(&fyne.KeyEvent{Name: k})
		}
	}
	w.sync()
}

func TestResolveByKeys(t *testing.T) {
	f, dir := thesis(t)
	for _, name := range []string{"a.tex", "b.tex", "c.tex"} {
		collide(t, f, dir, name, "here", "there")
	}
	w := folderWindow(t, f, tabConflicts)
	reads(t, w, "[3 conflicts]", "in Thesis")
	press(w, fyne.Key3)
	called(t, f, "Resolve thesisid a.tex :both")
	reads(t, w, "[2 conflicts]", "All versions of a.tex are files of their own now.")
	press(w, fyne.Key2)
	called(t, f, "Resolve thesisid b.tex b (conflict Bob's laptop 2026-11-20 1).tex")
	reads(t, w, "[1 conflict]", "b.tex is as you chose. What you did not choose is kept for 30 days under deleted and replaced files.")
	f.Conflict("thesisid", app.Conflict{Path: "b.tex", Copies: []string{"b (conflict)"}}) // still in the list
	f.Update(func(s *app.State) { s.Folders[0].Changed = noon })
	w.sync()
	press(w, fyne.Key4)
	reads(t, w, "[1 conflict]")
	tap(t, w, "Keep this one (1)")
	called(t, f, "Resolve thesisid c.tex :here")
	reads(t, w, "[Conflicts]", "No conflicts. Where two devices change a file at the same time, both versions are kept, and you choose here.")
	press(w, fyne.Key1)
}

// TestSolveAll: many conflicts are ended by one answer, each as it says.
func TestSolveAll(t *testing.T) {
	f, dir := thesis(t)
	for _, name := range []string{"a.tex", "b.tex", "c.tex"} {
		collide(t, f, dir, name, "here", "there")
	}
	w := folderWindow(t, f, tabConflicts)
	tap(t, w, "Solve all alike…")
	reads(t, w, "Solve 3 conflicts alike", "what is not kept goes to the deleted and replaced files")
	looks(t, w, "solve-all")
	golden(t, w, "folder_solve_all")
	tap(t, w, "Cancel")
	reads(t, w, "[3 conflicts]")
	tap(t, w, "Solve all alike…")
	f.Fail("Resolve", app.Errorf(app.CodeFailed, "a.tex has changed just now"))
	tap(t, w, "Solve all")
	reads(t, w, "3 are left, the first because: a.tex has changed just now", "[Close]")
	looks(t, w, "solve-all-refused")
	f.Fail("Resolve", nil)
	tap(t, w, "Close")
	tap(t, w, "Solve all alike…")
	choose(t, w, "Keep all versions, as files of their own")
	tap(t, w, "Solve all")
	called(t, f, "Resolve thesisid c.tex :both")
	reads(t, w, "3 conflicts are solved.", "[Conflicts]")
}

func TestNewestOf(t *testing.T) {
	old, late := noon.Add(-time.Hour), noon
	for _, c := range []struct {
		here, there time.Time
		want        string
	}{
		{late, old, app.KeepHere},
		{old, late, "copy"},
		{late, late, app.KeepHere},
		{time.Time{}, time.Time{}, app.KeepHere},
	} {
		k := app.Conflict{Path: "a", Copies: []string{"copy"}, Versions: []app.Version{{Path: "a", At: c.here}, {Path: "copy", At: c.there}}}
		if got := newestOf(k); got != c.want {
			t.Errorf("newestOf(here %v, there %v) = %q, want %q", c.here, c.there, got, c.want)
		}
	}
}

// TestFolderKeys: the filter and a look at every file are a key away.
func TestFolderKeys(t *testing.T) {
	f, _ := thesis(t)
	w := folderWindow(t, f, tabRecent)
	press(w, fyne.KeyF5)
	called(t, f, "Rescan thesisid")
	w.find()
	if e, ok := w.win.Canvas().Focused().(*entry); !ok || e.PlaceHolder != "Find a file or a device" {
		t.Errorf("find focused %v", w.win.Canvas().Focused())
	}
	bar := w.screen.(*folderScreen).bar
	w.win.Canvas().Focus(bar.tabs[1].button)
	press(w, fyne.KeyRight)
	if w.place.tab != tabConflicts || w.win.Canvas().Focused() != bar.tabs[2].button {
		t.Errorf("Right opened tab %q, focus on %v", w.place.tab, w.win.Canvas().Focused())
	}
	press(w, fyne.KeyLeft, fyne.KeyLeft, fyne.KeyLeft)
	if w.place.tab != tabNow {
		t.Errorf("Left opened tab %q, want the first", w.place.tab)
	}
}

// TestResolveRefused: what the service says is told, and nothing else changes.
func TestResolveRefused(t *testing.T) {
	f, dir := thesis(t)
	collide(t, f, dir, "a.tex", "here", "there")
	f.Fail("Resolve", app.Errorf(app.CodeFailed, "a.tex has changed just now: look at it again"))
	w := folderWindow(t, f, tabConflicts)
	tap(t, w, "Keep both (3)")
	reads(t, w, "a.tex has changed just now: look at it again", "[1 conflict]")
	if buttonOf(w, "Keep both (3)").Disabled() {
		t.Error("the buttons stay disabled after an error")
	}
}

func TestConflictOfPictures(t *testing.T) {
	f, dir := thesis(t)
	collide(t, f, dir, "harz.png", string(pictureBytes(t, "png", 400, 300)), string(pictureBytes(t, "png", 200, 300)))
	collide(t, f, dir, "song.mp3", "ID3\x00", "ID3\x00\x01")
	w := folderWindow(t, f, tabConflicts)
	n := 0
	find(w, func(o fyne.CanvasObject) bool {
		if i, ok := o.(*canvas.Image); ok && i.Image != nil && i.Resource == nil {
			n++
		}
		return false
	})
	if n != 2 {
		t.Errorf("the window shows %d pictures, want 2", n)
	}
	looks(t, w, "conflict-pictures")
	w.win.Canvas().Focus(w.screen.(*folderScreen).tabs[tabConflicts].(*conflicts).list)
	press(w, fyne.KeyDown)
	reads(t, w, "There is no preview of files like this.")
	golden(t, w, "folder_conflicts")
	press(w, fyne.Key1)
	called(t, f, "Resolve thesisid song.mp3 :here")
}

func TestRestore(t *testing.T) {
	f, dir := thesis(t)
	f.Keep("thesisid", "old.pdf", noon.Add(-26*time.Hour), "old")
	f.Keep("thesisid", "sub/notes.txt", noon.Add(-29*24*time.Hour-time.Hour), "notes")
	w := folderWindow(t, f, tabTrash)
	reads(t, w, "29 days left", "goes today")
	if b := buttonOf(w, "Restore"); !b.Disabled() {
		t.Error("Restore is enabled before a file is chosen")
	}
	typeInto(t, w, "Find a file", "NOTES")
	list := w.screen.(*folderScreen).tabs[tabTrash].(*trashList).list
	w.win.Canvas().Focus(list)
	press(w, fyne.KeyReturn)
	called(t, f, "Restore thesisid sub/notes.txt false")
	reads(t, w, "notes.txt is back where it was.")

	w.opts.PickFolder = func(_ fyne.Window, _ string, then func(string)) { then(dir) }
	list.choose(0)
	tap(t, w, "Save a copy as…")
	called(t, f, "Restore thesisid sub/notes.txt true")
	if b, err := os.ReadFile(filepath.Join(dir, "notes.txt")); err != nil || string(b) != "notes" {
		t.Errorf("the saved copy holds %q, %v, want notes", b, err)
	}
	typeInto(t, w, "Find a file", "x")
	reads(t, w, "No such file was deleted or replaced lately.")
}

func TestRecentFilter(t *testing.T) {
	f, dir := thesis(t)
	w := folderWindow(t, f, tabRecent)
	var opened string
	w.opts.OpenPath = func(path string) error { opened = path; return nil }
	typeInto(t, w, "Find a file or a device", "office")
	if got := texts(w); strings.Contains(got, "old.pdf") || !strings.Contains(got, "thesis.tex") {
		t.Errorf("the filter office shows\n%s", got)
	}
	if err := os.Mkdir(filepath.Join(dir, "chapters"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.screen.(*folderScreen).tabs[tabRecent].(*recent).list.choose(0)
	tap(t, w, "Open where it is")
	if want := filepath.Join(dir, "chapters"); opened != want {
		t.Errorf("Open where it is opened %s, want %s", opened, want)
	}
	f.Happen("thesisid", app.Change{Path: "new by office.tex", What: app.Changed, At: noon, Device: "officeid"})
	f.Update(func(s *app.State) { s.Folders[0].Changed = noon })
	w.sync()
	reads(t, w, "new by office.tex")
	f.Fail("Recent", app.Errorf(app.CodeFailed, "the folder does not run yet"))
	f.Update(func(s *app.State) { s.Folders[0].Changed = noon.Add(time.Second) })
	w.sync()
	reads(t, w, "This could not be read just now. The folder does not run yet.", "[Try again]")
	f.Fail("Recent", nil)
	tap(t, w, "Try again")
	reads(t, w, "new by office.tex")
}

func TestPauseFolder(t *testing.T) {
	f, _ := thesis(t)
	w := folderWindow(t, f, "")
	tap(t, w, "Pause ▾")
	press(w, fyne.KeyDown, fyne.KeyDown, fyne.KeyReturn)
	called(t, f, "Pause thesisid 18h0m0s")
	tap(t, w, "Resume")
	called(t, f, "Resume thesisid")
	reads(t, w, "[Pause ▾]")
	f.Update(func(s *app.State) { s.Paused = true })
	w.sync()
	tap(t, w, "Resume all folders")
	called(t, f, "Resume")
}

func TestMembersOfFolder(t *testing.T) {
	f, dir := thesis(t)
	f.Update(func(s *app.State) {
		s.Invitations = append(s.Invitations, app.OpenInvitation{ID: "inv1", With: "eve@example.org", Direction: app.Sent, Step: app.StepWaiting, Expires: noon.Add(5 * 24 * time.Hour), Folders: []app.FolderID{"thesisid"}})
	})
	w := folderWindow(t, f, tabMembers)
	reads(t, w, "eve@example.org", "[Show the words]")
	tap(t, w, "Adds and changes files ▾")
	press(w, fyne.KeyDown, fyne.KeyDown, fyne.KeyReturn)
	called(t, f, "Share "+dir+" [bobid] [] true false")
	tap(t, w, "Stop sharing…")
	reads(t, w, "Stop sharing with Bob's laptop?")
	tap(t, w, "Stop sharing")
	called(t, f, "Unshare thesisid bobid")
}

func TestMoveAndLeave(t *testing.T) {
	f, dir := thesis(t)
	w := folderWindow(t, f, tabMore)
	w.opts.PickFolder = func(_ fyne.Window, _ string, then func(string)) { then("/home/ada/New") }
	tap(t, w, "Show where it is now…")
	called(t, f, "Move thesisid /home/ada/New")
	f.Update(func(s *app.State) { s.Folders[0].Path = dir })
	w.sync()
	tap(t, w, "Look at every file")
	called(t, f, "Rescan thesisid")

	var opened string
	w.opts.OpenPath = func(path string) error { opened = path; return nil }
	for range 2 {
		tap(t, w, "Edit the list")
		if want := filepath.Join(dir, ".foldpostignore"); opened != want {
			t.Errorf("Edit the list opened %q, want %q", opened, want)
		}
	}

	tap(t, w, "Leave this folder…")
	reads(t, w, "Leave Thesis?", "Your files stay here, in ~/001. Others keep theirs.")
	tap(t, w, "Leave")
	called(t, f, "Leave thesisid")
	if w.place.kind == atFolder {
		t.Error("the window still shows the folder that was left")
	}
}

// TestFolderProblem: each problem says what is so and has one button.
func TestFolderProblem(t *testing.T) {
	for i, c := range []struct {
		change func(*app.Folder)
		want   []string
	}{
		{
			func(fo *app.Folder) { fo.State, fo.Problem, fo.Cause = app.FolderStopped, "lstat: gone", app.CauseRoot },
			[]string{"Stopped for now.", "~/001 is not there.", "Nothing is deleted anywhere", "[Show where it is now…]"},
		},
		{
			func(fo *app.Folder) {
				fo.State, fo.Problem, fo.Cause, fo.NeedBytes, fo.NeedFiles = app.FolderSyncing, "enospc", app.CauseSpace, 3e9, 2
			},
			[]string{"There is no room for the 3.0 GB that are still to come.", "nothing was overwritten or removed", "[Look again]"},
		},
		{
			func(fo *app.Folder) { fo.Problem = "A file could not be written: a.tex: permission denied." },
			[]string{"Something on this computer keeps this folder from being complete.", "[Look again]", "[Details]"},
		},
	} {
		f, _ := thesis(t)
		f.Update(func(s *app.State) { c.change(&s.Folders[0]) })
		w := folderWindow(t, f, "")
		reads(t, w, c.want...)
		looks(t, w, fmt.Sprint("problem", i))
		f.Ask(app.Question{
			ID: "q1", Kind: app.AskDeletions, Folder: "thesisid", Text: "Thesis: 61 of 200 files were deleted on this computer. Nobody else was told yet.", Loss: &app.Loss{Deleted: 61, Of: 200},
			Choices: []app.Choice{{ID: "restore", Text: "Bring them back"}, {ID: "delete", Text: "Do it for everyone"}},
		})
		w.sync()
		reads(t, w, "61 of 200 files", "[Bring them back]")
		looks(t, w, fmt.Sprint("problem-question", i))
		if got := texts(w); strings.Contains(got, c.want[len(c.want)-1]) {
			t.Errorf("the problem is shown beside its question:\n%s", got)
		}
	}
}

func TestFolderMoving(t *testing.T) {
	f, _ := thesis(t)
	f.Update(func(s *app.State) {
		fo := &s.Folders[0]
		fo.State, fo.NeedFiles, fo.NeedBytes, fo.Rate, fo.ETAms = app.FolderSyncing, 14, 16e6, 2e6, 8000
		fo.Moving = []app.Moving{
			{Path: "figures/harz.png", From: "bobid", Bytes: 4e6, Done: 3e6},
			{Path: "a very long name of a file that nobody would ever type by hand but programs make them all the time, again and again.tar.gz", From: "bobid", Bytes: 9e6, Done: 0},
		}
	})
	w := folderWindow(t, f, "")
	reads(t, w, "On their way here", "harz.png", "3.0 MB of 4.0 MB from Bob's laptop · in figures")
	for i := range 7 {
		f.LeaveOut("thesisid", app.LeftOut{Path: fmt.Sprint("sub/pipe", i), Why: "a pipe"})
	}
	w.sync()
	reads(t, w, "7 things in this folder are on this device only:", "· sub/pipe4 – a pipe", "· and 2 more")
	looks(t, w, "moving")
	f.Update(func(s *app.State) { s.Folders = nil })
	w.sync()
	if w.place.kind != atHome {
		t.Errorf("the place is %v after the folder is gone, want home", w.place.kind)
	}
}

// TestEmptyFolder: what is empty says so, and what to do.
func TestEmptyFolder(t *testing.T) {
	f := apptest.NewFake()
	f.Update(func(s *app.State) {
		s.Folders = []app.Folder{{ID: "thesisid", Name: "Thesis", Path: "/home/ada/Thesis", State: app.FolderIdle, Role: "read-only", Members: []app.Member{}}}
	})
	w := folderWindow(t, f, "")
	reads(t, w, "~/Thesis", "0 files, 0 B · you only receive", "All done. Nothing has changed here yet.")
	tap(t, w, "Recent changes")
	reads(t, w, "Nothing has changed since this folder is here.")
	tap(t, w, "Conflicts")
	reads(t, w, "No conflicts.")
	tap(t, w, "Deleted and replaced")
	reads(t, w, "No file was deleted or replaced lately.")
	looks(t, w, "empty")
	tap(t, w, "Members")
	reads(t, w, "Only this device has this folder.")
}
