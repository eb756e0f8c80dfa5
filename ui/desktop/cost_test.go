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

// What the window may cost.
const (
	maxStart       = time.Second
	maxIdleVisible = 1.2 // percent of one processor
	maxIdleHidden  = 0.7

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
	visible := p.idle("visible")
	if err := p.again("--hidden"); err != nil { // shows nothing
		t.Error(err)
	}
	p.press("ctrl+w")
	s.until("the window is gone", func() bool { return p.visible() == "" })
	hidden := p.idle("hidden")
	if busy(t) {
		return // each of 60 wake-ups a second costs more beside other work
	}
	if visible > maxIdleVisible {
		t.Errorf("an idle window costs %.2f %% of a processor, want at most %.1f", visible, maxIdleVisible)
	}
	if hidden > maxIdleHidden {
		t.Errorf("a hidden window costs %.2f %% of a processor, want at most %.1f", hidden, maxIdleHidden)
	}
}

// idle measures the program for a while, during which nothing is done.
func (p *person) idle(how string) float64 {
	p.t.Helper()
	<-time.After(5 * time.Second) // the start's work is over
	before := p.cpu()
	<-time.After(idleTime)
	percent := 100 * (p.cpu() - before).Seconds() / idleTime.Seconds()
	limit := map[string]float64{"visible": maxIdleVisible, "hidden": maxIdleHidden}[how]
	rss, pss := p.memory()
	p.t.Logf("%-8s and idle for %v  %5.2f %% of a processor (at most %.1f), %d MB RSS, %d MB PSS", how, idleTime, percent, limit, rss>>10, pss>>10)
	return percent
}

// cpu is the processor time of the program so far (proc(5): fields 14 and 15
// of stat, in hundredths of a second on Linux).
func (p *person) cpu() time.Duration {
	p.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.program.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	if err1 != nil || err2 != nil {
		p.t.Fatalf("/proc/PID/stat is %q", b)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

// memory is what the program takes, in KiB.
func (p *person) memory() (rss, pss int) {
	p.t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", p.program.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
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
