package ui

import (
	"context"
	"slices"
	"strings"
	"time"

	"foldpost/app"
)

// A TrayIcon is one of the pictures that stand for a whole State.
type TrayIcon string

// The tray's icons, as assets.TrayIcon names them.
const (
	TrayIdle      TrayIcon = "idle"
	TraySyncing   TrayIcon = "syncing"
	TrayAttention TrayIcon = "attention"
	TrayPaused    TrayIcon = "paused"
	TrayOffline   TrayIcon = "offline"
)

// A TrayAction is what an entry of the tray's menu does.
type TrayAction string

// The actions of the tray's menu. The one of an entry that only tells
// something is "".
const (
	TrayOpen          TrayAction = "open"
	TrayShare         TrayAction = "share"
	TrayAnswer        TrayAction = "answer" // a question
	TrayPauseHour     TrayAction = "pause-hour"
	TrayPauseTomorrow TrayAction = "pause-tomorrow"
	TrayPauseLong     TrayAction = "pause" // until resumed
	TrayResume        TrayAction = "resume"
	TrayQuit          TrayAction = "quit"
	TrayNearby        TrayAction = "nearby" // look for devices; with an id behind it: link that one
)

// A TrayEntry is one line of the tray's menu. One without text is a line
// between others; one without action and entries cannot be chosen.
type TrayEntry struct {
	Text    string
	Do      TrayAction
	Entries []TrayEntry // of its submenu
}

// A Tray is what the tray shows of a State.
type Tray struct {
	Icon   TrayIcon
	Status string // one line
	Menu   []TrayEntry
}

// TrayOf chooses what the tray shows of a State.
func TrayOf(s app.State) Tray {
	t := trayStatus(s)
	t.Menu = []TrayEntry{{Text: t.Status}, {}, {Text: tr("Open Foldpost"), Do: TrayOpen}}
	if n := len(s.Questions); n > 0 {
		t.Menu = append(t.Menu, TrayEntry{Text: trn(n, "A question for you…", "{{.N}} questions for you…"), Do: TrayAnswer})
	}
	t.Menu = append(t.Menu,
		TrayEntry{Text: tr("Share a folder…"), Do: TrayShare},
		TrayEntry{Text: tr("Devices nearby"), Entries: nearbyEntries(s)},
		TrayEntry{},
	)
	switch {
	case s.Paused:
		t.Menu = append(t.Menu, TrayEntry{Text: tr("Resume syncing"), Do: TrayResume}, TrayEntry{})
	case len(s.Folders) > 0:
		t.Menu = append(t.Menu, TrayEntry{Text: tr("Pause syncing"), Entries: []TrayEntry{
			{Text: tr("For an hour"), Do: TrayPauseHour},
			{Text: tr("Until tomorrow"), Do: TrayPauseTomorrow},
			{Text: tr("Until I resume"), Do: TrayPauseLong},
		}}, TrayEntry{})
	}
	t.Menu = append(t.Menu, TrayEntry{Text: tr("Quit"), Do: TrayQuit})
	return t
}

// nearbyEntries are the devices nearby, each to be linked.
func nearbyEntries(s app.State) []TrayEntry {
	var list []TrayEntry
	for _, d := range s.Nearby {
		list = append(list, TrayEntry{Text: tr("Link with {{.Name}}…", "Name", shown(d.Name)), Do: TrayNearby + TrayAction(d.ID)})
	}
	if len(list) == 0 {
		list = append(list, TrayEntry{Text: tr("Nobody found")})
	}
	return append(list, TrayEntry{Text: tr("Look for devices…"), Do: TrayNearby})
}

// doNearby opens what the tray's menu says about devices nearby.
func (w *Window) doNearby(id app.NearbyID) {
	w.Show()
	if len(w.sheets) > 0 {
		return // somebody may have typed into it
	}
	for _, d := range w.state.Nearby {
		if d.ID == id {
			w.linkNearby(d, nil)
			return
		}
	}
	w.askNearby()
}

// Do does what an entry of the tray's menu says, as far as it is the window's.
func (w *Window) Do(a TrayAction) {
	if id, ok := strings.CutPrefix(string(a), string(TrayNearby)); ok {
		w.doNearby(app.NearbyID(id))
		return
	}
	switch a {
	case TrayOpen:
		w.Show()
	case TrayShare:
		w.Show()
		if len(w.sheets) == 0 {
			w.askShare("")
		}
	case TrayAnswer:
		w.Show()
		w.goTo(place{kind: atHome})
	case TrayPauseHour:
		w.do(func(ctx context.Context) error { return w.svc.Pause(ctx, "", time.Hour) }, w.fail)
	case TrayPauseTomorrow:
		w.do(func(ctx context.Context) error { return w.svc.Pause(ctx, "", UntilTomorrow(w.now())) }, w.fail)
	case TrayPauseLong:
		w.do(func(ctx context.Context) error { return w.svc.Pause(ctx, "", 0) }, w.fail)
	case TrayResume:
		w.do(func(ctx context.Context) error { return w.svc.Resume(ctx, "") }, w.fail)
	case TrayQuit:
		w.app.Quit()
	}
}

// trayStatus says the most important thing of a State.
func trayStatus(s app.State) Tray {
	t := Tray{Icon: TrayIdle}
	conflicts, problems := 0, 0
	var moving []app.Folder
	for _, f := range s.Folders {
		conflicts += f.Conflicts
		if f.Problem != "" {
			problems++
		}
		if f.State == app.FolderSyncing || f.State == app.FolderScanning {
			moving = append(moving, f)
		}
	}
	if s.Mailbox != nil && s.Mailbox.State == "problem" {
		problems++
	}
	switch {
	case len(s.Questions) > 0:
		t.Icon, t.Status = TrayAttention, trn(len(s.Questions), "A question waits for you", "{{.N}} questions wait for you")
	case problems > 0:
		t.Icon, t.Status = TrayAttention, trn(problems, "Something needs you", "{{.N}} things need you")
	case conflicts > 0:
		t.Icon, t.Status = TrayAttention, trn(conflicts, "Two versions of a file were kept", "Two versions of {{.N}} files were kept")
	case s.Paused:
		t.Icon, t.Status = TrayPaused, tr("Paused")
	case cutOff(s):
		t.Icon, t.Status = TrayOffline, tr("No network; changes go out later")
	case len(moving) > 0:
		t.Icon, t.Status = TraySyncing, syncingText(moving)
	case len(s.Folders) == 0:
		t.Status = tr("No folder is shared yet")
	case allPaused(s.Folders):
		t.Icon, t.Status = TrayPaused, tr("All folders are paused")
	case alone(s):
		t.Status = tr("The other devices are off; changes go out later")
	default:
		t.Status = tr("Everything is up to date")
	}
	return t
}

// UntilTomorrow is how long a pause until tomorrow lasts: people begin their
// day at eight, however late they went to bed.
func UntilTomorrow(now time.Time) time.Duration {
	y, m, d := now.Date()
	return time.Date(y, m, d+1, 8, 0, 0, 0, now.Location()).Sub(now)
}

// syncingText says what is under way, and for how long where that is known.
func syncingText(moving []app.Folder) string {
	if !slices.ContainsFunc(moving, func(f app.Folder) bool { return f.State == app.FolderSyncing }) {
		return trn(len(moving), "Looking through a folder", "Looking through {{.N}} folders")
	}
	var eta int64
	for _, f := range moving {
		eta = max(eta, f.ETAms)
	}
	if eta == 0 {
		return trn(len(moving), "Syncing a folder", "Syncing {{.N}} folders")
	}
	return trn(len(moving), "Syncing a folder, {{.Left}} left", "Syncing {{.N}} folders, {{.Left}} left", "Left", about(time.Duration(eta)*time.Millisecond))
}

func allPaused(folders []app.Folder) bool {
	return !slices.ContainsFunc(folders, func(f app.Folder) bool { return f.State != app.FolderPaused })
}

// alone is true where folders are shared with devices, none of which is there.
func alone(s app.State) bool {
	shared := slices.ContainsFunc(s.Folders, func(f app.Folder) bool { return len(f.Members) > 0 })
	return shared && !slices.ContainsFunc(s.Devices, func(d app.Device) bool { return d.Connected })
}
