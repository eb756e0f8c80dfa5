package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"foldpost/app"
	"foldpost/app/apptest"
)

func TestAboutLook(t *testing.T) {
	w := newTestWindow(t, apptest.NewFake())
	w.goTo(place{kind: atAbout})
	w.win.Resize(fyne.NewSize(980, 900))
	golden(t, w, "about")
}

// TestDiagnostics hold numbers and states, and nothing that says who or where.
func TestDiagnostics(t *testing.T) {
	s := app.State{
		Device:      app.ThisDevice{ID: "secretid", Name: "Secret laptop", Version: "1.2.3", Addresses: []string{"192.0.2.7:4000"}},
		Mailbox:     &app.MailboxState{Address: "secret@example.org", State: "problem", Problem: "secret@example.org: no"},
		Devices:     []app.Device{{ID: "secretbob", Name: "Secret Bob", Connected: true, Address: "192.0.2.8:1"}, {Name: "Secret NAS"}},
		Questions:   []app.Question{{Kind: app.AskOffer, Text: "Secret?"}, {Kind: app.AskDisk}, {Kind: app.AskOffer}},
		Invitations: []app.OpenInvitation{{With: "secret@example.org", Direction: app.Sent, Step: app.StepWaiting}},
		Folders:     []app.Folder{{ID: "secretfolder", Name: "Secret plans", Path: "/home/secret", State: app.FolderIdle, Role: "read-write", Files: 7, Problem: "secret"}},
	}
	got := diagnostics(s)
	for _, want := range []string{"foldpost 1.2.3", "mailbox: problem", "devices: 2, connected: 1", "1 sent waiting", "1 disk, 2 offer", "folder 1: idle, read-write, 7 files", "problem: true"} {
		if !strings.Contains(got, want) {
			t.Errorf("diagnostics have no %q:\n%s", want, got)
		}
	}
	for _, never := range []string{"ecret", "192.0.2", "/home", "example.org"} {
		if strings.Contains(got, never) {
			t.Errorf("diagnostics have %q:\n%s", never, got)
		}
	}
}
