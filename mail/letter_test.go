package mail

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"foldpost/p2p"
)

// The fixed values behind testdata/letters.txt.
var (
	testPSK   = p2p.Secret(seq[[32]byte](0x10))
	testSalt  = Salt(seq[[16]byte](0x40))
	testNow   = time.Unix(1_795_000_000, 0)
	ada, bob  = testIdentity(1), testIdentity(2)
	adaToken  = p2p.Token(seq[[16]byte](0x60))
	bobToken  = p2p.Token(seq[[16]byte](0x80))
	ephemeral = seq[[32]byte](0xa0)
)

// seq returns an array that counts up from a byte.
func seq[T [16]byte | [32]byte](from byte) (a T) {
	for i := range len(a) {
		a[i] = from + byte(i)
	}
	return a
}

func testIdentity(n byte) *p2p.Identity {
	id, err := p2p.UnmarshalIdentity(append([]byte{1}, bytes.Repeat([]byte{n}, 64)...))
	if err != nil {
		panic(err)
	}
	return id
}

func signed(id *p2p.Identity, p Payload) Payload {
	p.Public, p.Static, p.StaticSig = id.Public(), id.Static(), id.StaticSig()
	p.Created, p.Expires = testNow, testNow.Add(7*24*time.Hour)
	return p
}

func testInvitation() Payload {
	return signed(ada, Payload{
		Kind: KindInvitation, Token: adaToken,
		Addrs:  []netip.AddrPort{netip.MustParseAddrPort("203.0.113.7:41000"), netip.MustParseAddrPort("[2001:db8::7]:41000")},
		Person: "Ada Lovelace", Device: "Ada's laptop", Program: "foldpost 1.0",
		Folders: []FolderOffer{{ID: seq[[32]byte](0xc0), Name: "Photos 2026", Bytes: 38_000_000_000, Files: 9123, Role: 1}},
		Network: "home", From: "ada@example.org", To: "bob@example.org",
	})
}

func testAnswer() Payload {
	return signed(bob, Payload{
		Kind: KindAnswer, Token: bobToken, InReplyTo: adaToken,
		Addrs:  []netip.AddrPort{netip.MustParseAddrPort("198.51.100.9:52000")},
		Person: "Bob", Device: "Bob's PC", Program: "foldpost 1.0", From: "bob@example.org", To: "ada@example.org",
	})
}

func mustSeal(t testing.TB, pattern Pattern, p Payload) []byte {
	t.Helper()
	letter, err := seal(bytes.NewReader(ephemeral[:]), pattern, testPSK, testSalt, p)
	if err != nil {
		t.Fatal(err)
	}
	return letter
}

func TestLetterRoundTrip(t *testing.T) {
	invitation, err := SealInvitation(testPSK, testSalt, testInvitation())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := OpenInvitation(invitation, testPSK); err != nil || !reflect.DeepEqual(got, testInvitation()) {
		t.Errorf("OpenInvitation = %+v, %v, want what was sealed", got, err)
	}
	answer, err := SealAnswer(testPSK, testSalt, testAnswer())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := OpenAnswer(answer, testPSK); err != nil || !reflect.DeepEqual(got, testAnswer()) {
		t.Errorf("OpenAnswer = %+v, %v, want what was sealed", got, err)
	}
	if head, err := ReadHead(answer); err != nil || head != (Head{PatternAnswer, testSalt}) {
		t.Errorf("ReadHead = %+v, %v", head, err)
	}
	again, err := SealAnswer(testPSK, testSalt, testAnswer())
	if err != nil || bytes.Equal(answer, again) {
		t.Errorf("sealed twice: equal bytes, %v", err)
	}
}

func TestLetterSizesTellLittle(t *testing.T) {
	p := testInvitation()
	var sizes []int
	for n := range 17 {
		p.Folders = slices.Repeat([]FolderOffer{{Name: strings.Repeat("x", 200)}}, n)
		letter := mustSeal(t, PatternInvitation, p)
		sizes = append(sizes, len(letter)-headSize-noiseOverhead)
		if n == MaxFolders {
			break
		}
	}
	if got, want := slices.Compact(sizes), []int{512, 1024, 2048, 4096}; !slices.Equal(got, want) {
		t.Errorf("sizes of sealed payloads = %d, want %d", got, want)
	}
	p.Folders = slices.Repeat([]FolderOffer{{ID: seq[[32]byte](1), Name: strings.Repeat("x", 256)}}, 16)
	if _, err := SealInvitation(testPSK, testSalt, p); err == nil {
		t.Error("SealInvitation of a payload that is too large = nil")
	}
}

// tampered yields each letter that differs from l in one byte, in two ways,
// that is cut short, or that goes on.
func tampered(l []byte) map[string][]byte {
	all := make(map[string][]byte)
	for i := range l {
		for _, flip := range []byte{0x01, 0x80} {
			b := slices.Clone(l)
			b[i] ^= flip
			all["flip "+hex.EncodeToString([]byte{byte(i >> 8), byte(i), flip})] = b
		}
		all["cut "+hex.EncodeToString([]byte{byte(i >> 8), byte(i)})] = l[:i]
	}
	for _, more := range []int{1, 16, 512, 4096} {
		all["longer by "+hex.EncodeToString([]byte{byte(more >> 8), byte(more)})] = append(slices.Clone(l), make([]byte, more)...)
	}
	relabelled := slices.Clone(l)
	relabelled[1] ^= byte(PatternInvitation ^ PatternAnswer)
	all["relabelled"] = relabelled
	all["other salt"] = slices.Concat(l[:2], make([]byte, 16), l[headSize:])
	return all
}

func TestNoTamperedLetterOpens(t *testing.T) {
	for _, l := range [][]byte{mustSeal(t, PatternInvitation, testInvitation()), mustSeal(t, PatternAnswer, testAnswer())} {
		for name, b := range tampered(l) {
			if _, err := OpenInvitation(b, testPSK); err == nil {
				t.Errorf("%s: opened as an invitation", name)
			}
			if _, err := OpenAnswer(b, testPSK); err == nil {
				t.Errorf("%s: opened as an answer", name)
			}
		}
		other := testPSK
		other[31] ^= 1
		for _, openIt := range []func([]byte, p2p.Secret) (Payload, error){OpenInvitation, OpenAnswer} {
			if _, err := openIt(l, other); !errors.Is(err, ErrWrongKey) && !errors.Is(err, ErrNotLetter) {
				t.Errorf("another psk: %v, want ErrWrongKey", err)
			}
		}
	}
}

// TestReflectedLetterDoesNotOpen moves letters where they do not belong
// without knowing the psk, and once with it.
func TestReflectedLetterDoesNotOpen(t *testing.T) {
	invitation := mustSeal(t, PatternInvitation, testInvitation())
	if _, err := OpenAnswer(invitation, testPSK); !errors.Is(err, ErrNotLetter) {
		t.Errorf("OpenAnswer(invitation) = %v, want ErrNotLetter", err)
	}
	if _, err := seal(bytes.NewReader(ephemeral[:]), PatternAnswer, testPSK, testSalt, testInvitation()); err == nil {
		t.Error("an invitation was sealed as an answer")
	}
}

// TestForgedContentIsRefused seals, with the right key, what no honest program
// would write.
func TestForgedContentIsRefused(t *testing.T) {
	good, err := testInvitation().encode(func(w *payload) { w.DiscoveryKey = testPSK.DiscoveryKey() })
	if err != nil {
		t.Fatal(err)
	}
	wrongKey, err := testInvitation().encode(func(w *payload) { w.DiscoveryKey[0]++ })
	if err != nil {
		t.Fatal(err)
	}
	answer, err := testAnswer().encode(func(w *payload) { w.DiscoveryKey = testPSK.DiscoveryKey() })
	if err != nil {
		t.Fatal(err)
	}
	padded := func(b []byte, fill byte) []byte {
		return append(slices.Clone(b), bytes.Repeat([]byte{fill}, 512-len(b))...)
	}
	for _, tt := range []struct {
		name    string
		content []byte
		want    error
	}{
		{"as it should be", padded(good, 0), nil},
		{"wrong discovery key", padded(wrongKey, 0), ErrPayload},
		{"an answer's content", padded(answer, 0), ErrPayload},
		{"padding that says something", padded(good, 7), ErrPayload},
		{"second value", padded(append(slices.Clone(good), 0x80), 0), ErrPayload},
		{"nothing", padded(nil, 0), ErrPayload},
		{"map of four billion", padded([]byte{0xdf, 0xff, 0xff, 0xff, 0xff}, 0), ErrPayload},
		{"nested to the end", bytes.Repeat([]byte{0x91}, 512), ErrPayload},
	} {
		head := append([]byte{1, 1}, testSalt[:]...)
		hs, err := handshake(bytes.NewReader(ephemeral[:]), head, testPSK, true)
		if err != nil {
			t.Fatal(err)
		}
		letter, _, _, err := hs.WriteMessage(head, tt.content)
		if err != nil {
			t.Fatal(err)
		}
		got, err := OpenInvitation(letter, testPSK)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: OpenInvitation = %v, %v, want %v", tt.name, got, err, tt.want)
		}
	}
}

func FuzzReadHead(f *testing.F) {
	f.Add(mustSeal(f, PatternInvitation, testInvitation()))
	f.Add([]byte{1, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := ReadHead(b); err == nil && len(b) > MaxLetter {
			t.Errorf("ReadHead took %d bytes", len(b))
		}
		if _, err := OpenAnswer(b, testPSK); err == nil {
			t.Error("random bytes opened")
		}
	})
}
