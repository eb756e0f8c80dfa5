package node

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"foldpost/app"
	"foldpost/p2p"
)

// TestWhyNot: what is known of a device that is not connected, and what its
// user is told of it.
func TestWhyNot(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	tried := []p2p.Tried{{Candidate: p2p.Candidate{Addr: netip.MustParseAddrPort("203.0.113.2:4002"), Kind: p2p.Host}, Dials: 3}}
	answered := []p2p.Tried{{Candidate: tried[0].Candidate, Answered: ago(10 * time.Second)}}
	const dependent, independent, open, blocked = p2p.MappingDependent, p2p.MappingIndependent, p2p.MappingNone, p2p.MappingBlocked
	yesterday, justNow, before := ago(24*time.Hour), ago(time.Minute), ago(2*24*time.Hour)

	for _, c := range []struct {
		name     string
		s        silence
		want     app.Reason
		side     app.Side
		pressing bool
	}{
		{"this computer is on no network", silence{tried: tried}, app.FoundCutOff, app.SideHere, false},
		{"seen yesterday", silence{online: true, tried: tried, lastSeen: yesterday}, app.FoundAway, app.SideThere, false},
		{"seen yesterday, it had written before", silence{online: true, tried: tried, lastSeen: yesterday, wrote: before}, app.FoundAway, app.SideThere, false},
		{"asked just now", silence{online: true, tried: tried, lastSeen: yesterday, asked: justNow, mail: mailOK}, app.FoundAway, app.SideThere, false},
		{"asked an hour ago", silence{online: true, tried: tried, lastSeen: yesterday, asked: ago(time.Hour), mail: mailOK}, app.FoundSilent, app.SideThere, false},
		{"the question came back", silence{online: true, tried: tried, lastSeen: yesterday, asked: justNow, bounced: justNow, mail: mailOK}, app.FoundUndelivered, app.SideThere, true},
		{"cannot be asked", silence{online: true, tried: tried, lastSeen: yesterday, mail: mailBroken}, app.FoundUnasked, app.SideHere, false},
		{"never seen", silence{online: true, tried: tried}, app.FoundNever, "", true},
		{"never seen, asked", silence{online: true, tried: tried, asked: ago(time.Hour)}, app.FoundSilent, app.SideThere, true},
		{"no address", silence{online: true}, app.FoundNowhere, "", true},
		{"no address, no mail", silence{online: true, mail: mailBroken}, app.FoundUnasked, app.SideHere, true},
		{"no address any more", silence{online: true, lastSeen: yesterday}, app.FoundNowhere, "", false},
		{"of another network", silence{online: true, tried: tried, away: true, lastSeen: yesterday}, app.FoundElsewhere, app.SideNetwork, false},
		{"of another network, on", silence{online: true, tried: tried, away: true, lastSeen: yesterday, wrote: justNow}, app.FoundElsewhere, app.SideNetwork, true},
		{"it wrote", silence{online: true, tried: tried, lastSeen: yesterday, wrote: justNow}, app.FoundNoWay, app.SideNetwork, true},
		{"it wrote an hour ago", silence{online: true, tried: tried, lastSeen: yesterday, wrote: ago(time.Hour)}, app.FoundAway, app.SideThere, false},
		{"it wrote, carrier", silence{online: true, tried: tried, wrote: justNow, carrier: true}, app.FoundCarrierHere, app.SideHere, true},
		{"checks are answered", silence{online: true, tried: answered, lastSeen: yesterday}, app.FoundHalfway, app.SideNetwork, true},

		{"its computer is on", silence{online: true, tried: tried, closed: true, lastSeen: yesterday}, app.FoundNotRunning, app.SideThere, false},
		{"heard nearby", silence{online: true, tried: tried, near: true, lastSeen: yesterday}, app.FoundIsolated, app.SideNetwork, true},

		// What both routers do with addresses.
		{"both change ports", silence{online: true, tried: tried, here: dependent, there: dependent}, app.FoundBothChange, app.SideNetwork, true},
		{"both, it wrote", silence{online: true, tried: tried, here: dependent, there: dependent, lastSeen: yesterday, wrote: justNow}, app.FoundBothChange, app.SideNetwork, true},
		{"both, but it met us and is off", silence{online: true, tried: tried, here: dependent, there: dependent, lastSeen: yesterday}, app.FoundAway, app.SideThere, false},
		{"ours", silence{online: true, tried: tried, here: dependent, there: independent}, app.FoundChangesHere, app.SideHere, true},
		{"ours, theirs unknown, it wrote", silence{online: true, tried: tried, here: dependent, wrote: justNow}, app.FoundChangesHere, app.SideHere, true},
		{"ours, theirs unknown", silence{online: true, tried: tried, here: dependent}, app.FoundNever, "", true},
		{"ours, theirs open", silence{online: true, tried: tried, here: dependent, there: open, wrote: justNow}, app.FoundNoWay, app.SideNetwork, true},
		{"theirs", silence{online: true, tried: tried, here: independent, there: dependent}, app.FoundChangesThere, app.SideThere, true},
		{"theirs, ours unknown", silence{online: true, tried: tried, there: dependent}, app.FoundChangesThere, app.SideThere, true},
		{"theirs, ours open", silence{online: true, tried: tried, here: open, there: dependent, wrote: justNow}, app.FoundNoWay, app.SideNetwork, true},
		{"UDP is blocked here", silence{online: true, tried: tried, here: blocked, lastSeen: yesterday}, app.FoundBlockedHere, app.SideHere, true},
		{"there", silence{online: true, tried: tried, there: blocked, lastSeen: yesterday, wrote: justNow}, app.FoundBlockedThere, app.SideThere, true},
		{"there when it was connected", silence{online: true, tried: tried, there: blocked, lastSeen: yesterday}, app.FoundAway, app.SideThere, false},
		{"both friendly", silence{online: true, tried: tried, here: independent, there: independent, wrote: justNow}, app.FoundNoWay, app.SideNetwork, true},
	} {
		c.s.name, c.s.port, c.s.now = "Bob's laptop", 4001, now
		f, pressing := whyNot(c.s)
		if f.Reason != c.want || f.Side != c.side || pressing != c.pressing {
			t.Errorf("%s: whyNot = %s on side %q, pressing %v, want %s on side %q, pressing %v", c.name, f.Reason, f.Side, pressing, c.want, c.side, c.pressing)
		}
		if strings.Contains(f.Text+f.Advice, "{{") || !strings.Contains(f.Text, "Bob's laptop") {
			t.Errorf("%s: whyNot says %q, %q, want whole texts with the name", c.name, f.Text, f.Advice)
		}
	}
}

func TestFindFolders(t *testing.T) {
	list := findFolders([]app.Folder{
		{ID: "a", Name: "A", State: app.FolderIdle},
		{ID: "b", Name: "B", State: app.FolderStopped, Problem: "gone."},
		{ID: "c", Name: "C", State: app.FolderSyncing, Problem: "no room."},
		{ID: "d", Name: "D", State: app.FolderPaused},
	})
	var got []string
	for _, f := range list {
		got = append(got, strings.TrimSpace(f.Text+" "+f.Detail))
	}
	want := "The folder B has stopped. gone.\nSomething on this computer keeps the folder C from being complete. no room.\nFolders that are in order: 2."
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("findFolders = %s\nwant %s", s, want)
	}
}

func TestRoughly(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		want string
	}{{-2 * time.Minute, "2 min"}, {100 * time.Second, "2 min"}, {3 * time.Hour, "3 h"}, {-50 * time.Hour, "2 d"}} {
		if got := roughly(c.d); got != c.want {
			t.Errorf("roughly(%s) = %q, want %q", c.d, got, c.want)
		}
	}
}
