//go:build lan

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A hub is a network namespace with bridges, and computers that are namespaces
// too. Nothing is made in the machine's own. There is no router, no name
// server, no mail: only what a switch connects.
type hub struct {
	t      *testing.T
	prefix string // of the namespaces' names
	ports  int
}

var hubs atomic.Int32

func newHub(t *testing.T, bridges ...string) *hub {
	t.Helper()
	h := &hub{t: t, prefix: fmt.Sprintf("fplan%d-%d-", os.Getpid(), hubs.Add(1))}
	h.namespace("switch")
	h.on("switch", "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
	for _, b := range bridges {
		h.ip("-n", h.prefix+"switch", "link", "add", "name", b, "type", "bridge", "mcast_snooping", "0")
		h.ip("-n", h.prefix+"switch", "link", "set", b, "up")
	}
	return h
}

// needsLAN has what these tests need put on the machine.
func needsLAN(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("network namespaces need root")
	}
	var missing []string
	for tool, pkg := range map[string]string{"ip": "iproute2", "nft": "nftables", "sysctl": "procps", "avahi-daemon": "avahi-daemon", "avahi-browse": "avahi-utils", "dbus-daemon": "dbus"} {
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

func (h *hub) namespace(name string) {
	h.t.Helper()
	h.ip("netns", "add", h.prefix+name)
	h.t.Cleanup(func() { exec.Command("ip", "netns", "del", h.prefix+name).Run() })
	h.ip("-n", h.prefix+name, "link", "set", "lo", "up")
}

func (h *hub) ip(args ...string) {
	h.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		h.t.Fatalf("ip %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// on runs a command on a computer.
func (h *hub) on(host string, args ...string) {
	h.t.Helper()
	h.ip(append([]string{"netns", "exec", h.prefix + host}, args...)...)
}

// host makes a computer that is plugged in nowhere. Its link-local addresses
// are good at once.
func (h *hub) host(name string) {
	h.t.Helper()
	h.namespace(name)
	h.on(name, "sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0")
}

// plug gives a computer a network card on a bridge; without any address it has
// the link-local one of IPv6.
func (h *hub) plug(host, dev, bridge string, addrs ...string) {
	h.t.Helper()
	h.ports++
	port := fmt.Sprintf("port%d", h.ports)
	h.ip("-n", h.prefix+"switch", "link", "add", "name", port, "type", "veth", "peer", "name", dev, "netns", h.prefix+host)
	h.ip("-n", h.prefix+"switch", "link", "set", port, "master", bridge, "up")
	h.address(host, dev, addrs...)
	h.ip("-n", h.prefix+host, "link", "set", dev, "up")
}

// address gives a network card other addresses of IPv4.
func (h *hub) address(host, dev string, addrs ...string) {
	h.t.Helper()
	h.ip("-n", h.prefix+host, "-4", "addr", "flush", "dev", dev)
	for _, a := range addrs {
		h.ip("-n", h.prefix+host, "addr", "add", a, "dev", dev)
	}
}

// unplug deletes a network card.
func (h *hub) unplug(host, dev string) {
	h.t.Helper()
	h.ip("-n", h.prefix+host, "link", "del", dev)
}

// device makes a process on a computer.
func (h *hub) device(host string) *process {
	h.t.Helper()
	bin, err := program()
	if err != nil {
		h.t.Fatal(err)
	}
	return newProcessAt(h.t, host, bin, filepath.Join(h.t.TempDir(), host), nil, "ip", "netns", "exec", h.prefix+host)
}

// An avahi is a computer's own mDNS program, as most of Linux has it.
type avahi struct {
	h   *hub
	pid string // whose namespaces its tools need
}

// avahi starts Avahi, with a bus of its own for its tools.
func (h *hub) avahi(host string) *avahi {
	h.t.Helper()
	dir := h.t.TempDir()
	conf, ready := filepath.Join(dir, "avahi.conf"), filepath.Join(dir, "ready")
	text := "[server]\nhost-name=" + host + "\nuse-ipv4=yes\nuse-ipv6=yes\n[wide-area]\nenable-wide-area=no\n"
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		h.t.Fatal(err)
	}
	cmd := exec.Command("ip", "netns", "exec", h.prefix+host, "unshare", "-m", "sh", "-c", `
		mount -t tmpfs none /run && mkdir -p /run/dbus /run/avahi-daemon &&
		dbus-daemon --system --nofork --nopidfile & 
		while ! [ -S /run/dbus/system_bus_socket ]; do sleep 0.05; done
		echo $$ > `+ready+`
		exec avahi-daemon -f `+conf+` --no-drop-root --no-chroot --no-rlimits`)
	out, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		h.t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	a := &avahi{h: h}
	h.t.Cleanup(func() {
		exec.Command("sh", "-c", "ip netns pids "+h.prefix+host+" | xargs -r kill").Run()
		cmd.Wait()
		out.Close()
		if h.t.Failed() {
			b, _ := os.ReadFile(out.Name())
			h.t.Logf("log of avahi on %s:\n%s", host, tail(b, 2000))
		}
	})
	for end := time.Now().Add(20 * time.Second); a.pid == "" || a.try("avahi-browse", "-at") != nil; {
		b, _ := os.ReadFile(ready)
		if a.pid = strings.TrimSpace(string(b)); time.Now().After(end) {
			b, _ := os.ReadFile(out.Name())
			h.t.Fatalf("avahi on %s does not answer\n%s", host, b)
		}
		time.Sleep(50 * time.Millisecond)
	}
	return a
}

func (a *avahi) command(args ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"-t", a.pid, "-m", "-n"}, args...)...)
}

func (a *avahi) try(args ...string) error { return a.command(args...).Run() }

// publish announces a service for as long as the test runs.
func (a *avahi) publish(args ...string) {
	a.h.t.Helper()
	cmd := a.command(append([]string{"avahi-publish"}, args...)...)
	if err := cmd.Start(); err != nil {
		a.h.t.Fatal(err)
	}
	a.h.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
}

// found returns the addresses that avahi-browse resolves our service to, with
// the card and family it was heard on: "eth0 IPv4 192.168.1.2".
func (a *avahi) found() []string {
	a.h.t.Helper()
	out, err := a.command("avahi-browse", "-prt", "_foldpost._udp").Output()
	if err != nil {
		a.h.t.Fatalf("avahi-browse: %v", err)
	}
	var list []string
	for line := range strings.Lines(string(out)) {
		if f := strings.Split(line, ";"); f[0] == "=" && len(f) > 8 {
			list = append(list, f[1]+" "+f[2]+" "+f[7])
		}
	}
	slices.Sort(list)
	return list
}
