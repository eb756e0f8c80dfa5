//go:build lan

package e2e

import (
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"foldpost/app"
)

// TestLAN has real processes find each other in networks without anything else
// in them: no mailbox is set anywhere, and no host has a default route.
func TestLAN(t *testing.T) {
	needsLAN(t)
	if !testing.Short() {
		defer killed(t)() // two minutes pass meanwhile
	}
	t.Run("three start and one leaves", threeStartAndOneLeaves)
	t.Run("three words", threeWords)
	t.Run("strangers see no name", strangersSeeNoName)
	t.Run("stale addresses", staleAddresses)
	t.Run("IPv6 alone", ipv6Alone)
	t.Run("two cards", twoCards)
	t.Run("a card is made again", cardMadeAgain)
	t.Run("renumbering during a transfer", renumberingDuringTransfer)
	t.Run("a transfer moves to the local network", transferMoves)
	t.Run("avahi", withAvahi)
	t.Run("another program has the port", portTaken)
	t.Run("no multicast", noMulticast)
}

func sees(n int) func(app.State) bool { return func(s app.State) bool { return len(s.Nearby) == n } }

// killed has one of two computers cut off; what it returns waits until the
// other has forgotten it.
func killed(t *testing.T) func() {
	h := newHub(t, "lan")
	for _, name := range []string{"a", "b"} {
		h.host(name)
	}
	h.plug("a", "eth0", "lan", "192.168.7.1/24")
	h.plug("b", "eth0", "lan", "192.168.7.2/24")
	a, b := h.device("a"), h.device("b")
	a.start()
	b.start()
	a.must("sees the other", a.when(10*time.Second, sees(1)))
	gone := a.when(3*time.Minute, sees(0))
	b.kill()
	at := time.Now()
	return func() {
		if took := a.must("forgets who was killed", gone).Sub(at); took < 60*time.Second || took > 125*time.Second {
			t.Errorf("who was killed is forgotten after %s, want within its time to live of 120s", took)
		} else {
			t.Logf("who was killed is forgotten after %s", took)
		}
	}
}

func threeStartAndOneLeaves(t *testing.T) {
	h := newHub(t, "lan")
	var list []*process
	for _, name := range []string{"a", "b", "c"} {
		h.host(name)
		list = append(list, h.device(name))
	}
	h.plug("a", "eth0", "lan", "192.168.7.1/24")
	h.plug("b", "eth0", "lan", "192.168.7.2/24")
	h.plug("c", "eth0", "lan", "192.168.7.3/24")
	began := time.Now()
	for _, p := range list {
		p.start()
	}
	for _, p := range list {
		if took := p.must("sees the others", p.when(10*time.Second, sees(2))).Sub(began); took > 2*time.Second {
			t.Errorf("%s sees both others %s after the first began, want 2s at most", filepath.Base(p.home), took)
		} else {
			t.Logf("%s sees both others after %s", filepath.Base(p.home), took)
		}
	}
	left := list[0].when(10*time.Second, sees(1))
	other := list[1].when(10*time.Second, sees(1))
	began = time.Now()
	list[2].stop()
	for i, c := range []<-chan time.Time{left, other} {
		if took := list[i].must("hears the goodbye", c).Sub(began); took > 500*time.Millisecond {
			t.Errorf("a goodbye is heard after %s, want 0.5s at most", took)
		}
	}
}

// pairOf makes two linked devices on a bridge, which know each other's
// addresses there.
func pairOf(t *testing.T, h *hub) (a, b *process) {
	t.Helper()
	h.host("a")
	h.host("b")
	h.plug("a", "eth0", "lan", "192.168.7.1/24")
	h.plug("b", "eth0", "lan", "192.168.7.2/24")
	a, b = h.device("a"), h.device("b")
	a.start()
	b.start()
	pairByLink(t, a, b)
	linkedAt(t, a, b, time.Now(), 10*time.Second, "")
	return a, b
}

// linkedAt waits until both are linked, at an address that begins in a way, and
// wants it within some time.
func linkedAt(t *testing.T, a, b *process, since time.Time, limit time.Duration, begin string) {
	t.Helper()
	is := func(s app.State) bool { return isLinked(s) && strings.HasPrefix(s.Devices[0].Address, begin) }
	ca, cb := a.when(30*time.Second, is), b.when(30*time.Second, is)
	for p, c := range map[*process]<-chan time.Time{a: ca, b: cb} {
		took := p.must("is linked at "+begin, c).Sub(since)
		t.Logf("%s: linked at %s… after %s", filepath.Base(p.home), begin, took)
		if took > limit {
			t.Errorf("%s: linked at %s… after %s, want %s at most", filepath.Base(p.home), begin, took, limit)
		}
	}
}

func isLinked(s app.State) bool { return len(s.Devices) == 1 && s.Devices[0].Connected }

func notLinked(s app.State) bool { return len(s.Devices) == 1 && !s.Devices[0].Connected }

// staleAddresses has two devices come into one network that know no address of
// each other there: once from no network at all, once from another one.
func staleAddresses(t *testing.T) {
	h := newHub(t, "lan", "other", "third")
	a, b := pairOf(t, h)
	a.stop()
	b.stop()
	h.unplug("a", "eth0")
	h.unplug("b", "eth0")
	a.start()
	b.start()
	for _, p := range []*process{a, b} {
		if !notLinked(p.state()) {
			t.Fatalf("linked without a network: %+v", p.state().Devices)
		}
	}
	h.plug("a", "eth0", "other", "10.9.0.77/16")
	began := time.Now()
	h.plug("b", "eth0", "other", "10.9.0.88/16")
	linkedAt(t, a, b, began, time.Second, "")
	for _, p := range []*process{a, b} {
		addr := p.state().Devices[0].Address
		if !strings.HasPrefix(addr, "10.9.0.") && !strings.HasPrefix(addr, "[fe80:") {
			t.Errorf("linked at %s, want an address of the network they met in", addr)
		}
	}

	for _, host := range []string{"a", "b"} {
		h.on(host, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
		h.unplug(host, "eth0")
	}
	h.plug("a", "eth0", "third", "192.168.3.1/24")
	began = time.Now()
	h.plug("b", "eth0", "third", "192.168.3.2/24")
	linkedAt(t, a, b, began, time.Second, "192.168.3.")
}

func ipv6Alone(t *testing.T) {
	h := newHub(t, "lan", "other")
	a, b := pairOf(t, h)
	h.unplug("a", "eth0")
	h.unplug("b", "eth0")
	a.must("lost", a.when(time.Minute, notLinked))
	b.must("lost", b.when(time.Minute, notLinked))
	h.plug("a", "eth0", "other")
	began := time.Now()
	h.plug("b", "eth0", "other")
	linkedAt(t, a, b, began, 3*time.Second, "[fe80:")
}

func twoCards(t *testing.T) {
	h := newHub(t, "one", "two")
	for _, name := range []string{"m", "a", "b"} {
		h.host(name)
	}
	h.plug("m", "eth0", "one", "192.168.1.1/24")
	h.plug("m", "eth1", "two", "192.168.2.1/24")
	h.plug("a", "eth0", "one", "192.168.1.2/24")
	h.plug("b", "eth0", "two", "192.168.2.2/24")
	m := h.device("m")
	m.start()
	for host, want := range map[string]string{"a": "eth0 IPv4 192.168.1.1", "b": "eth0 IPv4 192.168.2.1"} {
		av := h.avahi(host)
		m.eventually("avahi sees it", 10*time.Second, func() bool { return len(av.found()) > 0 })
		for _, got := range av.found() {
			if strings.Contains(got, "IPv4") && got != want {
				t.Errorf("avahi on %s sees %q, want %q", host, got, want)
			}
		}
		if got := av.found(); !slices.Contains(got, want) {
			t.Errorf("avahi on %s sees %q, want %q among it", host, got, want)
		}
	}
	b := h.device("b")
	b.start()
	m.must("sees who is on the second card", m.when(5*time.Second, sees(1)))
	b.must("is seen", b.when(5*time.Second, sees(1)))
}

func cardMadeAgain(t *testing.T) {
	h := newHub(t, "lan")
	a, b := pairOf(t, h)
	for range 2 {
		h.unplug("b", "eth0")
		h.plug("b", "eth0", "lan", "192.168.7.9/24")
	}
	h.address("a", "eth0", "192.168.7.8/24")
	a.stop()
	a.start()
	linkedAt(t, a, b, time.Now(), 5*time.Second, "")
}

func renumberingDuringTransfer(t *testing.T) {
	h := newHub(t, "lan")
	a, b := pairOf(t, h)
	dirA, dirB := filepath.Join(t.TempDir(), "Films"), filepath.Join(t.TempDir(), "Films of a")
	plant(t, dirA, 20, 48<<20)
	a.do("config", "limit-up", "8192")
	a.do("share", dirA, b.state().Device.Name, "--no-wait")
	b.eventually("the offer", 10*time.Second, func() bool { return len(b.state().Offers) == 1 })
	b.do("join", "Films", dirB, "--no-wait")
	comes := func(s app.State) bool { return len(s.Folders) == 1 && s.Folders[0].NeedBytes > 16<<20 }
	b.must("it comes", b.when(30*time.Second, comes))
	h.address("a", "eth0", "192.168.9.1/24")
	h.address("b", "eth0", "192.168.9.2/24")
	began := time.Now()
	for _, p := range []*process{a, b} {
		p.must("lost", p.when(30*time.Second, func(s app.State) bool { return !strings.HasPrefix(s.Devices[0].Address, "192.168.7.") }))
	}
	linkedAt(t, a, b, began, 10*time.Second, "")
	if !comes(b.state()) {
		t.Error("all had come before both were linked again: nothing was tested")
	}
	a.do("config", "limit-up", "0")
	a.do("wait", "--timeout", "60s")
	b.do("wait", "--timeout", "60s")
	sameTrees(t, dirA, dirB)
}

// transferMoves has two devices that are linked from afar come into one
// network while a file is on its way.
func transferMoves(t *testing.T) {
	h := newHub(t, "far", "near")
	for host, addr := range map[string]string{"a": "203.0.113.1", "b": "203.0.113.2"} {
		h.host(host)
		h.on(host, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
		h.plug(host, "eth0", "far", addr+"/32")
		h.ip("-n", h.prefix+host, "route", "add", "203.0.113.0/24", "dev", "eth0")
	}
	a, b := h.device("a"), h.device("b")
	a.start()
	b.start()
	pairByLink(t, a, b)
	linkedAt(t, a, b, time.Now(), 10*time.Second, "203.0.113.")
	dirA, dirB := filepath.Join(t.TempDir(), "Films"), filepath.Join(t.TempDir(), "Films of a")
	plant(t, dirA, 20, 48<<20)
	a.do("config", "limit-up", "4096")
	a.do("share", dirA, b.state().Device.Name, "--no-wait")
	b.eventually("the offer", 10*time.Second, func() bool { return len(b.state().Offers) == 1 })
	b.do("join", "Films", dirB, "--no-wait")
	comes := func(s app.State) bool { return len(s.Folders) == 1 && s.Folders[0].NeedBytes > 16<<20 }
	b.must("it comes", b.when(30*time.Second, comes))
	h.plug("a", "eth1", "near", "192.168.5.1/24")
	began := time.Now()
	h.plug("b", "eth1", "near", "192.168.5.2/24")
	linkedAt(t, a, b, began, 2*time.Second, "192.168.5.")
	if !comes(b.state()) {
		t.Error("all had come before the link moved: nothing was tested")
	}
	a.do("config", "limit-up", "0")
	a.do("wait", "--timeout", "60s")
	b.do("wait", "--timeout", "60s")
	sameTrees(t, dirA, dirB)
}

func withAvahi(t *testing.T) {
	h := newHub(t, "lan")
	for _, name := range []string{"a", "b", "c"} {
		h.host(name)
	}
	h.plug("a", "eth0", "lan", "192.168.7.1/24")
	h.plug("b", "eth0", "lan", "192.168.7.2/24")
	h.plug("c", "eth0", "lan", "192.168.7.3/24")
	same := h.avahi("a")
	same.publish("-s", "Alice laptop", "_ssh._tcp", "22")
	same.publish("-s", "Zoë.x", "_foldpost._udp", "4242", "v=1", "n=not ours")
	same.publish("-s", "Alice laptop", "_http._tcp", "80", "path=/")
	a, b := h.device("a"), h.device("b")
	a.start()
	b.start()
	other := h.avahi("c")
	a.must("sees the other", a.when(5*time.Second, sees(1)))
	b.must("sees the other", b.when(5*time.Second, sees(1)))
	for name, av := range map[string]*avahi{"the same host": same, "another host": other} {
		for _, want := range []string{"eth0 IPv4 192.168.7.1", "eth0 IPv4 192.168.7.2"} {
			a.eventually("avahi on "+name+" sees "+want, 10*time.Second, func() bool { return slices.Contains(av.found(), want) })
		}
	}
	b.stop()
	a.must("hears the goodbye", a.when(2*time.Second, sees(0)))
	a.eventually("avahi hears the goodbye", 3*time.Second, func() bool { return !slices.Contains(other.found(), "eth0 IPv4 192.168.7.2") })
	b.start()
	a.stop()
	a.start()
}

func portTaken(t *testing.T) {
	h := newHub(t, "lan")
	h.host("a")
	h.host("b")
	h.plug("a", "eth0", "lan", "192.168.7.1/24")
	h.plug("b", "eth0", "lan", "192.168.7.2/24")
	for _, network := range []string{"udp4", "udp6"} {
		err := within(h.prefix+"a", func() error {
			c, err := net.ListenPacket(network, ":5353") // which it does not share
			if err == nil {
				t.Cleanup(func() { c.Close() })
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	a, b := h.device("a"), h.device("b")
	b.start()
	began := time.Now()
	a.start()
	took := a.must("sees who has his port", a.when(10*time.Second, sees(1))).Sub(began)
	t.Logf("who has no port sees the other after %s", took)
	if n := len(b.state().Nearby); n != 0 {
		t.Errorf("who has no port is seen %d times, want not at all", n)
	}
	a.finds(app.FoundPortTaken, 10*time.Second)
}

// finds waits until the doctor says something.
func (p *process) finds(want app.Reason, within time.Duration) {
	p.t.Helper()
	p.eventually("the doctor says "+string(want), within, func() bool {
		return strings.Contains(p.try("", "doctor", "--json").out, `"reason":"`+string(want)+`"`)
	})
}

func noMulticast(t *testing.T) {
	h := newHub(t, "lan")
	h.host("a")
	h.host("b")
	h.plug("a", "eth0", "lan", "192.168.7.1/24")
	h.plug("b", "eth0", "lan", "192.168.7.2/24")
	h.on("switch", "nft", `table bridge lan {
		chain through { type filter hook forward priority 0; ether daddr & 01:00:00:00:00:00 == 01:00:00:00:00:00 ether type { ip, ip6 } drop; }
	}`)
	a, b := h.device("a"), h.device("b")
	a.start()
	b.start()
	_, found := <-a.when(3*time.Second, sees(1))
	if found {
		t.Error("a device is seen where the network carries no multicast")
	}
	a.finds(app.FoundNobodyNear, 10*time.Second)
	h.ip("-n", h.prefix+"a", "link", "set", "eth0", "multicast", "off")
	a.finds(app.FoundNoMulticast, 10*time.Second)

	h.host("c")
	h.plug("c", "eth0", "lan", "192.168.7.3/24")
	h.on("c", "nft", `table inet firewall {
		chain in { type filter hook input priority 0; udp dport 5353 drop; }
	}`)
	c := h.device("c")
	c.start()
	c.finds(app.FoundFirewall, 10*time.Second)
}
