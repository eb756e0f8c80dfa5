package ui

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"foldpost/app"
)

// folderSentence is what a folder does, for people: what is so, whom it waits
// for, and that it goes on by itself where it does.
func folderSentence(f app.Folder, devices []app.Device, now time.Time) string {
	switch f.State {
	case app.FolderStopped:
		return tr("Stopped for now. Nothing is sent or received.")
	case app.FolderPaused:
		if f.PausedUntil.IsZero() {
			return tr("Paused until you resume it.")
		}
		return tr("Paused until {{.When}}.", "When", when(f.PausedUntil, now))
	case app.FolderScanning:
		return tr("Looking through the files on this computer …")
	case app.FolderSyncing:
		return syncingSentence(f, devices, now)
	}
	return idleSentence(f, devices, now)
}

// syncingSentence is for a folder that wants something, or does not know yet
// whether it does.
func syncingSentence(f app.Folder, devices []app.Device, now time.Time) string {
	var parts []string
	if f.NeedBytes > 0 {
		parts = append(parts, tr("{{.Here}} of {{.All}} are here", "Here", bytes(f.Bytes), "All", bytes(f.Bytes+f.NeedBytes)))
	}
	from := memberDevices(f, devices, func(app.Member) bool { return true })
	away, connected := parted(from)
	switch {
	case f.Cause == app.CauseSpace: // no rate of the past leads to an end
		parts = append(parts, tr("waiting for room on the disk"))
	case f.Rate > 0:
		rate := tr("{{.Rate}} a second", "Rate", bytes(f.Rate))
		if len(connected) == 1 {
			rate = tr("{{.Rate}} a second from {{.Name}}", "Rate", bytes(f.Rate), "Name", shown(connected[0].Name))
		}
		parts = append(parts, rate)
		if f.ETAms > 0 {
			parts = append(parts, tr("{{.Time}} left", "Time", about(time.Duration(f.ETAms)*time.Millisecond)))
		}
	case len(connected) > 0:
		parts = append(parts, tr("comparing with {{.Name}} …", "Name", shown(connected[0].Name)))
	case len(away) > 0:
		parts = append(parts, waitSentence(away, now))
	}
	return capital(strings.Join(parts, " · "))
}

// idleSentence is for a folder that has all that it knows of.
func idleSentence(f app.Folder, devices []app.Device, now time.Time) string {
	have := trn(f.Files, "{{.N}} file, {{.Size}}", "{{.N}} files, {{.Size}}", "Size", bytes(f.Bytes))
	if len(f.Members) == 0 {
		return tr("Not shared with a device yet · {{.Have}}", "Have", have)
	}
	if asked := memberDevices(f, devices, func(m app.Member) bool { return !m.Joined }); len(asked) == len(f.Members) {
		return tr("Waiting for a yes on {{.Names}} · {{.Have}}", "Names", namesOf(asked), "Have", have)
	}
	away, connected := parted(memberDevices(f, devices, func(m app.Member) bool { return m.Joined && !m.HasAll }))
	switch {
	case len(connected) > 0:
		need := int64(0)
		for _, m := range f.Members {
			if m.Device == connected[0].ID {
				need = m.NeedBytes
			}
		}
		if need == 0 {
			return tr("All is here · {{.Name}} is getting the last changes", "Name", shown(connected[0].Name))
		}
		return tr("All is here · {{.Name}} is getting {{.Size}}", "Name", shown(connected[0].Name), "Size", bytes(need))
	case len(away) == 1 && away[0].LastSeen.IsZero():
		return tr("All is here · {{.Name}} gets the rest as soon as it is reached", "Name", shown(away[0].Name))
	case len(away) == 1:
		return tr("All is here · {{.Name}} gets the rest when it is on (last seen {{.When}})", "Name", shown(away[0].Name), "When", when(away[0].LastSeen, now))
	case len(away) > 1:
		return tr("All is here · {{.Names}} get the rest when they are on", "Names", namesOf(away))
	}
	return tr("Up to date · {{.Have}}", "Have", have)
}

// waitSentence says for whom a folder waits.
func waitSentence(away []app.Device, now time.Time) string {
	last := slices.MaxFunc(away, func(a, b app.Device) int { return a.LastSeen.Compare(b.LastSeen) })
	switch {
	case len(away) > 1:
		return tr("waiting for one of {{.Names}}. It goes on by itself.", "Names", namesOf(away))
	case last.LastSeen.IsZero():
		return tr("waiting for {{.Name}}, which was not reached yet. It goes on by itself.", "Name", shown(last.Name))
	}
	return tr("waiting for {{.Name}}, which is off or asleep (last seen {{.When}}). It goes on by itself.", "Name", shown(last.Name), "When", when(last.LastSeen, now))
}

// folderDone is how much of a folder is here, from 0 to 1; less than 1 while
// anything is missing.
func folderDone(f app.Folder) float64 {
	if f.NeedFiles == 0 && f.NeedBytes == 0 {
		return 1
	}
	return min(0.99, float64(f.Bytes)/float64(max(1, f.Bytes+f.NeedBytes)))
}

// memberDevices are the devices of the members for which ok.
func memberDevices(f app.Folder, devices []app.Device, ok func(app.Member) bool) (list []app.Device) {
	for _, m := range f.Members {
		if !ok(m) {
			continue
		}
		if d, found := deviceOf(devices, m.Device); found {
			list = append(list, d)
		}
	}
	return list
}

func deviceOf(devices []app.Device, id app.DeviceID) (app.Device, bool) {
	for _, d := range devices {
		if d.ID == id {
			return d, true
		}
	}
	return app.Device{}, false
}

// parted tells who is away from who is connected.
func parted(list []app.Device) (away, connected []app.Device) {
	for _, d := range list {
		if d.Connected {
			connected = append(connected, d)
		} else {
			away = append(away, d)
		}
	}
	return away, connected
}

// sharedWith are the people and devices that a folder is shared with, in words;
// "" if there are none.
func sharedWith(f app.Folder, s app.State) string {
	var names []string
	for _, d := range memberDevices(f, s.Devices, func(app.Member) bool { return true }) {
		names = append(names, shown(d.Name))
	}
	for _, inv := range s.Invitations {
		if inv.Device == "" && inv.Step != app.StepFailed && slices.Contains(inv.Folders, f.ID) {
			names = append(names, tr("{{.Name}} (invited)", "Name", shown(cmp.Or(inv.Name, inv.With))))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return tr("with {{.Names}}", "Names", listed(names))
}

func namesOf(list []app.Device) string {
	var names []string
	for _, d := range list {
		names = append(names, shown(d.Name))
	}
	return listed(names)
}

// listed is a list in words: of more than three, the first two.
func listed(names []string) string {
	switch n := len(names); {
	case n == 0:
		return ""
	case n == 1:
		return names[0]
	case n <= 3:
		return tr("{{.First}} and {{.Last}}", "First", strings.Join(names[:n-1], ", "), "Last", names[n-1])
	default:
		return tr("{{.First}} and {{.N}} others", "First", strings.Join(names[:2], ", "), "N", n-2)
	}
}

// capital begins a sentence.
func capital(s string) string {
	for i, r := range s {
		if i == 0 {
			return strings.ToUpper(string(r)) + s[len(string(r)):]
		}
	}
	return s
}

// percent is a share of 0 to 1 for people.
func percent(done float64) string { return tr("{{.N}} %", "N", int(done*100)) }
