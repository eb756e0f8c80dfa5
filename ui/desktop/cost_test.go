//go:build desktop

package desktop

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What the window may cost: what a bare window of the toolkit costs in the same
// run, which wakes up 60 times a second, and a little.
const (
	maxStart = time.Second
	allowed  = 0.35 // percent of one processor, beside the bare window

	starts   = 5
	idleTime = 30 * time.Second
)

// TestCost measures how fast the window starts and what it costs while nothing
// happens, without a graphics card.
func TestCost(t *testing.T) {
	s := newSession(t, "1280x900x24")
	best := time.Hour
	var p *person
	for i := range starts {
		if p != nil {
			p.program.stop()
		}
		p = &person{session: s, name: fmt.Sprintf("ada%d", i), home: filepath.Join(s.dir, fmt.Sprint("ada", i))}
		began := time.Now()
		p.begin()
		s.until("the window is there", func() bool { return p.visible() != "" })
		best = min(best, time.Since(began))
	}
	t.Logf("window on the screen after   %4d ms   (at most %d; the best of %d starts)", best.Milliseconds(), maxStart.Milliseconds(), starts)
	if best > maxStart && !busy(t) {
		t.Errorf("the window needs %v to come, want at most %v", best, maxStart)
	}
	bare := func(args ...string) *process {
		return s.start("bare window", append([]string{os.Getenv("BARE")}, args...)...)
	}
	limit := bare()
	s.compare("visible", p.program, limit)
	limit.stop()
	if err := p.again("--hidden"); err != nil { // shows nothing
		t.Error(err)
	}
	p.press("ctrl+w")
	s.until("the window is gone", func() bool { return p.visible() == "" })
	s.compare("hidden", p.program, bare("hidden"))
}

// compare measures the program and a bare window side by side for a while,
// during which nothing is done.
func (s *session) compare(how string, program, bare *process) {
	s.t.Helper()
	<-time.After(5 * time.Second) // the start's work is over
	ours, least := s.cpu(program), s.cpu(bare)
	<-time.After(idleTime)
	percent := func(d time.Duration) float64 { return 100 * d.Seconds() / idleTime.Seconds() }
	cost, limit := percent(s.cpu(program)-ours), percent(s.cpu(bare)-least)
	rss, pss := s.memory(program)
	s.t.Logf("%-8s and idle for %v  %5.2f %% of a processor (a bare window: %.2f), %d MB RSS, %d MB PSS", how, idleTime, cost, limit, rss>>10, pss>>10)
	if cost > limit+allowed && !busy(s.t) {
		s.t.Errorf("a window that is %s costs %.2f %% of a processor, want at most the %.2f of a bare one and %.2f", how, cost, limit, allowed)
	}
}

// cpu is the processor time of the program so far (proc(5): fields 14 and 15
// of stat, in hundredths of a second on Linux).
func (s *session) cpu(p *process) time.Duration {
	s.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	if err1 != nil || err2 != nil {
		s.t.Fatalf("/proc/PID/stat is %q", b)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

// memory is what the program takes, in KiB.
func (s *session) memory(p *process) (rss, pss int) {
	s.t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", p.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fmt.Sscanf(lines.Text(), "Rss: %d kB", &rss)
		fmt.Sscanf(lines.Text(), "Pss: %d kB", &pss)
	}
	return rss, pss
}

// busy is true where so much else went on in the last minute that figures say
// little: they are printed and not judged.
func busy(t *testing.T) bool {
	t.Helper()
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Fatal(err)
	}
	var load float64
	fmt.Sscan(string(b), &load)
	if load < float64(runtime.NumCPU()) {
		return false
	}
	t.Logf("the machine is busy (load %.1f): the figures are not judged", load)
	return true
}
