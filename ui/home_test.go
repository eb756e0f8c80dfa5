package ui

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"foldpost/app"
	"foldpost/app/apptest"
)

// busy is a State with one of everything.
func busy(s *app.State) {
	s.Devices = []app.Device{
		{ID: "annaid", Name: "Anna's laptop", Owner: "anna@example.org", Version: "1.3", Connected: true, Link: "quic", Address: "192.0.2.7:4100", RTTms: 12.3, Verified: "words"},
		{ID: "officeid", Name: "Office desktop", Version: "test", Connected: true, Link: "quic", Address: "192.0.2.9:4100", RTTms: 0.6, Verified: "link"},
		{ID: "bertid", Name: "Bertrand's computer", Owner: "bertrand@example.org", LastSeen: noon.Add(-13*time.Hour - 46*time.Minute), Verified: "words"},
		{ID: "nasid", Name: "Old NAS", Owner: "carla@example.org", Verified: "link"},
	}
	s.Folders = []app.Folder{
		{ID: "bandid", Name: "Band recordings", Path: "/home/ada/Band recordings", State: app.FolderSyncing, Files: 12, Bytes: 3e8, NeedFiles: 40, NeedBytes: 9e8, Members: []app.Member{{Device: "bertid", Role: "read-write", Joined: true}}},
		{ID: "thesisid", Name: "Thesis", Path: "/home/ada/Thesis", State: app.FolderIdle, Files: 214, Bytes: 8.1e7, Conflicts: 2, Members: []app.Member{{Device: "officeid", Role: "read-write", Joined: true, HasAll: true}}},
		{ID: "photosid", Name: "Photos 2026", Path: "/home/ada/Pictures/Photos 2026", State: app.FolderSyncing, Files: 5100, Bytes: 21.4e9, NeedFiles: 4023, NeedBytes: 16.6e9, Rate: 14e6, ETAms: 20 * 60 * 1000, Members: []app.Member{{Device: "annaid", Role: "read-write", Joined: true}, {Device: "officeid", Role: "read-only", Joined: true, NeedBytes: 1e9}}},
	}
	s.Offers = []app.Offer{{ID: "offerid", Name: "Recipes", From: "annaid", Files: 83, Bytes: 4.1e6, Role: "read-write"}}
	s.Questions = []app.Question{
		{ID: "offer-offerid", Kind: app.AskOffer, Device: "annaid", Since: noon, Text: "anna@example.org (Anna's laptop) shares the folder Recipes with you.", Choices: []app.Choice{{ID: "join", Text: "Keep it here", Command: "foldpost join offerid"}, {ID: "decline", Text: "Decline"}}},
		{ID: "thesisid-deletions-here", Kind: app.AskDeletions, Folder: "thesisid", Since: noon, Loss: &app.Loss{Deleted: 61, Of: 200}, Choices: []app.Choice{{ID: "restore", Text: "Bring them back"}, {ID: "delete", Text: "Do it for everyone"}}},
	}
}

func TestStartScreen(t *testing.T) {
	w := newTestWindow(t, apptest.NewFake())
	reads(t, w, "What brings you here?", "Nothing is sent, and nothing is asked, before you say so.")
	if got := texts(w); strings.Contains(got, "Link a device") {
		t.Errorf("beside the start stands a sidebar:\n%s", got)
	}
	golden(t, w, "start")
	shot(t, w, "start")
	for _, door := range []string{"I have an invitation", "Share a folder", "Connect my other computer"} {
		tap(t, w, door)
		if len(w.sheets) == 0 {
			t.Errorf("behind the door %q is nothing", door)
		}
		w.closeSheets()
	}
	w.app.Settings().SetTheme(Theme{Variant: "dark"})
	w.win.Resize(fyne.NewSize(760, 520))
	shot(t, w, "start-dark")
	tap(t, w, "Settings")
	reads(t, w, "[Home]", "[Link a device]")
	tap(t, w, "Home")
	reads(t, w, "What brings you here?")
}

// TestDoorsByKeyboard: Tab goes from door to door, Enter opens one.
func TestDoorsByKeyboard(t *testing.T) {
	w := newTestWindow(t, apptest.NewFake())
	c := w.win.Canvas()
	var seen []string
	for range 3 {
		c.FocusNext()
		d, ok := c.Focused().(*tile)
		if !ok {
			t.Fatalf("Tab leads to %T after %q, want a door", c.Focused(), seen)
		}
		seen = append(seen, d.label)
	}
	if want := []string{"I have an invitation", "Share a folder", "Connect my other computer"}; !slices.Equal(seen, want) {
		t.Errorf("Tab leads to %q, want %q", seen, want)
	}
	c.Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if len(w.sheets) != 1 {
		t.Errorf("Enter has opened %d sheets, want 1", len(w.sheets))
	}
}

func TestHome(t *testing.T) {
	f := apptest.NewFake()
	f.Update(func(s *app.State) { s.Devices = []app.Device{{ID: "bobid", Name: "Bob's laptop", Connected: true}} })
	w := newTestWindow(t, f)
	reads(t, w, "No folder is shared yet", "[Choose a folder to share]", "[I have an invitation]", "Devices, 1 of 1 connected")
	golden(t, w, "home-empty")
	shot(t, w, "home-empty")

	f.Update(busy)
	w.sync()
	reads(t, w, "[Home · 2]", "2 things wait for you", "61 of 200 files in Thesis were deleted on this computer.", "[Bring them back]",
		"You and carla@example.org are linked", "[What can I do?]",
		"with Anna's laptop and Office desktop", "21 GB of 38 GB are here · 14 MB a second · about 20 minutes left", "56 %",
		"2 files were changed in two places", "[Solve]", "Devices, 2 of 4 connected", "last seen yesterday, 22:14", "not reached yet")
	if got := texts(w); strings.Contains(got, "No folder is shared yet") || strings.Contains(got, "<Filter") {
		t.Errorf("with three folders the window shows:\n%s", got)
	}
	golden(t, w, "home")
	w.win.Resize(fyne.NewSize(980, 1200))
	shot(t, w, "home")
	w.app.Settings().SetTheme(Theme{Variant: "dark"})
	w.win.Resize(fyne.NewSize(760, 1300))
	shot(t, w, "home-dark")
	tap(t, w, "What can I do?")
	reads(t, w, "How to reach Old NAS", "port 4000")
	w.win.Resize(fyne.NewSize(760, 520))
	shot(t, w, "advice")
	tap(t, w, "Close")
	tap(t, w, "Solve")
	if want := (place{kind: atFolder, folder: "thesisid", tab: "conflicts"}); w.place != want {
		t.Errorf("Solve leads to %+v, want %+v", w.place, want)
	}
}

// TestFolderOrder: first what needs a person, then what moves, then the rest.
func TestFolderOrder(t *testing.T) {
	s := app.State{
		Folders: []app.Folder{
			{ID: "1", Name: "idle"},
			{ID: "2", Name: "Another idle", State: app.FolderIdle},
			{ID: "3", Name: "moves", State: app.FolderSyncing},
			{ID: "4", Name: "stopped", State: app.FolderStopped},
			{ID: "5", Name: "asked", State: app.FolderIdle},
			{ID: "6", Name: "conflict", Conflicts: 1},
			{ID: "7", Name: "looks", State: app.FolderScanning},
			{ID: "8", Name: "problem", State: app.FolderSyncing, Problem: "Its disk is full."},
		},
		Questions: []app.Question{{Folder: "5"}},
	}
	var got []string
	for _, v := range folderViews(s) {
		got = append(got, v.Name)
	}
	if want := []string{"asked", "conflict", "problem", "stopped", "looks", "moves", "Another idle", "idle"}; !slices.Equal(got, want) {
		t.Errorf("folderViews() = %q, want %q", got, want)
	}
}

// TestBanners: what concerns everything stands above everything.
func TestBanners(t *testing.T) {
	f := apptest.NewFake()
	f.Update(busy)
	w := newTestWindow(t, f)
	if got := texts(w); strings.Contains(got, "No network") || strings.Contains(got, "Everything is paused") {
		t.Errorf("while all is well the window shows:\n%s", got)
	}
	f.Update(func(s *app.State) { s.Device.Addresses, s.Devices, s.Paused = nil, nil, true })
	w.sync()
	reads(t, w, "No network. Changes are kept and go out later.", "Everything is paused.")
	tap(t, w, "Resume")
	if f.State().Paused {
		t.Error("after Resume everything is still paused")
	}
	f.Update(func(s *app.State) {
		s.Device.Addresses = []string{"192.0.2.1:4000"}
		s.Mailbox = &app.MailboxState{Address: "ada@example.org", State: "problem", Problem: "The mail server does not answer."}
	})
	w.sync()
	reads(t, w, "The mail server does not answer.")
}

func TestCutOff(t *testing.T) {
	on, off := app.Device{Connected: true}, app.Device{}
	for _, c := range []struct {
		addresses []string
		device    app.Device
		want      bool
	}{
		{nil, off, true},
		{nil, on, false},
		{[]string{"127.0.0.1:4000", "[::1]:4000"}, off, true},
		{[]string{"127.0.0.1:4000"}, on, false},
		{[]string{"127.0.0.1:4000", "192.0.2.1:4000"}, off, false},
		{[]string{"some later kind"}, off, false},
	} {
		s := app.State{Device: app.ThisDevice{Addresses: c.addresses}, Devices: []app.Device{c.device}}
		if got := cutOff(s); got != c.want {
			t.Errorf("cutOff(%q, connected: %v) = %v, want %v", c.addresses, c.device.Connected, got, c.want)
		}
	}
}

// TestFilter: many folders can be looked through, whatever changes meanwhile.
func TestFilter(t *testing.T) {
	f := apptest.NewFake()
	f.Update(many(50))
	w := newTestWindow(t, f)
	typeInto(t, w, "Filter", "older 04")
	got := texts(w)
	if n := strings.Count(got, "\nFolder 0"); n != 10 {
		t.Errorf("%d folders are shown, want 10:\n%s", n, got)
	}
	f.Update(func(s *app.State) { s.Folders[0].Conflicts = 1 })
	w.sync()
	if n := strings.Count(texts(w), "\nFolder 0"); n != 10 {
		t.Errorf("after a change %d folders are shown, want 10", n)
	}
	typeInto(t, w, "Filter", "x")
	reads(t, w, "No folder has this in its name.")
}

// TestInvitationsAtHome: who was invited is found again until it is used.
func TestInvitationsAtHome(t *testing.T) {
	f := apptest.NewFake()
	if _, err := f.Invite(t.Context(), app.InviteRequest{To: "bob@example.org", ByHand: true}); err != nil {
		t.Fatal(err)
	}
	w := newTestWindow(t, f)
	reads(t, w, "Invitations", "bob@example.org")
}

// TestSidebar: where one is is marked, and not by a colour alone.
func TestSidebar(t *testing.T) {
	f := apptest.NewFake()
	f.Update(busy)
	w := newTestWindow(t, f)
	goldenOf(t, w.shell.side.object(), "sidebar")
	tap(t, w, "Bertrand's computer")
	if want := (place{kind: atDevice, device: "bertid"}); w.place != want {
		t.Errorf("the device leads to %+v, want %+v", w.place, want)
	}
	for _, e := range w.shell.side.entries {
		if e.tile.selected || e.name.TextStyle.Bold {
			t.Errorf("on a device's screen %q is marked", e.name.Text)
		}
	}
	tap(t, w, "Home · 2")
	if e := w.shell.side.home; !e.tile.selected || !e.name.TextStyle.Bold {
		t.Error("at home, Home is not marked in bold")
	}
}

// TestSmallWindow: every screen fits into the least window, in every language.
func TestSmallWindow(t *testing.T) {
	for _, language := range append([]string{"en"}, Languages...) {
		t.Run(language, func(t *testing.T) {
			if err := SetLanguage(language); err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := SetLanguage("en"); err != nil {
					t.Error(err)
				}
			}()
			smallWindow(t)
		})
	}
}

func smallWindow(t *testing.T) {
	f := apptest.NewFake()
	w := newTestWindow(t, f)
	check := func(p place) {
		t.Helper()
		w.goTo(p)
		settled(w)
		if m := w.win.Content().MinSize(); m.Width > 760 || m.Height > 520 {
			t.Errorf("%+v needs a window of %v, want at most 760 x 520", p, m)
		}
	}
	check(place{kind: atStart})
	f.Update(busy)
	f.Update(func(s *app.State) {
		s.Folders[0].Name = strings.Repeat("Band recordings ", 4)
		s.Devices[0].Name = strings.Repeat("Annas Laptop ", 5)
	})
	w.sync()
	for _, p := range []place{
		{kind: atHome},
		{kind: atSettings},
		{kind: atAbout},
		{kind: atWorks},
		{kind: atDevice, device: "annaid"},
		{kind: atDevice, device: "nasid"},
		{kind: atFolder, folder: "photosid"},
		{kind: atFolder, folder: "thesisid", tab: "conflicts"},
		{kind: atFolder, folder: "bandid", tab: "members"},
	} {
		check(p)
	}
	w.goTo(place{kind: atHome})
	w.win.Resize(fyne.NewSize(760, 1500))
	shot(t, w, "small-"+tr("Home"))
}

// TestShowsTheLatest: what was hidden shows what is so now, not what was.
func TestShowsTheLatest(t *testing.T) {
	f := apptest.NewFake()
	f.Update(busy)
	w := newTestWindow(t, f)
	w.Hide()
	f.Update(func(s *app.State) {
		s.Folders = append(s.Folders, app.Folder{ID: "newid", Name: "Brand new", State: app.FolderIdle})
	})
	w.mu.Lock()
	w.latest = f.State()
	w.mu.Unlock()
	w.ShowFolder("newid", "")
	if want := (place{kind: atFolder, folder: "newid"}); w.place != want {
		t.Errorf("ShowFolder leads to %+v, want %+v", w.place, want)
	}
}

// many is a State with n folders of which one moves.
func many(n int) func(*app.State) {
	return func(s *app.State) {
		s.Devices = []app.Device{{ID: "annaid", Name: "Anna's laptop", Connected: true}}
		s.Folders = nil
		for i := range n {
			s.Folders = append(s.Folders, app.Folder{
				ID: app.FolderID(fmt.Sprint("folder", i)), Name: fmt.Sprintf("Folder %03d", i), State: app.FolderIdle, Files: 10, Bytes: 1e6,
				Members: []app.Member{{Device: "annaid", Joined: true, HasAll: true}},
			})
		}
	}
}

// BenchmarkHome draws a home of 50 folders, one of which moves.
func BenchmarkHome(b *testing.B) {
	f := apptest.NewFake()
	f.Update(many(50))
	a := test.NewTempApp(b)
	a.Settings().SetTheme(Theme{Variant: "light"})
	w := New(a, f, Options{Now: func() time.Time { return noon }})
	w.inline = true
	w.Show()
	w.draw(f.State())
	n := int64(0)
	for b.Loop() {
		n++
		f.Update(func(s *app.State) {
			s.Folders[7].State, s.Folders[7].NeedFiles, s.Folders[7].NeedBytes, s.Folders[7].Rate = app.FolderSyncing, 1, 1e9, n%1000*1e6
		})
		w.draw(f.State())
	}
}
