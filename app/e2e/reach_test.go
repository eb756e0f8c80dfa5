//go:build reach

package e2e

import (
	"path/filepath"
	"testing"
	"time"

	"foldpost/app"
	"foldpost/mail/mailtest"
)

const mailLatency = 2 * time.Second

// Where Ada and Bob are, by what their routers do.
func adas(kind nat) place { return home(kind, "192.168.1", "198.51.100.2") }
func bobs(kind nat) place { return home(kind, "192.168.2", "203.0.113.2") }

var (
	bobsServer = host("203.0.113.2")
	sixAtBobs  = place{six: "2001:db8:b", routers: []hop{{kind: sixOnly}}}
)

// behindCarrier is a home whose router has no public address either, but one
// of a network that its carrier's router translates.
func behindCarrier(kind nat) place {
	return place{addr: "192.168.1.2", routers: []hop{{likeMost, "100.64.1.2"}, {kind, "198.51.100.2"}}}
}

func both(p place, six string) place { p.six = six; return p }

// TestReach has two people far from each other who know an e-mail address and
// six words: they link, and one folder becomes equal.
func TestReach(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		ada, bob place
	}{
		{"by address and like most", adas(byAddress), bobs(likeMost)},
		{"like most and by address", adas(likeMost), bobs(byAddress)},
		{"full cone and by address", adas(fullCone), bobs(byAddress)},
		{"by address and full cone", adas(byAddress), bobs(fullCone)},
		{"per target and full cone", adas(perTarget), bobs(fullCone)},
		{"per target and by address", adas(perTarget), bobs(byAddress)},
		{"open and like most", adas(open), bobs(likeMost)},
		{"like most and open", adas(likeMost), bobs(open)},
		{"by address and per target", adas(byAddress), bobs(perTarget)},
		{"full cone and per target", adas(fullCone), bobs(perTarget)},
		{"behind a carrier and like most", behindCarrier(likeMost), bobs(likeMost)},
		{"both kinds and IPv6 only", both(adas(likeMost), "2001:db8:a"), sixAtBobs},
		{"IPv6 only and both kinds", sixAtBobs, both(adas(likeMost), "2001:db8:a")},
	} {
		t.Run(c.name, func(t *testing.T) { meet(t, c.ada, c.bob, "quic") })
	}
}

// TestReachWithoutUDP has one of the two in a network that lets none through,
// as in offices.
func TestReachWithoutUDP(t *testing.T) {
	t.Parallel()
	t.Run("ada", func(t *testing.T) { meet(t, adas(noUDP), bobsServer, "tcp") })
	t.Run("bob", func(t *testing.T) { meet(t, bobsServer, adas(noUDP), "tcp") })
}

// meet has two people at two places get to know each other, by a kind of link.
func meet(t *testing.T, atAda, atBob place, link string) {
	t.Parallel()
	w := newInternet(t, mailLatency, "ada@a.example", "bob@b.example")
	ada, bob := w.device("ada", "ada@a.example", atAda), w.device("bob", "bob@b.example", atBob)
	w.getToKnow(ada, bob)
	for _, p := range []*process{ada, bob} {
		if d := p.state().Devices[0]; d.Link != link {
			t.Errorf("%s is linked by %q, want %q", filepath.Base(p.home), d.Link, link)
		}
	}
}

// TestReachAgain has the two come back at other addresses, so that neither
// knows the other's: they find each other again by mail.
func TestReachAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		ada, bob   place
		adas, bobs place         // later
		latency    time.Duration // of mail, later
	}{
		{
			"home and home", adas(likeMost), bobs(likeMost),
			home(likeMost, "192.168.3", "198.51.100.77"), home(likeMost, "192.168.4", "203.0.113.88"), mailLatency,
		},
		{
			"home and host", adas(likeMost), bobsServer,
			home(likeMost, "192.168.3", "198.51.100.77"), host("203.0.113.88"), mailLatency,
		},
		{
			"host and home", bobsServer, adas(likeMost),
			host("203.0.113.88"), home(likeMost, "192.168.3", "198.51.100.77"), mailLatency,
		},
		{
			"slow mail", adas(likeMost), bobs(likeMost),
			home(likeMost, "192.168.3", "198.51.100.77"), home(likeMost, "192.168.4", "203.0.113.88"), time.Minute,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newInternet(t, mailLatency, "ada@a.example", "bob@b.example")
			ada, bob := w.device("ada", "ada@a.example", c.ada), w.device("bob", "bob@b.example", c.bob)
			dirA, dirB := w.getToKnow(ada, bob)

			ada.stop()
			bob.stop()
			w.move("ada", c.adas)
			w.move("bob", c.bobs)
			plant(t, filepath.Join(dirA, "later"), 20, 0)
			w.mail.SetFaults(mailtest.Faults{Delay: c.latency})
			w.findAgain(ada, bob, c.latency)
			ada.do("wait", "--timeout", "120s")
			bob.do("wait", "--timeout", "120s")
			sameTrees(t, dirA, dirB)
		})
	}
}

// getToKnow has ada share a folder of a thousand files with bob, until both
// have it.
func (w *internet) getToKnow(ada, bob *process) (dirA, dirB string) {
	w.t.Helper()
	dirA, dirB = filepath.Join(w.t.TempDir(), "Photos"), filepath.Join(w.t.TempDir(), "Photos of Ada")
	plant(w.t, dirA, 1000, 0)
	w.introduce(ada, bob, dirA)
	bob.eventually("the offer", time.Minute, func() bool { return len(bob.state().Offers) == 1 })
	bob.do("join", "Photos", dirB, "--no-wait")
	ada.do("wait", "--timeout", "120s")
	bob.do("wait", "--timeout", "120s")
	sameTrees(w.t, dirA, dirB)
	return dirA, dirB
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
func (w *internet) findAgain(ada, bob *process, latency time.Duration) {
	w.t.Helper()
	before := len(w.sent(0))
	ada.start()
	bob.start()
	at := ada.must("linked again", ada.when(2*latency+2*time.Minute, isLinked))
	bob.must("linked again", bob.when(10*time.Second, isLinked))
	mails := w.sent(before)
	if len(mails) == 0 {
		w.t.Fatal("linked again without a mail: the two were not apart")
	}
	took := at.Sub(mails[0].at)
	w.t.Logf("linked again %s after the first of %d mails", took.Round(time.Millisecond), len(mails))
	if limit := 2*latency + 3*time.Second; took > limit {
		w.t.Errorf("linked again %s after the first mail, want %s at most", took, limit)
	}
}

func isLinked(s app.State) bool { return len(s.Devices) == 1 && s.Devices[0].Connected }
