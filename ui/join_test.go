package ui

import (
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/storage"

	"foldpost/app"
	"foldpost/app/apptest"
)

// offer lets Ada offer a folder.
func offer(f *apptest.Fake, id app.FolderID, name string) {
	f.Update(func(s *app.State) {
		s.Offers = append(s.Offers, app.Offer{ID: id, Folder: id, Name: name, From: "adaid", Files: 9123, Bytes: 38e9, Role: "read-write"})
		s.Questions = append(s.Questions, app.Question{
			ID: app.QuestionID("offer-" + id), Kind: app.AskOffer, Device: "adaid", Choices: []app.Choice{{ID: "join", Command: "x"}, {ID: "decline"}},
		})
	})
}

// fakeWithOffer is linked with Ada, who offers Photos 2026.
func fakeWithOffer() *apptest.Fake {
	f := apptest.NewFake()
	f.Update(func(s *app.State) {
		s.Devices = append(s.Devices, app.Device{ID: "adaid", Name: "Ada's laptop", Owner: "ada@example.org", Connected: true, Verified: "words"})
	})
	offer(f, "photos", "Photos 2026")
	return f
}

func TestJoinNoRoom(t *testing.T) {
	f := fakeWithOffer()
	f.Hold("/home/ada/Foldpost/Photos 2026", app.Measure{Free: 21.4e9})
	w := newTestWindow(t, f)
	w.opts.PickFolder = func(_ fyne.Window, _ string, then func(string)) { then("/data/Photos") }
	w.askJoin("photos")
	reads(t, w, "Photos 2026 needs 38 GB; this disk has 21 GB free. Nothing was overwritten or removed.")
	golden(t, w, "join_no_room")
	tap(t, w, "Choose another disk")
	reads(t, w, "<path of a folder: /data/Photos>", "100 GB free on this disk.")
	tap(t, w, "Accept and start")
	if got := acts(f); got[len(got)-1] != "Join photos /data/Photos" {
		t.Errorf("calls are %q", got)
	}
}

// TestJoinWhatIsHere: one more device that offers a folder which is here is
// not taken for a new folder.
func TestJoinWhatIsHere(t *testing.T) {
	f := fakeWithOffer()
	f.Update(func(s *app.State) {
		s.Folders = append(s.Folders, app.Folder{ID: "photos", Name: "Photos 2026", Path: "/home/ada/Photos", Role: "read-write", State: app.FolderIdle})
	})
	w := newTestWindow(t, f)
	w.askJoin("photos")
	reads(t, w, "You have this folder already. If you accept, ada@example.org sees everything in it and may change it.", "<path of a folder: ~/Photos>")
}

// TestJoinKeepsRoom: what syncing leaves free on a disk is told before the yes.
func TestJoinKeepsRoom(t *testing.T) {
	f := fakeWithOffer()
	f.Hold("/home/ada/Foldpost/Photos 2026", app.Measure{Free: 38.05e9, Kept: 64e6})
	f.Hold("/home/ada/all", app.Measure{Free: 1e6, Kept: 64e6, Count: app.Count{Files: 9123, Bytes: 38e9}})
	w := newTestWindow(t, f)
	w.askJoin("photos")
	reads(t, w, "Photos 2026 needs 38 GB; this disk has 38 GB free, of which 64 MB stay free for everything else. Nothing was overwritten or removed.", "[Choose another disk]")
	w.dropped([]fyne.URI{storage.NewFileURI("/home/ada/all")})
	reads(t, w, "[Accept and start]")
}

// TestJoinBecomesFull: a disk that becomes full while the files come is told
// in the window's words.
func TestJoinBecomesFull(t *testing.T) {
	f := fakeWithOffer()
	w := newTestWindow(t, f)
	w.askJoin("photos")
	tap(t, w, "Accept and start")
	f.Update(func(s *app.State) {
		i := slices.IndexFunc(s.Folders, func(f app.Folder) bool { return f.ID == "photos" })
		s.Folders[i].Problem, s.Folders[i].Cause, s.Folders[i].NeedBytes = "The disk is full (17.1 GiB are needed).", app.CauseSpace, 18.4e9
	})
	w.sync()
	reads(t, w, "There is no room for the 18 GB that are still to come.", "nothing was overwritten or removed")
	if got := texts(w); strings.Contains(got, "GiB") {
		t.Errorf("the window shows what the machine said:\n%s", got)
	}
}

// TestJoinCompares: nothing is joined into a directory with files before its
// user has seen what that means.
func TestJoinCompares(t *testing.T) {
	for _, c := range []struct {
		role string
		want []string
	}{
		{"read-write", []string{"203 files are only here (2.0 MB): they go to ada@example.org too.", "75 files differ: both versions are kept, side by side."}},
		{"read-only", []string{"203 files are only here: they stay on this computer.", "75 files differ: the versions of ada@example.org come here, yours are kept under deleted and replaced files."}},
	} {
		f := fakeWithOffer()
		f.Update(func(s *app.State) { s.Offers[0].Role = c.role })
		f.Hold("/home/ada/Foldpost/Photos 2026", app.Measure{Count: app.Count{Files: 299690, Bytes: 37e9}, Free: 21e9})
		f.Differ(app.Comparison{
			Equal: app.Count{Files: 299412, Bytes: 36e9}, OnlyHere: app.Count{Files: 203, Bytes: 2e6}, OnlyThere: app.Count{Files: 1, Bytes: 5e8},
			Different: app.Count{Files: 75}, Examples: []string{"Harz/IMG_0231.jpg", "x\u202e.txt"},
		})
		w := newTestWindow(t, f)
		w.askJoin("photos")
		reads(t, w, "299,412 files are the same on both sides.", "1 file comes here (500 MB).", "For example: Harz/IMG_0231.jpg, x\ufffd.txt")
		reads(t, w, c.want...)
		if c.role == "read-write" {
			golden(t, w, "join_compare")
		}
		if got := acts(f); slices.Contains(got, "Join") || got[len(got)-1] != "Compare photos" {
			t.Errorf("calls are %q, want nothing after Compare", got)
		}
	}
}

func TestJoinCannotCompare(t *testing.T) {
	f := fakeWithOffer()
	f.Hold("/home/ada/Foldpost/Photos 2026", app.Measure{Count: app.Count{Files: 3}, Free: 100e9})
	f.Fail("Compare", app.Errorf(app.CodeFailed, "compare with Photos 2026: the link broke; try again when it is connected"))
	w := newTestWindow(t, f)
	w.askJoin("photos")
	reads(t, w, "Compare with Photos 2026: the link broke; try again when it is connected.")
	f.Fail("Compare", nil)
	f.Differ(app.Comparison{Equal: app.Count{Files: 3}})
	tap(t, w, "Compare again")
	reads(t, w, "3 files are the same on both sides.")
	tap(t, w, "Accept and start")
}

// TestJoinTypedPath: a path that was typed is looked at before it is used.
func TestJoinTypedPath(t *testing.T) {
	f := fakeWithOffer()
	w := newTestWindow(t, f)
	w.askJoin("photos")
	typeInto(t, w, "path of a folder", "x")
	reads(t, w, "[Look there]")
	e := find(w, func(o fyne.CanvasObject) bool { _, ok := o.(*entry); return ok }).(*entry)
	e.SetText("relative")
	typeOn(w, "\n")
	reads(t, w, "Give the whole path of the folder, or choose it.")
	e.SetText("~/Pictures")
	typeOn(w, "\n")
	reads(t, w, "100 GB free on this disk.", "[Accept and start]")
	typeOn(w, "\n")
	if got := acts(f); got[len(got)-1] != "Join photos /home/ada/Pictures" {
		t.Errorf("calls are %q", got)
	}
}

// TestJoinRefused: the sheet stays, with the reason.
func TestJoinRefused(t *testing.T) {
	f := fakeWithOffer()
	f.Fail("Join", app.Errorf(app.CodeUsage, "/home/ada/Foldpost is the folder Foldpost already: choose another directory"))
	w := newTestWindow(t, f)
	w.askJoin("photos")
	tap(t, w, "Accept and start")
	reads(t, w, "/home/ada/Foldpost is the folder Foldpost already: choose another directory.")
	f.Fail("Join", nil)
	tap(t, w, "Accept and start")
	reads(t, w, "0 of 9,123 files are here.")
}

// TestJoinAway: who offers may go while the sheet is open, and come back.
func TestJoinAway(t *testing.T) {
	f := fakeWithOffer()
	w := newTestWindow(t, f)
	w.askJoin("photos")
	var away []app.Offer
	f.Update(func(s *app.State) { away, s.Offers = s.Offers, nil })
	w.sync()
	reads(t, w, "The computer of ada@example.org is not connected now. You can accept when it is back.")
	if !w.sheets[0].primary.Disabled() {
		t.Error("a folder that nobody offers can be accepted")
	}
	f.Update(func(s *app.State) { s.Offers = away })
	w.sync()
	tap(t, w, "Accept and start")
	w.closeSheets()
	w.askJoin("other")
	if len(w.sheets) != 0 {
		t.Error("a sheet is open for a folder that nobody offers")
	}
}

// TestJoinGrows: who shares is still counting when the sheet opens.
func TestJoinGrows(t *testing.T) {
	f := fakeWithOffer()
	f.Update(func(s *app.State) { s.Offers[0].Files, s.Offers[0].Bytes = 0, 0 })
	w := newTestWindow(t, f)
	w.askJoin("photos")
	reads(t, w, "0 B, 0 files", "[Accept and start]")
	f.Update(func(s *app.State) { s.Offers[0].Files, s.Offers[0].Bytes = 12, 200e9 })
	w.sync()
	reads(t, w, "200 GB, 12 files", "Photos 2026 needs 200 GB; this disk has 100 GB free.", "[Choose another disk]")
}

func TestJoinDecline(t *testing.T) {
	f := fakeWithOffer()
	w := newTestWindow(t, f)
	w.askJoin("photos")
	tap(t, w, "Decline")
	reads(t, w, "Decline Photos 2026?")
	if got := acts(f); slices.Contains(got, "Answer offer-photos decline") {
		t.Errorf("declined before it was confirmed: %q", got)
	}
	tap(t, w, "Decline")
	if got := acts(f); got[len(got)-1] != "Answer offer-photos decline" || len(w.sheets) != 0 {
		t.Errorf("calls are %q, %d sheets are open", got, len(w.sheets))
	}
}

// TestNextOffer: who shares two folders is asked about one after the other.
func TestNextOffer(t *testing.T) {
	f := fakeWithOffer()
	offer(f, "thesis", "Thesis")
	w := newTestWindow(t, f)
	w.askJoin("photos")
	tap(t, w, "Accept and start")
	tap(t, w, "Next: Thesis")
	reads(t, w, "<path of a folder: ~/Foldpost/Thesis>")
}

// TestProposed: a name from outside stays one directory below Foldpost, beside
// the folders that are there.
func TestProposed(t *testing.T) {
	f := apptest.NewFake()
	f.Update(func(s *app.State) {
		s.Folders = append(s.Folders, app.Folder{ID: "taken", Name: "Taken", Path: "/home/ada/Foldpost/Taken"})
	})
	w := newTestWindow(t, f)
	for _, c := range []struct{ name, want string }{
		{"Photos 2026", "/home/ada/Foldpost/Photos 2026"},
		{"Taken", "/home/ada/Foldpost/Taken 2"},
		{"../../.ssh", "/home/ada/Foldpost/ssh"},
		{"..", "/home/ada/Foldpost/Folder"},
		{"", "/home/ada/Foldpost/Folder"},
		{"/etc/passwd", "/home/ada/Foldpost/etcpasswd"},
		{`C:\Windows`, "/home/ada/Foldpost/CWindows"},
		{"con", "/home/ada/Foldpost/Folder con"},
		{"NUL.txt", "/home/ada/Foldpost/Folder NUL.txt"},
		{"a\nb\u202e", "/home/ada/Foldpost/ab"},
		{"trailing. . ", "/home/ada/Foldpost/trailing"},
		{"~", "/home/ada/Foldpost/~"},
		{strings.Repeat("🐧", 64), "/home/ada/Foldpost/" + strings.Repeat("🐧", 50)},
	} {
		j := &joining{w: w, offer: app.Offer{Name: c.name}}
		if got := j.proposed(); got != c.want {
			t.Errorf("%q is proposed in %s, want %s", c.name, got, c.want)
		}
	}
}
