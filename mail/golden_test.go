package mail

import (
	"bytes"
	"encoding/hex"
	"os"
	"reflect"
	"strings"
	"testing"

	"foldpost/p2p"
)

// golden returns the values of testdata/letters.txt: lines of a name and
// hex, or of a name and text for links.
func golden(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile("testdata/letters.txt")
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]string)
	for line := range strings.Lines(string(b)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if ok && name != "#" {
			values[name] = value
		}
	}
	return values
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestGolden holds the formats still: another program that follows
// PROTOCOL.md gets these bytes from these values.
func TestGolden(t *testing.T) {
	want := golden(t)
	identity := func(id *p2p.Identity) string {
		b, err := id.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		return hex.EncodeToString(b[1:])
	}
	content := func(p Payload) string {
		b, err := p.encode(func(w *payload) { w.DiscoveryKey = testPSK.DiscoveryKey() })
		if err != nil {
			t.Fatal(err)
		}
		return hex.EncodeToString(b)
	}
	peerContent := func(p Payload) string {
		b, err := p.encode(func(*payload) {})
		if err != nil {
			t.Fatal(err)
		}
		return hex.EncodeToString(b)
	}
	letters, reserved := testPairwise.LettersKey(), testPSK.ReservedKey()
	linkContent, err := testLink().encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{
		"ada":                identity(ada),
		"bob":                identity(bob),
		"psk":                hex.EncodeToString(testPSK[:]),
		"salt":               hex.EncodeToString(testSalt[:]),
		"ephemeral":          hex.EncodeToString(ephemeral[:]),
		"invitation.payload": content(testInvitation()),
		"invitation.letter":  hex.EncodeToString(mustSeal(t, PatternInvitation, testInvitation())),
		"answer.payload":     content(testAnswer()),
		"answer.letter":      hex.EncodeToString(mustSeal(t, PatternAnswer, testAnswer())),
		"pairwise":           hex.EncodeToString(testPairwise[:]),
		"letters.key":        hex.EncodeToString(letters[:]),
		"reserved.key":       hex.EncodeToString(reserved[:]),
		"seek.payload":       peerContent(testSeek()),
		"seek.letter":        hex.EncodeToString(mustSealPeer(t, testSeek())),
		"here.payload":       peerContent(testHere()),
		"link.secret":        hex.EncodeToString(unhex(t, "e0e1e2e3e4e5e6e7e8e9eaebecedeeef")),
		"link.payload":       hex.EncodeToString(linkContent),
		"link":               mustReveal(t, testLink()),
	} {
		if got != want[name] {
			t.Errorf("%s is now\n%s %s\nwant\n%s", name, name, got, want[name])
		}
	}
}

func TestGoldenOpens(t *testing.T) {
	want := golden(t)
	if p, err := OpenInvitation(unhex(t, want["invitation.letter"]), testPSK); err != nil || !reflect.DeepEqual(p, testInvitation()) {
		t.Errorf("OpenInvitation(golden) = %+v, %v", p, err)
	}
	if p, err := OpenAnswer(unhex(t, want["answer.letter"]), testPSK); err != nil || !reflect.DeepEqual(p, testAnswer()) {
		t.Errorf("OpenAnswer(golden) = %+v, %v", p, err)
	}
	if p, err := OpenPeer(ada, as(bob, ""), unhex(t, want["seek.letter"])); err != nil || !reflect.DeepEqual(p, testSeek()) {
		t.Errorf("OpenPeer(golden) = %+v, %v", p, err)
	}
	l, err := ParseLink(want["link"])
	if err != nil || !reflect.DeepEqual(l, testLink()) || !bytes.Equal(l.Secret[:], unhex(t, want["link.secret"])) {
		t.Errorf("ParseLink(golden) = %v, %v", l.Payload, err)
	}
}
