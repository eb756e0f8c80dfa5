package ui

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

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
	look(t, w, "share")
	tap(t, w, "Next")
	reads(t, w, "This is the mail bob@example.org will get.", "From ada@example.org to bob@example.org", "Foldpost sends it from ada@example.org")
	look(t, w, "share-preview")
	tap(t, w, "Send")
	called(t, f, "Share "+dir+" [] [bob@example.org] false false")
	reads(t, w, "Now tell bob@example.org these six words", "violin", "drift", "Without them nobody gets in")
	look(t, w, "share-words")
}

// look keeps a picture of the window where LOOK says, to be looked at.
func look(t *testing.T, w *Window, name string) {
	t.Helper()
	dir := os.Getenv("LOOK")
	if dir == "" {
		return
	}
	f, err := os.Create(filepath.Join(dir, name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := pngEncode(f, w); err != nil {
		t.Fatal(err)
	}
}
