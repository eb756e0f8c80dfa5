//go:build lab

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestLab pairs two hosts of a lab of network namespaces by e-mail: alice on a
// public host, bob behind his router, each with a mail provider, and no
// address given by hand. What crosses the network is recorded: neither the
// words nor a name of folder or file may be in it, nor in the stored mail.
//
// LAB is the path of the script that builds the lab.
func TestLab(t *testing.T) {
	l := newLab(t, "homeb")
	alice, bob := l.process("alice", "pub1"), l.process("bob", "b1")
	l.mailbox(alice, "alice@a.test", "mail.a.test")
	l.mailbox(bob, "bob@b.test", "mail.b.test")
	l.run("pub1", "mkdir -p '/root/Secret Garden'/roses; cd '/root/Secret Garden'; for i in $(seq 200); do echo petal $i >roses/thorny-$i.txt; done; head -c 5000000 /dev/urandom >orchid.bin")

	words := lastLine(alice.do("share", "/root/Secret Garden", "bob@b.test", "--no-wait"))
	if n := len(strings.Fields(words)); n != 6 {
		t.Fatalf("share printed %q, want six words", words)
	}
	bob.eventually("invitation by mail", time.Minute, func() bool { return len(bob.state().Questions) > 0 })
	bob.with("\n"+words+"\n", "accept", "-")
	bob.eventually("the offer", time.Minute, func() bool { return len(bob.state().Offers) == 1 })
	bob.do("join", "Secret Garden", "/root/Garden", "--no-wait")
	alice.do("wait", "--timeout", "120s")
	bob.do("wait", "--timeout", "120s")
	if a, b := l.sum("pub1", "/root/Secret Garden"), l.sum("b1", "/root/Garden"); a != b || a == "" {
		t.Errorf("the folders differ: %s and %s", a, b)
	}
	t.Logf("linked: %+v", bob.state().Devices)

	secrets := append(strings.Fields(words), "Secret Garden", "thorny-", "orchid", "roses")
	secrets = append(secrets, words, strings.ReplaceAll(words, " ", ""), strings.ReplaceAll(words, " ", "-"))
	mail := l.run("maila", "cat $(find /var/mail /var/spool/postfix -type f) </dev/null") + l.run("mailb", "cat $(find /var/mail /var/spool/postfix -type f) </dev/null")
	if !strings.Contains(mail, "Foldpost-Version") {
		t.Errorf("no mail of ours is stored on the servers: the search below means nothing")
	}
	packets := l.packets()
	for _, s := range secrets {
		if len(s) >= 5 && bytes.Contains(packets, []byte(s)) { // shorter ones are in any noise
			t.Errorf("%q is in the packets", s)
		}
		if strings.Contains(mail, s) && (len(s) > 9 || strings.Contains(s, " ") || strings.HasSuffix(s, "-")) {
			t.Errorf("%q is in the stored mail", s)
		}
	}
}

// A lab is a set of hosts that a script made, and what their network carries.
type lab struct {
	t      *testing.T
	script string
	dir    string // visible on each host under the same path
	pcap   string
}

func newLab(t *testing.T, lans ...string) *lab {
	script := os.Getenv("LAB")
	if script == "" {
		t.Fatal("LAB is not set: it names the script that builds the lab")
	}
	dir := os.Getenv("LAB_DIR")
	if dir == "" {
		dir = filepath.Join(os.TempDir(), "foldpost-lab")
	}
	l := &lab{t: t, script: script, dir: dir, pcap: filepath.Join(dir, "packets.pcap")}
	exec.Command("python3", script, "down").Run()
	if out, err := exec.Command("python3", append([]string{script, "up"}, lans...)...).CombinedOutput(); err != nil {
		t.Fatalf("lab up: %v\n%s", err, out)
	}
	t.Cleanup(func() { exec.Command("python3", script, "down").Run() })
	bin, err := program()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", bin, filepath.Join(dir, "foldpost")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dump := exec.Command("python3", script, "exec", "fabric", "tcpdump", "-i", "any", "-U", "-w", l.pcap)
	if err := dump.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dump.Process.Kill(); dump.Wait() })
	return l
}

func (l *lab) process(name, host string) *process {
	p := newProcessAt(l.t, name, filepath.Join(l.dir, "foldpost"), "/root/foldpost-home", nil, "python3", l.script, "exec", host)
	l.t.Cleanup(func() { exec.Command("python3", l.script, "exec", host, "pkill", "-x", "foldpost").Run() })
	p.start()
	return p
}

func (l *lab) mailbox(p *process, address, server string) {
	l.t.Helper()
	user, _, _ := strings.Cut(address, "@")
	p.with(user+"-pw\n", "mailbox", "set", address, "--imap", server+":993", "--smtp", server+":465", "--password-file", "-")
}

func (l *lab) run(host, script string) string {
	l.t.Helper()
	out, err := exec.Command("python3", l.script, "exec", host, "bash", "-c", script).CombinedOutput()
	if err != nil {
		l.t.Fatalf("on %s: %v\n%s", host, err, out)
	}
	return string(out)
}

func (l *lab) sum(host, dir string) string {
	return l.run(host, "cd '"+dir+"' && find . -path ./.foldpost -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum")
}

func (l *lab) packets() []byte {
	l.t.Helper()
	b, err := os.ReadFile(l.pcap)
	if err != nil || len(b) < 1<<20 {
		l.t.Errorf("only %d bytes of packets were recorded (%v)", len(b), err)
	}
	return b
}
