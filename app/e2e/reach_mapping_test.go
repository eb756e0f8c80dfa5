//go:build reach

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"foldpost/app"
)

// What a router forwards ports by, as miniupnpd is told.
const (
	byUPnP = "enable_upnp=yes\nenable_natpmp=no"
	byPCP  = "enable_upnp=no\nenable_natpmp=yes" // and NAT-PMP
)

// upnpAddress is of a router that forwards ports: Debian's miniupnpd does not
// work behind an address that is for documentation.
const upnpAddress = "11.22.33.44"

// TestReachMapped has two people link of whom one is behind a router that uses
// another port for each address, and forwards ports to who asks.
func TestReachMapped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		ada, bob place
		by       map[string]string // who has such a router, and what that speaks
	}{
		{"per target with UPnP and like most", home(perTarget, "192.168.1", upnpAddress), bobs(likeMost), map[string]string{"ada": byUPnP}},
		{"like most and per target with UPnP", adas(likeMost), home(perTarget, "192.168.2", upnpAddress), map[string]string{"bob": byUPnP}},
		{"per target with PCP and like most", home(perTarget, "192.168.1", upnpAddress), bobs(likeMost), map[string]string{"ada": byPCP}},
		{"per target and per target with PCP", adas(perTarget), home(perTarget, "192.168.2", upnpAddress), map[string]string{"bob": byPCP}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newInternet(t, mailLatency, "ada@a.example", "bob@b.example")
			ada, bob := w.device("ada", "ada@a.example", c.ada), w.device("bob", "bob@b.example", c.bob)
			for name, by := range c.by {
				w.forwards(name, 0, by)
			}
			for name, p := range map[string]*process{"ada": ada, "bob": bob} {
				if c.by[name] != "" {
					p.stop()
					p.start() // now its router is there
					p.eventually("a forwarded port", 10*time.Second, func() bool { return w.forwarded(name, 0) != "" })
				}
			}
			w.getToKnow(ada, bob)
			mails := len(w.sent(0))
			// Bob's checks had opened his router for Ada before she came: that shows
			// nothing.
			if said := ada.do("doctor", "--json"); c.by["ada"] != "" && !strings.Contains(said, string(app.FoundOpened)) {
				t.Errorf("the doctor of ada does not say that the port is open: %s", said)
			}

			ada.stop()
			bob.stop()
			ada.start()
			bob.start()
			ada.must("linked again", ada.when(15*time.Second, isLinked))
			if n := len(w.sent(0)); n > mails {
				t.Errorf("%d mails to link again, want none: the port is known", n-mails)
			}
			ada.stop()
			bob.stop()
			for name := range c.by {
				if left := w.forwarded(name, 0); left != "" {
					t.Errorf("the router still forwards after the end: %s", left)
				}
			}
		})
	}
}

// TestReachRouterRules has a router open what a device asks for, once, and close
// it when that ends, also what it opened before a crash.
func TestReachRouterRules(t *testing.T) {
	t.Parallel()
	six := place{six: "2001:db8:a", routers: []hop{{kind: sixOnly}}}
	for _, c := range []struct {
		name, by string
		at       place
		chain    string
		rules    int // UDP and TCP of each address
		answer   string
	}{
		{"IPv6 by PCP", byPCP + "\nipv6_disable=no", six, "miniupnpd", 4, "{Way:pcp Gateway"}, // one address is for privacy
		{"IPv4 by PCP", byPCP, home(perTarget, "192.168.1", upnpAddress), "prerouting_miniupnpd", 2, "{Way:pcp Gateway"},
		{"IPv4 by UPnP", byUPnP, home(perTarget, "192.168.1", upnpAddress), "prerouting_miniupnpd", 2, "{Way:upnp Gateway"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newInternet(t, mailLatency, "ada@a.example")
			w.plug("ada", c.at)
			w.forwards("ada", 0, c.by)
			bin, err := program()
			if err != nil {
				t.Fatal(err)
			}
			ada := newProcessAt(t, "ada", bin, filepath.Join(t.TempDir(), "ada"), nil, "ip", "netns", "exec", w.prefix+"ada")
			ada.start()
			rules := func(want int) {
				t.Helper()
				ada.eventually(fmt.Sprint(want, " rules"), 20*time.Second, func() bool {
					all := w.ruled("ada", 0, c.chain)
					return strings.Count(all, "accept")+strings.Count(all, "dnat") == want
				})
			}
			answers := func() int {
				b, err := os.ReadFile(ada.log.Name())
				if err != nil {
					t.Fatal(err)
				}
				return strings.Count(string(b), c.answer)
			}
			rules(c.rules)
			ada.do("config", "port-mapping", "off")
			rules(0)
			ada.do("config", "port-mapping", "on")
			rules(c.rules)
			ada.kill()
			n := answers()
			ada.start()
			ada.eventually("the router's answers", 10*time.Second, func() bool { return answers() >= n+c.rules/2 })
			rules(c.rules) // the same: it is known who asks
			w.ip("-n", w.prefix+"ada", "addr", "add", "10.9.8.7/24", "dev", "eth0")
			if c.at.six == "" {
				ada.eventually("another answer of the router", 10*time.Second, func() bool { return answers() >= n+2 })
				rules(c.rules)
			}
			ada.stop()
			rules(0)
		})
	}
}

// forwards has a router of a host forward ports to who asks for it.
func (w *internet) forwards(name string, i int, by string) {
	w.t.Helper()
	if _, err := exec.LookPath("miniupnpd"); err != nil {
		if out, err := exec.Command("../../assets/linux/apt.sh", "miniupnpd", "miniupnpd-nftables").CombinedOutput(); err != nil {
			w.t.Fatalf("this test needs miniupnpd: %v\n%s", err, out)
		}
	}
	own, dir := routerOf(name, i), w.t.TempDir()
	w.on(own, "nft", `table inet filter {
		chain miniupnpd { }
		chain forward { type filter hook forward priority -1; jump miniupnpd; }
		chain prerouting_miniupnpd { }
		chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
		chain postrouting_miniupnpd { }
		chain postrouting { type nat hook postrouting priority 99; jump postrouting_miniupnpd; }
	}`)
	conf := filepath.Join(dir, "upnp.conf")
	text := fmt.Sprintf(`ext_ifname=wan
listening_ip=lan
port=5000
%s
secure_mode=yes
lease_file=%s/leases
uuid=11111111-2222-3333-4444-555555555555
allow 1024-65535 0.0.0.0/0 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
upnp_forward_chain=miniupnpd
upnp_nat_chain=prerouting_miniupnpd
upnp_nat_postrouting_chain=postrouting_miniupnpd
upnp_table_name=filter
upnp_nat_table_name=filter
`, by, dir)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command("ip", "netns", "exec", w.prefix+own, "miniupnpd", "-d", "-f", conf, "-P", filepath.Join(dir, "pid"))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for ready := false; !ready; time.Sleep(20 * time.Millisecond) {
		b, _ := os.ReadFile(log.Name())
		if ready = strings.Contains(string(b), "istening"); !ready && time.Now().After(deadline) {
			w.t.Fatalf("miniupnpd does not listen: %s", b)
		}
	}
	w.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		log.Close()
		if w.t.Failed() {
			b, _ := os.ReadFile(log.Name())
			w.t.Logf("miniupnpd of %s:\n%s", own, tail(b, 3000))
		}
	})
}

// forwarded lists what a router of a host forwards.
func (w *internet) forwarded(name string, i int) string {
	w.t.Helper()
	return w.ruled(name, i, "prerouting_miniupnpd")
}

// ruled lists the rules of a chain that miniupnpd keeps.
func (w *internet) ruled(name string, i int, chain string) string {
	w.t.Helper()
	out, err := exec.Command("ip", "netns", "exec", w.prefix+routerOf(name, i), "nft", "list", "chain", "inet", "filter", chain).CombinedOutput()
	if err != nil {
		w.t.Fatalf("list the rules of %s: %v\n%s", routerOf(name, i), err, out)
	}
	var rules []string
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "dnat") || strings.Contains(line, "accept") {
			rules = append(rules, strings.TrimSpace(line))
		}
	}
	return strings.Join(rules, "\n")
}
