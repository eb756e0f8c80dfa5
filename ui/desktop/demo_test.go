//go:build desktop

package desktop

import (
	"strings"
	"syscall"
	"testing"
)

// TestWayDemo: the demo shows a window for each of its two people, comes to
// its end before their eyes, and ends when it is told to.
func TestWayDemo(t *testing.T) {
	s := newSession(t, "1600x1000x24")
	demo := s.start("foldpost demo", binary(s), "demo")
	says := func(text string) func() bool {
		return func() bool { return strings.Contains(demo.out.String(), text) }
	}
	shows := func(user string) func() bool {
		return func() bool {
			out, err := s.x("xdotool", "search", "--onlyvisible", "--name", "^Foldpost: "+user)
			return err == nil && out != ""
		}
	}
	s.until("Ada's window is there", shows("Ada"))
	s.until("Bob's window is there", shows("Bob"))
	for _, step := range []string{"2. Ada shares", "4. The two devices", "6. Changes go both ways", "8. Both folders are equal"} {
		s.until(step, says(step))
		s.picture(strings.Fields(step)[1])
	}
	s.until("the demo is at its end", says("Both devices go on syncing"))
	s.picture("end")
	if err := syscall.Kill(demo.cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	<-demo.ended
	if code := demo.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the demo ended with exit code %d:\n%s", code, demo.out)
	}
	if strings.Contains(demo.out.String(), "call thread") {
		t.Errorf("the demo draws on a wrong goroutine:\n%s", demo.out)
	}
}
