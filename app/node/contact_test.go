package node

import (
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"foldpost/p2p"
	"foldpost/p2p/wire"
)

func TestQuota(t *testing.T) {
	begin := time.Unix(1_800_000_000, 0)
	for _, tt := range []struct {
		name  string
		every time.Duration
		tries int
		want  int
	}{
		{"at once", 0, 30, 10},
		{"11 within a minute", 6 * time.Second, 11, 11},
		{"two a second for a minute and a half", time.Second / 2, 180, 20},
		{"within the minute's bound, for an hour", 6 * time.Second, 600, 100},
		{"for two hours", 6 * time.Second, 1200, 200},
		{"within both", 40 * time.Second, 300, 300},
	} {
		var q quota
		got := 0
		for i := range tt.tries {
			if q.take(lettersPerMinute, begin.Add(time.Duration(i)*tt.every)) {
				got++
			}
		}
		if got != tt.want {
			t.Errorf("%s: %d of %d taken, want %d", tt.name, got, tt.tries, tt.want)
		}
	}
}

func TestContactName(t *testing.T) {
	id := p2p.PeerID{1, 2, 3}
	n := makeContactName(id, [8]byte{0, 1, 2, 3, 4, 5, 6, 7})
	if got, want := hex.EncodeToString(n.Tag[:]), "f91656444f74a307947d91455877cf5c"; got != want {
		t.Errorf("makeContactName: tag %s, want %s", got, want)
	}
	if !newContactName(id).names(id) || newContactName(id).names(p2p.PeerID{1, 2, 4}) {
		t.Error("a name names another device than its own")
	}
	if a, b := newContactName(id), newContactName(id); a == b {
		t.Error("two names of a device are the same: a contact could tell that they are")
	}
}

// TestWhenContactsAreAsked: soon, then ever more rarely, at once when
// something is new.
func TestWhenContactsAreAsked(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	var k contactSeek
	contacts, own := []p2p.PeerID{{1}}, []string{"192.0.2.1:4001"}
	at := func(d time.Duration) bool {
		k.busy = false
		return k.due(now.Add(d), now, contacts, own)
	}
	var asked []time.Duration
	for d := time.Duration(0); d < time.Hour; d += time.Second {
		if at(d) {
			asked = append(asked, d)
		}
	}
	want := []time.Duration{3 * time.Second, 33 * time.Second, 93 * time.Second, 213 * time.Second, 453 * time.Second, 933 * time.Second, 1533 * time.Second, 2133 * time.Second, 2733 * time.Second, 3333 * time.Second}
	if !slices.Equal(asked, want) {
		t.Errorf("asked after %v, want %v", asked, want)
	}
	contacts = append(contacts, p2p.PeerID{2})
	if !at(time.Hour) || at(time.Hour+time.Second) {
		t.Error("a new contact is not asked once at once")
	}
	own = []string{"192.0.2.9:4001"}
	if !at(time.Hour + 2*time.Second) {
		t.Error("contacts are not asked when this device has moved")
	}
	contacts = contacts[:1]
	if at(time.Hour + 4*time.Second) {
		t.Error("asked again because a contact went")
	}
}

func FuzzContactFrame(f *testing.F) {
	name := makeContactName(p2p.PeerID{1}, [8]byte{2})
	for _, v := range []any{
		contactFrame{Kind: contactCarry, To: &name, Letter: make([]byte, 610)},
		contactFrame{Kind: contactDeliver, From: p2p.PeerID{3}, Letter: []byte{1}, Hops: 1 << 60},
		contactAnswer{Status: contactCarried, Letter: make([]byte, 1122)},
	} {
		b, err := wire.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var frame contactFrame
		if wire.Unmarshal(b, &frame) == nil && frame.To != nil && frame.To.names(p2p.PeerID{9}) {
			t.Error("a name of a device that nobody named")
		}
		var a contactAnswer
		_ = wire.Unmarshal(b, &a)
	})
}
