//go:build desktop

package desktop

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"foldpost/app"
	"foldpost/app/control"
)

// A person sits before a program of their own: sees its window, points and
// types. Everything goes through the X server; the program only tells what
// is on its screen, because the test has no eyes.
type person struct {
	*session
	name    string
	home    string // of the program
	program *process
	window  string // its id for X; "" if it is not on the screen
	clicks  int
	keys    int
}

// binary is the program, built with the tag uitest.
func binary(s *session) string {
	path := os.Getenv("FOLDPOST")
	if path == "" {
		s.t.Skip("$FOLDPOST names no program; make test-desktop builds it")
	}
	return path
}

// sitDown starts a person's program.
func (s *session) sitDown(name string, args ...string) *person {
	s.t.Helper()
	p := &person{session: s, name: name, home: filepath.Join(s.dir, name)}
	p.begin(args...)
	return p
}

// begin starts the program as a start of the session would.
func (p *person) begin(args ...string) {
	p.t.Helper()
	before := p.env
	p.env = append(p.env[:len(p.env):len(p.env)], watch+"="+p.socket())
	line := append(slices.Clone(p.onto[p.name]), binary(p.session), "--home", p.home)
	p.program = p.start("foldpost of "+p.name, append(line, args...)...)
	p.env = before
}

// watch is the variable that tells the program where to tell what it shows.
const watch = "FOLDPOST_UITEST"

func (p *person) socket() string { return filepath.Join(p.dir, p.name+".uitest") }

// again starts the program once more, as a double click does, and returns how
// it ended.
func (p *person) again(args ...string) error {
	_, err := p.x(append([]string{binary(p.session), "--home", p.home}, args...)...)
	return err
}

// A sight is what the program says is on its screen.
type sight struct {
	Texts   []text
	Focused *text
}

type text struct {
	Text       string
	X, Y, W, H int
	Disabled   bool
}

func (v sight) String() string {
	var all []string
	for _, t := range v.Texts {
		all = append(all, t.Text)
	}
	return strings.Join(all, " ")
}

// find returns the last drawn text that is, or else begins with, what is said.
func (v sight) find(what string) (text, bool) {
	for _, fits := range []func(string) bool{
		func(s string) bool { return s == what },
		func(s string) bool { return strings.HasPrefix(s, what) },
	} {
		for i := len(v.Texts) - 1; i >= 0; i-- {
			if t := v.Texts[i]; fits(t.Text) && !t.Disabled {
				return t, true
			}
		}
	}
	return text{}, false
}

func (p *person) look() sight {
	var v sight
	conn, err := net.Dial("unix", p.socket())
	if err != nil {
		return v
	}
	defer conn.Close()
	json.NewDecoder(conn).Decode(&v) // nothing is seen of a window that is going away
	return v
}

// sees waits until a text is in the window, over several lines perhaps.
func (p *person) sees(what string) sight {
	p.t.Helper()
	var v sight
	p.until(p.name+" sees "+strconv.Quote(what), func() bool {
		v = p.look()
		return strings.Contains(v.String(), what)
	})
	return v
}

// front brings the person's window before the other's.
func (p *person) front() {
	p.t.Helper()
	p.until(p.name+"'s window is on the screen", func() bool {
		p.window = p.visible()
		return p.window != ""
	})
	p.must("xdotool", "windowactivate", "--sync", p.window)
}

// visible is the id of the window if it is on the screen.
func (p *person) visible() string {
	out, err := p.x("xdotool", "search", "--all", "--onlyvisible", "--pid", strconv.Itoa(p.program.cmd.Process.Pid), "--name", "Foldpost")
	if err != nil {
		return ""
	}
	return strings.Fields(out + " ")[0]
}

// click presses what is written so, once it is there.
func (p *person) click(what string) {
	p.t.Helper()
	p.front()
	var at text
	p.until(p.name+" can press "+strconv.Quote(what), func() (ok bool) {
		at, ok = p.look().find(what)
		return ok
	})
	p.clicks++
	p.must("xdotool", "mousemove", "--window", p.window, strconv.Itoa(at.X), strconv.Itoa(at.Y), "click", "1")
}

// types writes into what has the focus.
func (p *person) types(what string) {
	p.t.Helper()
	p.front()
	p.keys += len(what)
	p.must("xdotool", "type", "--delay", "15", what)
}

// press presses keys, as xdotool names them.
func (p *person) press(keys ...string) {
	p.t.Helper()
	p.front()
	p.keys += len(keys)
	p.must(append([]string{"xdotool", "key", "--delay", "30"}, keys...)...)
}

// tabs presses Tab until what is written so has the focus.
func (p *person) tabs(what string) {
	p.t.Helper()
	for range 30 {
		v := p.look()
		at, ok := v.find(what)
		if f := v.Focused; ok && f != nil && within(at.X, f.X, f.W) && within(at.Y, f.Y, f.H) {
			return
		}
		p.press("Tab")
		p.until("the focus moves", func() bool { next := p.look().Focused; return next != nil && (v.Focused == nil || *next != *v.Focused) })
	}
	p.picture("failed")
	p.t.Fatalf("%s does not come to %q by Tab", p.name, what)
}

func within(x, middle, width int) bool { return 2*max(x-middle, middle-x) <= width }

// service asks the person's program from outside, as commands do.
func (p *person) service() app.Service {
	p.t.Helper()
	var svc app.Service
	p.until(p.name+"'s program answers", func() (ok bool) {
		s, _, err := control.Dial(p.t.Context(), p.home)
		svc = s
		return err == nil
	})
	return svc
}

// state waits until the State of the person's program is as wanted.
func (p *person) state(what string, ok func(app.State) bool) app.State {
	p.t.Helper()
	svc := p.service()
	var st app.State
	p.until(p.name+": "+what, func() bool { st = svc.State(); return ok(st) })
	return st
}
