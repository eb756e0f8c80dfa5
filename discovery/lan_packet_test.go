package discovery

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// fullZone is the largest that a device announces.
func fullZone() zone {
	z := zone{names: names{instance: "abcdefghijklmnop", host: "qrstuvwxyz234567"}, port: 41641}
	z.text.name = strings.Repeat("\U0001F4C1", 64)
	for i := range maxTags {
		z.text.tags = append(z.text.tags, tag{byte(i), 1, 2, 3, 4, 5, 6, 7})
	}
	for i := range 20 {
		z.addrs = append(z.addrs, netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", i+1)))
	}
	return z
}

func TestLargestAnnouncement(t *testing.T) {
	b, err := fullZone().announcement(recordTTL)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > 1440 {
		t.Errorf("the largest announcement has %d bytes, want 1440 at most", len(b))
	}
	h := newMemory()
	now := time.Unix(1e9, 0)
	at := place{1, netip.MustParseAddr("192.0.2.1")}
	touched := h.take(at, mustParse(t, b).records, now)
	if len(touched) != 1 || !touched[0].complete(now) {
		t.Fatalf("an announcement that was read gives %v, want one complete instance", touched)
	}
	i := touched[0]
	if z := fullZone(); !slices.Equal(i.text.tags, z.text.tags) || i.text.name != z.text.name[:4*63] || i.port != z.port || i.host != z.hostName() || i.name != z.names.instance {
		t.Errorf("read: %+v, want %+v", i, z)
	}
	near := func(netip.Addr) bool { return true }
	if n := len(h.speakers[at].addrs(at, i, near, "eth0", now)); n != maxOwnAddrs+1 {
		t.Errorf("%d addresses, want %d and the sender's", n, maxOwnAddrs)
	}
}

func mustParse(t *testing.T, b []byte) packet {
	t.Helper()
	p, err := parsePacket(b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestGoldenPackets freezes what goes over the wire.
func TestGoldenPackets(t *testing.T) {
	z := zone{names: names{instance: "abcdefghijklmnop", host: "qrstuvwxyz234567"}, port: 41641, addrs: []netip.Addr{netip.MustParseAddr("192.168.1.2"), netip.MustParseAddr("fe80::2")}}
	z.text = text{tags: []tag{{1, 2, 3, 4, 5, 6, 7, 8}, {9, 10, 11, 12, 13, 14, 15, 16}}, name: `Zoë's \ laptop`}
	tests := []struct {
		name string
		make func() ([]byte, error)
	}{
		{"announcement", func() ([]byte, error) { return z.announcement(recordTTL) }},
		{"goodbye", func() ([]byte, error) { return z.announcement(0) }},
		{"query", func() ([]byte, error) { return newQuery([]knownAnswer{{"ponmlkjihgfedcba", 100 * time.Second}}) }},
		{"reply", func() ([]byte, error) {
			return z.reply(0x1234, question{name: serviceName, kind: dnsmessage.TypePTR, class: 1})
		}},
	}
	for _, tt := range tests {
		got, err := tt.make()
		if err != nil {
			t.Fatal(err)
		}
		file := "testdata/" + tt.name + ".hex"
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if h := hex.EncodeToString(got); h != strings.TrimSpace(string(want)) {
			t.Errorf("%s is\n%s\nwant, as %s says,\n%s", tt.name, h, file, want)
		}
	}
}

func TestParseHostilePackets(t *testing.T) {
	header := func(questions, answers uint16) []byte {
		b := make([]byte, 12)
		b[2] = 0x84
		binary.BigEndian.PutUint16(b[4:], questions)
		binary.BigEndian.PutUint16(b[6:], answers)
		return b
	}
	loop := append(header(0, 1), 0xc0, 12, 0, 12, 0, 1, 0, 0, 0, 120, 0, 2, 0xc0, 12)
	long := header(0, 1)
	for range 5 {
		long = append(append(long, 63), bytes.Repeat([]byte{'a'}, 63)...)
	}
	many := header(0, 10000)
	for range 500 {
		many = append(many, 0, 0, 1, 0, 1, 0, 0, 0, 120, 0, 4, 1, 2, 3, 4)
	}
	asks := header(200, 0)
	for range 200 {
		asks = append(asks, 0, 0, 12, 0, 1)
	}
	tests := []struct {
		name    string
		in      []byte
		records int // -1: refused
	}{
		{"nothing", nil, -1},
		{"header alone", header(0, 0), 0},
		{"ten thousand records claimed, none there", header(0, 10000), -1},
		{"hundreds of records", many, maxRecords},
		{"hundreds of questions", asks, -1},
		{"a name that points to itself", loop, -1},
		{"a name too long", long, -1},
		{"too large", make([]byte, maxPacket+1), -1},
	}
	for _, tt := range tests {
		p, err := parsePacket(tt.in)
		if (err != nil) != (tt.records < 0) || err == nil && len(p.records) != tt.records {
			t.Errorf("%s: parsePacket gives %d records, %v; want %d", tt.name, len(p.records), err, tt.records)
		}
	}
}

// TestMemoryIsBounded has many speakers say far too much.
func TestMemoryIsBounded(t *testing.T) {
	h, now := newMemory(), time.Unix(1e9, 0)
	own := place{1, netip.MustParseAddr("192.0.2.1")}
	say := func(at place, n int) {
		z := zone{names: names{instance: fmt.Sprintf("i%d", n), host: fmt.Sprintf("h%d", n)}, port: uint16(20000 + n), addrs: []netip.Addr{at.addr}}
		b, err := z.announcement(recordTTL)
		if err != nil {
			t.Fatal(err)
		}
		h.take(at, mustParse(t, b).records, now)
	}
	say(own, 1)
	for s := range 20 {
		for n := range 100 {
			say(place{1, netip.AddrFrom4([4]byte{10, 0, 0, byte(s)})}, n)
		}
	}
	if h.instances > maxInstances {
		t.Errorf("%d instances are kept, want %d at most", h.instances, maxInstances)
	}
	if h.speakers[own] == nil {
		t.Error("who said little was forgotten for those who said much")
	}
	count := 0
	for _, s := range h.speakers {
		if count += len(s.instances); len(s.instances) > maxOfSpeaker {
			t.Errorf("%d instances of one speaker, want %d at most", len(s.instances), maxOfSpeaker)
		}
	}
	if count != h.instances {
		t.Errorf("%d instances are kept, %d are counted", count, h.instances)
	}
	if next, _ := h.expire(now.Add(recordTTL)); !next.IsZero() || len(h.speakers) != 0 || h.instances != 0 {
		t.Errorf("after its time %d speakers and %d instances stay; next is %v", len(h.speakers), h.instances, next)
	}
}

func TestAddressesThatAreTried(t *testing.T) {
	now := time.Unix(1e9, 0)
	iface := Interface{Addrs: []netip.Prefix{netip.MustParsePrefix("192.168.1.1/24"), netip.MustParsePrefix("2001:db8::1/64")}}
	at := place{1, netip.MustParseAddr("192.168.1.2")}
	z := zone{names: names{instance: "i", host: "h"}, port: 443}
	for _, a := range []string{"192.168.1.3", "10.1.2.3", "203.0.113.9", "2001:db8::9", "2001:db8:1::9", "fd00::1", "fe80::9", "127.0.0.1", "224.0.0.1", "0.0.0.0"} {
		z.addrs = append(z.addrs, netip.MustParseAddr(a))
	}
	b, err := z.announcement(recordTTL)
	if err != nil {
		t.Fatal(err)
	}
	h := newMemory()
	i := h.take(at, mustParse(t, b).records, now)[0]
	var got []string
	for _, a := range h.speakers[at].addrs(at, i, iface.near, "eth0", now) {
		got = append(got, a.Addr().String())
	}
	want := []string{"10.1.2.3", "192.168.1.2", "192.168.1.3", "2001:db8::9", "fd00::1", "fe80::9%eth0"}
	if !slices.Equal(got, want) {
		t.Errorf("addresses tried: %v, want %v", got, want)
	}
}

func FuzzParsePacket(f *testing.F) {
	addPackets(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parsePacket(b)
		if err == nil && (len(p.records) > maxRecords || len(p.questions) > maxQuestions) {
			t.Fatalf("%d records and %d questions", len(p.records), len(p.questions))
		}
	})
}

func FuzzHear(f *testing.F) {
	addPackets(f)
	z, at, now := fullZone(), place{1, netip.MustParseAddr("192.0.2.1")}, time.Unix(1e9, 0)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parsePacket(b)
		if err != nil {
			return
		}
		h := newMemory()
		for _, i := range h.take(at, p.records, now) {
			if !isLabel(i.name) || len(i.text.tags) > maxTags || len([]rune(i.text.name)) > 65 {
				t.Fatalf("an instance %+v", i)
			}
			if s := h.speakers[at]; s != nil {
				s.addrs(at, i, func(netip.Addr) bool { return true }, "", now)
			}
		}
		g := &segment{v4: true, socket: quiet{}}
		g.hearQuestion(p, at.addr, z, h, now)
		h.expire(now.Add(maxTTL))
		if h.instances != 0 || len(h.speakers) != 0 {
			t.Fatalf("%d instances of %d speakers are never over", h.instances, len(h.speakers))
		}
	})
}

func addPackets(f *testing.F) {
	f.Helper()
	z := fullZone()
	for _, ttl := range []time.Duration{recordTTL, 0} {
		b, err := z.announcement(ttl)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	q, err := newInstanceQuery("abc", "def.local.")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(q)
	f.Add([]byte("\x00\x00\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00\xc0\x0c\x00\x0c\x00\x01\x00\x00\x00\x78\x00\x02\xc0\x0c"))
}

// quiet is a socket that nothing is sent to.
type quiet struct{ Socket }

func (quiet) Legacy() bool { return false }
