package p2p

import (
	"bytes"
	"context"
	"encoding/hex"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/stun/v3"
)

var (
	stunID   = [stun.TransactionIDSize]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	stunFrom = netip.MustParseAddrPort("192.0.2.7:4001")
)

// signedRequest is a check of the test identity 1 to 2.
func signedRequest() (checkKey, []byte) {
	k := newCheckKey(Secret{42}, testIdentity(1).ID())
	return k, makeRequest(stunID, k.nameOf([nameRandom]byte{1, 2, 3, 4, 5, 6, 7, 8}), k)
}

// The bytes of PROTOCOL.md, "Checks", for other implementations.
func TestGoldenChecks(t *testing.T) {
	k, signed := signedRequest()
	m, err := parseSTUN(bytes.Clone(signed))
	if err != nil || !m.signedBy(k) || !k.made(m.name) || m.response {
		t.Fatalf("parseSTUN(signed request) = %+v, %v", m, err)
	}
	plain := makeRequest(stunID, "", checkKey{})
	p, err := parseSTUN(bytes.Clone(plain))
	if err != nil {
		t.Fatal(err)
	}
	want := golden(t, "checks.txt")
	for name, got := range map[string]string{
		"key":            hex.EncodeToString(k[:]),
		"name":           m.name,
		"request":        hex.EncodeToString(signed),
		"answer":         hex.EncodeToString(m.answer(stunFrom, k)),
		"plain-request":  hex.EncodeToString(plain),
		"plain-answer-4": hex.EncodeToString(p.answer(stunFrom, checkKey{})),
		"plain-answer-6": hex.EncodeToString(p.answer(netip.MustParseAddrPort("[2001:db8::7]:4001"), checkKey{})),
	} {
		if got != want[name] {
			t.Errorf("%s %s, want %s", name, got, want[name])
		}
	}
}

// A signed message that was changed in any bit, cut or lengthened is nobody's.
func TestSignedMessagesCannotBeChanged(t *testing.T) {
	k, request := signedRequest()
	m, err := parseSTUN(bytes.Clone(request))
	if err != nil {
		t.Fatal(err)
	}
	answer := m.answer(stunFrom, k)
	for _, good := range [][]byte{request, answer} {
		for i := range 8 * len(good) {
			b := bytes.Clone(good)
			b[i/8] ^= 1 << (i % 8)
			if m, err := parseSTUN(b); err == nil && m.signedBy(k) {
				t.Errorf("signed with bit %d changed: %x", i, b)
			}
		}
		for n := range len(good) {
			if m, err := parseSTUN(bytes.Clone(good[:n])); err == nil && m.signedBy(k) {
				t.Errorf("signed though cut to %d bytes", n)
			}
		}
		if _, err := parseSTUN(append(bytes.Clone(good), 0, 0, 0, 0)); err == nil {
			t.Error("parseSTUN(message and four bytes) = nil")
		}
	}
	if back := newCheckKey(Secret{42}, testIdentity(2).ID()); back.made(m.name) || m.signedBy(back) {
		t.Error("a check sent back to its sender is taken for the peer's")
	}
}

// No answer is longer than its request, whoever asks from wherever.
func TestAnswersAreNotLonger(t *testing.T) {
	k, signed := signedRequest()
	bare := mustBuild([]stun.Setter{stun.BindingRequest, stun.NewTransactionIDSetter(stunID)})
	for _, request := range [][]byte{signed, bare, makeRequest(stunID, "", checkKey{})} {
		for _, from := range []string{"192.0.2.7:4001", "[2001:db8::7]:4001"} {
			m, err := parseSTUN(bytes.Clone(request))
			if err != nil {
				t.Fatal(err)
			}
			if a := m.answer(netip.MustParseAddrPort(from), k); len(a) > len(request) {
				t.Errorf("%d bytes answer %d from %s", len(a), len(request), from)
			}
		}
	}
	m, err := parseSTUN(bare)
	if err != nil || m.answer(stunFrom, checkKey{}) != nil {
		t.Errorf("a request without padding is answered, %v", err)
	}
}

func FuzzSTUN(f *testing.F) {
	k, signed := signedRequest()
	m, err := parseSTUN(bytes.Clone(signed))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Add(m.answer(stunFrom, k))
	f.Add(makeRequest(stunID, "", checkKey{}))
	f.Add([]byte("\x01\x01\x00\x0c\x21\x12\xa4\x42abcdefghijkl\x00\x20\x00\x05\x00\x02\x01\x02\x03\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		same := bytes.Clone(b)
		m, err := parseSTUN(b)
		if err != nil {
			return
		}
		if m.signedBy(k) && !bytes.Equal(same[:20], signed[:20]) && m.id != stunID {
			t.Errorf("signed by nobody: %x", same)
		}
		if m.response {
			if !m.mapped.IsValid() {
				t.Errorf("response without address: %x", same)
			}
			return
		}
		if a := m.answer(stunFrom, k); len(a) > len(same) {
			t.Errorf("%d bytes answer %d", len(a), len(same))
		}
		if !bytes.Equal(b, same) {
			t.Errorf("parsing changed the packet")
		}
	})
}

// Any STUN client is answered, so many times a second; nothing else is said to
// strangers.
func TestStrangersAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newNATWorld(t)
		a := w.node(1, "192.0.2.1:4001", nil, withSecret(2))
		s := w.stranger("198.51.100.9:5000")
		_, signed := signedRequest()
		for range 200 {
			_, _ = s.WriteTo(makeRequest(stunID, "", checkKey{}), net.UDPAddrFromAddrPort(a.addr))
		}
		_, _ = s.WriteTo(signed, net.UDPAddrFromAddrPort(a.addr))                                        // signed by nobody that a knows
		_, _ = s.WriteTo(mustBuild([]stun.Setter{stun.BindingRequest}), net.UDPAddrFromAddrPort(a.addr)) // the answer would be longer
		pass(time.Second)
		got := s.read(t)
		if len(got) == 0 || len(got) > 3*stunPerSource {
			t.Errorf("%d answers to 200 requests in a second, want 1 to %d", len(got), 3*stunPerSource)
		}
		for _, b := range got {
			if m, err := parseSTUN(b); err != nil || m.mapped.String() != "198.51.100.9:5000" {
				t.Errorf("answer %x, %v", b, err)
			}
		}
	})
}

// A user's STUN server tells the address; others' answers are not believed.
func TestServersTellTheAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newNATWorld(t)
		a := w.node(1, "192.168.1.2:4001", &nat{public: netip.MustParseAddr("203.0.113.1")}, paired())
		server := w.node(2, "192.0.2.1:4002", nil, paired())
		if got := a.Reflexive(); len(got) != 0 {
			t.Errorf("Reflexive before a server is named = %v", got)
		}
		a.SetSTUN([]netip.AddrPort{server.addr})
		pass(time.Second)
		got := a.Reflexive()
		if len(got) != 1 || got[0].Addr.String() != "203.0.113.1:4001" || got[0].Kind != Reflexive {
			t.Errorf("Reflexive = %v, want 203.0.113.1:4001", got)
		}
		if all := a.Announcement().Candidates; len(all) != 2 {
			t.Errorf("Announcement has candidates %v, want host and reflexive", all)
		}
		a.HoldMapping(time.Now().Add(10 * time.Minute))
		w.mu.Lock()
		before := w.checks
		w.mu.Unlock()
		pass(5 * time.Minute)
		w.mu.Lock()
		n := w.checks - before
		w.mu.Unlock()
		if n < 2*19 || n > 2*22 {
			t.Errorf("%d STUN packets in 5 min, want one request and its answer every 15 s", n)
		}
		a.SetSTUN(nil)
		pass(time.Second)
		if got := a.Reflexive(); len(got) != 0 {
			t.Errorf("Reflexive after the server was taken away = %v", got)
		}
	})
}

// stranger is a bare socket of a natWorld.
type stranger struct{ net.PacketConn }

func (w *natWorld) stranger(addr string) stranger {
	return stranger{w.conn(netip.MustParseAddrPort(addr))}
}

// read returns all packets that have arrived.
func (s stranger) read(t *testing.T) [][]byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	deadline, _ := ctx.Deadline()
	_ = s.SetReadDeadline(deadline)
	var list [][]byte
	for {
		b := make([]byte, maxSTUN)
		n, _, err := s.ReadFrom(b)
		if err != nil {
			return list
		}
		list = append(list, b[:n])
	}
}
