//go:build reach

package e2e

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"foldpost/app"
)

// TestReachRelay has two people come back behind routers through which neither
// can call the other. A third device, one's own and always on, relays, and can
// read nothing.
func TestReachRelay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		ada, bob place
		kinds    [2]nat // of the outermost routers, later
	}{
		{"both per target", adas(likeMost), bobs(likeMost), [2]nat{perTarget, perTarget}},
		{"a carrier per target and like most", behindCarrier(likeMost), bobs(likeMost), [2]nat{perTarget, likeMost}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newInternet(t, mailLatency, "ada@a.example", "bob@b.example")
			ada, bob := w.device("ada", "ada@a.example", c.ada), w.device("bob", "bob@b.example", c.bob)
			nas := w.device("nas", "ada@a.example", host("198.18.0.2"))
			dirA, dirB := w.getToKnow(ada, bob)
			w.pair(ada, nas, "ada@a.example")
			w.pair(nas, bob, "bob@b.example")

			ada.stop()
			bob.stop()
			w.translate("ada", len(c.ada.routers)-1, c.kinds[0])
			w.translate("bob", len(c.bob.routers)-1, c.kinds[1])
			plant(t, filepath.Join(dirA, "later"), 20, 0)
			secret := filepath.Join(dirA, "Herbarium", "thorny-petals.txt")
			if err := os.MkdirAll(filepath.Dir(secret), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(secret, bytes.Repeat([]byte("nobody reads this. "), 1000), 0o600); err != nil {
				t.Fatal(err)
			}
			packets := w.capture("nas")
			ada.start()
			bob.start()
			began := time.Now()
			relayedA, relayedB := ada.when(time.Minute, linkedBy("relay", bob)), bob.when(time.Minute, linkedBy("relay", ada))
			t.Logf("linked through the third device after %s", ada.must("relayed", relayedA).Sub(began).Round(time.Millisecond))
			bob.must("relayed", relayedB)
			ada.do("wait", "--timeout", "120s")
			bob.do("wait", "--timeout", "120s")
			sameTrees(t, dirA, dirB)
			seen := packets()
			t.Logf("%d bytes seen at the third device", len(seen))
			if len(seen) < 20_000 {
				t.Errorf("%d bytes passed the third device, want all that was sent", len(seen))
			}
			for _, name := range []string{"Herbarium", "thorny-petals", "nobody reads", "later", "Photos"} {
				if bytes.Contains(seen, []byte(name)) {
					t.Errorf("%q is in what passed the third device", name)
				}
			}
		})
	}
}

// pair has one device invite another by mail.
func (w *internet) pair(inviter, other *process, to string) {
	w.t.Helper()
	words := lastLine(inviter.do("pair", to, "--no-wait"))
	before := len(other.state().Devices)
	other.eventually("invitation by mail", time.Minute, func() bool {
		r := other.try("\n"+words+"\n", "accept", "-", "--no-wait")
		return r.code == 0
	})
	other.eventually("paired", time.Minute, func() bool { return len(other.state().Devices) > before })
	id := other.state().Device.ID
	inviter.eventually("linked", time.Minute, func() bool { return linkedBy("quic", other)(inviter.state()) && id != "" })
}

// linkedBy tells whether a state has a link of a kind to a device.
func linkedBy(kind string, to *process) func(app.State) bool {
	id := to.state().Device.ID
	return func(s app.State) bool {
		for _, d := range s.Devices {
			if d.ID == id {
				return d.Connected && d.Link == kind
			}
		}
		return false
	}
}

// capture records all that a host sends and gets; end returns it.
func (w *internet) capture(name string) (end func() []byte) {
	w.t.Helper()
	file := filepath.Join(w.t.TempDir(), name+".pcap")
	cmd := exec.Command("ip", "netns", "exec", w.prefix+name, "tcpdump", "-i", "eth0", "-s", "0", "-B", "16384", "--immediate-mode", "-U", "-Z", "root", "-w", file)
	says, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	lines := bufio.NewScanner(says)
	for lines.Scan() && !strings.Contains(lines.Text(), "listening") {
	}
	ended := false
	stop := func() {
		if !ended {
			ended = true
			cmd.Process.Signal(syscall.SIGTERM)
			cmd.Wait()
		}
	}
	w.t.Cleanup(stop)
	return func() []byte {
		stop()
		b, err := os.ReadFile(file)
		if err != nil {
			w.t.Fatal(err)
		}
		return b
	}
}
