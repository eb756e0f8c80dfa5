//go:build reach

package e2e

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestReachTURN has two people meet behind such routers, with nothing but a
// TURN server that one of them named.
func TestReachTURN(t *testing.T) {
	t.Parallel()
	w := newInternet(t, mailLatency, "ada@a.example", "bob@b.example")
	w.coturn()
	ada, bob := w.device("ada", "ada@a.example", adas(perTarget)), w.device("bob", "bob@b.example", bobs(perTarget))
	ada.do("config", "turn", "turn:"+mailAddresses[0].String())
	ada.do("config", "turn-user", "ada")
	ada.with("relay me\n", "config", "turn-password", "-")
	dirA, dirB := filepath.Join(t.TempDir(), "Photos"), filepath.Join(t.TempDir(), "Photos of Ada")
	plant(t, dirA, 1000, 0)
	words := lastLine(ada.do("share", dirA, "bob@b.example", "--no-wait"))
	bob.eventually("invitation by mail", time.Minute, func() bool { return len(bob.state().Questions) > 0 })
	began := time.Now()
	bob.with("\n"+words+"\n", "accept", "-", "--no-wait")
	at := ada.must("linked by the server", ada.when(time.Minute, linkedBy("relay", bob)))
	t.Logf("linked by the server %s after the words", at.Sub(began).Round(time.Millisecond))
	bob.eventually("the offer", time.Minute, func() bool { return len(bob.state().Offers) == 1 })
	bob.do("join", "Photos", dirB, "--no-wait")
	ada.do("wait", "--timeout", "120s")
	bob.do("wait", "--timeout", "120s")
	sameTrees(t, dirA, dirB)
}

// coturn starts a TURN server beside the mail server.
func (w *internet) coturn() {
	w.t.Helper()
	if _, err := exec.LookPath("turnserver"); err != nil {
		if out, err := exec.Command("../../assets/linux/apt.sh", "coturn").CombinedOutput(); err != nil {
			w.t.Fatalf("this test needs coturn: %v\n%s", err, out)
		}
	}
	dir := w.t.TempDir()
	cmd := exec.Command("ip", "netns", "exec", w.prefix+"net", "turnserver", "-n", "--lt-cred-mech", "-u", "ada:relay me", "-r", "example.org",
		"-L", mailAddresses[0].String(), "-E", mailAddresses[0].String(), "--no-tls", "--no-dtls", "--no-cli", "--log-file", filepath.Join(dir, "log"),
		"--pidfile", filepath.Join(dir, "pid"), "--userdb", filepath.Join(dir, "users"))
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
}
