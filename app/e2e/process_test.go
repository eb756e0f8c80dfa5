//go:build real || lab || reach || lan

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"foldpost/app"
)

// program is the binary under test, built once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "foldpost-e2e-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "foldpost")
	cmd := exec.Command("go", "build", "-tags", "nogui", "-o", bin, "foldpost")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return bin, nil
})

// A process is a foldpost that runs for a home, and the commands for it.
type process struct {
	t      *testing.T
	bin    string
	home   string
	prefix []string // of each command: how to get onto its host
	listen []string // options of run
	cmd    *exec.Cmd
	log    *os.File
}

// newProcess makes a process on this machine and on loopback.
func newProcess(t *testing.T, name string) *process {
	t.Helper()
	bin, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return newProcessAt(t, name, bin, filepath.Join(t.TempDir(), name), []string{"--listen", "127.0.0.1:0"})
}

func newProcessAt(t *testing.T, name, bin, home string, listen []string, prefix ...string) *process {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, bin: bin, home: home, prefix: prefix, listen: listen, log: log}
	t.Cleanup(func() {
		p.stop()
		log.Close()
		if t.Failed() {
			b, _ := os.ReadFile(log.Name())
			t.Logf("log of %s (its end):\n%s", name, tail(b, 6000))
		}
	})
	return p
}

func tail(b []byte, n int) []byte { return b[max(0, len(b)-n):] }

func (p *process) command(args ...string) *exec.Cmd {
	all := append(append([]string{}, p.prefix...), append([]string{p.bin, "--home", p.home}, args...)...)
	return exec.Command(all[0], all[1:]...)
}

// start starts the program and returns when it answers commands.
func (p *process) start() {
	p.t.Helper()
	p.cmd = p.command(append([]string{"run", "-v", "--no-keyring"}, p.listen...)...)
	p.cmd.Stderr = p.log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.eventually("answers", 20*time.Second, func() bool {
		return p.command("status", "--json").Run() == nil
	})
}

func (p *process) stop() {
	if p.cmd == nil {
		return
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	p.cmd.Wait()
	p.cmd = nil
}

// kill ends the program as a power cut would, as far as a process can tell.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
	p.cmd = nil
}

// A result is what a command said.
type result struct {
	out, talk string
	code      int
}

func (p *process) try(stdin string, args ...string) result {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 3*time.Minute)
	defer cancel()
	cmd := p.command(args...)
	var out, talk bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &talk
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	stop := context.AfterFunc(ctx, func() { cmd.Process.Kill() })
	defer stop()
	err := cmd.Wait()
	r := result{out: out.String(), talk: talk.String()}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		r.code = exit.ExitCode()
	} else if err != nil {
		p.t.Fatalf("foldpost %s: %v", strings.Join(args, " "), err)
	}
	return r
}

// do runs a command that must end with 0 and returns its stdout.
func (p *process) do(args ...string) string { p.t.Helper(); return p.with("", args...) }

func (p *process) with(stdin string, args ...string) string {
	p.t.Helper()
	r := p.try(stdin, args...)
	if r.code != 0 {
		p.t.Fatalf("foldpost %s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.out, r.talk)
	}
	return r.out
}

func (p *process) state() app.State {
	p.t.Helper()
	var s app.State
	if err := json.Unmarshal([]byte(p.do("status", "--json")), &s); err != nil {
		p.t.Fatal(err)
	}
	return s
}

// eventually waits for something that happens outside this process.
func (p *process) eventually(what string, limit time.Duration, ok func() bool) {
	p.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(limit); !ok(); {
		select {
		case <-end:
			p.t.Fatalf("%s: not within %s", what, limit)
		case <-tick.C:
		}
	}
}

// when tells at what time a device's state became as wanted, by the program's
// own stream of states.
func (p *process) when(limit time.Duration, ok func(app.State) bool) <-chan time.Time {
	p.t.Helper()
	cmd := p.command("status", "--watch", "--json")
	out, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	became := make(chan time.Time, 1)
	over := time.AfterFunc(limit, func() { cmd.Process.Kill() })
	go func() {
		defer close(became)
		defer cmd.Wait()
		defer over.Stop()
		for d := json.NewDecoder(bufio.NewReader(out)); ; {
			var s app.State
			if d.Decode(&s) != nil {
				return
			}
			if ok(s) {
				became <- time.Now()
				cmd.Process.Kill()
				return
			}
		}
	}()
	return became
}

// must waits for when.
func (p *process) must(what string, became <-chan time.Time) time.Time {
	p.t.Helper()
	at, ok := <-became
	if !ok {
		devices, _ := json.Marshal(p.state().Devices)
		p.t.Fatalf("%s: %s: did not happen; devices %s", filepath.Base(p.home), what, devices)
	}
	return at
}

// pairByLink is `foldpost pair --link | foldpost accept -`.
func pairByLink(t *testing.T, a, b *process) {
	t.Helper()
	pair := a.command("pair", "--link")
	out, err := pair.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	pair.Stderr = a.log
	if err := pair.Start(); err != nil {
		t.Fatal(err)
	}
	link, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("pair --link: %v", err)
	}
	b.with(link, "accept", "-")
	if err := pair.Wait(); err != nil {
		t.Fatalf("pair --link: %v", err)
	}
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}
