//go:build reach

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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
	at       time.Time // taken
	from, to string
	subject  string
}

var mailAddresses = []netip.Addr{netip.MustParseAddr("192.0.2.25"), netip.MustParseAddr("2001:db8:25::25")}

// worlds numbers the internets of this run, which are there at the same time.
var worlds atomic.Int32

// newInternet makes the world for some e-mail addresses. It ends with a look
// at how many mails it took.
func newInternet(t *testing.T, latency time.Duration, addresses ...string) *internet {
	t.Helper()
	needs(t)
	sweep(t)
	w := &internet{t: t, prefix: fmt.Sprintf("foldpost%d-%d-", os.Getpid(), worlds.Add(1)), mail: mailtest.New(addresses...)}
	w.namespace("net")
	for _, a := range mailAddresses {
		add := []string{"-n", w.prefix + "net", "addr", "add", netip.PrefixFrom(a, a.BitLen()).String(), "dev", "lo"}
		if a.Is6() {
			add = append(add, "nodad") // it is listened on at once
		}
		w.ip(add...)
	}
	w.routes("net")
	if err := within(w.prefix+"net", func() error { return w.mail.ListenAt(mailAddresses...) }); err != nil {
		t.Fatal(err)
	}
	w.ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(w.ca, w.mail.CA(), 0o600); err != nil {
		t.Fatal(err)
	}
	w.mail.SetFaults(mailtest.Faults{Delay: latency})
	w.mail.Intercept(func(from, to string, raw []byte) []byte {
		w.mu.Lock()
		defer w.mu.Unlock()
		_, subject, _ := strings.Cut(string(raw), "Subject: ")
		subject, _, _ = strings.Cut(subject, "\r\n")
		w.mails = append(w.mails, sentMail{at: time.Now(), from: from, to: to, subject: subject})
		return raw
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); w.mail.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		w.countMails()
	})
	return w
}

// maxMails is for one pair, however often it moves.
const maxMails = 4

func (w *internet) countMails() {
	pairs := map[[2]string][]sentMail{}
	for _, m := range w.sent(0) {
		pair := [2]string{min(m.from, m.to), max(m.from, m.to)}
		pairs[pair] = append(pairs[pair], m)
	}
	for pair, list := range pairs {
		w.t.Logf("%d mails between %s and %s", len(list), pair[0], pair[1])
		if len(list) > maxMails {
			w.t.Errorf("%d mails between %s and %s, want %d at most: %v", len(list), pair[0], pair[1], maxMails, list)
		}
	}
}

// needs has what these tests need put on the machine.
func needs(t *testing.T) {
	t.Helper()
	if err := tools(); err != nil {
		t.Fatal(err)
	}
}

// tools installs once, for all worlds, what is missing.
var tools = sync.OnceValue(func() error {
	if os.Geteuid() != 0 {
		return errors.New("network namespaces need root")
	}
	var missing []string
	for tool, pkg := range map[string]string{
		"ip": "iproute2", "nft": "nftables", "sysctl": "procps", "rsync": "rsync", "conntrack": "conntrack", "tcpdump": "tcpdump",
	} {
		if _, err := exec.LookPath(tool); err != nil {
			missing = append(missing, pkg)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if out, err := exec.Command("../../assets/linux/apt.sh", missing...).CombinedOutput(); err != nil {
		return fmt.Errorf("these tests need %s: %w\n%s", strings.Join(missing, " "), err, out)
	}
	return nil
})

// sweep removes what a killed run left.
func sweep(t *testing.T) {
	t.Helper()
	swept.Do(func() {
		names, err := os.ReadDir("/run/netns")
		if err != nil {
			return // there never was a namespace
		}
		for _, n := range names {
			var pid, world int
			if _, err := fmt.Sscanf(n.Name(), "foldpost%d-%d-", &pid, &world); err != nil || unix.Kill(pid, 0) == nil {
				continue
			}
			out, _ := exec.Command("ip", "netns", "pids", n.Name()).Output()
			for _, left := range strings.Fields(string(out)) {
				if p, err := strconv.Atoi(left); err == nil {
					unix.Kill(p, unix.SIGKILL)
				}
			}
			exec.Command("ip", "netns", "del", n.Name()).Run()
		}
	})
}

var swept sync.Once

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
	p.do("config", "name", name)
	a := w.mail.Account(email)
	if at.addr == "" {
		a.IMAP.Host, a.SMTP.Host = mailAddresses[1].String(), mailAddresses[1].String()
	}
	p.with(string(a.Password)+"\n", "mailbox", "set", email, "--imap", a.IMAP.String(), "--smtp", a.SMTP.String(), "--ca", w.ca, "--password-file", "-")
	return p
}

// sent lists the mails from the nth on.
func (w *internet) sent(n int) []sentMail {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]sentMail{}, w.mails[min(n, len(w.mails)):]...)
}
