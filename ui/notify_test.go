package ui

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"foldpost/app"
)

func TestTeller(t *testing.T) {
	bob := func(joined, all bool) app.Member { return app.Member{Device: "bob", Joined: joined, HasAll: all} }
	folder := func(state app.FolderState, need, conflicts int, members ...app.Member) func(*app.State) {
		return has(app.Folder{ID: "p", Name: "Photos", State: state, Files: 3, Bytes: 3e6, NeedFiles: need, Conflicts: conflicts, Members: members})
	}
	invitation := asks(app.Question{ID: "1", Kind: app.AskInvitation, Text: "An invitation that says it is from ada@example.org"})
	disk := asks(app.Question{ID: "2", Kind: app.AskDisk, Text: "No room"})
	tests := []struct {
		name   string
		states []app.State
		want   []string // keys and titles
	}{
		{"what was there at the start is no news", []app.State{online(invitation, folder(app.FolderIdle, 0, 2))}, nil},
		{"an invitation, once", []app.State{online(), online(invitation), online(invitation, folder(app.FolderSyncing, 1, 0))}, []string{"questions: An invitation came"}},
		{"another question", []app.State{online(), online(disk)}, []string{"questions: A question for you"}},
		{"two at once are one notice", []app.State{online(), online(invitation, disk)}, []string{"questions: 2 questions wait for you"}},
		{"one more", []app.State{online(), online(invitation), online(invitation, disk)}, []string{"questions: An invitation came", "questions: A question for you"}},
		{"conflicts when they become more", []app.State{
			online(folder(app.FolderIdle, 0, 0)), online(folder(app.FolderIdle, 0, 1)), online(folder(app.FolderIdle, 0, 1)),
			online(folder(app.FolderIdle, 0, 3)), online(folder(app.FolderIdle, 0, 2)),
		}, []string{"conflict p: Photos", "conflict p: Photos"}},
		{"a folder that was joined is complete, once", []app.State{
			online(), online(folder(app.FolderSyncing, 3, 0)), online(folder(app.FolderSyncing, 1, 0)), online(folder(app.FolderIdle, 0, 0)),
			online(folder(app.FolderSyncing, 1, 0)), online(folder(app.FolderIdle, 0, 0)),
		}, []string{"arrived p: Photos is here"}},
		{"a folder of one's own is no arrival", []app.State{online(), online(folder(app.FolderScanning, 0, 0)), online(folder(app.FolderIdle, 0, 0))}, nil},
		{"a member has everything, once", []app.State{
			online(folder(app.FolderIdle, 0, 0)), online(folder(app.FolderIdle, 0, 0, bob(false, false))), online(folder(app.FolderIdle, 0, 0, bob(true, false))),
			online(folder(app.FolderIdle, 0, 0, bob(true, true))), online(folder(app.FolderIdle, 0, 0, bob(true, false))), online(folder(app.FolderIdle, 0, 0, bob(true, true))),
		}, []string{"delivered p bob: Photos is all there"}},
		{"a member of before", []app.State{
			online(folder(app.FolderIdle, 0, 0, bob(true, false))), online(folder(app.FolderIdle, 0, 0, bob(true, true))),
		}, nil},
	}
	for _, test := range tests {
		var teller Teller
		var got []string
		for _, s := range test.states {
			for _, n := range teller.Tell(s) {
				got = append(got, fmt.Sprintf("%s: %s", n.Key, n.Title))
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: told %q, want %q", test.name, got, test.want)
		}
	}
}

// Names of others are shown harmless.
func TestTellerNames(t *testing.T) {
	var teller Teller
	teller.Tell(online())
	for _, n := range teller.Tell(online(has(app.Folder{ID: "p", Name: "evil\u202egnp\x1b[31m" + strings.Repeat("x", 500), Conflicts: 1}))) {
		if strings.ContainsAny(n.Title, "\u202e\x1b") || len([]rune(n.Title)) > maxShown+1 {
			t.Errorf("the notice's title is %q", n.Title)
		}
	}
}

// A click on a notice opens the window where the answer is, and answers nothing.
func TestOpenNotice(t *testing.T) {
	f := fakeWithMail()
	w := newTestWindow(t, f)
	w.latest = f.State()
	w.Hide()
	var teller Teller
	teller.Tell(online())
	notices := teller.Tell(f.State())
	if len(notices) != 1 {
		t.Fatalf("an invitation that came makes %d notices, want 1", len(notices))
	}
	w.OpenNotice(notices[0])
	if w.Hidden() || w.place.kind != atHome || len(w.sheets) != 1 {
		t.Errorf("the notice of an invitation: hidden %v, place %v, %d sheets, want the home screen and one sheet", w.Hidden(), w.place.kind, len(w.sheets))
	}
	if got := acts(f); !slices.Equal(got, []string{"Look letter"}) && !slices.Equal(got, []string{"Look"}) {
		t.Errorf("the notice of an invitation: calls are %q, want only a look", got)
	}
	w.OpenNotice(notices[0]) // once more, while it is open
	if len(w.sheets) != 1 {
		t.Errorf("after a second click there are %d sheets, want 1", len(w.sheets))
	}
}
