//go:build reach

package e2e

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// A place is where a computer is plugged in.
type place struct {
	addr    string // of the computer; "" where there is no IPv4
	routers []hop  // between it and the internet, the one beside it first
	six     string // three groups: the /48 of IPv6; "" where there is none
}

// A hop is a router that translates IPv4 addresses. Between its own address and
// the one further inside is a network of 24 bits.
type hop struct {
	kind nat
	addr string
}

func host(addr string) place { return place{addr: addr} }

func home(kind nat, lan, public string) place {
	return place{addr: lan + ".2", routers: []hop{{kind, public}}}
}

// A nat is what a router does with the addresses of what goes through it.
type nat string

// The kinds of routers. "Like most" means: a port has the same number outside
// whoever it talks to, and what nobody inside asked for is dropped.
const (
	likeMost  nat = "like most"
	byAddress nat = "by address" // like most, but who was talked to may answer from any port
	fullCone  nat = "full cone"  // like most, but an open port is open to everybody
	perTarget nat = "per target" // another port for each address talked to
	open      nat = "open"       // like most, but what nobody inside asked for is for the router itself
	noUDP     nat = "no UDP"     // like most, without UDP
	sixOnly   nat = "IPv6"       // there is no IPv4
)

const (
	guardInside = `
		chain through { type filter hook forward priority 0; iifname "wan" ct state new ct status dnat accept; iifname "wan" ct state new drop; }`
	plainMost = `chain out { type nat hook postrouting priority 100; oifname "wan" masquerade; }`
	guard     = guardInside + `
		chain in { type filter hook input priority 0; iifname "wan" ct state new drop; }`
)

var rules = map[nat]string{
	likeMost: plainMost,
	byAddress: plainMost + `
		map open { type inet_service . ipv4_addr : ipv4_addr . inet_service; size 65535; flags dynamic,timeout; timeout 2m; }
		chain note { type filter hook postrouting priority 90; oifname "wan" meta l4proto udp update @open { udp sport . ip daddr : ip saddr . udp sport }; }
		chain back { type nat hook prerouting priority -100; iifname "wan" dnat ip to udp dport . ip saddr map @open; }`,
	fullCone: plainMost + `
		map open { type inet_service : ipv4_addr . inet_service; size 65535; flags dynamic,timeout; timeout 2m; }
		chain note { type filter hook postrouting priority 90; oifname "wan" meta l4proto udp update @open { udp sport : ip saddr . udp sport }; }
		chain back { type nat hook prerouting priority -100; iifname "wan" dnat ip to udp dport map @open; }`,
	perTarget: `chain out { type nat hook postrouting priority 100; oifname "wan" masquerade fully-random; }`,
	open:      plainMost,
	noUDP:     plainMost + "\n" + `chain no { type filter hook forward priority -10; meta l4proto udp drop; }`,
}

func first3(addr string) string { return addr[:strings.LastIndexByte(addr, '.')] }

func routerOf(name string, i int) string { return fmt.Sprintf("%s-router%d", name, i) }

// plug makes a host and its way to the internet.
func (w *internet) plug(name string, at place) {
	w.t.Helper()
	w.namespace(name)
	inside, dev := name, "eth0"
	for i, r := range at.routers {
		outside := routerOf(name, i)
		w.namespace(outside)
		w.routes(outside)
		w.ip("link", "add", "lan", "netns", w.prefix+outside, "type", "veth", "peer", "name", dev, "netns", w.prefix+inside)
		w.translate(name, i, r.kind)
		w.onFailure(outside)
		inside, dev = outside, "wan"
	}
	w.ip("link", "add", name, "netns", w.prefix+"net", "type", "veth", "peer", "name", dev, "netns", w.prefix+inside)
	w.move(name, at)
}

// routes has a namespace pass on what is not for itself.
func (w *internet) routes(name string) {
	w.t.Helper()
	w.on(name, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
}

// move gives a host other addresses, inside and outside, in place of any it
// has. The routers stay what they are.
func (w *internet) move(name string, at place) {
	w.t.Helper()
	for i := len(at.routers); i >= 0; i-- {
		w.readdress(name, i, at)
	}
}

// readdress gives one end of one cable its address: the computer's for 0, else
// that of a router of its, outside. What is at the other end of the cable is
// its way to everywhere.
func (w *internet) readdress(name string, i int, at place) {
	w.t.Helper()
	addr, own, dev := at.addr, name, "eth0"
	if i > 0 {
		addr, own, dev = at.routers[i-1].addr, routerOf(name, i-1), "wan"
	}
	up, upDev := "net", name
	if i < len(at.routers) {
		up, upDev = routerOf(name, i), "lan"
	}
	for _, end := range [][2]string{{up, upDev}, {own, dev}} {
		w.ip("-n", w.prefix+end[0], "addr", "flush", "dev", end[1], "scope", "global")
		w.ip("-n", w.prefix+end[0], "link", "set", end[1], "up")
	}
	if addr != "" {
		w.ip("-n", w.prefix+up, "addr", "add", first3(addr)+".1/24", "dev", upDev)
		w.ip("-n", w.prefix+own, "addr", "add", addr+"/24", "dev", dev)
		w.ip("-n", w.prefix+own, "route", "replace", "default", "via", first3(addr)+".1")
	}
	if at.six == "" {
		return
	}
	// The cable to the internet has a network of its own beside the home's.
	net := at.six + ":1"
	if i == len(at.routers) {
		net = at.six + ":ff"
	}
	w.on(own, "sysctl", "-qw", "net.ipv6.conf."+dev+".use_tempaddr=2")
	w.ip("-n", w.prefix+up, "addr", "add", net+"::1/64", "dev", upDev, "nodad")
	w.ip("-n", w.prefix+own, "addr", "add", net+"::2/64", "dev", dev, "nodad", "mngtmpaddr") // and another one, for privacy
	w.ip("-n", w.prefix+own, "-6", "route", "replace", "default", "via", net+"::1")
	if i > 0 {
		w.ip("-n", w.prefix+up, "-6", "route", "replace", at.six+":1::/64", "via", net+"::2")
	}
}

// translate makes a router of a host another kind of router, as if it had been
// replaced: it remembers nothing of what went through it.
func (w *internet) translate(name string, i int, kind nat) {
	w.t.Helper()
	own := routerOf(name, i)
	w.on(own, "nft", `table ip home; delete table ip home;`)
	if kind != sixOnly {
		guard := guard
		if kind == open {
			guard = guardInside
		}
		w.on(own, "nft", "table ip home {\n"+rules[kind]+guard+"\n}")
	}
	w.on(own, "nft", `table ip6 home; delete table ip6 home; table ip6 home {
		chain through { type filter hook forward priority 0; iifname "wan" meta l4proto { tcp, udp } ct state new drop; }
	}`)
	exec.Command("ip", "netns", "exec", w.prefix+own, "conntrack", "-F").Run() // there may be nothing to forget
}

// stopUDP has a router of a host drop UDP from now on, also what flows.
func (w *internet) stopUDP(name string, i int) {
	w.t.Helper()
	w.on(routerOf(name, i), "nft", `table inet blocked {
		chain through { type filter hook forward priority -10; meta l4proto udp drop; }
	}`)
}

// meter counts the bytes that pass a router of a host from now on.
func (w *internet) meter(name string, i int) {
	w.t.Helper()
	w.on(routerOf(name, i), "nft", `table inet tally {
		counter passed { }
		chain through { type filter hook forward priority -20; counter name passed; }
	}`)
}

// metered is what a meter shows.
func (w *internet) metered(name string, i int) int64 {
	w.t.Helper()
	out, err := exec.Command("ip", "netns", "exec", w.prefix+routerOf(name, i), "nft", "list", "counter", "inet", "tally", "passed").Output()
	if err != nil {
		w.t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(out), "bytes ")
	n, err := strconv.ParseInt(strings.Fields(text)[0], 10, 64)
	if err != nil {
		w.t.Fatalf("read meter %q: %v", out, err)
	}
	return n
}

// onFailure shows what a router remembers when the test failed.
func (w *internet) onFailure(name string) {
	w.t.Cleanup(func() {
		if w.t.Failed() {
			out, _ := exec.Command("ip", "netns", "exec", w.prefix+name, "conntrack", "-L").CombinedOutput()
			w.t.Logf("%s:\n%s", name, tail(out, 3000))
		}
	})
}
