package mail

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/p2p"
)

// testPairwise is ada's and bob's pairwise secret.
var testPairwise = p2p.Secret(seq[[32]byte](0x30))

// as is a device as the other one of the two knows it.
func as(id *p2p.Identity, address string) Correspondent {
	return Correspondent{Peer: id.ID(), Static: id.Static(), Key: testPairwise.LettersKey(), Address: address}
}

func testSeek() Payload {
	p := signed(bob, Payload{
		Kind: KindSeek, Token: bobToken,
		Addrs:  []netip.AddrPort{netip.MustParseAddrPort("198.51.100.9:52000")},
		Device: "Bob's PC", Program: "foldpost 1.0", From: "bob@example.org", To: "ada@example.org",
	})
	p.Expires = testNow.Add(3 * 24 * time.Hour)
	return p
}

func testHere() Payload {
	p := testSeek()
	p.Kind, p.InReplyTo = KindHere, adaToken
	return p
}

// mustSealPeer writes a letter of bob to ada.
func mustSealPeer(t testing.TB, p Payload) []byte {
	t.Helper()
	letter, err := sealPeer(bytes.NewReader(ephemeral[:]), bob, as(ada, "ada@example.org"), p)
	if err != nil {
		t.Fatal(err)
	}
	return letter
}

func TestPeerLetterRoundTrip(t *testing.T) {
	for _, p := range []Payload{testSeek(), testHere()} {
		letter, err := SealPeer(bob, as(ada, "ada@example.org"), p)
		if err != nil {
			t.Fatal(err)
		}
		if head, err := ReadHead(letter); err != nil || head.Pattern != PatternPeer {
			t.Errorf("ReadHead(%s) = %+v, %v, want pattern %d", p.Kind, head, err, PatternPeer)
		}
		if len(letter) > MaxLetter {
			t.Errorf("%s of %d bytes, at most %d", p.Kind, len(letter), MaxLetter)
		}
		if got, err := OpenPeer(ada, as(bob, ""), letter); err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("OpenPeer(%s) = %+v, %v, want what was sealed", p.Kind, got, err)
		}
	}
}

// TestPeerLetterOpensOnlyBetweenItsTwo: neither another receiver, nor another
// key, nor another writer, nor a changed byte.
func TestPeerLetterOpensOnlyBetweenItsTwo(t *testing.T) {
	eve := testIdentity(3)
	letter := mustSealPeer(t, testSeek())
	otherKey := as(bob, "")
	otherKey.Key[0] ^= 1
	byEve, err := SealPeer(eve, as(ada, ""), testSeek()) // who learned the pairwise secret
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		self   *p2p.Identity
		from   Correspondent
		letter []byte
	}{
		{"another receiver", eve, as(bob, ""), letter},
		{"its own writer", bob, as(ada, ""), letter},
		{"another key", ada, otherKey, letter},
		{"as another's", ada, as(eve, ""), letter},
		{"of another's static key", ada, as(bob, ""), byEve},
		{"as a low-order key", ada, Correspondent{Key: testPairwise.LettersKey()}, letter},
	} {
		if got, err := OpenPeer(tt.self, tt.from, tt.letter); !errors.Is(err, ErrWrongKey) {
			t.Errorf("%s: OpenPeer = %v, %v, want ErrWrongKey", tt.name, got, err)
		}
	}
	for name, b := range tampered(letter) {
		if name == "other salt" { // there is none: bytes of the message
			continue
		}
		if _, err := OpenPeer(ada, as(bob, ""), b); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
	if _, err := OpenPeer(ada, as(bob, ""), letter); err != nil {
		t.Errorf("OpenPeer after all that = %v", err)
	}
}

// TestPeerLetterOfAnother: the right key does not let a device speak for
// another, or send what is not between devices.
func TestPeerLetterOfAnother(t *testing.T) {
	ofEve := testSeek()
	eve := testIdentity(3)
	ofEve.Public, ofEve.Static, ofEve.StaticSig = eve.Public(), eve.Static(), eve.StaticSig()
	if _, err := OpenPeer(ada, as(bob, ""), mustSealPeer(t, ofEve)); !errors.Is(err, ErrPayload) {
		t.Errorf("OpenPeer of what speaks for another = %v, want ErrPayload", err)
	}
	long := testSeek()
	long.Expires = long.Created.Add(maxPeerValid + time.Second)
	for _, p := range []Payload{testInvitation(), testAnswer(), long} {
		if _, err := SealPeer(bob, as(ada, ""), p); err == nil {
			t.Errorf("SealPeer(%s until %s) = nil, want an error", p.Kind, p.Expires)
		}
	}
	if _, err := seal(nil, PatternInvitation, testPSK, testSalt, testSeek()); err == nil {
		t.Error("a seek was sealed as an invitation")
	}
}

// peerKeys is ada, who knows some devices.
type peerKeys struct {
	memoryKeys
	list []Correspondent
}

func (k peerKeys) Identity() *p2p.Identity         { return ada }
func (k peerKeys) Correspondents() []Correspondent { return k.list }

func TestPostReadsLettersOfCorrespondents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := newMemoryBox("Ada@example.org")
		keys := peerKeys{memoryKeys: adaKeys(), list: []Correspondent{as(testIdentity(4), "cem@example.org"), as(bob, "bob@example.org")}}
		post, out := runPost(t, box, keys)
		letter := func(change func(*Payload)) Message {
			p := testSeek()
			p.Created, p.Expires = time.Now().Truncate(time.Second), time.Now().Add(24*time.Hour).Truncate(time.Second)
			change(&p)
			b, err := SealPeer(bob, as(ada, ""), p)
			if err != nil {
				t.Fatal(err)
			}
			return Message{ID: "1@x", From: "bob@example.org", Letter: b}
		}
		byStranger, err := SealPeer(testIdentity(5), as(ada, ""), testSeek())
		if err != nil {
			t.Fatal(err)
		}
		good := letter(unchanged)
		for _, m := range []Message{
			{Letter: byStranger},
			letter(func(p *Payload) { p.Token, p.To = numberedToken(1), "eve@example.org" }),
			letter(func(p *Payload) {
				p.Token, p.Created, p.Expires = numberedToken(2), time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
			}),
			letter(func(p *Payload) { p.Token = adaToken }),
			good, good,
		} {
			box.in <- m
		}
		synctest.Wait()
		if len(out) != 1 {
			t.Fatalf("%d deliveries, want one: %+v", len(out), post.Stats())
		}
		if d := <-out; d.Peer == nil || d.Peer.From.Peer != bob.ID() || d.Peer.Payload.Token != bobToken || d.Message.ID != good.ID {
			t.Errorf("delivered %+v, want bob's seek", d)
		}
		want := map[string]int{ErrNoCorrespondent.Error(): 1, ErrNotForUs.Error(): 1, ErrExpired.Error(): 1, ErrOwn.Error(): 1, ErrReplayed.Error(): 1}
		if s := post.Stats(); fmt.Sprint(s.Dropped) != fmt.Sprint(want) {
			t.Errorf("dropped %v, want %v", s.Dropped, want)
		}
	})
}

// TestPeerLettersAreLimited: letters that nobody known wrote cost a trial for
// each key.
func TestPeerLettersAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := newMemoryBox("ada@example.org")
		keys := peerKeys{memoryKeys: adaKeys(), list: slices.Repeat([]Correspondent{as(bob, "")}, 10)}
		post, _ := runPost(t, box, keys)
		bomb := mustSealPeer(t, testSeek())
		bomb[len(bomb)-1] ^= 1
		for range 50 {
			box.in <- Message{Letter: bomb}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := post.Stats().Messages; n < 10 || n > trialsPerMin/10 {
			t.Errorf("%d letters of ten trials each in the first minute, want at most %d", n, trialsPerMin/10)
		}
	})
}

func FuzzOpenPeer(f *testing.F) {
	f.Add(mustSealPeer(f, testSeek()))
	f.Add(mustSealPeer(f, testHere()))
	f.Add([]byte{1, 2})
	from := as(testIdentity(4), "")
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := OpenPeer(ada, from, b); err == nil {
			t.Error("a letter of nobody opened")
		}
	})
}
