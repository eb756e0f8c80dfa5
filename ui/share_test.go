package ui

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"foldpost/app"
	"foldpost/app/apptest"
)

// photos is a directory called Photos 2026 that f knows the size of.
func photos(t *testing.T, f *apptest.Fake) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "Photos 2026")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f.Hold(dir, app.Measure{Count: app.Count{Files: 9123, Bytes: 38e9}, Free: 100e9})
	return dir
}

func withMailbox(s *app.State) {
	s.Mailbox = &app.MailboxState{Address: "ada@example.org", State: "ok"}
}

func called(t *testing.T, f *apptest.Fake, want string) {
	t.Helper()
	if calls := f.Calls(); !slices.Contains(calls, want) {
		t.Errorf("Calls() = %q, want %q among them", calls, want)
	}
}

// TestShareByMail is the whole way of a folder to somebody new.
func TestShareByMail(t *testing.T) {
	f := apptest.NewFake()
	f.Update(withMailbox)
	dir := photos(t, f)
	w := newTestWindow(t, f)
	w.askShare(dir)
	reads(t, w, "Photos 2026: 9,123 files, 38 GB.")
	typeInto(t, w, "name or e-mail address", "bob@example.org")
	looks(t, w, "share")
	tap(t, w, "Next")
	reads(t, w, "This is the mail bob@example.org will get.", "From ada@example.org to bob@example.org", "Foldpost sends it from ada@example.org")
	looks(t, w, "share-preview")
	tap(t, w, "Send")
	called(t, f, "Share "+dir+" [] [bob@example.org] false false")
	reads(t, w, "Now tell bob@example.org these six words", "violin", "drift", "Without them nobody gets in")
	looks(t, w, "share-words")

	f.Update(func(s *app.State) { s.Folders[0].Files, s.Folders[0].Bytes = 9123, 38e9 })
	f.PairWith("inv1", app.Device{ID: "bobid", Name: "Bob's laptop", Owner: "bob@example.org", Connected: true})
	f.Update(func(s *app.State) {
		s.Invitations[0].Name = "Bob's laptop"
		s.Folders[0].Members[0].Joined, s.Folders[0].Members[0].NeedBytes = true, 38e9
	})
	w.sync()
	reads(t, w, "Linked with bob@example.org (Bob's laptop)", "9,123 files of Photos 2026 are on their way, 38 GB to go.")
	looks(t, w, "share-linked")
	tap(t, w, "Done")
	if len(w.sheets) != 0 {
		t.Error("Done does not close the sheet")
	}
}

// TestShareByHand: the three ways, and only then the words.
func TestShareByHand(t *testing.T) {
	f := apptest.NewFake()
	dir := photos(t, f)
	w := newTestWindow(t, f)
	var opened []string
	w.opts.OpenURL = func(u *url.URL) error { opened = append(opened, u.String()); return nil }
	out := t.TempDir()
	w.opts.PickFolder = func(_ fyne.Window, _ string, then func(string)) { then(out) }
	w.askShare(dir)
	typeInto(t, w, "name or e-mail address", "bob@example.org")
	choose(t, w, "They only receive")
	tap(t, w, "Next")
	choose(t, w, "I send it with my own mail program")
	looks(t, w, "share-preview-hand")
	tap(t, w, "Next")
	called(t, f, "Share "+dir+" [] [bob@example.org] true true")
	looks(t, w, "share-hand")
	tap(t, w, "Open my mail program")
	if len(opened) != 1 || opened[0] != "mailto:bob@example.org" {
		t.Errorf("opened %q, want the mail to Bob", opened)
	}
	tap(t, w, "Copy the text")
	if got := w.app.Clipboard().Content(); !strings.Contains(got, "inv1") || strings.Contains(got, "violin") {
		t.Errorf("copied %q, want the letter without its words", got)
	}
	tap(t, w, "Save the file…")
	tap(t, w, "Save the file…")
	for _, name := range []string{"Invitation for bob@example.org.foldpost", "Invitation for bob@example.org (2).foldpost"} {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Errorf("after saving twice: %v", err)
		}
	}
	reads(t, w, "Your mail program was opened. Press Send there.", "Copied. Paste it into a new mail.", "Saved as")
	tap(t, w, "The six words")
	reads(t, w, "violin", "You send the invitation yourself", "[Send it yourself…]")
	tap(t, w, "Copy for a chat")
	if got, want := w.app.Clipboard().Content(), "The six words for my Foldpost invitation: "+apptest.Words; got != want {
		t.Errorf("copied %q, want %q", got, want)
	}
	reads(t, w, "[Copied]")
}

// TestShareWithLinked: no mail for who is linked already.
func TestShareWithLinked(t *testing.T) {
	f := apptest.NewFake()
	f.Update(func(s *app.State) {
		s.Devices = []app.Device{{ID: "bobid", Name: "Bob's laptop", Owner: "bob@example.org"}, {ID: "nasid", Name: "nas"}}
	})
	dir := photos(t, f)
	w := newTestWindow(t, f)
	w.askShare(dir)
	setCheck(t, w, "nas", true)
	typeInto(t, w, "name or e-mail address", "BOB")
	tap(t, w, "bob@example.org")
	reads(t, w, "Linked already: no invitation is needed.", "( ) Bob's laptop of bob@example.org")
	looks(t, w, "share-linked-devices")
	tap(t, w, "Share")
	called(t, f, "Share "+dir+" [nasid bobid] [] false false")

	w.askShare(dir)
	reads(t, w, "It is shared already with Bob's laptop, nas. You can share it with more people.")
	tap(t, w, "Next")
	reads(t, w, "Say with whom you want to share it.")
}

// TestShareWithoutMailbox: it is set up when, and only when, a mail shall go.
func TestShareWithoutMailbox(t *testing.T) {
	f := apptest.NewFake()
	dir := photos(t, f)
	w := newTestWindow(t, f)
	w.askShare(dir)
	typeInto(t, w, "name or e-mail address", "bob@example.org")
	tap(t, w, "Next")
	reads(t, w, "Foldpost sends it from my e-mail account", "To bob@example.org")
	tap(t, w, "Next")
	typeInto(t, w, "name@example.org", "ada@example.org")
	w.key(&fyne.KeyEvent{Name: fyne.KeyReturn})
	typeInto(t, w, "password", "secret")
	if o := find(w, func(o fyne.CanvasObject) bool { c, ok := o.(*check); return ok && !c.Checked }); o != nil {
		o.(*check).SetChecked(true)
	}
	tap(t, w, "Test and save")
	tap(t, w, "Go on")
	called(t, f, "Share "+dir+" [] [bob@example.org] false false")
	reads(t, w, "Now tell bob@example.org these six words")
}

// TestShareOtherComputer: the own address is nothing bad.
func TestShareOtherComputer(t *testing.T) {
	f := apptest.NewFake()
	f.Update(withMailbox)
	w := newTestWindow(t, f)
	w.askShare(photos(t, f))
	typeInto(t, w, "name or e-mail address", "Ada@example.org")
	reads(t, w, "That is you: this connects your other computer.")
	tap(t, w, "Next")
	tap(t, w, "Send")
	reads(t, w, "Type these six words on your other computer", "Waiting for your other computer")
}

// TestShareAsksName: once, and only for an invitation.
func TestShareAsksName(t *testing.T) {
	f := apptest.NewFake()
	if err := f.SetConfig(t.Context(), "person", ""); err != nil {
		t.Fatal(err)
	}
	w := newTestWindow(t, f)
	w.askShare(photos(t, f))
	if strings.Contains(texts(w), "your name") {
		t.Error("the name is asked before it is needed")
	}
	typeInto(t, w, "name or e-mail address", "bob@example.org")
	tap(t, w, "Next")
	reads(t, w, "Type your name")
	if f, ok := w.win.Canvas().Focused().(*entry); !ok || f.PlaceHolder != "your name" {
		t.Errorf("the focus is on %v, want the name that is missing", f)
	}
	typeInto(t, w, "your name", "Ada Lovelace")
	looks(t, w, "share-name")
	tap(t, w, "Next")
	called(t, f, "SetConfig person Ada Lovelace")
	reads(t, w, "This is the mail bob@example.org will get.")
}

// TestShareRefuses: what is missing is said where it is.
func TestShareRefuses(t *testing.T) {
	f := apptest.NewFake()
	base := t.TempDir()
	inside := filepath.Join(base, "Photos", "Harz")
	if err := os.MkdirAll(inside, 0o755); err != nil {
		t.Fatal(err)
	}
	f.Update(func(s *app.State) {
		s.Folders = []app.Folder{{ID: "f1", Name: "Photos", Path: filepath.Join(base, "Photos"), Role: "read-only"}}
	})
	for _, c := range []struct{ dir, who, want string }{
		{"", "bob@example.org", "Choose the folder first."},
		{"/nowhere", "bob@example.org", "There is no folder /nowhere."},
		{inside, "bob@example.org", "This is a part of the folder Photos"},
		{base, "bob@example.org", "It contains the folder Photos"},
		{filepath.Join(base, "Photos"), "bob@example.org", "Ask its owner to share it with others."},
		{t.TempDir(), "", "Say with whom you want to share it."},
		{t.TempDir(), "bob", "No linked device is called that."},
		{t.TempDir(), "bob@example", "This is not a whole e-mail address yet."},
	} {
		w := newTestWindow(t, f)
		w.askShare("")
		if c.dir != "" {
			typeInto(t, w, "folder on this computer", c.dir)
		}
		if c.who != "" {
			typeInto(t, w, "name or e-mail address", c.who)
		}
		w.key(&fyne.KeyEvent{Name: fyne.KeyReturn})
		reads(t, w, c.want)
	}
	if calls := f.Calls(); slices.ContainsFunc(calls, func(c string) bool { return strings.HasPrefix(c, "Share") }) {
		t.Errorf("Calls() = %q, want no Share", calls)
	}
}

// TestShareFails: what the program refuses is said in the sheet.
func TestShareFails(t *testing.T) {
	f := apptest.NewFake()
	f.Update(withMailbox)
	f.Fail("Share", app.Errorf(app.CodeUsage, "this is the whole disk: share a directory in it"))
	w := newTestWindow(t, f)
	w.askShare(photos(t, f))
	typeInto(t, w, "name or e-mail address", "bob@example.org")
	tap(t, w, "Next")
	tap(t, w, "Send")
	reads(t, w, "This is the whole disk: share a directory in it", "[Back]")
	looks(t, w, "share-fails")
	tap(t, w, "Back")
	reads(t, w, "bob@example.org", "Photos 2026")
}
