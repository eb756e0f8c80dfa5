package p2p

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

func TestDoor(t *testing.T) {
	self, other := testIdentity(1).ID(), testIdentity(2).ID()
	now := time.Date(2026, 11, 20, 23, 0, 0, 0, time.UTC)
	at := func(days int) string { return newKnock(self, now.AddDate(0, 0, days)).serverName() }
	used := at(0)
	tampered := []byte(at(0))
	tampered[3] ^= 'a' ^ 'b'
	for _, tt := range []struct {
		name   string
		knock  string
		onLink bool
		ok     bool
	}{
		{"right", used, false, true},
		{"seen before", used, false, false},
		{"seen before, on-link", used, true, false},
		{"in capitals", strings.ToUpper(at(0)[:36]) + knockSuffix, false, false},
		{"with spare bits", respell(at(0)), false, false},
		{"yesterday's", at(-1), false, true},
		{"tomorrow's", at(1), false, true},
		{"two days old", at(-2), false, false},
		{"two days early", at(2), false, false},
		{"ten years old, on-link", at(-3650), true, true},
		{"for another", newKnock(other, now).serverName(), true, false},
		{"tampered", string(tampered), true, false},
		{"none", "", true, false},
		{"a name", "example.org", true, false},
		{"too short", at(0)[1:], true, false},
		{"no suffix", at(0)[:36], true, false},
	} {
		d := newDoor(self)
		if err := d.check(used, now, false); err != nil {
			t.Fatal(err)
		}
		if tt.name == "right" {
			d = newDoor(self)
		}
		err := d.check(tt.knock, now, tt.onLink)
		if (err == nil) != tt.ok || (err != nil && !errors.Is(err, errKnock)) {
			t.Errorf("%s: check(%q, onLink %v) = %v, want ok %v", tt.name, tt.knock, tt.onLink, err, tt.ok)
		}
	}
}

// respell sets one of the four bits that base32 leaves over.
func respell(name string) string {
	const digits = "abcdefghijklmnopqrstuvwxyz234567"
	last := strings.IndexByte(digits, name[35])
	return name[:35] + string(digits[last|1]) + knockSuffix
}

func TestDoorForgetsNothingSoon(t *testing.T) {
	self := testIdentity(1).ID()
	now := time.Now()
	d := newDoor(self)
	first := newKnock(self, now).serverName()
	if err := d.check(first, now, false); err != nil {
		t.Fatal(err)
	}
	for range maxKnocks {
		if err := d.check(newKnock(self, now).serverName(), now, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.check(first, now, false); err == nil {
		t.Error("a knock was accepted again after one generation of others")
	}
	if n := len(d.seen) + len(d.old); n > 2*maxKnocks {
		t.Errorf("%d knocks are remembered, want at most %d", n, 2*maxKnocks)
	}
}

// Who does not know whom he calls sees no certificate.
func TestNoCertificateWithoutAKnock(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		b := w.node(2, "10.0.0.2:4002", paired(1))
		stranger := w.caller("8.8.0.9:9009")
		used := newKnock(b.id, time.Now()).serverName()
		for _, tt := range []struct {
			name, knock string
			shown       bool
		}{
			{"right", used, true},
			{"replayed", used, false},
			{"none", "x.invalid", false},
			{"for another", newKnock(testIdentity(3).ID(), time.Now()).serverName(), false},
			{"old", newKnock(b.id, time.Now().AddDate(0, 0, -2)).serverName(), false},
		} {
			for _, alpn := range []string{alpnLink, alpnPair} {
				if tt.name == "right" && alpn == alpnPair {
					continue // it would be the replay
				}
				shown := false
				cert, err := certificate(testIdentity(9))
				if err != nil {
					t.Fatal(err)
				}
				config := dialTLS(cert, b.id, alpn, time.Now())
				config.ServerName = tt.knock
				config.VerifyConnection = func(cs tls.ConnectionState) error {
					shown = len(cs.PeerCertificates) > 0
					return nil
				}
				c, err := stranger.call(t, b.addr, config)
				if shown != tt.shown {
					t.Errorf("knock %s, %s: certificate shown = %v, want %v (%v)", tt.name, alpn, shown, tt.shown, err)
				}
				if e, ok := errors.AsType[*quic.TransportError](err); !tt.shown && (!ok || e.ErrorCode != 0x150) {
					t.Errorf("knock %s, %s: %v, want CRYPTO_ERROR 0x150", tt.name, alpn, err)
				}
				if c != nil {
					_ = c.CloseWithError(0, "")
				}
			}
		}
		if got := b.app.log(); len(got) != 0 {
			t.Errorf("B was told %q, want nothing", got)
		}
	})
}

// A dialler shows its certificate to nobody but whom it calls.
func TestDiallerIsAnonymousToOthers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seen := make(chan int, 8)
		cert, err := certificate(testIdentity(9))
		if err != nil {
			t.Fatal(err)
		}
		trap := commonTLS(cert)
		trap.NextProtos = []string{alpnLink}
		trap.VerifyConnection = func(cs tls.ConnectionState) error {
			seen <- len(cs.PeerCertificates)
			return nil
		}
		addr := netip.MustParseAddrPort("10.0.0.9:9009")
		tr := w.caller(addr.String())
		ln, err := tr.Listen(trap, quicConfig())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = ln.Close() }()
		a := w.node(1, "10.0.0.1:4001", paired(2))
		_ = a.AddCandidate(Candidate{Peer: testIdentity(2).ID(), Addr: addr, Kind: Host}, Metadata{})
		pass(10 * time.Second)
		select {
		case n := <-seen:
			t.Errorf("the trap saw %d certificates of the dialler", n)
		default:
		}
	})
}

func TestCertificateCarriesNothingButTheKey(t *testing.T) {
	for n := byte(1); n < 3; n++ {
		c, err := certificate(testIdentity(n))
		if err != nil {
			t.Fatal(err)
		}
		x, err := x509.ParseCertificate(c.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		if len(x.Extensions) != 0 || x.Subject.String() != "" || x.Issuer.String() != "" || x.SerialNumber.Int64() != 1 || len(x.Raw) > 256 {
			t.Errorf("certificate = %d bytes, subject %q, serial %v, extensions %v", len(x.Raw), x.Subject, x.SerialNumber, x.Extensions)
		}
	}
}

func FuzzKnock(f *testing.F) {
	self := testIdentity(1).ID()
	k := makeKnock(self, [8]byte{1, 2, 3}, 20777)
	f.Add(k.serverName())
	f.Add("")
	f.Add(".invalid")
	f.Add(strings.Repeat("a", 36) + ".invalid")
	f.Fuzz(func(t *testing.T, name string) {
		k, err := parseKnock(name)
		if err == nil && k.serverName() != name {
			t.Errorf("parseKnock(%q).serverName() = %q", name, k.serverName())
		}
		_ = newDoor(self).check(name, time.Unix(20777*86400, 0), false)
	})
}
