package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"foldpost/app"
)

// online is a State of a device in a network.
func online(change ...func(*app.State)) app.State {
	s := app.State{V: 1, Device: app.ThisDevice{ID: "me", Addresses: []string{"192.0.2.1:4000"}}}
	for _, c := range change {
		c(&s)
	}
	return s
}

func has(f app.Folder) func(*app.State) {
	return func(s *app.State) { s.Folders = append(s.Folders, f) }
}

func asks(q app.Question) func(*app.State) {
	return func(s *app.State) { s.Questions = append(s.Questions, q) }
}

func TestTray(t *testing.T) {
	idle := app.Folder{ID: "a", State: app.FolderIdle, Members: []app.Member{{Device: "bob", Joined: true}}}
	syncing := app.Folder{ID: "b", State: app.FolderSyncing, ETAms: 20 * 60_000}
	withBob := func(s *app.State) { s.Devices = []app.Device{{ID: "bob", Connected: true}} }
	paused := func(s *app.State) { s.Paused = true }
	tests := []struct {
		name   string
		state  app.State
		icon   TrayIcon
		status string
	}{
		{"new", online(), TrayIdle, "No folder is shared yet"},
		{"up to date", online(withBob, has(idle)), TrayIdle, "Everything is up to date"},
		{"nobody there", online(has(idle)), TrayIdle, "The other devices are off; changes go out later"},
		{"no network", app.State{V: 1, Folders: []app.Folder{idle}}, TrayOffline, "No network; changes go out later"},
		{"syncing", online(withBob, has(idle), has(syncing)), TraySyncing, "Syncing a folder, about 20 minutes left"},
		{"syncing two", online(has(syncing), has(app.Folder{State: app.FolderSyncing})), TraySyncing, "Syncing 2 folders, about 20 minutes left"},
		{"for how long is not known", online(has(app.Folder{State: app.FolderSyncing})), TraySyncing, "Syncing a folder"},
		{"scanning", online(has(app.Folder{State: app.FolderScanning})), TraySyncing, "Looking through a folder"},
		{"paused", online(paused, has(syncing)), TrayPaused, "Paused"},
		{"each paused", online(has(app.Folder{State: app.FolderPaused})), TrayPaused, "All folders are paused"},
		{"question", online(paused, has(syncing), asks(app.Question{ID: "1"})), TrayAttention, "A question waits for you"},
		{"questions", online(asks(app.Question{ID: "1"}), asks(app.Question{ID: "2"})), TrayAttention, "2 questions wait for you"},
		{"conflict", online(withBob, has(app.Folder{State: app.FolderIdle, Conflicts: 1})), TrayAttention, "Two versions of a file were kept"},
		{"folder's problem", online(has(app.Folder{State: app.FolderStopped, Problem: "no room"})), TrayAttention, "Something needs you"},
		{"mailbox", online(func(s *app.State) { s.Mailbox = &app.MailboxState{State: "problem"} }), TrayAttention, "Something needs you"},
	}
	for _, test := range tests {
		if got := TrayOf(test.state); got.Icon != test.icon || got.Status != test.status {
			t.Errorf("%s: TrayOf = %s, %q, want %s, %q", test.name, got.Icon, got.Status, test.icon, test.status)
		}
	}
}

func TestTrayMenu(t *testing.T) {
	folder := has(app.Folder{State: app.FolderIdle})
	tests := []struct {
		name  string
		state app.State
		want  []TrayAction // in their order, those of submenus too
	}{
		{"new", online(), []TrayAction{TrayOpen, TrayShare, TrayNearby, TrayQuit}},
		{"folder", online(folder), []TrayAction{TrayOpen, TrayShare, TrayNearby, TrayPauseHour, TrayPauseTomorrow, TrayPauseLong, TrayQuit}},
		{"paused", online(folder, func(s *app.State) { s.Paused = true }), []TrayAction{TrayOpen, TrayShare, TrayNearby, TrayResume, TrayQuit}},
		{"question", online(asks(app.Question{ID: "1"})), []TrayAction{TrayOpen, TrayAnswer, TrayShare, TrayNearby, TrayQuit}},
	}
	for _, test := range tests {
		var got []TrayAction
		var walk func([]TrayEntry)
		walk = func(entries []TrayEntry) {
			for _, e := range entries {
				if e.Do != "" {
					got = append(got, e.Do)
				}
				walk(e.Entries)
			}
		}
		menu := TrayOf(test.state).Menu
		walk(menu)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: the menu does %v, want %v", test.name, got, test.want)
		}
		if menu[0].Text == "" || menu[0].Do != "" {
			t.Errorf("%s: the menu begins with %+v, want the status", test.name, menu[0])
		}
	}
}

func TestUntilTomorrow(t *testing.T) {
	for _, test := range []struct {
		now  string
		want time.Duration
	}{{"2026-11-20T22:00:00Z", 10 * time.Hour}, {"2026-11-20T00:30:00Z", 31*time.Hour + 30*time.Minute}, {"2026-12-31T08:00:00Z", 24 * time.Hour}} {
		now, err := time.Parse(time.RFC3339, test.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := UntilTomorrow(now); got != test.want {
			t.Errorf("UntilTomorrow(%s) = %v, want %v", test.now, got, test.want)
		}
	}
}

// What the tray's menu does of the window's.
func TestTrayActions(t *testing.T) {
	for do, want := range map[TrayAction]string{
		TrayPauseHour: "Pause", TrayPauseTomorrow: "Pause", TrayPauseLong: "Pause", TrayResume: "Resume",
	} {
		f := fakeWithMail()
		w := newTestWindow(t, f)
		w.Hide()
		w.Do(do)
		if got := acts(f); len(got) != 1 || !strings.HasPrefix(got[0], want) || !w.Hidden() {
			t.Errorf("%s: calls are %q, hidden %v, want one %s and the window as it was", do, got, w.Hidden(), want)
		}
	}
	for do, sheets := range map[TrayAction]int{TrayOpen: 0, TrayShare: 1, TrayAnswer: 0} {
		w := newTestWindow(t, fakeWithMail())
		w.Hide()
		w.Do(do)
		if w.Hidden() || len(w.sheets) != sheets {
			t.Errorf("%s: hidden %v, %d sheets, want the window and %d sheets", do, w.Hidden(), len(w.sheets), sheets)
		}
	}
}
