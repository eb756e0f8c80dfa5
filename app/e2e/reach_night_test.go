//go:build reach

package e2e

import (
	"testing"
	"time"

	"foldpost/app"
)

// TestReachAtNight gives a router another public address while both computers
// are on, as providers do. Nothing changes in the computers, and nothing waits.
func TestReachAtNight(t *testing.T) {
	t.Parallel()
	otherOfAda, otherOfBob := home(likeMost, "192.168.1", "198.51.100.77"), home(likeMost, "192.168.2", "203.0.113.88")
	for _, c := range []struct {
		name string
		both bool
	}{{"one of the two", false}, {"both", true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newInternet(t, mailLatency, "ada@a.example", "bob@b.example")
			ada, bob := w.device("ada", "ada@a.example", adas(likeMost)), w.device("bob", "bob@b.example", bobs(likeMost))
			w.getToKnow(ada, bob)
			before := len(w.sent(0))
			lost := ada.when(2*time.Minute, func(s app.State) bool { return !isLinked(s) })
			w.readdress("ada", 1, otherOfAda)
			if c.both {
				w.readdress("bob", 1, otherOfBob)
			}
			began := time.Now()
			at := ada.must("lost", lost)
			t.Logf("the link was given up after %s", at.Sub(began).Round(time.Second))
			again := ada.must("linked again", ada.when(3*time.Minute, isLinked))
			bob.must("linked again", bob.when(10*time.Second, isLinked))
			mails := w.sent(before)
			t.Logf("linked again %s after the link was given up, with %d mails", again.Sub(at).Round(time.Second), len(mails))
			if took := again.Sub(at); took > time.Minute {
				t.Errorf("linked again %s after the link was given up, want a minute at most", took)
			}
			if len(mails) > 2 {
				t.Errorf("%d mails, want two at most: %v", len(mails), mails)
			}
		})
	}
}
