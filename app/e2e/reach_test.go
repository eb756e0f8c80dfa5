//go:build reach

package e2e

import (
	"path/filepath"
	"testing"
	"time"

	"foldpost/app"
)

const (
	mailLatency = 2 * time.Second
	maxMails    = 4 // for one pair, however often it moves
)

var (
	homeOfAda  = place{lan: "192.168.1", public: "198.51.100.2", router: true}
	homeOfBob  = place{lan: "192.168.2", public: "203.0.113.2", router: true}
	hostOfBob  = place{public: "203.0.113.2"}
	otherOfAda = place{lan: "192.168.3", public: "198.51.100.77", router: true}
	otherOfBob = place{lan: "192.168.4", public: "203.0.113.88", router: true}
	otherHost  = place{public: "203.0.113.88"}
)

// TestReach has two people far from each other who know an e-mail address and
// six words: they link, one folder becomes equal, both are at other addresses
// when they come back, and they find each other again.
func TestReach(t *testing.T) {
	for _, c := range []struct {
		name       string
		ada, bob   place
		adas, bobs place // later
	}{
		{"home and home", homeOfAda, homeOfBob, otherOfAda, otherOfBob},
		{"home and host", homeOfAda, hostOfBob, otherOfAda, otherHost},
		{"host and home", hostOfBob, homeOfAda, otherHost, otherOfAda},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newInternet(t, mailLatency, "ada@a.example", "bob@b.example")
			ada, bob := w.device("ada", "ada@a.example", c.ada), w.device("bob", "bob@b.example", c.bob)
			dirA, dirB := filepath.Join(t.TempDir(), "Photos"), filepath.Join(t.TempDir(), "Photos of Ada")
			plant(t, dirA, 1000, 0)

			w.introduce(ada, bob, dirA)
			bob.eventually("the offer", time.Minute, func() bool { return len(bob.state().Offers) == 1 })
			bob.do("join", "Photos", dirB, "--no-wait")
			ada.do("wait", "--timeout", "120s")
			bob.do("wait", "--timeout", "120s")
			sameTrees(t, dirA, dirB)

			ada.stop()
			bob.stop()
			w.move("ada", c.adas)
			w.move("bob", c.bobs)
			plant(t, filepath.Join(dirA, "later"), 20, 0)
			w.findAgain(ada, bob)
			ada.do("wait", "--timeout", "120s")
			bob.do("wait", "--timeout", "120s")
			sameTrees(t, dirA, dirB)

			if all := w.sent(0); len(all) > maxMails {
				t.Errorf("%d mails, want %d at most: %v", len(all), maxMails, all)
			}
		})
	}
}

// introduce has ada share a folder and bob type the words.
func (w *internet) introduce(ada, bob *process, dir string) {
	w.t.Helper()
	words := lastLine(ada.do("share", dir, "bob@b.example", "--no-wait"))
	bob.eventually("invitation by mail", time.Minute, func() bool { return len(bob.state().Questions) > 0 })
	linked := ada.when(time.Minute, isLinked)
	bob.with("\n"+words+"\n", "accept", "-")
	at := ada.must("linked", linked)
	bob.must("linked", bob.when(10*time.Second, isLinked))
	mails := w.sent(1)
	if len(mails) == 0 {
		w.t.Logf("linked before an answer was mailed")
		return
	}
	after := at.Sub(mails[0].at.Add(mailLatency))
	w.t.Logf("linked %s after the answer was delivered", after.Round(time.Millisecond))
	if after > 3*time.Second {
		w.t.Errorf("linked %s after the answer was delivered, want 3s at most", after)
	}
}

// findAgain starts both where they are now.
func (w *internet) findAgain(ada, bob *process) {
	w.t.Helper()
	before := len(w.sent(0))
	ada.start()
	bob.start()
	at := ada.must("linked again", ada.when(2*time.Minute, isLinked))
	bob.must("linked again", bob.when(10*time.Second, isLinked))
	mails := w.sent(before)
	if len(mails) == 0 {
		w.t.Fatal("linked again without a mail: the two were not apart")
	}
	took := at.Sub(mails[0].at)
	w.t.Logf("linked again %s after the first of %d mails", took.Round(time.Millisecond), len(mails))
	if limit := 2*mailLatency + 3*time.Second; took > limit {
		w.t.Errorf("linked again %s after the first mail, want %s at most", took, limit)
	}
}

func isLinked(s app.State) bool { return len(s.Devices) == 1 && s.Devices[0].Connected }
