//go:build reach

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"foldpost/app"
	"foldpost/mail/mailtest"

	"golang.org/x/sys/unix"
)

// An internet is a router in a network namespace of its own, with a mail
// provider at its only address and nothing else: no STUN server, no relay, no
// name server. Hosts are namespaces too. Nothing is made in the machine's own.
type internet struct {
	t      *testing.T
	prefix string // of the namespaces' names
	mail   *mailtest.Server
	ca     string // file

	mu    sync.Mutex
	mails []sentMail
}

// A sentMail was taken by the provider and is delivered when its latency is
// over.
type sentMail struct {
	at      time.Time // taken
	to      string
	subject string
}

var mailAddress = netip.MustParseAddr("192.0.2.25")

// newInternet makes the world for some e-mail addresses.
func newInternet(t *testing.T, latency time.Duration, addresses ...string) *internet {
	t.Helper()
	needs(t)
	w := &internet{t: t, prefix: fmt.Sprintf("foldpost%d-", os.Getpid()), mail: mailtest.New(addresses...)}
	w.namespace("net")
	w.ip("-n", w.prefix+"net", "addr", "add", mailAddress.String()+"/32", "dev", "lo")
	w.on("net", "sysctl", "-qw", "net.ipv4.ip_forward=1")
	if err := within(w.prefix+"net", func() error { return w.mail.ListenAt(mailAddress) }); err != nil {
		t.Fatal(err)
	}
	w.ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(w.ca, w.mail.CA(), 0o600); err != nil {
		t.Fatal(err)
	}
	w.mail.SetFaults(mailtest.Faults{Delay: latency})
	w.mail.Intercept(func(_, to string, raw []byte) []byte {
		w.mu.Lock()
		defer w.mu.Unlock()
		_, subject, _ := strings.Cut(string(raw), "Subject: ")
		subject, _, _ = strings.Cut(subject, "\r\n")
		w.mails = append(w.mails, sentMail{at: time.Now(), to: to, subject: subject})
		return raw
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); w.mail.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return w
}

// needs has what these tests need put on the machine.
func needs(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("network namespaces need root")
	}
	var missing []string
	for tool, pkg := range map[string]string{"ip": "iproute2", "nft": "nftables", "sysctl": "procps", "rsync": "rsync"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing = append(missing, pkg)
		}
	}
	if len(missing) == 0 {
		return
	}
	if out, err := exec.Command("../../assets/linux/apt.sh", missing...).CombinedOutput(); err != nil {
		t.Fatalf("these tests need %s: %v\n%s", strings.Join(missing, " "), err, out)
	}
}

// within runs f on a thread of its own that is in a network namespace.
func within(ns string, f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		file, err := os.Open("/run/netns/" + ns)
		if err == nil {
			defer file.Close()
			err = unix.Setns(int(file.Fd()), unix.CLONE_NEWNET)
		}
		if err != nil {
			done <- fmt.Errorf("enter namespace %s: %w", ns, err)
			return
		}
		done <- f()
	}()
	return <-done
}

func (w *internet) namespace(name string) {
	w.t.Helper()
	w.ip("netns", "add", w.prefix+name)
	w.t.Cleanup(func() { exec.Command("ip", "netns", "del", w.prefix+name).Run() })
	w.ip("-n", w.prefix+name, "link", "set", "lo", "up")
}

func (w *internet) ip(args ...string) {
	w.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		w.t.Fatalf("ip %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (w *internet) on(name string, args ...string) {
	w.t.Helper()
	w.ip(append([]string{"netns", "exec", w.prefix + name}, args...)...)
}

// cable links two namespaces; the first end is the other's way to everywhere.
func (w *internet) cable(up, upDev, upAddr, name, dev string) {
	w.t.Helper()
	w.ip("link", "add", upDev, "netns", w.prefix+up, "type", "veth", "peer", "name", dev, "netns", w.prefix+name)
	w.ip("-n", w.prefix+up, "addr", "add", upAddr+"/24", "dev", upDev)
	w.ip("-n", w.prefix+up, "link", "set", upDev, "up")
}

// address gives an end of a cable its address, in place of any it has.
func (w *internet) address(name, dev, addr, via string) {
	w.t.Helper()
	w.ip("-n", w.prefix+name, "addr", "flush", "dev", dev)
	w.ip("-n", w.prefix+name, "addr", "add", addr+"/24", "dev", dev)
	w.ip("-n", w.prefix+name, "link", "set", dev, "up")
	w.ip("-n", w.prefix+name, "route", "replace", "default", "via", via)
}

// A place is where a computer is plugged in: an address, and the router
// between it and the internet, if there is one.
type place struct {
	lan, public string // three numbers; the whole address
	router      bool
}

func first3(addr string) string { return addr[:strings.LastIndexByte(addr, '.')] }

// plug makes a host and its way to the internet.
func (w *internet) plug(name string, at place) {
	w.t.Helper()
	w.namespace(name)
	if !at.router {
		w.cable("net", name, first3(at.public)+".1", name, "eth0")
		w.move(name, at)
		return
	}
	w.namespace(name + "-router")
	w.cable("net", name, first3(at.public)+".1", name+"-router", "wan")
	w.cable(name+"-router", "lan", at.lan+".1", name, "eth0")
	w.on(name+"-router", "sysctl", "-qw", "net.ipv4.ip_forward=1")
	w.move(name, at)
	// What most home routers do: a port has the same number outside, whoever
	// it talks to, and what nobody inside asked for is dropped.
	w.on(name+"-router", "nft", `table ip home {
		chain out { type nat hook postrouting priority 100; oifname "wan" masquerade; }
		chain through { type filter hook forward priority 0; iifname "wan" ct state new drop; }
		chain in { type filter hook input priority 0; iifname "wan" ct state new drop; }
	}`)
}

// move gives a host other addresses, inside and outside.
func (w *internet) move(name string, at place) {
	w.t.Helper()
	gateway := first3(at.public) + ".1"
	if !at.router {
		w.address(name, "eth0", at.public, gateway)
		return
	}
	w.address(name+"-router", "wan", at.public, gateway)
	w.ip("-n", w.prefix+name+"-router", "addr", "flush", "dev", "lan")
	w.ip("-n", w.prefix+name+"-router", "addr", "add", at.lan+".1/24", "dev", "lan")
	w.address(name, "eth0", at.lan+".2", at.lan+".1")
}

// device starts the program on a host, with a mailbox.
func (w *internet) device(name, email string, at place) *process {
	w.t.Helper()
	w.plug(name, at)
	bin, err := program()
	if err != nil {
		w.t.Fatal(err)
	}
	p := newProcessAt(w.t, name, bin, filepath.Join(w.t.TempDir(), name), nil, "ip", "netns", "exec", w.prefix+name)
	p.start()
	a := w.mail.Account(email)
	p.with(string(a.Password)+"\n", "mailbox", "set", email, "--imap", a.IMAP.String(), "--smtp", a.SMTP.String(), "--ca", w.ca, "--password-file", "-")
	return p
}

// sent lists the mails from the nth on.
func (w *internet) sent(n int) []sentMail {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]sentMail{}, w.mails[min(n, len(w.mails)):]...)
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
		p.t.Fatalf("%s: %s: did not happen; devices %+v", filepath.Base(p.home), what, p.state().Devices)
	}
	return at
}
