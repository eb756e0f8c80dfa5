package e2e

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"foldpost/p2p"
	"foldpost/p2p/wire"
)

// contactFrame and contactAnswer are those of mail/PROTOCOL.md, "By a contact".
type contactFrame struct {
	Kind   uint64       `wire:"1"`
	To     *contactName `wire:"2"`
	From   p2p.PeerID   `wire:"3"`
	Letter []byte       `wire:"4"`
}

type contactName struct {
	Random [8]byte  `wire:"1"`
	Tag    [16]byte `wire:"2"`
}

type contactAnswer struct {
	Status uint64 `wire:"1"`
	Letter []byte `wire:"2"`
	Relays bool   `wire:"3"`
}

const (
	carry, deliver                = 1, 2
	isCarried, isAbsent, tooOften = 1, 2, 3
)

func nameOf(id p2p.PeerID) *contactName { return nameWith(id, [8]byte{1, 2, 3}) }

func nameWith(id p2p.PeerID, r [8]byte) *contactName {
	k, err := hkdf.Expand(sha256.New, id[:], "foldpost/1 contact", 32)
	if err != nil {
		panic(err)
	}
	n := contactName{Random: r}
	m := hmac.New(sha256.New, k)
	m.Write(n.Random[:])
	n.Tag = [16]byte(m.Sum(nil))
	return &n
}

// hands sends a contact frame and returns the answer.
func (s *stranger) hands(at p2p.PeerID, f contactFrame) (a contactAnswer, err error) {
	s.w.t.Helper()
	ctx, cancel := context.WithTimeout(s.w.t.Context(), 20*time.Second)
	defer cancel()
	st, err := s.Open(ctx, at, "contact/1")
	s.w.must(err)
	defer st.Close()
	s.w.must(wire.Write(st, wire.MaxControl, f))
	return a, wire.Read(st, wire.MaxControl, &a)
}

// gives is hands to one that answers; it returns the status.
func (s *stranger) gives(at p2p.PeerID, f contactFrame) uint64 {
	s.w.t.Helper()
	a, err := s.hands(at, f)
	s.w.must(err)
	return a.Status
}

// eavesdrops has the stranger keep what it is given to carry.
func (s *stranger) eavesdrops() <-chan contactFrame {
	got := make(chan contactFrame, 100)
	s.contact = func(st p2p.Stream) {
		var f contactFrame
		if wire.Read(st, wire.MaxControl, &f) == nil {
			got <- f
		}
		wire.Write(st, wire.MaxControl, contactAnswer{Status: isAbsent})
	}
	return got
}

// letterToBob is a letter of ada's that a contact got; bob is on again, and
// packets between the two are lost.
func (w *world) letterToBob(ada, bob *device, m *stranger, got <-chan contactFrame) contactFrame {
	w.t.Helper()
	bob.end()
	for len(got) > 0 {
		<-got // bob's may be among them
	}
	f := <-got
	if f.Kind != carry || f.To == nil || len(f.Letter) != 610 && len(f.Letter) != 1122 {
		w.t.Fatalf("a contact gets kind %d with %d bytes, want one letter to be carried", f.Kind, len(f.Letter))
	}
	bob.start()
	m.linked(bob.id())
	return f
}

// TestHostileContact: a device that both are linked with gets their letters
// into its hands. It can lose them, and can do nothing else.
func TestHostileContact(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, _ := w.acquainted()
		m := w.stranger(p2p.Metadata{Name: "cem's laptop"})
		got := m.eavesdrops()
		m.byLink(ada)
		m.byLink(bob)
		w.watch(func(p packet) bool {
			from, to := addrOf(p.From), addrOf(p.To)
			return from == ada.addr && to == bob.addr || from == bob.addr && to == ada.addr
		})
		ada.eventually("lost bob", time.Minute, without("bob"))
		f := w.letterToBob(ada, bob, m, got)
		forged := bytes.Clone(f.Letter)
		forged[100] ^= 1
		for _, c := range []struct {
			name string
			at   *device
			from p2p.PeerID
			what []byte
			want uint64
		}{
			{"forged", bob, ada.id(), forged, isAbsent},
			{"as one of its own", bob, m.identity.ID(), f.Letter, isAbsent},
			{"of nobody", bob, p2p.PeerID{1}, f.Letter, isAbsent},
			{"back to its writer", ada, bob.id(), f.Letter, isAbsent},
			{"back to its writer as his own", ada, ada.id(), f.Letter, isAbsent},
			{"as it is", bob, ada.id(), f.Letter, isCarried},
			{"again", bob, ada.id(), f.Letter, isCarried}, // as if another contact brought it too
		} {
			if got := m.gives(c.at.id(), contactFrame{Kind: deliver, From: c.from, Letter: c.what}); got != c.want {
				t.Errorf("a letter delivered %s: status %d, want %d", c.name, got, c.want)
			}
		}
		before := bob.steal()
		time.Sleep(time.Hour)
		m.linked(bob.id())
		if got := m.gives(bob.id(), contactFrame{Kind: deliver, From: ada.id(), Letter: f.Letter}); got != isAbsent {
			t.Errorf("a letter replayed after an hour: status %d, want %d", got, isAbsent)
		}
		if after := bob.steal(); fmt.Sprint(before) != fmt.Sprint(after) {
			t.Error("letters changed what bob trusts")
		}
		id := bob.id()
		bob.end()
		w.until("stranger lost bob", time.Minute, func() error {
			if _, linked := m.Link(id); linked {
				return errors.New("still linked")
			}
			return nil
		})
		bob.start()
		m.linked(id)
		if got := m.gives(bob.id(), contactFrame{Kind: deliver, From: ada.id(), Letter: f.Letter}); got != isAbsent {
			t.Errorf("a letter replayed after a restart: status %d, want %d", got, isAbsent)
		}
		for range 9 { // one is there already
			m.gives(bob.id(), contactFrame{Kind: deliver, From: ada.id(), Letter: forged})
		}
		if got := m.gives(bob.id(), contactFrame{Kind: deliver, From: ada.id(), Letter: forged}); got != tooOften {
			t.Errorf("more letters than it takes in a minute: status %d, want %d", got, tooOften)
		}
	})
}

// TestContactAnswersItself: a hostile contact gives answers of its own making
// to who looks for another device. None makes it dial anything.
func TestContactAnswersItself(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, _ := w.acquainted()
		m := w.stranger(p2p.Metadata{Name: "cem's laptop"})
		var tries int
		m.contact = func(st p2p.Stream) {
			var f contactFrame
			if wire.Read(st, wire.MaxControl, &f) != nil {
				return
			}
			answers := [][]byte{f.Letter, nil, bytes.Repeat([]byte{1}, 610), make([]byte, 7000)}
			wire.Write(st, wire.MaxControl, contactAnswer{Status: isCarried, Letter: answers[tries%len(answers)]})
			tries++
		}
		m.byLink(ada)
		bob.end()
		ada.eventually("lost bob", time.Minute, without("bob"))
		ada.never("linked with bob", time.Hour, all(2))
		if tries < 4 {
			t.Fatalf("%d questions, want 4 at least", tries)
		}
		bob.start()
		ada.eventually("linked with bob", 2*time.Minute, all(2))
	})
}

// TestContactTellsNothing: whether a device is known, linked, or could not
// open a letter, the answer is the same.
func TestContactTellsNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, cem := w.device("ada"), w.device("bob"), w.device("cem")
		w.link(cem, ada)
		w.link(cem, bob)
		m := w.stranger(p2p.Metadata{Name: "mallory"})
		m.contact = func(p2p.Stream) { t.Error("a letter came back to its sender") }
		m.byLink(cem)
		letter := append([]byte{1, 2}, bytes.Repeat([]byte{7}, 608)...)
		idOfBob := bob.id()
		bob.end()
		cem.eventually("lost bob", time.Minute, without("bob"))
		for name, id := range map[string]p2p.PeerID{"unknown": {1, 2, 3}, "known and off": idOfBob, "linked": ada.id(), "itself": cem.id(), "the sender": m.identity.ID()} {
			letter[100]++ // another one each time
			a, err := m.hands(cem.id(), contactFrame{Kind: carry, To: nameOf(id), Letter: letter})
			if err != nil || a.Status != isAbsent || a.Letter != nil {
				t.Errorf("%s: %v, %v; want %d and nothing else", name, a, err, isAbsent)
			}
		}
		for range 5 {
			m.gives(cem.id(), contactFrame{Kind: carry, To: nameOf(ada.id()), Letter: letter})
		}
		if got := m.gives(cem.id(), contactFrame{Kind: carry, To: nameOf(ada.id()), Letter: letter}); got != tooOften {
			t.Errorf("the 11th letter in a minute: status %d, want %d", got, tooOften)
		}
		for _, f := range []contactFrame{{Kind: carry, Letter: letter}, {Kind: deliver, From: ada.id(), Letter: []byte("no letter")}, {Kind: 9, Letter: letter}} {
			if a, err := m.hands(cem.id(), f); err == nil {
				t.Errorf("frame of kind %d with %d bytes: answered %v, want it reset", f.Kind, len(f.Letter), a)
			}
		}
	})
}

// TestContactDoesNotCarry: its user does not want it to, so it is by mail as
// without a contact.
func TestContactDoesNotCarry(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, cem := w.circle()
		w.must(cem.SetConfig(t.Context(), "carry", "off"))
		ada.end()
		bob.end()
		seeking := w.postman()
		ada.move("198.51.100.11:4011")
		bob.move("203.0.113.12:4012")
		ada.start()
		bob.start()
		ada.never("linked again", 20*time.Second, all(2))
		ada.eventually("linked again", time.Hour, all(2))
		if seeking.count() == 0 {
			t.Error("linked again without a mail, though nobody carries letters")
		}
	})
}
