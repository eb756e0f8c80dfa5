//go:build real

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"foldpost/app"
)

// TestRealLink is the whole way without mail: two processes, a
// link, and the commands that a script would use.
func TestRealLink(t *testing.T) {
	installed(t)
	a, b := newProcess(t, "a"), newProcess(t, "b")
	a.start()
	b.start()
	dirA, dirB := filepath.Join(t.TempDir(), "Harz 2026"), filepath.Join(t.TempDir(), "joined")
	plant(t, dirA, 2000, 200<<20)
	pairByLink(t, a, b)

	peer := a.state().Devices[0]
	a.do("share", dirA, peer.Name, "--no-wait")
	b.eventually("the offer", 20*time.Second, func() bool { return len(b.state().Offers) == 1 })
	check := b.do("join", "Harz 2026", dirB, "--check")
	if !strings.Contains(check, "only there") && !strings.Contains(check, "Only there") {
		t.Errorf("join --check printed %q, want what is only there", check)
	}
	if _, err := os.Stat(dirB); err == nil {
		t.Errorf("join --check made %s", dirB)
	}
	b.do("join", "Harz 2026", dirB, "--no-wait")
	needed := false
	b.eventually("need_files is 0 after it was not", 2*time.Minute, func() bool {
		fs := b.state().Folders
		if len(fs) != 1 {
			return false
		}
		needed = needed || fs[0].NeedFiles > 0 && fs[0].NeedBytes > 0
		return needed && fs[0].NeedFiles == 0 && fs[0].State == app.FolderIdle
	})
	a.do("wait", "--timeout", "60s")
	b.do("wait", "--timeout", "60s")
	sameTrees(t, dirA, dirB)
	for p, dir := range map[*process]string{a: dirA, b: dirB} {
		f := p.state().Folders[0]
		if files, size := countFiles(t, dir); f.Files != files || f.Bytes != size {
			t.Errorf("status of %s: %d files, %d bytes; find: %d, %d", p.home, f.Files, f.Bytes, files, size)
		}
	}

	b.cmd.Process.Signal(syscall.SIGSTOP)
	if err := os.WriteFile(filepath.Join(dirA, "while stopped.txt"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if r := a.try("", "wait", "--timeout", "5s"); r.code != 3 {
		t.Errorf("wait while the other process is stopped: exit %d, want 3\n%s", r.code, r.talk)
	}
	b.cmd.Process.Signal(syscall.SIGCONT)
	if r := a.try("", "wait", "--timeout", "60s"); r.code != 0 {
		t.Errorf("wait after it goes on: exit %d, want 0\n%s", r.code, r.talk)
	}
	sameTrees(t, dirA, dirB)
}

// TestRealMail pairs two processes by e-mail through Postfix and Dovecot, syncs a
// thousand files both ways and kills one of them in the middle.
func TestRealMail(t *testing.T) {
	ca := startMailServer(t)
	a, b := newProcess(t, "a"), newProcess(t, "b")
	for p, user := range map[*process]string{a: "alice@a.test", b: "bob@b.test"} {
		p.start()
		password := strings.Split(user, "@")[0] + "-pw\n"
		args := []string{"mailbox", "set", user, "--imap", "127.0.0.1:15993", "--smtp", "127.0.0.1:15465", "--ca", ca, "--password-file", "-"}
		if r := p.try("wrong\n", args...); r.code != 1 || !strings.Contains(r.talk, "password") {
			t.Errorf("mailbox set with a wrong password: exit %d, %q", r.code, r.talk)
		}
		p.with(password, args...)
		p.do("mailbox", "test")
	}
	dirA, dirB := filepath.Join(t.TempDir(), "Letters"), filepath.Join(t.TempDir(), "Letters of Alice")
	plant(t, dirA, 500, 24<<20)
	for i := range 500 {
		path := filepath.Join(dirB, "of Bob", fmt.Sprintf("%d", i%7), fmt.Sprintf("bob %d", i))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, noise(newRand(i), 900), 0o644); err != nil {
			t.Fatal(err)
		}
	}

	words := strings.TrimSpace(a.do("share", dirA, "bob@b.test", "--no-wait"))
	if n := len(strings.Fields(lastLine(words))); n != 6 {
		t.Fatalf("share printed %q, want six words in the last line", words)
	}
	b.eventually("invitation by mail", 30*time.Second, func() bool { return len(b.state().Questions) > 0 })
	b.with("\n"+lastLine(words)+"\n", "accept", "-")
	b.eventually("the offer", 20*time.Second, func() bool { return len(b.state().Offers) == 1 })
	b.do("join", "Letters", dirB, "--no-wait")
	b.eventually("some files came", 60*time.Second, func() bool {
		fs := b.state().Folders
		return len(fs) == 1 && fs[0].Files > 520
	})
	b.kill()
	b.start()
	a.do("wait", "--timeout", "120s")
	b.do("wait", "--timeout", "120s")
	sameTrees(t, dirA, dirB)
	if n, _ := countFiles(t, dirA); n < 1000 {
		t.Errorf("%d files, want at least 1000", n)
	}
	if c := a.state().Folders[0].Conflicts; c != 0 {
		t.Errorf("%d conflicts, want none", c)
	}
}

// installed has what these tests need beside Go put on the machine, and
// returns the script that starts the mail server.
func installed(t *testing.T) (script string) {
	t.Helper()
	script, err := filepath.Abs("mailserver.sh")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(script, "install").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return script
}

func startMailServer(t *testing.T) (ca string) {
	t.Helper()
	script := installed(t)
	dir, err := os.MkdirTemp("", "foldpost-mail-") // Postfix's own users go through it
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(script, "start", dir).CombinedOutput(); err != nil {
		t.Fatalf("mail server: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command(script, "stop", dir).CombinedOutput(); err != nil {
			t.Logf("mail server: %v\n%s", err, out)
		}
		if t.Failed() {
			for _, name := range []string{"postfix.log", "dovecot.log"} {
				b, _ := os.ReadFile(filepath.Join(dir, name))
				t.Logf("%s:\n%s", name, tail(b, 3000))
			}
		}
		os.RemoveAll(dir)
	})
	return filepath.Join(dir, "ca.pem")
}
