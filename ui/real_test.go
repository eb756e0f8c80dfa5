package ui

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"foldpost/app"
	"foldpost/app/node"
	"foldpost/mail/mailtest"
)

// The tests of this file let windows drive real nodes in this process.

// newNode is a whole program on loopback.
func newNode(t *testing.T, person string) *node.Node {
	t.Helper()
	n, err := node.New(node.Config{
		Home: filepath.Join(t.TempDir(), "home"), Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); n.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	for key, value := range map[string]string{"name": person + "'s laptop", "person": person} {
		if err := n.SetConfig(t.Context(), key, value); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// becomes draws what the service tells until the window shows a text.
func becomes(t *testing.T, w *Window, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for s := range w.svc.Watch(ctx) {
		w.draw(s)
		if strings.Contains(texts(w), want) {
			return
		}
	}
	t.Fatalf("after 30 s the window does not show %q, but:\n%s", want, texts(w))
}

// twoPeople are Ada's window and Bob's.
func twoPeople(t *testing.T) (ada, bob *Window) {
	t.Helper()
	a := test.NewTempApp(t)
	open := func(person string) *Window {
		return newTestWindowOf(t, a, newNode(t, person), Options{Home: t.TempDir(), Now: time.Now})
	}
	return open("Ada"), open("Bob")
}

// harz is a directory with a file in it.
func harz(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "Harz 2026")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "brocken.txt"), []byte("cold"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// folderComes waits in Bob's window for Ada's folder, and looks on the disk.
func folderComes(t *testing.T, ada, bob *Window) {
	t.Helper()
	becomes(t, bob, "[Accept and start]")
	reads(t, bob, "Harz 2026", "Ada's laptop")
	tap(t, bob, "Accept and start")
	becomes(t, bob, "All is here: 1 file.")
	b, err := os.ReadFile(filepath.Join(bob.opts.Home, "Foldpost", "Harz 2026", "brocken.txt"))
	if err != nil || string(b) != "cold" {
		t.Errorf("Bob's file holds %q, %v, want Ada's", b, err)
	}
	becomes(t, ada, "Harz 2026 is complete on both computers.")
}

func wordsOf(t *testing.T, w *Window) string {
	t.Helper()
	tap(t, w, "Copy for a chat")
	_, words, _ := strings.Cut(w.app.Clipboard().Content(), ": ")
	return words
}

// TestRealShareByFile is the shortest way of a folder, from one window to the
// other: no mailbox, a file handed over, six words told.
func TestRealShareByFile(t *testing.T) {
	ada, bob := twoPeople(t)
	out := t.TempDir()
	ada.opts.PickFolder = func(_ fyne.Window, _ string, then func(string)) { then(out) }
	ada.askShare(harz(t))
	reads(t, ada, "Harz 2026: 1 file, 4 B.")
	typeInto(t, ada, "name or e-mail address", "bob@example.org")
	tap(t, ada, "Next")
	reads(t, ada, "Ada would like to share a folder with you", "Ada invites you to keep a folder in sync.")
	looks(t, ada, "real-preview")
	choose(t, ada, "I send it with my own mail program")
	tap(t, ada, "Next")
	tap(t, ada, "Save the file…")
	tap(t, ada, "The six words")
	words := wordsOf(t, ada)

	bob.openFile(filepath.Join(out, "Invitation for bob@example.org.foldpost"))
	bob.sheets[0].pasted(words)
	tap(t, bob, "Accept")
	becomes(t, ada, "Linked with bob@example.org (Bob's laptop)")
	folderComes(t, ada, bob)
}

// TestRealShareByMail is the same by mail, which both windows send and find.
func TestRealShareByMail(t *testing.T) {
	server := mailtest.New("ada@a.example", "bob@b.example")
	if err := server.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); server.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	ada, bob := twoPeople(t)
	for w, address := range map[*Window]string{ada: "ada@a.example", bob: "bob@b.example"} {
		a := server.Account(address)
		err := w.svc.SetMailbox(t.Context(), app.MailboxSettings{
			Address: address, IMAP: a.IMAP.String(), SMTP: a.SMTP.String(), Password: string(a.Password), CA: server.CA(),
		})
		if err != nil {
			t.Fatal(err)
		}
		w.sync()
	}
	ada.askShare(harz(t))
	typeInto(t, ada, "name or e-mail address", "bob@b.example")
	tap(t, ada, "Next")
	becomes(t, ada, "Foldpost sends it from ada@a.example")
	tap(t, ada, "Send")
	words := wordsOf(t, ada)
	becomes(t, ada, "Sent ")
	becomes(t, bob, "ada@a.example")
	bob.askAccept(string(bob.state.Questions[0].Invitation))
	bob.sheets[0].pasted(words)
	tap(t, bob, "Accept")
	becomes(t, ada, "Linked with bob@b.example (Bob's laptop)")
	folderComes(t, ada, bob)
}
