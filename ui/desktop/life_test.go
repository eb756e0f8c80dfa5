//go:build desktop

package desktop

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestWayLife: a window begins in the tray, shows a program that runs without
// one, says when that ends, goes on by itself when it is back, and else runs it
// in its own process.
func TestWayLife(t *testing.T) {
	s := newSession(t, "1280x900x24")
	p := &person{session: s, name: "ada", home: filepath.Join(s.dir, "ada")}
	run := func() *process { return s.start("foldpost run", binary(s), "--home", p.home, "run") }

	first := run()
	p.service()
	p.begin("--hidden")
	s.until("the tray icon is there", p.hasIcon)
	s.until("the tray says what is so", func() bool { return p.tooltip() == "Foldpost: No folder is shared yet" })
	if id := p.visible(); id != "" {
		t.Error("a window that was to begin in the tray is on the screen")
	}
	if err := p.again("--hidden"); err != nil {
		t.Errorf("a hidden second start: %v", err)
	}
	if id := p.visible(); id != "" {
		t.Error("a hidden second start brings the window to the screen")
	}
	p.choose("Share a folder…")
	p.front()
	p.sees("Share it with")
	s.picture("share-from-tray")

	first.stop()
	p.sees("Foldpost has ended")
	s.until("the tray says so too", func() bool { return p.tooltip() == "Foldpost: Foldpost does not run" })
	s.picture("ended")
	second := run()
	p.sees("What brings you here?")
	s.until("the tray says that it is back", func() bool { return p.tooltip() == "Foldpost: No folder is shared yet" })

	second.stop()
	p.click("Start it here")
	p.sees("What brings you here?")
	p.service()
	p.choose("Quit")
	<-p.program.ended
	if code := p.program.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the program ended with exit code %d", code)
	}
	if out := p.program.out.String(); strings.Contains(out, "call thread") {
		t.Errorf("the program draws on a wrong goroutine:\n%s", out)
	}
}

// TestWayOneWindow: of several starts at the same time one gets the window, and
// the others hand over and end.
func TestWayOneWindow(t *testing.T) {
	s := newSession(t, "1280x900x24")
	home := filepath.Join(s.dir, "ada")
	const starts = 4
	ended := make(chan *process, starts)
	for range starts {
		p := s.start("foldpost", binary(s), "--home", home)
		go func() { <-p.ended; ended <- p }()
	}
	for range starts - 1 {
		p := <-ended
		if code := p.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("a start beside others ended with exit code %d and said %s", code, p.out)
		}
	}
	s.until("there is one window", func() bool {
		out, err := s.x("xdotool", "search", "--onlyvisible", "--name", "^Foldpost$")
		return err == nil && len(strings.Fields(out)) == 1
	})
	select {
	case p := <-ended:
		t.Errorf("no start has the window; the last said %s", p.out)
	default:
	}
}

// TestWayWithoutBus: without a session bus there is no tray, so closing ends
// the program; where no X server answers it says what to do instead.
func TestWayWithoutBus(t *testing.T) {
	s := newSession(t, "1280x900x24")
	s.env = append(s.env, "DBUS_SESSION_BUS_ADDRESS=unix:path="+filepath.Join(s.dir, "none"))
	p := s.sitDown("ada")
	p.sees("What brings you here?")
	p.press("ctrl+w")
	<-p.program.ended
	if code := p.program.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the program ended with exit code %d and said %s", code, p.program.out)
	}
	s.env = append(s.env, "DISPLAY=:63")
	if err := p.again(); err == nil || !strings.Contains(err.Error(), "no display") {
		t.Errorf("a start without a display: %v, want that there is none", err)
	}
}

// TestWayWrongStart: what goes wrong before there is a window is shown in one,
// because nobody reads what a double click prints.
func TestWayWrongStart(t *testing.T) {
	s := newSession(t, "1280x900x24")
	p := s.sitDown("ada", filepath.Join(s.dir, "missing.foldpost"))
	p.sees("There is no file")
	s.picture("missing")

	home := filepath.Join(s.dir, "full")
	put(t, filepath.Join(home, "thesis.txt"), []byte("not a home"))
	wrong := &person{session: s, name: "wrong", home: home}
	wrong.begin()
	wrong.front()
	s.picture("no-home")
	wrong.press("Escape")
	<-wrong.program.ended
	if out := wrong.program.out.String(); wrong.program.cmd.ProcessState.ExitCode() == 0 || !strings.Contains(out, "other files in it") {
		t.Errorf("a start with a directory of something else ended with exit code %d and said %q", wrong.program.cmd.ProcessState.ExitCode(), out)
	}
}
