package mail

import (
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"foldpost/p2p"
	"foldpost/p2p/wire"
)

func TestPayloadCheck(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Payload)
		want   error
	}{
		{"as made", func(*Payload) {}, nil},
		{"clock a little ahead", func(p *Payload) { p.Created = testNow.Add(15 * time.Minute) }, nil},
		{"clock far ahead", func(p *Payload) { p.Created = testNow.Add(15*time.Minute + time.Second) }, ErrFromFuture},
		{"a year ahead", func(p *Payload) { p.Created, p.Expires = testNow.AddDate(1, 0, 0), testNow.AddDate(1, 0, 7) }, ErrFromFuture},
		{"just valid", func(p *Payload) { p.Created, p.Expires = testNow.Add(-time.Hour), testNow.Add(1) }, nil},
		{"just over", func(p *Payload) { p.Created, p.Expires = testNow.Add(-time.Hour), testNow }, ErrExpired},
		{"expires before it was made", func(p *Payload) { p.Expires = p.Created.Add(-1) }, ErrPayload},
		{"valid for a year", func(p *Payload) { p.Expires = p.Created.AddDate(1, 0, 0) }, ErrPayload},
		{"no token", func(p *Payload) { p.Token = p2p.Token{} }, ErrPayload},
		{"unknown kind", func(p *Payload) { p.Kind = 9 }, ErrPayload},
		{"invitation that answers", func(p *Payload) { p.InReplyTo = bobToken }, ErrPayload},
		{"answer to nothing", func(p *Payload) { p.Kind = KindAnswer }, ErrPayload},
		{"answer to itself", func(p *Payload) { p.Kind, p.InReplyTo = KindAnswer, p.Token }, ErrPayload},
		{"another key's static", func(p *Payload) { p.Static = bob.Static() }, ErrPayload},
		{"another key", func(p *Payload) { p.Public = bob.Public() }, ErrPayload},
		{"long name", func(p *Payload) { p.Person = strings.Repeat("x", 257) }, ErrPayload},
		{"long folder name", func(p *Payload) { p.Folders[0].Name = strings.Repeat("x", 257) }, ErrPayload},
		{"address with a line end", func(p *Payload) { p.To = "bob@example.org\r\nBcc: eve@example.org" }, ErrPayload},
		{"17 addresses", func(p *Payload) { p.Addrs = make([]netip.AddrPort, 17) }, ErrPayload},
	} {
		p := testInvitation()
		tt.change(&p)
		if err := p.Check(testNow); !errors.Is(err, tt.want) {
			t.Errorf("%s: Check = %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestDecodePayloadRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*payload)
	}{
		{"version 2", func(w *payload) { w.Version = 2 }},
		{"no version", func(w *payload) { w.Version = 0 }},
		{"kind 257", func(w *payload) { w.Kind = 257 }}, // 1, if it were cut to a byte
		{"year 292 billion", func(w *payload) { w.Expires = 1<<63 - 1 }},
		{"before 1970", func(w *payload) { w.Created = -1 }},
		{"year 2106", func(w *payload) { w.Expires = 1 << 32 }},
	} {
		b, err := testInvitation().encode(tt.change)
		if err != nil {
			t.Fatal(err)
		}
		if p, _, err := decodePayload(b); !errors.Is(err, ErrPayload) {
			t.Errorf("%s: decodePayload = %+v, %v, want ErrPayload", tt.name, p, err)
		}
	}
	many, err := wire.Marshal(struct {
		URIs []string `wire:"5"`
	}{slices.Repeat([]string{"quic://192.0.2.1:5000"}, 10_000)})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := decodePayload(many); !errors.Is(err, ErrPayload) {
		t.Errorf("10,000 uris: %v, want ErrPayload", err)
	}
}

func TestForeignNamesArriveSafe(t *testing.T) {
	p := testInvitation()
	p.Person, p.Device, p.Folders[0].Name = "Ada\x1b[2J", "lap\u202etop", "a\nb"
	b, err := p.encode(func(*payload) {})
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := decodePayload(b)
	if err != nil || got.Person != "Ada\ufffd[2J" || got.Device != "lap\ufffdtop" || got.Folders[0].Name != "a\ufffdb" {
		t.Errorf("names = %q, %q, %q, %v", got.Person, got.Device, got.Folders[0].Name, err)
	}
}

func TestParseURIs(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"quic://203.0.113.7:41000", "203.0.113.7:41000"},
		{"quic://[2001:db8::7]:443", "[2001:db8::7]:443"},
		{"quic://[::ffff:203.0.113.7]:41000", "203.0.113.7:41000"},
		{"quic://127.0.0.1:41000", "127.0.0.1:41000"},
		{"quic://0.0.0.0:41000", ""},
		{"quic://255.255.255.255:41000", ""},
		{"quic://224.0.0.251:5353", ""},
		{"quic://[ff02::1]:41000", ""},
		{"quic://[fe80::1%eth0]:41000", ""},
		{"quic://203.0.113.7:0", ""},
		{"quic://203.0.113.7", ""},
		{"quic://203.0.113.7:99999", ""},
		{"quic://router.example:41000", ""},
		{"quic://user@203.0.113.7:41000", ""},
		{"quic://203.0.113.7:41000/x", ""},
		{"quic://2130706433:41000", ""},
		{"quic://0x7f.1:41000", ""},
		{"tcp://203.0.113.7:41000", ""},
		{"check://203.0.113.7:41000", ""}, // of another list
		{"file:///etc/passwd", ""},
		{"http://169.254.169.254/", ""},
		{"quic://" + strings.Repeat("0", 80), ""},
		{"", ""},
	} {
		var want []netip.AddrPort
		if tt.want != "" {
			want = append(want, netip.MustParseAddrPort(tt.want))
		}
		if got := parseURIs([]string{tt.in, tt.in}, uriScheme); !reflect.DeepEqual(got, want) {
			t.Errorf("parseURIs(%q twice) = %v, want %v", tt.in, got, want)
		}
	}
}

// Addresses to be checked first stay apart from those to be called.
func TestReflexiveAddresses(t *testing.T) {
	p := testInvitation()
	p.Reflexive = []netip.AddrPort{netip.MustParseAddrPort("198.51.100.9:41000")}
	b, err := p.encode(func(*payload) {})
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := decodePayload(b)
	if err != nil || !reflect.DeepEqual(got.Addrs, p.Addrs) || !reflect.DeepEqual(got.Reflexive, p.Reflexive) {
		t.Errorf("decoded %v and %v, %v, want %v and %v", got.Addrs, got.Reflexive, err, p.Addrs, p.Reflexive)
	}
	list := got.Candidates("mail")
	if n := len(p.Addrs); len(list) != n+1 || list[0].Kind != p2p.Host || list[n].Kind != p2p.Reflexive {
		t.Errorf("candidates %v", list)
	}
	for range MaxAddrs {
		p.Reflexive = append(p.Reflexive, p.Reflexive[0])
	}
	if err := p.checkSizes(); err == nil {
		t.Errorf("%d addresses of both kinds are in order", len(p.Addrs)+len(p.Reflexive))
	}
	p.Mapped = p.Reflexive
	if small := p.ByHand(); len(small.Reflexive) != 1 || len(small.Mapped) != 1 || len(small.Addrs)+2 > MaxAddrsByHand {
		t.Errorf("by hand %d, %d and %d addresses", len(small.Addrs), len(small.Mapped), len(small.Reflexive))
	}
}

func TestPayloadHidesItsSecrets(t *testing.T) {
	p := testInvitation()
	for _, s := range []string{p.String(), p.GoString()} {
		if strings.Contains(s, "203.0.113.7") || strings.Contains(s, "96, 97") || strings.Contains(s, "Photos") {
			t.Errorf("payload shows itself as %q", s)
		}
	}
}

func TestSentTo(t *testing.T) {
	p := Payload{To: "Bob@Example.org"}
	for _, tt := range []struct {
		own  []string
		want bool
	}{
		{[]string{"bob@example.org"}, true},
		{[]string{"x@example.org", "BOB@EXAMPLE.ORG"}, true},
		{[]string{"bob@example.com"}, false},
		{[]string{""}, false},
		{nil, false},
	} {
		if got := p.SentTo(tt.own...); got != tt.want {
			t.Errorf("SentTo(%q) = %v, want %v", tt.own, got, tt.want)
		}
	}
	if (Payload{}).SentTo("") {
		t.Error("a payload to nobody is sent to an empty address")
	}
}

func FuzzPayload(f *testing.F) {
	for _, p := range []Payload{testInvitation(), testAnswer()} {
		b, err := p.encode(func(*payload) {})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, _, err := decodePayload(b)
		if err != nil {
			return
		}
		again, err := p.encode(func(*payload) {})
		if err != nil {
			t.Fatalf("encode of what decoded: %v", err)
		}
		if q, _, err := decodePayload(again); err != nil || !reflect.DeepEqual(p, q) {
			t.Errorf("decoded %+v, again %+v, %v", p, q, err)
		}
	})
}
