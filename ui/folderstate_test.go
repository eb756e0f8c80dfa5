package ui

import (
	"testing"
	"time"

	"foldpost/app"
)

func TestFolderSentence(t *testing.T) {
	anna := app.Device{ID: "anna", Name: "Anna's laptop", Connected: true}
	office := app.Device{ID: "office", Name: "Office", Connected: true}
	bert := app.Device{ID: "bert", Name: "Bert's PC", LastSeen: noon.Add(-13*time.Hour - 46*time.Minute)}
	nas := app.Device{ID: "nas", Name: "NAS"}
	devices := []app.Device{anna, office, bert, nas}
	with := func(ids ...app.DeviceID) (ms []app.Member) {
		for _, id := range ids {
			ms = append(ms, app.Member{Device: id, Joined: true})
		}
		return ms
	}
	tests := []struct {
		name string
		f    app.Folder
		want string
	}{
		{"stopped", app.Folder{State: app.FolderStopped, Problem: "raw"}, "Stopped for now. Nothing is sent or received."},
		{"paused", app.Folder{State: app.FolderPaused}, "Paused until you resume it."},
		{"paused for a time", app.Folder{State: app.FolderPaused, PausedUntil: noon.Add(time.Hour)}, "Paused until 13:00."},
		{"looking", app.Folder{State: app.FolderScanning}, "Looking through the files on this computer …"},
		{
			"fetching from one",
			app.Folder{State: app.FolderSyncing, Bytes: 21.4e9, NeedBytes: 16.6e9, Rate: 14e6, ETAms: 20 * 60 * 1000, Members: with("anna", "bert")},
			"21 GB of 38 GB are here · 14 MB a second from Anna's laptop · about 20 minutes left",
		},
		{
			"fetching from two",
			app.Folder{State: app.FolderSyncing, Bytes: 1e9, NeedBytes: 1e9, Rate: 14e6, Members: with("anna", "office")},
			"1.0 GB of 2.0 GB are here · 14 MB a second",
		},
		{"about to fetch", app.Folder{State: app.FolderSyncing, NeedBytes: 1e9, Members: with("anna")}, "0 B of 1.0 GB are here · comparing with Anna's laptop …"},
		{"comparing", app.Folder{State: app.FolderSyncing, Members: with("anna")}, "Comparing with Anna's laptop …"},
		{
			"waiting for one that is off",
			app.Folder{State: app.FolderSyncing, Bytes: 3e8, NeedBytes: 9e8, Members: with("bert")},
			"300 MB of 1.2 GB are here · waiting for Bert's PC, which is off or asleep (last seen yesterday, 22:14). It goes on by itself.",
		},
		{"waiting for one never seen", app.Folder{State: app.FolderSyncing, Members: with("nas")}, "Waiting for NAS, which was not reached yet. It goes on by itself."},
		{"waiting for one of two", app.Folder{State: app.FolderSyncing, Members: with("bert", "nas")}, "Waiting for one of Bert's PC and NAS. It goes on by itself."},
		{"nobody", app.Folder{State: app.FolderIdle, Files: 1, Bytes: 12}, "Not shared with a device yet · 1 file, 12 B"},
		{"no yes yet", app.Folder{State: app.FolderIdle, Files: 2, Bytes: 12, Members: []app.Member{{Device: "anna"}}}, "Waiting for a yes on Anna's laptop · 2 files, 12 B"},
		{"no room", app.Folder{State: app.FolderSyncing, Bytes: 8.4e6, NeedBytes: 79e6, Rate: 4e6, ETAms: 20_000, Cause: app.CauseSpace}, "8.4 MB of 87 MB are here · waiting for room on the disk"},
		{"the other still needs", app.Folder{State: app.FolderIdle, Members: []app.Member{{Device: "anna", Joined: true, NeedBytes: 3e9}}}, "All is here · Anna's laptop is getting 3.0 GB"},
		{
			"the other is off",
			app.Folder{State: app.FolderIdle, Members: []app.Member{{Device: "bert", Joined: true, NeedBytes: 3e9}}},
			"All is here · Bert's PC gets the rest when it is on (last seen yesterday, 22:14)",
		},
		{
			"the other was never reached",
			app.Folder{State: app.FolderIdle, Members: []app.Member{{Device: "nas", Joined: true, NeedBytes: 3e9}}},
			"All is here · NAS gets the rest as soon as it is reached",
		},
		{"done", app.Folder{State: app.FolderIdle, Files: 9123, Bytes: 38e9, Members: []app.Member{{Device: "anna", Joined: true, HasAll: true}}}, "Up to date · 9,123 files, 38 GB"},
	}
	for _, c := range tests {
		if got := folderSentence(c.f, devices, noon); got != c.want {
			t.Errorf("%s: folderSentence() = %q, want %q", c.name, got, c.want)
		}
	}
}

func TestFolderDone(t *testing.T) {
	for _, c := range []struct {
		bytes, need int64
		files       int
		want        float64
	}{
		{0, 0, 0, 1}, {10, 0, 0, 1}, {0, 10, 1, 0}, {5, 5, 1, 0.5}, {1e12, 1, 1, 0.99}, {0, 0, 1, 0}, {10, 0, 1, 0.99},
	} {
		if got := folderDone(app.Folder{Bytes: c.bytes, NeedBytes: c.need, NeedFiles: c.files}); got != c.want {
			t.Errorf("folderDone(%d here, %d needed in %d files) = %v, want %v", c.bytes, c.need, c.files, got, c.want)
		}
	}
}

func TestListed(t *testing.T) {
	for _, c := range []struct {
		names []string
		want  string
	}{
		{nil, ""}, {[]string{"A"}, "A"}, {[]string{"A", "B"}, "A and B"}, {[]string{"A", "B", "C"}, "A, B and C"}, {[]string{"A", "B", "C", "D"}, "A, B and 2 others"},
	} {
		if got := listed(c.names); got != c.want {
			t.Errorf("listed(%q) = %q, want %q", c.names, got, c.want)
		}
	}
}

func TestSharedWith(t *testing.T) {
	s := app.State{
		Devices: []app.Device{{ID: "anna", Name: "Anna\u202e's laptop"}},
		Invitations: []app.OpenInvitation{
			{With: "bob@example.org", Step: app.StepWaiting, Folders: []app.FolderID{"f"}},
			{With: "eve@example.org", Step: app.StepFailed, Folders: []app.FolderID{"f"}},
			{With: "anna@example.org", Step: app.StepPaired, Device: "anna", Folders: []app.FolderID{"f"}},
			{With: "cem@example.org", Step: app.StepWaiting},
		},
	}
	f := app.Folder{ID: "f", Members: []app.Member{{Device: "anna"}, {Device: "gone"}}}
	if got, want := sharedWith(f, s), "with Anna\ufffd's laptop and bob@example.org (invited)"; got != want {
		t.Errorf("sharedWith() = %q, want %q", got, want)
	}
	if got := sharedWith(app.Folder{ID: "alone"}, s); got != "" {
		t.Errorf("sharedWith() of a folder without members = %q, want nothing", got)
	}
}
