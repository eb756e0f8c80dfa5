package node

import (
	"testing"
	"time"
)

// TestWhenADeviceIsAsked is the etiquette of mails that no person decided on.
func TestWhenADeviceIsAsked(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for _, tt := range []struct {
		name string
		a    absence
		want bool
	}{
		{"we may have moved, just now", absence{since: ago(10 * time.Second), moved: true}, false},
		{"we may have moved, and have answered a question since", absence{since: ago(15 * time.Second), moved: true, seeking: seeking{Told: ago(3 * time.Second)}}, false},
		{"we may have moved", absence{since: ago(15 * time.Second), moved: true}, true},
		{"just lost", absence{since: ago(20 * time.Second), moved: true, certain: true, waits: true}, false},
		{"we moved", absence{since: ago(30 * time.Second), moved: true, certain: true}, true},
		{"lost under a transfer because we moved", absence{since: now, moved: true, certain: true, waits: true, busy: true}, true},
		{"lost under a transfer, just now", absence{since: ago(time.Second), waits: true, busy: true}, false},
		{"lost under a transfer", absence{since: ago(2 * time.Second), waits: true, busy: true}, true},
		{"lost under a transfer, asked not long ago", absence{since: ago(time.Minute), waits: true, busy: true, seeking: seeking{Asked: ago(5 * time.Hour)}}, false},
		{"it is off, something waits", absence{since: ago(29 * time.Minute), waits: true}, false},
		{"it is off for long, something waits", absence{since: ago(30 * time.Minute), waits: true}, true},
		{"it is off for long, nothing waits", absence{since: ago(100 * time.Hour)}, false},
		{"moved again too soon", absence{since: ago(time.Hour), moved: true, certain: true, seeking: seeking{Asked: ago(5 * time.Hour), Asks: 1}}, false},
		{"moved again", absence{since: ago(time.Hour), moved: true, certain: true, seeking: seeking{Asked: ago(6 * time.Hour), Asks: 5}}, true},
		{"heard of since, moved again too soon", absence{since: ago(time.Hour), moved: true, certain: true, seeking: seeking{Asked: ago(5 * time.Hour)}}, false},
		{"first question without an answer", absence{since: ago(99 * time.Hour), waits: true, seeking: seeking{Asked: ago(7 * time.Hour), Told: ago(7 * time.Hour), Asks: 1}}, true},
		{"second question without an answer", absence{since: ago(99 * time.Hour), waits: true, seeking: seeking{Asked: ago(7 * time.Hour), Told: ago(7 * time.Hour), Asks: 2}}, false},
		{"many", absence{since: ago(999 * time.Hour), waits: true, seeking: seeking{Asked: ago(6 * 24 * time.Hour), Told: ago(6 * 24 * time.Hour), Asks: 1000}}, false},
		{"many, long ago", absence{since: ago(999 * time.Hour), waits: true, seeking: seeking{Asked: ago(8 * 24 * time.Hour), Told: ago(8 * 24 * time.Hour), Asks: 1000}}, true},
		{"we may have moved, no answer", absence{since: ago(99 * time.Hour), moved: true, seeking: seeking{Asked: ago(7 * time.Hour), Asks: 1}}, true},
		{"we may have moved, no answer twice", absence{since: ago(99 * time.Hour), moved: true, seeking: seeking{Asked: ago(7 * time.Hour), Asks: 2}}, false},
		{"we began, it is not there, something waits", absence{since: ago(2 * time.Minute), waits: true, unsure: true}, true},
		{"we began, it is not there, nothing waits", absence{since: ago(2 * time.Hour), unsure: true}, false},
		{"it was told our address an hour ago", absence{since: ago(time.Hour), waits: true, seeking: seeking{Told: ago(time.Hour)}}, false},
	} {
		if got := tt.a.due(now); got != tt.want {
			t.Errorf("%s: due = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestMoved(t *testing.T) {
	here, there := []string{"192.168.1.5:4001", "[2001:db8::5]:4001"}, []string{"10.0.0.3:4001"}
	for _, tt := range []struct {
		now, known []string
		want       bool
	}{
		{here, here, false},
		{here, here[1:], false}, // one address of several changes often
		{there, here, true},
		{here, nil, false}, // it was told nothing yet
		{[]string{"192.168.1.5:4001", "check://198.51.100.1:4001"}, []string{"192.168.1.5:4001", "check://203.0.113.1:4001"}, true},
		{[]string{"192.168.1.7:4001", "check://198.51.100.1:4001"}, []string{"192.168.1.5:4001", "check://198.51.100.1:4001"}, false},
		{[]string{"192.168.1.5:4001"}, []string{"192.168.1.5:4001", "check://203.0.113.1:4001"}, false}, // nobody told us yet
		{[]string{"192.168.1.5:4001", "mapped://198.51.100.1:4001"}, []string{"192.168.1.5:4001", "mapped://203.0.113.1:4001"}, true},
		{[]string{"192.168.1.5:4001", "mapped://203.0.113.1:4001"}, []string{"192.168.1.5:4001", "check://203.0.113.1:50123"}, false}, // one router
		{[]string{"192.168.1.5:4001", "check://203.0.113.1:4001"}, []string{"192.168.1.5:4001", "check://203.0.113.1:50123"}, true},
		{[]string{"192.168.1.5:4001", "mapped://203.0.113.1:4001"}, []string{"192.168.1.5:4001"}, false}, // a router began to forward
	} {
		if got := moved(tt.now, tt.known); got != tt.want {
			t.Errorf("moved(%v, %v) = %v, want %v", tt.now, tt.known, got, tt.want)
		}
	}
}

// TestBudgetOfAutomaticMails: eight in 24 hours, however the clock was set.
func TestBudgetOfAutomaticMails(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := kept{Auto: []time.Time{now.Add(time.Hour)}} // of a clock that was wrong
	for i := range autoPerDay {
		if !s.mayMail(now) {
			t.Fatalf("mail %d of %d refused", i+1, autoPerDay)
		}
	}
	if s.mayMail(now.Add(23 * time.Hour)) {
		t.Error("one mail too many within a day")
	}
	if !s.mayMail(now.Add(24 * time.Hour)) {
		t.Error("refused a day later")
	}
}
