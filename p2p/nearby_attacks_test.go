package p2p

import (
	"context"
	"testing"
	"time"

	"foldpost/p2p/wire"
)

// mallory is somebody in the same network who speaks the protocol by hand.
type mallory struct {
	t        *testing.T
	identity *Identity
}

// calls opens a request to a device.
func (m mallory) calls(d *pairDevice) (*memoryLink, Stream) {
	m.t.Helper()
	here, there := newMemoryLink(m.identity, d.identity)
	s, err := here.OpenStream(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	p := d.pairing
	d.wg.Go(func() { p.serveNearby(context.Background(), there) })
	return here, s
}

// send sends a frame; a link that is gone is seen by who reads.
func send(s Stream, v any) []byte {
	raw, _ := writeFrame(s, v)
	return raw
}

func exporterOf(t *testing.T, l pairConn) [32]byte {
	t.Helper()
	e, err := l.Exporter(exporterNearby)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// standBetween is a man in the middle: dora's request reaches him, and he makes one of
// his own to leo. Both people see words; he tries to make them the same.
func standBetween(t *testing.T, w *pairWorld, leo *pairDevice, m mallory, reveal func(n nonce) nonce) {
	w.onLink = func(here, _ *memoryLink) { here.peer = m.identity } // nobody knows yet whose key is there
	w.between = func(from *memoryLink) {
		in, err := from.AcceptStream(t.Context())
		if err != nil {
			return
		}
		var ask askFrame
		if _, err := expectFrame(in, stepTimeout, frameAsk, &ask); err != nil {
			return
		}
		link, out := m.calls(leo)
		defer link.cut()
		defer from.cut()
		own := nonce{7}
		send(out, newAsk(frameAsk, commitment(exporterOf(t, link), own), m.identity, Metadata{Name: ask.Name}))
		var asked askFrame
		if _, err := expectFrame(out, userTimeout, frameAsked, &asked); err != nil {
			return
		}
		send(in, newAsk(frameAsked, asked.Nonce, m.identity, Metadata{Name: asked.Name}))
		var shown revealFrame
		if _, err := expectFrame(in, stepTimeout, frameReveal, &shown); err != nil {
			return
		}
		if reveal != nil {
			own = reveal(shown.Nonce)
		}
		send(out, revealFrame{Type: frameReveal, Nonce: own})
		time.Sleep(time.Minute) // the people look
	}
}

// With a man in between the words differ, whatever people do then: they say so.
func TestNearbyManInTheMiddle(t *testing.T) {
	for range 20 {
		inBubble(t, func(t *testing.T, w *pairWorld) {
			dora, leo := w.neighbours()
			dora.near.compares, leo.near.compares = never[[3]string], never[[3]string]
			standBetween(t, w, leo, mallory{t, NewIdentity()}, nil)
			if _, err := dora.asks(inTime(t, time.Hour), leo); err == nil {
				t.Error("asks = nil with a man in the middle")
			}
			time.Sleep(5 * time.Minute)
			a, b := dora.words(), leo.words()
			if len(a) != 1 || len(b) != 1 || a[0] == b[0] {
				t.Errorf("words %v and %v, want different ones on both", a, b)
			}
			if len(dora.ends()) != 1 || len(leo.ends()) != 1 {
				t.Errorf("ends shown: %v, %v, want one on each", dora.ends(), leo.ends())
			}
			if len(dora.disk.events)+len(leo.disk.events) > 0 {
				t.Error("something was kept")
			}
		})
	}
}

// Who swaps what he has committed to, once he knows the other nonce, is
// refused before any word is shown there: so no computing finds equal words.
func TestNearbyGrindingIsRefused(t *testing.T) {
	for range 20 {
		inBubble(t, func(t *testing.T, w *pairWorld) {
			dora, leo := w.neighbours()
			dora.near.compares = never[[3]string]
			standBetween(t, w, leo, mallory{t, NewIdentity()}, func(n nonce) nonce { return n })
			_, _ = dora.asks(inTime(t, time.Hour), leo)
			time.Sleep(time.Minute)
			if len(leo.words()) != 0 {
				t.Error("leo saw words after a nonce that was not committed to")
			}
			ends := leo.ends()
			if len(ends) != 1 {
				t.Fatalf("leo saw %v, want one end", ends)
			}
			wantCode(t, "leo's end", ends[0].Err, PairingWrongSecret, false)
		})
	}
}

// The asked side sends nothing before its person has opened the request, and a
// commitment is good on its own link only.
func TestNearbyReplayIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		_, leo := w.neighbours()
		m := mallory{t, NewIdentity()}
		var m1 []byte
		n := nonce{1}
		for i, want := range []PairingCode{PairingUserNo, PairingWrongSecret} {
			link, s := m.calls(leo)
			if i == 0 {
				leo.near.compares = no[[3]string]
				m1 = send(s, newAsk(frameAsk, commitment(exporterOf(t, link), n), m.identity, Metadata{Name: "m"}))
			} else {
				leo.nearby.refused = nil
				if err := writeRaw(s, m1); err != nil {
					t.Fatal(err)
				}
			}
			var asked askFrame
			if _, err := expectFrame(s, stepTimeout, frameAsked, &asked); err != nil {
				t.Fatal(err)
			}
			send(s, revealFrame{Type: frameReveal, Nonce: n})
			link.closedAs(t, want)
		}
		if len(leo.words()) != 1 {
			t.Errorf("leo saw words %d times, want once", len(leo.words()))
		}
	})
}

// The asked side says nothing of itself before its person opens the request.
func TestNearbySilentUntilOpened(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		_, leo := w.neighbours()
		leo.near.opens = never[PairingRequest]
		m := mallory{t, NewIdentity()}
		link, s := m.calls(leo)
		send(s, newAsk(frameAsk, nonce{}, m.identity, Metadata{}))
		if raw, err := readFrame(s, time.Hour); err == nil {
			t.Errorf("read %x before the request was opened", raw)
		}
		link.closedAs(t, PairingExpired)
	})
}

// Trying again and again in silence ends: each try is shown, and the third in
// ten minutes closes the door until its person opens it again.
func TestNearbySilentRestarts(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		_, leo := w.neighbours()
		leo.near.compares = never[[3]string]
		try := func() *memoryLink {
			m := mallory{t, NewIdentity()}
			link, s := m.calls(leo)
			n := nonce{1}
			send(s, newAsk(frameAsk, commitment(exporterOf(t, link), n), m.identity, Metadata{Name: "m"}))
			if _, err := expectFrame(s, stepTimeout, frameAsked, new(askFrame)); err != nil {
				return link
			}
			send(s, revealFrame{Type: frameReveal, Nonce: n})
			time.Sleep(time.Second) // he sees the words, too, and dislikes them
			link.Close(pairingDone)
			time.Sleep(time.Second)
			return link
		}
		for i := range 10 {
			link := try()
			if i < maxBroken {
				continue
			}
			link.closedAs(t, PairingRefused)
		}
		ends := leo.ends()
		if len(ends) != maxBroken || len(leo.words()) != maxBroken {
			t.Fatalf("leo saw %d ends and words %d times, want %d", len(ends), len(leo.words()), maxBroken)
		}
		for i, e := range ends {
			if e.Shut != (i == maxBroken-1) {
				t.Errorf("end %d says that the door is shut: %v", i, e.Shut)
			}
		}
		leo.nearby.set(true)
		if try(); len(leo.words()) != maxBroken+1 {
			t.Error("the door stays closed though its person opened it")
		}
	})
}

// Requests that broke off long ago do not count.
func TestNearbyBrokenOffLongAgo(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		_, leo := w.neighbours()
		leo.near.opens = never[PairingRequest]
		for range 2 * maxBroken {
			m := mallory{t, NewIdentity()}
			link, s := m.calls(leo)
			send(s, newAsk(frameAsk, nonce{}, m.identity, Metadata{}))
			time.Sleep(time.Second)
			link.cut()
			time.Sleep(brokenTime / 2)
		}
		if !leo.nearby.isOpen() || len(leo.ends()) != 2*maxBroken {
			t.Errorf("open: %v, %d ends, want open and %d", leo.nearby.isOpen(), len(leo.ends()), 2*maxBroken)
		}
	})
}

// Frames that break the rules end a request, and show nobody anything where
// they come first.
func TestNearbyHostileFrames(t *testing.T) {
	m := NewIdentity()
	other := newAsk(frameAsk, nonce{}, m, Metadata{})
	other.Static[0]++
	for name, f := range map[string]any{
		"another key's static": other,
		"no commitment":        plainFrame{Type: frameAsk},
		"frame 14 first":       revealFrame{Type: frameReveal},
		"frame 1":              newOffer(frameAnswer, Token{1}, m, Metadata{}),
		"status":               statusFrame{Type: frameStatus},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *pairWorld) {
				_, leo := w.neighbours()
				leo.near.opens = func(context.Context, PairingRequest) error { t.Error("leo is asked"); return nil }
				link, s := mallory{t, m}.calls(leo)
				send(s, f)
				link.closedAs(t, PairingRefused)
				if len(leo.ends()) > 0 {
					t.Errorf("leo saw %v", leo.ends())
				}
			})
		})
	}
}

// A link that was opened with a knock carries no request nearby.
func TestNearbyFrameOnAnotherLink(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		_, leo := w.neighbours()
		leo.near.opens = func(context.Context, PairingRequest) error { t.Error("leo is asked"); return nil }
		m := NewIdentity()
		link := leo.call(m)
		s, err := link.OpenStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		send(s, newAsk(frameAsk, nonce{}, m, Metadata{}))
		link.closedAs(t, PairingRefused)
	})
}

func FuzzNearbyFrames(f *testing.F) {
	id := testIdentity(1)
	for _, v := range []any{
		newAsk(frameAsk, nonce{1}, id, Metadata{Name: "n", Features: []string{"x"}}), newAsk(frameAsked, nonce{2}, id, Metadata{}),
		revealFrame{Type: frameReveal, Nonce: nonce{3}},
		plainFrame{Type: frameSame},
	} {
		raw, err := wire.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add(fourGiB)
	f.Add(bomb)
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := decodeAsk(raw, frameAsk, id.Public())
		if m := a.offer().metadata(); err == nil && (a.Static != id.Static() || len([]rune(m.Name)) > maxNameRunes || len(m.Features) > maxFeatures) {
			t.Errorf("decodeAsk(%x) = %+v", raw, a)
		}
		_ = wire.Unmarshal(raw, new(revealFrame))
	})
}
