//go:build reach

package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"foldpost/app"
)

const (
	transferSize = 1 << 30
	transferRate = "400mbit"
	maxGap       = 10 * time.Second
	maxSent      = transferSize / 10 * 12 // bytes on the wire
)

// A jolt is what befalls a running transfer.
type jolt struct {
	name string
	do   func(w *internet)
}

// TestReachTransfer has a file of 1 GiB on its way while the network changes:
// it goes on, with no long gap, and what had come is not sent again.
func TestReachTransfer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		ada, bob place
		jolts    []jolt
		link     string // at the end
	}{
		{"from a server", host("198.51.100.2"), bobs(likeMost), []jolt{
			{"bob is renumbered", func(w *internet) {
				w.readdress("bob", 0, home(likeMost, "192.168.77", "203.0.113.2"))
			}},
			{"ada has another public address", func(w *internet) { w.move("ada", host("198.51.100.77")) }},
			{"bob's network lets no UDP through any more", func(w *internet) { w.stopUDP("bob", 0) }},
		}, "tcp"},
		{"between homes", adas(likeMost), bobs(likeMost), []jolt{
			{"bob has another public address", func(w *internet) {
				w.readdress("bob", 1, home(likeMost, "192.168.2", "203.0.113.77"))
			}},
		}, "quic"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newInternet(t, mailLatency, "ada@a.example", "bob@b.example")
			ada, bob := w.device("ada", "ada@a.example", c.ada), w.device("bob", "bob@b.example", c.bob)
			w.on("net", "tc", "qdisc", "add", "dev", "bob", "root", "tbf", "rate", transferRate, "burst", "256kb", "latency", "50ms")
			w.meter("bob", 0)
			dirA, dirB := filepath.Join(t.TempDir(), "Films"), filepath.Join(t.TempDir(), "Films")
			plantLarge(t, filepath.Join(dirA, "holiday.film"))
			w.introduce(ada, bob, dirA)
			bob.eventually("the offer", time.Minute, func() bool { return len(bob.state().Offers) == 1 })
			bob.do("join", "Films", dirB, "--no-wait")

			f := bob.follow()
			for i, j := range c.jolts {
				share := float64(i+1) / float64(len(c.jolts)+1)
				if !f.reaches(int64(share*transferSize), 2*time.Minute) {
					t.Fatalf("the transfer stands at %d bytes before this: %s; devices %+v", f.so(), j.name, bob.state().Devices)
				}
				t.Logf("at %d MiB: %s; longest gap so far %s", f.so()>>20, j.name, f.gap().Round(time.Millisecond))
				j.do(w)
			}
			if !f.reaches(transferSize, 2*time.Minute) {
				t.Fatalf("the transfer stands at %d bytes; devices %+v", f.so(), bob.state().Devices)
			}
			if gap := f.gap(); gap > maxGap {
				t.Errorf("nothing came for %s, want %s at most", gap, maxGap)
			} else {
				t.Logf("longest gap %s", gap.Round(time.Millisecond))
			}
			if d := bob.state().Devices[0]; d.Link != c.link {
				t.Errorf("bob is linked by %q at the end, want %q", d.Link, c.link)
			}
			bob.do("wait", "--timeout", "120s")
			sameTrees(t, dirA, dirB)
			sent := w.metered("bob", 0)
			t.Logf("%d MiB passed bob's router", sent>>20)
			if sent > maxSent {
				t.Errorf("%d bytes passed bob's router for a file of %d, want %d at most", sent, transferSize, maxSent)
			}
		})
	}
}

// plantLarge makes a file that no compression and no block that is there twice
// makes smaller.
func plantLarge(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.CopyN(f, rand.NewChaCha8([32]byte{1}), transferSize); err != nil {
		t.Fatal(err)
	}
}

// An inflow is what a device has got of its only folder so far.
type inflow struct {
	mu      sync.Mutex
	got     int64
	at      time.Time // got grew
	longest time.Duration
	grew    chan struct{} // closed and made anew
}

// follow begins to watch what comes to a device.
func (p *process) follow() *inflow {
	p.t.Helper()
	cmd := p.command("status", "--watch", "--json")
	out, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	f := &inflow{at: time.Now(), grew: make(chan struct{})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for d := json.NewDecoder(bufio.NewReader(out)); ; {
			var s app.State
			if d.Decode(&s) != nil {
				return
			}
			if len(s.Folders) == 1 {
				f.note(s.Folders[0])
			}
		}
	}()
	p.t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
		cmd.Wait()
	})
	return f
}

func (f *inflow) note(s app.Folder) {
	f.mu.Lock()
	defer f.mu.Unlock()
	got := s.Bytes
	for _, m := range s.Moving {
		got += m.Done
	}
	if got <= f.got {
		return
	}
	now := time.Now()
	if f.got > 0 {
		f.longest = max(f.longest, now.Sub(f.at))
	}
	f.got, f.at = got, now
	close(f.grew)
	f.grew = make(chan struct{})
}

func (f *inflow) so() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.got
}

// gap is the longest time in which nothing came.
func (f *inflow) gap() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.longest
}

// reaches waits until so many bytes are there.
func (f *inflow) reaches(n int64, limit time.Duration) bool {
	over := time.After(limit)
	for {
		f.mu.Lock()
		got, grew := f.got, f.grew
		f.mu.Unlock()
		if got >= n {
			return true
		}
		select {
		case <-grew:
		case <-over:
			return false
		}
	}
}
