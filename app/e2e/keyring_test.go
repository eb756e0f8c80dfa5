package e2e

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/app"
	"foldpost/app/node"
)

// A ring is a desktop's keyring in memory.
type ring struct {
	mu      sync.Mutex
	entries map[string]string
	locked  chan struct{} // until it is closed; nil: the ring is open
	broken  bool
}

func newRing() *ring { return &ring{entries: map[string]string{}} }

func (r *ring) set(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

func (r *ring) wait() error {
	r.mu.Lock()
	locked, broken := r.locked, r.broken
	r.mu.Unlock()
	if locked != nil {
		<-locked
	}
	if broken {
		return errors.New("no service of this name")
	}
	return nil
}

func (r *ring) Set(account, password string) error {
	if err := r.wait(); err != nil {
		return err
	}
	r.set(func() { r.entries[account] = password })
	return nil
}

func (r *ring) Get(account string) (password string, err error) {
	if err := r.wait(); err != nil {
		return "", err
	}
	r.set(func() {
		var ok bool
		if password, ok = r.entries[account]; !ok {
			err = node.ErrNoPassword
		}
	})
	return password, err
}

func (r *ring) Delete(account string) error {
	if err := r.wait(); err != nil {
		return err
	}
	r.set(func() { delete(r.entries, account) })
	return nil
}

func (r *ring) all() (entries string) {
	r.set(func() {
		b, _ := json.Marshal(r.entries) // a map of strings
		entries = string(b)
	})
	return entries
}

func mailboxIs(state string) func(app.State) bool {
	return func(s app.State) bool { return s.Mailbox != nil && s.Mailbox.State == state }
}

// TestKeyring: the mailbox's password is in the desktop's keyring and nowhere
// else, survives a restart there, and leaves it with the account.
func TestKeyring(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := newRing()
		ada := w.device("ada")
		ada.ring = r
		ada.restart()
		ada.mailbox()
		password := string(w.mail.Account(ada.email).Password)
		for range 2 {
			ada.eventually("the mailbox works", time.Minute, mailboxIs("ok"))
			if kept := ada.State().Mailbox.Kept; kept != "keyring" {
				t.Errorf("the password is kept in %q, want the keyring", kept)
			}
			if !strings.Contains(r.all(), password) || !strings.Contains(r.all(), ada.home+" "+ada.email) {
				t.Errorf("the keyring has %s, want an entry of home and address with the password", r.all())
			}
			if b, _ := os.ReadFile(filepath.Join(ada.home, "state.json")); strings.Contains(string(b), password) {
				t.Error("the state file has the password too")
			}
			ada.restart()
		}
		ada.eventually("the mailbox works", time.Minute, mailboxIs("ok"))
		w.must(ada.TestMailbox(t.Context()))
		w.must(ada.ForgetMailbox(t.Context()))
		if got := r.all(); got != "{}" {
			t.Errorf("after ForgetMailbox the keyring has %s, want nothing", got)
		}
	})
}

// TestKeyringDoesNotWork: then the password is in a file, and the State names
// it. What a locked keyring does too late is undone.
func TestKeyringDoesNotWork(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := newRing()
		r.broken = true
		ada := w.device("ada")
		ada.ring = r
		ada.restart()
		ada.mailbox()
		file := filepath.Join(ada.home, "state.json")
		if kept := ada.State().Mailbox.Kept; kept != file {
			t.Errorf("with a broken keyring the password is kept in %q, want %s", kept, file)
		}
		r.set(func() { r.broken, r.locked = false, make(chan struct{}) })
		began := time.Now()
		ada.mailbox()
		if d := time.Since(began); d > 5*time.Second {
			t.Errorf("with a locked keyring SetMailbox took %v, want about 3 s", d)
		}
		if kept := ada.State().Mailbox.Kept; kept != file {
			t.Errorf("with a locked keyring the password is kept in %q, want %s", kept, file)
		}
		close(r.locked)
		r.set(func() { r.locked = nil })
		synctest.Wait()
		if got := r.all(); got != "{}" {
			t.Errorf("unlocked too late, the keyring has %s, want nothing", got)
		}
		ada.mailbox() // again, now that it is open
		if kept := ada.State().Mailbox.Kept; kept != "keyring" {
			t.Errorf("set again, the password is kept in %q, want the keyring", kept)
		}
		if b, _ := os.ReadFile(file); strings.Contains(string(b), string(w.mail.Account(ada.email).Password)) {
			t.Error("the state file has the password still")
		}
	})
}

// TestKeyringLockedAtStart: the program says so, and goes on when it opens.
func TestKeyringLockedAtStart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := newRing()
		ada := w.device("ada")
		ada.ring = r
		ada.restart()
		ada.mailbox()
		ada.end()
		r.set(func() { r.locked = make(chan struct{}) })
		ada.start()
		ada.eventually("tells of the locked keyring", time.Minute, func(s app.State) bool {
			return mailboxIs("problem")(s) && strings.Contains(s.Mailbox.Problem, "keyring") && len(s.Questions) == 0
		})
		if err := ada.TestMailbox(t.Context()); err == nil || !strings.Contains(err.Error(), "keyring") {
			t.Errorf("TestMailbox with a locked keyring = %v, want an error about it", err)
		}
		close(r.locked)
		r.set(func() { r.locked = nil })
		ada.eventually("the mailbox works", time.Minute, mailboxIs("ok"))

		ada.end()
		r.set(func() { clear(r.entries) })
		ada.start()
		ada.eventually("asks for the lost password", time.Minute, func(s app.State) bool {
			return len(s.Questions) == 1 && s.Questions[0].Kind == app.AskMailbox
		})
		ada.mailbox()
		ada.eventually("the mailbox works", time.Minute, func(s app.State) bool { return mailboxIs("ok")(s) && len(s.Questions) == 0 })
	})
}

// TestKeyringOtherAccount: the entry of the account before goes.
func TestKeyringOtherAccount(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := newRing()
		ada := w.device("ada")
		ada.ring = r
		ada.restart()
		ada.mailbox()
		ada.mailboxAt(w.provider("ada@z.example"), "ada@z.example")
		if got := r.all(); strings.Contains(got, ada.email) || !strings.Contains(got, "ada@z.example") {
			t.Errorf("the keyring has %s, want ada@z.example alone", got)
		}
		ada.mailboxAt(w.provider("ada@z.example"), "ada@z.example") // the same address with another password
		ada.eventually("the new password is used", time.Minute, mailboxIs("ok"))
	})
}
