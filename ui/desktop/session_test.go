//go:build desktop

package desktop

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// A session is a desktop that nobody sees: an X server, a bus, a window
// manager, notifications and a panel with a tray.
type session struct {
	t     *testing.T
	dir   string // of this session alone; HOME is in it
	shots string // where pictures are kept
	env   []string
	bus   *dbus.Conn
	panel *process
	shot  int
	onto  map[string][]string // what gets a command onto the network of a person's computer
}

// A process was started by the test and ends with it.
type process struct {
	cmd   *exec.Cmd
	out   *logged
	ended chan struct{}
}

// newSession starts a desktop. Where a program is missing the test is skipped.
func newSession(t *testing.T, screen string, env ...string) *session {
	t.Helper()
	notifyd := "/usr/lib/x86_64-linux-gnu/xfce4/notifyd/xfce4-notifyd"
	for _, p := range []string{"Xvfb", "xdotool", "openbox", "xfce4-panel", "dbus-daemon", "import", notifyd} {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed; make test-desktop does that", p)
		}
	}
	s := &session{t: t, dir: t.TempDir(), shots: os.Getenv("SHOTS")}
	if s.shots == "" {
		s.shots = filepath.Join("..", "..", "bin", "desktop")
	}
	s.shots = filepath.Join(s.shots, strings.ReplaceAll(t.Name(), "/", "-"))
	if err := os.RemoveAll(s.shots); err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(s.dir, "home")
	config := filepath.Join(home, ".config/xfce4/xfconf/xfce-perchannel-xml")
	run := filepath.Join(s.dir, "run")
	for _, d := range []string{s.shots, config, run} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	panel, err := os.ReadFile("testdata/xfce4-panel.xml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(config, "xfce4-panel.xml"), panel, 0o600); err != nil {
		t.Fatal(err)
	}
	s.env = []string{
		"HOME=" + home, "XDG_RUNTIME_DIR=" + run, "PATH=" + os.Getenv("PATH"), "LANG=en_US.UTF-8",
		"LIBGL_ALWAYS_SOFTWARE=1", "TMPDIR=" + s.dir, "NO_AT_BRIDGE=1",
	}
	s.env = append(s.env, env...)
	s.startX(screen)
	s.startBus()
	s.start("openbox", "openbox")
	s.start("notifyd", notifyd)
	s.startPanel()
	return s
}

// start runs a program of the session until the test ends.
func (s *session) start(name string, args ...string) *process {
	s.t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = s.env
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p := &process{cmd: cmd, out: &logged{}, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.out, p.out
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("start %s: %v", name, err)
	}
	go func() { cmd.Wait(); close(p.ended) }()
	s.t.Cleanup(func() {
		p.stop()
		if s.t.Failed() && strings.HasPrefix(name, "foldpost") {
			s.t.Logf("%s said:\n%s", name, p.out)
		}
	})
	return p
}

// stop ends a process, kindly first.
func (p *process) stop() {
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(10 * time.Second):
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.ended
	}
}

// logged is what a process says.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// startX starts an X server on a display that is free.
func (s *session) startX(screen string) {
	s.t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", screen, "+extension", "GLX", "-nolisten", "tcp")
	cmd.ExtraFiles = []*os.File{w}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	w.Close()
	s.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		s.t.Fatalf("Xvfb told no display: %v", err)
	}
	s.env = append(s.env, "DISPLAY=:"+strings.TrimSpace(line))
}

func (s *session) startBus() {
	s.t.Helper()
	address := "unix:path=" + filepath.Join(s.dir, "run", "bus")
	s.start("dbus-daemon", "dbus-daemon", "--session", "--nofork", "--address="+address)
	s.env = append(s.env, "DBUS_SESSION_BUS_ADDRESS="+address)
	s.t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
	s.until("the bus answers", func() bool {
		conn, err := openBus(s.t.Context())
		s.bus = conn
		return err == nil
	})
	s.t.Cleanup(func() { s.bus.Close() })
}

func (s *session) startPanel() {
	s.t.Helper()
	s.panel = s.start("panel", "xfce4-panel", "--disable-wm-check")
	s.until("the panel shows tray icons", func() bool { return hasTray(s.t.Context()) })
}

// patience is ample for one step on a busy machine without a graphics card.
const patience = 40 * time.Second

// until looks again and again whether something is so.
func (s *session) until(what string, ok func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			s.picture("failed")
			s.t.Fatalf("waited in vain: %s", what)
		case <-tick.C:
		}
	}
}

// x runs a tool of the session and returns what it prints.
func (s *session) x(args ...string) (string, error) {
	cmd := exec.CommandContext(s.t.Context(), args[0], args[1:]...)
	cmd.Env = s.env
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, errs.String())
	}
	return strings.TrimSpace(out.String()), nil
}

func (s *session) must(args ...string) string {
	s.t.Helper()
	out, err := s.x(args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// picture keeps what is on the screen, once it is the same at two looks: what
// was drawn last may take a moment to be there.
func (s *session) picture(name string) {
	s.shot++
	file := filepath.Join(s.shots, fmt.Sprintf("%02d-%s.png", s.shot, name))
	var last []byte
	for range 5 {
		if _, err := s.x("import", "-window", "root", file); err != nil {
			s.t.Logf("picture %s: %v", name, err)
			return
		}
		b, err := os.ReadFile(file)
		if err != nil || bytes.Equal(b, last) {
			return
		}
		last = b
	}
}
