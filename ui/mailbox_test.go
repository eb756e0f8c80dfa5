package ui

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"foldpost/app"
	"foldpost/app/apptest"
)

var gmail = app.MailboxGuess{
	Provider: "Gmail", IMAP: "imap.gmail.com:993", SMTP: "smtp.gmail.com:465", Login: app.LoginAppPassword,
	Help: "https://myaccount.google.com/apppasswords", Hint: "Two-step sign-in must be on.", Source: app.FromTable,
}

func lastCall(f *apptest.Fake) string {
	all := f.Calls()
	return all[max(0, len(all)-1)]
}

// TestMailbox: address, what the provider wants, password, it works.
func TestMailbox(t *testing.T) {
	f := apptest.NewFake()
	f.Guess("gmail.com", gmail)
	w := newTestWindow(t, f)
	done := 0
	w.askMailbox("", func() { done++ })
	golden(t, w, "mailbox_address")
	typeInto(t, w, "name@example.org", "ada@gmail.com")
	w.key(&fyne.KeyEvent{Name: fyne.KeyReturn})
	reads(t, w, "Gmail wants an app password, not your usual one. Two-step sign-in must be on.", "[Make one at Gmail]")
	golden(t, w, "mailbox_password")
	typeInto(t, w, "app password", "abcd efgh")
	tap(t, w, "Test and save")
	if got, want := lastCall(f), "SetMailbox ada@gmail.com imap.gmail.com:993 smtp.gmail.com:465 9 0"; got != want {
		t.Errorf("the last call was %q, want %q", got, want)
	}
	reads(t, w, "It works", "ada@gmail.com", "Servers found", "Can send", "this desktop's keyring")
	golden(t, w, "mailbox_works")
	if done != 0 {
		t.Error("done was called before the user went on")
	}
	tap(t, w, "Go on")
	if done != 1 || len(w.sheets) != 0 {
		t.Errorf("after Go on: done called %d times, %d sheets; want once, none", done, len(w.sheets))
	}
}

// TestMailboxFile: where no keyring opens, the file is named.
func TestMailboxFile(t *testing.T) {
	f := apptest.NewFake()
	w := newTestWindow(t, f)
	w.askMailbox("ada@example.org", nil)
	typeInto(t, w, "password", "secret")
	tap(t, w, "Test and save")
	f.Update(func(s *app.State) { s.Mailbox.Kept = "/home/ada/.local/share/foldpost/state.json" })
	w.sync()
	reads(t, w, "~/.local/share/foldpost/state.json", "[Close]")
}

// TestMailboxRefused: the password is typed again, nothing else is asked again.
func TestMailboxRefused(t *testing.T) {
	f := apptest.NewFake()
	f.Guess("gmail.com", gmail)
	w := newTestWindow(t, f)
	w.askMailbox("ada@gmail.com", nil)
	f.Fail("SetMailbox", app.Errorf(app.CodeFailed, "Gmail did not accept this password for ada@gmail.com."))
	typeInto(t, w, "app password", "usual")
	tap(t, w, "Test and save")
	if sh := w.sheets[0]; !strings.HasPrefix(sh.wrong.text.Text, "Gmail did not accept") || !sh.wrong.box.Visible() {
		t.Errorf("above the buttons stands %q, want the reason: the rest may be scrolled away", sh.wrong.text.Text)
	}
	reads(t, w, "Gmail did not accept this password", "[Make one at Gmail]", "Signed in, can receive")
	golden(t, w, "mailbox_refused")
	f.Fail("SetMailbox", nil)
	typeInto(t, w, "app password", "x")
	tap(t, w, "Test and save")
	reads(t, w, "It works")
}

// TestMailboxNone: who lets no program in is not asked for a password.
func TestMailboxNone(t *testing.T) {
	f := apptest.NewFake()
	f.Guess("outlook.com", app.MailboxGuess{Provider: "Outlook.com", Login: app.LoginNone, Source: app.FromTable})
	w := newTestWindow(t, f)
	byHand := 0
	w.askMailboxOr("ada@outlook.com", nil, func() { byHand++ })
	reads(t, w, "Outlook.com lets no program in with a password. You need none: send the invitation with your own mail program.")
	golden(t, w, "mailbox_none")
	tap(t, w, "Send it myself")
	if byHand != 1 || len(w.sheets) != 0 {
		t.Errorf("after Send it myself: called %d times, %d sheets; want once, none", byHand, len(w.sheets))
	}
	w.askMailbox("ada@outlook.com", nil)
	reads(t, w, "[Close]", "[Other address]")
}

// TestMailboxForeign: servers that only DNS names get no password before their
// names were seen.
func TestMailboxForeign(t *testing.T) {
	f := apptest.NewFake()
	f.Guess("example.org", app.MailboxGuess{IMAP: "imap.host.example:993", SMTP: "smtp.host.example:465", Login: app.LoginPassword, Source: app.FromDNS, Confirm: true})
	w := newTestWindow(t, f)
	w.askMailbox("ada@example.org", nil)
	typeInto(t, w, "password", "secret")
	golden(t, w, "mailbox_foreign")
	if b := buttonOf(w, "Test and save"); !b.Disabled() {
		t.Error("Test and save can be pressed before the servers were confirmed")
	}
	w.key(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if got := lastCall(f); strings.HasPrefix(got, "SetMailbox") {
		t.Errorf("Enter called %q before the servers were confirmed", got)
	}
	test.Tap(find(w, func(o fyne.CanvasObject) bool { _, ok := o.(*check); return ok }).(*check))
	tap(t, w, "Test and save")
	reads(t, w, "It works")
}

func buttonOf(w *Window, text string) *button {
	return find(w, func(o fyne.CanvasObject) bool { b, ok := o.(*button); return ok && b.Text == text }).(*button)
}

// TestMailboxByHand: what is not found is typed.
func TestMailboxByHand(t *testing.T) {
	f := apptest.NewFake()
	f.Fail("FindMailbox", app.Errorf(app.CodeFailed, "No mail server was found for example.org."))
	w := newTestWindow(t, f)
	w.askMailbox("ada@example.org", nil)
	reads(t, w, "No mail server was found", "Server to receive (IMAP)", "Server to send (SMTP)")
	golden(t, w, "mailbox_by_hand")
	typeInto(t, w, "imap.example.org:993", "mail.example.org:993")
	typeInto(t, w, "smtp.example.org:465", "mail.example.org:465")
	typeInto(t, w, "if it is not the address", "ada")
	typeInto(t, w, "password", "secret")
	ca := filepath.Join(t.TempDir(), "ca.pem")
	typeInto(t, w, "file, for a server of your own", ca)
	tap(t, w, "Test and save")
	reads(t, w, "cannot be read")
	if err := os.WriteFile(ca, []byte("PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	tap(t, w, "Test and save")
	if got, want := lastCall(f), "SetMailbox ada@example.org mail.example.org:993 mail.example.org:465 6 3 ada"; got != want {
		t.Errorf("the last call was %q, want %q", got, want)
	}
}

func TestMailboxNotAnAddress(t *testing.T) {
	w := newTestWindow(t, apptest.NewFake())
	w.askMailbox("", nil)
	for _, in := range []string{"ada", "ada@", "@example.org", "ada@example"} {
		o := find(w, func(o fyne.CanvasObject) bool { _, ok := o.(*entry); return ok }).(*entry)
		o.SetText(in)
		tap(t, w, "Next")
		reads(t, w, in+" is no e-mail address")
	}
}

func TestMailboxSettings(t *testing.T) {
	f := apptest.NewFake()
	w := newTestWindow(t, f)
	m := newMailboxPart(w)
	w.win.SetContent(m.object())
	m.draw(w.state)
	reads(t, w, "[Set up an e-mail account]", "No message yet.")
	goldenOf(t, m.object(), "mailbox_settings_none")
	f.Mail(app.Mail{At: noon.Add(-2 * time.Hour), Direction: app.Sent, With: "bob@example.org", Subject: "Ada would like to share a folder with you"})
	f.Mail(app.Mail{At: noon.Add(-time.Hour), Direction: app.Received, With: "bob@example.org", Subject: "Re: Ada\u202e would like"})
	f.Update(func(s *app.State) {
		s.Mailbox = &app.MailboxState{Address: "ada@example.org", State: "problem", Problem: "imap.example.org cannot be reached.", Kept: "keyring"}
	})
	w.sync()
	m.draw(w.state)
	reads(t, w, "ada@example.org", "It does not work at the moment.", "imap.example.org cannot be reached.", "this desktop's keyring", "Sent: to bob@example.org", "Read: from bob@example.org", "Re: Ada\ufffd would like", "10:00")
	goldenOf(t, m.object(), "mailbox_settings")
	tap(t, w, "Test")
	tap(t, w, "Forget")
	tap(t, w, "Forget it")
	if got := lastCall(f); got != "ForgetMailbox" {
		t.Errorf("the last call was %q, want ForgetMailbox", got)
	}
}

// TestHints: each hint of the table of providers is in the catalogue.
func TestHints(t *testing.T) {
	file, err := os.Open("../mail/providers.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	keys, n := keysOf(t, "mailbox_hints.go"), 0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if hint, ok := strings.CutPrefix(lines.Text(), "  hint "); ok {
			if n++; !slices.Contains(keys, strings.TrimSpace(hint)) {
				t.Errorf("the hint %q is not in the catalogue", strings.TrimSpace(hint))
			}
		}
	}
	if n == 0 {
		t.Error("no hints were found")
	}
}
