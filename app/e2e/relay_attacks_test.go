package e2e

import (
	"bytes"
	"io"
	"sync"
	"testing"
	"time"

	"foldpost/p2p"
	"foldpost/p2p/wire"
)

// relayFrame and relayAnswer are those of p2p/PROTOCOL.md, "Relay".
type relayFrame struct {
	Kind uint64       `wire:"1"`
	To   *contactName `wire:"2"`
	From p2p.PeerID   `wire:"3"`
}

type relayAnswer struct {
	Status uint64 `wire:"1"`
}

const (
	askRelay, offerRelay               = 1, 2
	isRelayed, relayAbsent, relayLimit = 1, 2, 3
)

// nosy is a relay that keeps what goes through it, and may change it.
type nosy struct {
	*stranger
	mu      sync.Mutex
	heard   bytes.Buffer
	tampers bool
	links   int
}

// nosyRelay has a stranger carry letters and relay between two devices.
func (w *world) nosyRelay(a, b *device) *nosy {
	m := &nosy{stranger: w.stranger(p2p.Metadata{Name: "cem's laptop"})}
	ids := map[bool]p2p.PeerID{true: a.id(), false: b.id()}
	m.contact = func(st p2p.Stream) {
		var f contactFrame
		if wire.Read(st, wire.MaxControl, &f) != nil {
			return
		}
		for _, isA := range []bool{true, false} {
			if *f.To == *nameWith(ids[isA], f.To.Random) {
				if _, linked := m.Link(ids[isA]); !linked {
					return
				}
				got, err := m.hands(ids[isA], contactFrame{Kind: deliver, From: ids[!isA], Letter: f.Letter})
				if err == nil {
					wire.Write(st, wire.MaxControl, contactAnswer{Status: got.Status, Letter: got.Letter, Relays: true})
				}
			}
		}
	}
	m.relay = func(from p2p.PeerID, st p2p.Stream) {
		var f relayFrame
		if wire.Read(st, wire.MaxControl, &f) != nil {
			return
		}
		other, err := m.Open(w.t.Context(), ids[from != ids[true]], "relay/1")
		if err != nil {
			return
		}
		defer other.Close()
		var a relayAnswer
		if wire.Write(other, wire.MaxControl, relayFrame{Kind: offerRelay, From: from}) != nil || wire.Read(other, wire.MaxControl, &a) != nil {
			return
		}
		if wire.Write(st, wire.MaxControl, a) != nil {
			return
		}
		m.mu.Lock()
		m.links++
		m.mu.Unlock()
		var wg sync.WaitGroup
		wg.Go(func() { m.pass(other, st) })
		wg.Go(func() { m.pass(st, other) })
		wg.Wait()
	}
	return m
}

func (m *nosy) pass(to, from p2p.Stream) {
	defer to.Reset(p2p.StreamCancelled)
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		m.mu.Lock()
		m.heard.Write(buf[:n])
		if m.tampers && n > 100 {
			buf[n/2] ^= 1
		}
		m.mu.Unlock()
		if _, werr := to.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

// TestRelayReadsNothing: all that goes through a relay is sealed between the
// two ends, and what it changes only ends the link.
func TestRelayReadsNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, s := w.acquainted()
		m := w.nosyRelay(ada, bob)
		m.byLink(ada)
		m.byLink(bob)
		time.Sleep(5 * time.Second) // each keeps where it reached the others
		ada.end()
		bob.end()
		ada.move("192.168.1.2:4001")
		bob.move("10.2.0.2:4002")
		w.hardHomes(ada, bob)
		ada.start()
		bob.start()
		ada.eventually("linked by relay", time.Minute, by("relay", "bob"))
		bob.eventually("linked by relay", time.Minute, by("relay", "ada"))
		secret := "the recipe of the family, which nobody else has"
		s.on(ada).Write("recipe of grandmother.txt", secret)
		w.must(ada.Rescan(t.Context(), s.id))
		s.wait(ada, time.Minute)
		s.wait(bob, time.Minute)
		if got := s.contents(bob)["recipe of grandmother.txt"]; got != secret {
			t.Fatalf("bob has %q, want %q", got, secret)
		}
		m.mu.Lock()
		heard, links := bytes.Clone(m.heard.Bytes()), m.links
		m.tampers = true
		m.mu.Unlock()
		for _, text := range []string{"grandmother", secret[:20], "Photos", "ada's laptop", "HELLO", "shares/1", string(s.id)} {
			if bytes.Contains(heard, []byte(text)) {
				t.Errorf("the relay reads %q in %d bytes", text, len(heard))
			}
		}
		if len(heard) < len(secret) {
			t.Fatalf("only %d bytes went through the relay", len(heard))
		}
		s.on(ada).Write("changed.txt", secret)
		w.must(ada.Rescan(t.Context(), s.id))
		time.Sleep(5 * time.Minute)
		if got, ok := s.contents(bob)["changed.txt"]; ok {
			t.Errorf("bob has %q through a relay that changes bytes", got)
		}
		m.mu.Lock()
		more := m.links - links
		m.tampers = false
		m.mu.Unlock()
		if more == 0 || more > 30 {
			t.Errorf("%d relays in five minutes of changed bytes, want some, and not all the time", more)
		}
		ada.eventually("linked by relay again", 15*time.Minute, by("relay", "bob"))
		s.wait(bob, 5*time.Minute)
	})
}

// TestRelayForNobody: who asks is told the same of all devices that this one
// does not relay for.
func TestRelayForNobody(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, cem := w.device("ada"), w.device("bob"), w.device("cem")
		w.link(cem, ada)
		w.link(cem, bob)
		idOfBob := bob.id()
		bob.end()
		cem.eventually("lost bob", time.Minute, without("bob"))
		m := w.stranger(p2p.Metadata{Name: "mallory"})
		m.relay = func(_ p2p.PeerID, st p2p.Stream) { t.Error("reached itself") }
		m.byLink(cem)
		ask := func(id p2p.PeerID) uint64 {
			st, err := m.Open(t.Context(), cem.id(), "relay/1")
			w.must(err)
			defer st.Close()
			w.must(wire.Write(st, wire.MaxControl, relayFrame{Kind: askRelay, To: nameOf(id)}))
			var a relayAnswer
			w.must(wire.Read(st, wire.MaxControl, &a))
			if n, err := st.Read(make([]byte, 1)); n > 0 || err != io.EOF {
				t.Errorf("after the answer: %d bytes, %v, want the end", n, err)
			}
			return a.Status
		}
		for name, id := range map[string]p2p.PeerID{"unknown": {1, 2, 3}, "known and off": idOfBob, "linked": ada.id(), "itself": cem.id(), "the asker": m.identity.ID()} {
			if got := ask(id); got != relayAbsent {
				t.Errorf("relay to %s: status %d, want %d", name, got, relayAbsent)
			}
		}
		for range 5 {
			ask(ada.id())
		}
		if got := ask(ada.id()); got != relayLimit {
			t.Errorf("the 11th request in a minute: status %d, want %d", got, relayLimit)
		}
		if list := cem.State().Relays; len(list) > 0 {
			t.Errorf("cem relays %v", list)
		}
	})
}
