package discovery_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/discovery"
	"foldpost/discovery/lantest"
	"foldpost/p2p"
)

// device is one that runs a LAN in a simulated world.
type device struct {
	t    *testing.T
	host *lantest.Host
	id   p2p.PeerID
	port uint16
	lan  *discovery.LAN

	mu      sync.Mutex
	visible discovery.Visibility
	peers   []discovery.Peer
	found   []p2p.Candidate
	changes int

	stop func() // and wait
}

// newDevice makes a device on a host, with a number that its id and port are
// made from.
func newDevice(t *testing.T, h *lantest.Host, number int, v discovery.Visibility) *device {
	d := &device{t: t, host: h, id: p2p.PeerID{byte(number), byte(number >> 8), 1}, port: uint16(20000 + number), visible: v, stop: func() {}}
	d.lan = discovery.NewLAN(discovery.LANConfig{
		Self:    d.id,
		Peers:   func() []discovery.Peer { d.mu.Lock(); defer d.mu.Unlock(); return slices.Clone(d.peers) },
		Visible: func() discovery.Visibility { d.mu.Lock(); defer d.mu.Unlock(); return d.visible },
		Changed: func() { d.mu.Lock(); defer d.mu.Unlock(); d.changes++ },
		Network: h,
		Watch:   h.Watch,
	})
	return d
}

func (d *device) name() string { return fmt.Sprintf("device %d", d.port-20000) }

// publish tells the addresses that the host has now.
func (d *device) publish() {
	a := p2p.Announcement{Peer: d.id, Metadata: p2p.Metadata{Name: d.name()}}
	for _, addr := range d.host.Addrs(d.port) {
		a.Candidates = append(a.Candidates, p2p.Candidate{Peer: d.id, Addr: addr, Kind: p2p.Host})
	}
	d.lan.Publish(a)
}

func (d *device) start() {
	ctx, cancel := context.WithCancel(d.t.Context())
	ended := make(chan struct{})
	d.publish()
	go func() {
		defer close(ended)
		if err := d.lan.Run(ctx, d.note); ctx.Err() == nil {
			d.t.Errorf("Run of %s = %v before it was told to end", d.name(), err)
		}
	}()
	d.stop = func() { cancel(); <-ended }
	d.t.Cleanup(d.stop)
}

func (d *device) note(c p2p.Candidate, _ p2p.Metadata) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.found = append(d.found, c)
}

// change sets something that the device's LAN asks for.
func (d *device) change(f func()) {
	d.mu.Lock()
	f()
	d.mu.Unlock()
	d.publish()
}

// at returns where a peer was found, and forgets it.
func (d *device) at(id p2p.PeerID) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []string
	for _, c := range d.found {
		if c.Peer == id {
			list = append(list, c.Addr.String())
		}
	}
	d.found = nil
	slices.Sort(list)
	return slices.Compact(list)
}

// names returns the names of the neighbours.
func (d *device) names() []string {
	var list []string
	for _, n := range d.lan.Neighbours() {
		list = append(list, n.Name)
	}
	return list
}

// pair makes two devices each other's.
func pair(a, b *device) {
	secret := p2p.Secret{a.id[0], b.id[0], a.id[1], b.id[1], 7}
	a.change(func() { a.peers = append(a.peers, discovery.Peer{ID: b.id, Pairwise: secret}) })
	b.change(func() { b.peers = append(b.peers, discovery.Peer{ID: a.id, Pairwise: secret}) })
}

// after lets time pass until nothing happens at that moment.
func after(d time.Duration) {
	time.Sleep(d) // in a bubble: the clock is the test's
	synctest.Wait()
}

func want(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestEveryoneIsSeenAndSaysGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := lantest.NewWorld(1)
		a, b, c := w.NewHost("a"), w.NewHost("b"), w.NewHost("c")
		a.Plug("eth0", "lan", "192.168.1.1/24", "fe80::1/64")
		b.Plug("eth0", "lan", "192.168.1.2/24", "fe80::2/64")
		c.Plug("eth0", "other", "192.168.1.3/24")
		da, db, dc := newDevice(t, a, 1, discovery.Everyone), newDevice(t, b, 2, discovery.Everyone), newDevice(t, c, 3, discovery.Everyone)
		da.start()
		after(10 * time.Second)
		db.start()
		dc.start()
		after(2 * time.Second)
		want(t, "neighbours of 1", da.names(), []string{"device 2"})
		want(t, "neighbours of 2", db.names(), []string{"device 1"})
		want(t, "neighbours of 3, alone on its bridge", dc.names(), nil)
		n := da.lan.Neighbours()[0]
		if got, want := fmt.Sprint(n.Addrs), "[192.168.1.2:20002 [fe80::2%eth0]:20002]"; got != want {
			t.Errorf("Neighbours()[0].Addrs = %s, want %s", got, want)
		}
		after(3 * time.Hour)
		want(t, "neighbours of 1 after 3 hours", da.names(), []string{"device 2"})
		if again := da.lan.Neighbours()[0]; again.Instance == n.Instance {
			t.Errorf("the instance is %s after 3 hours as before", n.Instance)
		}
		db.stop()
		after(0)
		want(t, "neighbours of 1 after a goodbye", da.names(), nil)
		if da.changes == 0 {
			t.Error("Changed was never called")
		}
	})
}

func TestCrashedIsForgottenAfterItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := lantest.NewWorld(1)
		a, b := w.NewHost("a"), w.NewHost("b")
		a.Plug("eth0", "lan", "10.0.0.1/8")
		b.Plug("eth0", "lan", "10.0.0.2/8")
		da, db := newDevice(t, a, 1, discovery.Everyone), newDevice(t, b, 2, discovery.Everyone)
		da.start()
		db.start()
		after(10 * time.Minute)
		want(t, "neighbours after 10 minutes", da.names(), []string{"device 2"})
		b.Crash()
		after(time.Second)
		want(t, "neighbours a second after the crash", da.names(), []string{"device 2"})
		after(2 * time.Minute)
		want(t, "neighbours two minutes after the crash", da.names(), nil)
	})
}

func TestPairedRecognizeEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := lantest.NewWorld(1)
		a, b, c := w.NewHost("a"), w.NewHost("b"), w.NewHost("c")
		a.Plug("eth0", "lan", "192.168.1.1/24")
		b.Plug("eth0", "lan", "192.168.1.2/24")
		c.Plug("eth0", "lan", "192.168.1.3/24")
		da, db, dc := newDevice(t, a, 1, discovery.Devices), newDevice(t, b, 2, discovery.Devices), newDevice(t, c, 3, discovery.Everyone)
		pair(da, db)
		for _, d := range []*device{da, db, dc} {
			d.start()
		}
		after(1200 * time.Millisecond) // who asks within a second of an announcement waits for the next
		want(t, "1 finds 2 at", da.at(db.id), []string{"192.168.1.2:20002"})
		want(t, "2 finds 1 at", db.at(da.id), []string{"192.168.1.1:20001"})
		want(t, "names that a stranger sees", dc.names(), nil)
		for _, p := range w.Sent() {
			if p.Host != "c" && (strings.Contains(string(p.Data), "device") || strings.Contains(string(p.Data), string(da.id[:]))) {
				t.Errorf("a packet of %s tells who it is: %q", p.Host, p.Data)
			}
		}
		if r := da.lan.Facts().Recognized; len(r) != 1 || r[0].Peer != db.id {
			t.Errorf("Facts().Recognized = %v, want device 2", r)
		}
		da.change(func() { da.peers = nil })
		after(5 * time.Second)
		da.at(db.id)
		after(time.Hour)
		want(t, "2 is found by 1 after unpairing at", da.at(db.id), nil)
	})
}

func TestClocksMayDiffer(t *testing.T) {
	for _, offset := range []time.Duration{-26 * time.Hour, -50 * time.Minute, 50 * time.Minute, 26 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			w := lantest.NewWorld(1)
			a, b := w.NewHost("a"), w.NewHost("b")
			a.Plug("eth0", "lan", "192.168.1.1/24")
			b.Plug("eth0", "lan", "192.168.1.2/24")
			da, db := newDevice(t, a, 1, discovery.Devices), newDevice(t, b, 2, discovery.Devices)
			pair(da, db)
			// 1 believes that 2's clock differs, which it does not: only within
			// the hour before and after is it recognized.
			da.change(func() { da.peers[0].Offset = offset })
			da.start()
			db.start()
			after(time.Second)
			if found := len(da.at(db.id)) > 0; found != (offset.Abs() < time.Hour) {
				t.Errorf("with an offset that is wrong by %s: found = %v", offset, found)
			}
		})
	}
}

func TestVisibility(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := lantest.NewWorld(1)
		a, b := w.NewHost("a"), w.NewHost("b")
		a.Plug("eth0", "lan", "192.168.1.1/24")
		b.Plug("eth0", "lan", "192.168.1.2/24")
		da, db := newDevice(t, a, 1, discovery.Nobody), newDevice(t, b, 2, discovery.Everyone)
		pair(da, db)
		da.start()
		db.start()
		after(time.Minute)
		want(t, "who says nothing hears of 2 at", da.at(db.id), []string{"192.168.1.2:20002"})
		for _, p := range w.Sent() {
			if p.Host == "a" {
				t.Fatalf("who shows himself to nobody sent %q", p.Data)
			}
		}
		da.change(func() { da.visible = discovery.Everyone; da.peers = nil })
		db.change(func() { db.peers = nil })
		after(time.Second)
		want(t, "neighbours of 2", db.names(), []string{"device 1"})
		before := db.lan.Neighbours()[0].Instance
		da.change(func() { da.visible = discovery.Devices; da.peers = []discovery.Peer{{ID: p2p.PeerID{9}}} })
		after(2 * time.Second)
		want(t, "neighbours of 2 when 1 hides", db.names(), nil)
		sent := w.Sent()
		if last := string(sent[len(sent)-1].Data); strings.Contains(last, before) || strings.Contains(last, "device 1") {
			t.Errorf("the last packet of who hides tells the old name: %q", last)
		}
		n := len(sent)
		da.change(func() { da.visible = discovery.Nobody })
		after(time.Hour)
		for _, p := range w.Sent()[n+1:] { // after the goodbye
			if p.Host == "a" {
				t.Fatalf("after it was told to be silent it sent %q", p.Data)
			}
		}
	})
}

func TestRenumberingAndMoving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := lantest.NewWorld(1)
		a, b := w.NewHost("a"), w.NewHost("b")
		a.Plug("eth0", "home", "192.168.1.1/24")
		b.Plug("eth0", "home", "192.168.1.2/24")
		da, db := newDevice(t, a, 1, discovery.Devices), newDevice(t, b, 2, discovery.Devices)
		pair(da, db)
		da.start()
		db.start()
		after(time.Minute)
		da.at(db.id)
		old := len(w.Sent())

		b.Plug("eth0", "home", "192.168.1.77/24")
		db.publish()
		after(time.Second)
		want(t, "renumbered, it is found at", da.at(db.id), []string{"192.168.1.77:20002"})

		b.Plug("eth0", "office", "192.168.1.77/24")
		db.publish()
		after(10 * time.Second)
		want(t, "moved, it is found at", da.at(db.id), nil)

		b.Unplug("eth0")
		b.Plug("eth0", "home", "192.168.1.2/24") // another index
		db.publish()
		after(time.Second)
		want(t, "back by an interface made again, it is found at", da.at(db.id), []string{"192.168.1.2:20002"})

		instances := map[string][]string{}
		for _, p := range w.Sent()[old:] {
			if p.Host != "b" {
				continue
			}
			for _, i := range instancesIn(p.Data) {
				if !slices.Contains(instances[i], p.Bridge) {
					instances[i] = append(instances[i], p.Bridge)
				}
			}
		}
		for i, bridges := range instances {
			if len(bridges) > 1 {
				t.Errorf("the name %s was told on %v: who listens on both knows the device again", i, bridges)
			}
		}
	})
}

// instancesIn returns what could be an instance of ours in a packet.
func instancesIn(b []byte) []string {
	var list []string
	for i := 0; i+17 <= len(b); i++ {
		if s := string(b[i+1 : i+17]); b[i] == 16 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == "" {
			list = append(list, s)
		}
	}
	return list
}

func TestTwoNetworksEachWithItsAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := lantest.NewWorld(1)
		a, b, c := w.NewHost("a"), w.NewHost("b"), w.NewHost("c")
		a.Plug("eth0", "one", "192.168.1.1/24")
		a.Plug("wlan0", "two", "192.168.2.1/24", "2001:db8::1/64")
		b.Plug("eth0", "one", "192.168.1.2/24")
		c.Plug("eth0", "two", "2001:db8::3/64")
		da, db, dc := newDevice(t, a, 1, discovery.Devices), newDevice(t, b, 2, discovery.Devices), newDevice(t, c, 3, discovery.Devices)
		pair(da, db)
		pair(da, dc)
		for _, d := range []*device{da, db, dc} {
			d.start()
		}
		after(time.Minute)
		want(t, "on the first network 1 is at", db.at(da.id), []string{"192.168.1.1:20001"})
		// 192.168.2.1 is private, and may be tried.
		want(t, "on the second network 1 is at", dc.at(da.id), []string{"192.168.2.1:20001", "[2001:db8::1]:20001"})
		want(t, "1 finds 2 at", da.at(db.id), []string{"192.168.1.2:20002"})
	})
}

func TestPortOfAnotherProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := lantest.NewWorld(1)
		a, b := w.NewHost("a"), w.NewHost("b")
		a.Plug("eth0", "lan", "192.168.1.1/24")
		b.Plug("eth0", "lan", "192.168.1.2/24")
		a.Take(true)
		da, db := newDevice(t, a, 1, discovery.Devices), newDevice(t, b, 2, discovery.Devices)
		pair(da, db)
		da.start()
		db.start()
		after(2 * time.Second)
		want(t, "who has no port finds 2 at", da.at(db.id), []string{"192.168.1.2:20002"})
		if f := da.lan.Facts(); !f.Taken {
			t.Errorf("Facts() = %+v, want Taken", f)
		}
		after(10 * time.Minute)
		if r := da.lan.Facts().Recognized; len(r) != 1 {
			t.Errorf("after 10 minutes Recognized = %v, want device 2", r)
		}
		want(t, "2 finds who has no port at", db.at(da.id), nil)
		a.Take(false)
		after(2 * time.Minute)
		want(t, "with its port back, it is found at", db.at(da.id), []string{"192.168.1.1:20001"})
	})
}

func TestForeignGoodbyeCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := lantest.NewWorld(1)
		a, b := w.NewHost("a"), w.NewHost("b")
		a.Plug("eth0", "lan", "192.168.1.1/24")
		b.Plug("eth0", "lan", "192.168.1.2/24")
		da, db := newDevice(t, a, 1, discovery.Everyone), newDevice(t, b, 2, discovery.Everyone)
		da.start()
		db.start()
		after(10 * time.Second)
		db.stop()
		sent := w.Sent()
		goodbye := sent[len(sent)-1]
		db.start()
		after(10 * time.Second)

		announced := lastAnnouncement(t, w, "b")
		forged := slices.Clone(announced.Data)
		clearTTLs(forged)
		group := netip.MustParseAddrPort("224.0.0.251:5353")
		before := da.lan.Neighbours()
		w.Forge("lan", netip.MustParseAddrPort("192.168.1.66:5353"), group, forged)
		w.Forge("lan", netip.MustParseAddrPort("192.168.1.2:5354"), group, forged) // no mDNS program has that port
		w.Forge("lan", netip.MustParseAddrPort("192.168.1.66:5353"), group, goodbye.Data)
		after(10 * time.Second)
		if got := da.lan.Neighbours(); len(got) != 1 || got[0].Instance != before[0].Instance {
			t.Errorf("after forged goodbyes Neighbours = %v, want %v", got, before)
		}
		w.Forge("lan", netip.MustParseAddrPort("192.168.1.2:5353"), group, forged)
		after(0)
		want(t, "after a goodbye from its own address, neighbours", da.names(), nil)
	})
}

func lastAnnouncement(t *testing.T, w *lantest.World, host string) lantest.Packet {
	t.Helper()
	list := w.Sent()
	for i := len(list) - 1; i >= 0; i-- {
		if p := list[i]; p.Host == host && p.Data[2]&0x80 != 0 {
			return p
		}
	}
	t.Fatalf("no announcement of %s among %d packets", host, len(list))
	return lantest.Packet{}
}

// clearTTLs makes an announcement a goodbye: 120 seconds stand in four bytes.
func clearTTLs(b []byte) {
	for i := range len(b) - 4 {
		if string(b[i:i+4]) == "\x00\x00\x00\x78" {
			b[i+3] = 0
		}
	}
}

func TestNewNamesShowNobodyTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := lantest.NewWorld(1)
		a, b := w.NewHost("a"), w.NewHost("b")
		a.Plug("eth0", "lan", "192.168.1.1/24")
		b.Plug("eth0", "lan", "192.168.1.2/24")
		da, db := newDevice(t, a, 1, discovery.Everyone), newDevice(t, b, 2, discovery.Everyone)
		da.start()
		db.start()
		after(10 * time.Second)
		before := da.lan.Neighbours()[0].Instance
		b.Plug("eth0", "lan", "192.168.1.2/24") // as when a cable is pulled and put in
		after(2 * time.Second)
		want(t, "neighbours when one took new names without a goodbye", da.names(), []string{"device 2"})
		if da.lan.Neighbours()[0].Instance == before {
			t.Errorf("the instance is %s after a change of the network as before", before)
		}
		a.Unplug("eth0")
		after(0)
		want(t, "neighbours without a network", da.names(), nil)
	})
}

func TestOtherProgramsAreAnsweredInTheirNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := lantest.NewWorld(1)
		a := w.NewHost("a")
		a.Plug("eth0", "lan", "192.168.1.1/24")
		d := newDevice(t, a, 1, discovery.Everyone)
		d.start()
		after(10 * time.Second)
		query := []byte("\x12\x34\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x09_foldpost\x04_udp\x05local\x00\x00\x0c\x00\x01")
		group := netip.MustParseAddrPort("224.0.0.251:5353")
		for from, most := range map[string]int{"192.168.1.9:40000": 10, "203.0.113.9:40000": 0} {
			before := len(w.Sent())
			for range 100 {
				w.Forge("lan", netip.MustParseAddrPort(from), group, query)
			}
			after(100 * time.Millisecond)
			got := 0
			for _, p := range w.Sent()[before:] {
				if p.Host == "a" && p.To == netip.MustParseAddrPort(from) {
					got++
					if p.Data[0] != 0x12 || p.Data[1] != 0x34 {
						t.Errorf("a reply with id %x, want that of the question", p.Data[:2])
					}
				}
			}
			if got > most || most > 0 && got == 0 {
				t.Errorf("%d replies to 100 questions from %s, want %d at most", got, from, most)
			}
		}
	})
}
