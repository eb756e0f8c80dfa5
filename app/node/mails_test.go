package node

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"foldpost/app"
	"foldpost/mail"
)

func TestMailLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mails.json")
	open := func() *mailLog {
		t.Helper()
		l, err := openMailLog(path)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := open()
	now := time.Date(2026, 11, 20, 10, 41, 0, 0, time.UTC)
	for i := range maxMails + 5 {
		for range 2 { // read again
			m := mail.Message{ID: fmt.Sprint(i), Subject: "hello\x1b[2J", Text: "secret"}
			if err := l.note(app.Received, "ada@a.example", m, now.Add(time.Duration(i)*time.Second)); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := open().all()
	if len(got) != maxMails {
		t.Fatalf("%d mails are kept, want %d", len(got), maxMails)
	}
	want := app.Mail{At: now.Add((maxMails + 4) * time.Second), Direction: app.Received, With: "ada@a.example", Subject: "hello\ufffd[2J"}
	if got[0] != want {
		t.Errorf("the newest is %+v, want %+v", got[0], want)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := open().all(); len(got) != 0 {
		t.Errorf("of a damaged list %v is kept, want nothing", got)
	}
}
