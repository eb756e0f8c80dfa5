package p2p

import (
	"context"
	"testing"
	"time"
)

func TestNearbyHonest(t *testing.T) {
	for range 20 {
		inBubble(t, func(t *testing.T, w *pairWorld) {
			dora, leo := w.neighbours()
			r, err := dora.asks(inTime(t, time.Minute), leo)
			if err != nil || r.State != Paired || r.Role != Answerer || r.Via != ViaNearby || r.Peer != leo.self || r.Metadata.Name != "leo" {
				t.Fatalf("asks = %+v, %v, want a paired record", r, err)
			}
			time.Sleep(time.Minute)
			if !agree(t, dora, leo) {
				t.Error("none saved")
			}
			if got := leo.with(dora); got.Role != Inviter || got.Via != ViaNearby || got.Metadata.Name != "dora" || got.Pairwise == (Secret{}) {
				t.Errorf("leo keeps %+v", got)
			}
			if a, b := dora.words(), leo.words(); len(a) != 1 || len(b) != 1 || a[0] != b[0] {
				t.Errorf("words %v and %v, want the same ones once on both", a, b)
			}
			if len(dora.ends())+len(leo.ends()) > 0 {
				t.Errorf("reported as broken off: %v, %v", dora.ends(), leo.ends())
			}
		})
	}
}

// People take their time; who has said "same" waits for the other.
func TestNearbySlowPeople(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		dora, leo := w.neighbours()
		slow := func(d time.Duration) func(context.Context, [3]string) error {
			return func(context.Context, [3]string) error { time.Sleep(d); return nil }
		}
		leo.near.opens = func(context.Context, PairingRequest) error { time.Sleep(59 * time.Second); return nil }
		dora.near.compares, leo.near.compares = slow(time.Second), slow(119*time.Second)
		if r, err := dora.asks(inTime(t, time.Hour), leo); err != nil || r.State != Paired {
			t.Fatalf("asks = %+v, %v, want a paired record", r, err)
		}
		if !agree(t, dora, leo) {
			t.Error("none saved")
		}
	})
}

// However people say no, or do not answer, nothing is kept, and who saw the
// request sees how it ended.
func TestNearbyRefused(t *testing.T) {
	for _, c := range []struct {
		name        string
		people      func(dora, leo *pairDevice)
		code        PairingCode // that dora is told
		remote      bool
		words       int // that each saw
		doras, leos int // ends that each saw
	}{
		{"leo says no", func(_, leo *pairDevice) { leo.near.opens = no[PairingRequest] }, PairingUserNo, true, 0, 0, 1},
		{"leo is away", func(_, leo *pairDevice) { leo.near.opens = never[PairingRequest] }, PairingExpired, true, 0, 0, 1},
		{"leo finds other words", func(_, leo *pairDevice) { leo.near.compares = no[[3]string] }, PairingUserNo, true, 1, 1, 1},
		{"dora finds other words", func(dora, leo *pairDevice) {
			dora.near.compares, leo.near.compares = no[[3]string], never[[3]string]
		}, PairingUserNo, false, 1, 1, 1},
		{"dora goes away", func(dora, _ *pairDevice) { dora.near.compares = never[[3]string] }, PairingExpired, false, 1, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *pairWorld) {
				dora, leo := w.neighbours()
				c.people(dora, leo)
				_, err := dora.asks(inTime(t, time.Hour), leo)
				if c.name == "dora goes away" { // both sides look at the clock at the same instant
					c.remote = err.(*PairingError).Remote
				}
				wantCode(t, "asks", err, c.code, c.remote)
				time.Sleep(time.Minute)
				if agree(t, dora, leo) || len(dora.disk.events)+len(leo.disk.events) > 0 {
					t.Errorf("kept: %v, %v", dora.disk.events, leo.disk.events)
				}
				if len(dora.words()) != c.words || len(leo.words()) != c.words {
					t.Errorf("%d and %d times words, want %d", len(dora.words()), len(leo.words()), c.words)
				}
				if len(dora.ends()) != c.doras || len(leo.ends()) != c.leos {
					t.Errorf("ends shown: %v, %v, want %d and %d", dora.ends(), leo.ends(), c.doras, c.leos)
				}
			})
		})
	}
}

// A device that was refused is not heard again for an hour.
func TestNearbyRefusedStaysAway(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		dora, leo := w.neighbours()
		shown := 0
		leo.near.opens = func(context.Context, PairingRequest) error { shown++; return errNo }
		for _, after := range []time.Duration{0, time.Minute, 57 * time.Minute} {
			time.Sleep(after)
			_, _ = dora.asks(inTime(t, time.Minute), leo)
			if shown != 1 {
				t.Errorf("leo was asked %d times %v later, want once", shown, after)
			}
		}
		time.Sleep(5 * time.Minute)
		_, _ = dora.asks(inTime(t, time.Minute), leo)
		if shown != 2 {
			t.Errorf("leo was asked %d times after more than an hour, want twice", shown)
		}
	})
}

// Nobody is answered while the door is closed.
func TestNearbyClosed(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		dora, leo := w.neighbours()
		leo.nearby.set(false)
		_, err := dora.asks(inTime(t, time.Minute), leo)
		wantCode(t, "asks", err, PairingRefused, true)
		if len(leo.ends()) > 0 {
			t.Errorf("leo saw %v", leo.ends())
		}
	})
}

// One request goes on at a time.
func TestNearbyOneAtATime(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		dora, leo := w.neighbours()
		eve := w.add("eve")
		leo.near.opens = never[PairingRequest]
		first := make(chan error, 1)
		go func() {
			_, err := dora.asks(inTime(t, time.Hour), leo)
			first <- err
		}()
		time.Sleep(time.Second)
		_, err := eve.asks(inTime(t, time.Minute), leo)
		wantCode(t, "a second request", err, PairingBusy, true)
		_, err = leo.asks(inTime(t, time.Minute), eve)
		wantCode(t, "a request of who is asked", err, PairingBusy, false)
		wantCode(t, "the first request", <-first, PairingExpired, true)
	})
}

// Who asks the very device whose request waits has opened it.
func TestNearbyAskingOpens(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		dora, leo := w.neighbours()
		leo.near.opens = never[PairingRequest]
		first := make(chan error, 1)
		go func() {
			_, err := dora.asks(inTime(t, time.Hour), leo)
			first <- err
		}()
		time.Sleep(10 * time.Second)
		if r, err := leo.asks(inTime(t, time.Minute), dora); err != nil || r.Peer != dora.self {
			t.Errorf("asks = %+v, %v, want a record of dora", r, err)
		}
		if err := <-first; err != nil {
			t.Errorf("the first request = %v, want nil", err)
		}
		if !agree(t, dora, leo) {
			t.Error("none saved")
		}
	})
}

// Both ask each other at the same instant, or one a little later: one request
// is carried out, and nobody has to open it.
func TestNearbyBothAtOnce(t *testing.T) {
	for _, later := range []time.Duration{0, time.Nanosecond, time.Millisecond, 100 * time.Millisecond} {
		for range 10 {
			inBubble(t, func(t *testing.T, w *pairWorld) {
				dora, leo := w.neighbours()
				dora.near.opens, leo.near.opens = never[PairingRequest], never[PairingRequest]
				first := make(chan error, 1)
				go func() {
					_, err := dora.asks(inTime(t, time.Hour), leo)
					first <- err
				}()
				time.Sleep(later)
				if _, err := leo.asks(inTime(t, time.Hour), dora); err != nil {
					t.Errorf("leo asks = %v", err)
				}
				if err := <-first; err != nil {
					t.Errorf("dora asks = %v", err)
				}
				time.Sleep(time.Minute)
				if !agree(t, dora, leo) {
					t.Error("none saved")
				}
				if a, b := dora.words(), leo.words(); len(a) != 1 || len(b) != 1 || a[0] != b[0] {
					t.Errorf("words %v and %v", a, b)
				}
				if len(dora.ends())+len(leo.ends()) > 0 {
					t.Errorf("reported as broken off: %v, %v", dora.ends(), leo.ends())
				}
			})
		}
	}
}

// The person who asked takes it back.
func TestNearbyWithdrawn(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		dora, leo := w.neighbours()
		leo.near.opens = never[PairingRequest]
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := dora.asks(ctx, leo)
			ended <- err
		}()
		time.Sleep(time.Second)
		cancel()
		if err := <-ended; err != context.Canceled {
			t.Errorf("asks = %v, want its context's error", err)
		}
		time.Sleep(time.Second)
		ends := leo.ends()
		if len(ends) != 1 {
			t.Fatalf("leo saw %v, want one end", ends)
		}
		wantCode(t, "leo's end", ends[0].Err, PairingCancelled, true)
	})
}

// Two that are linked pair again: the new secret takes the place of the old one,
// on both sides or on neither.
func TestNearbyAgain(t *testing.T) {
	for _, full := range []string{"", "dora", "leo"} {
		t.Run("disk full: "+full, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *pairWorld) {
				dora, leo := w.neighbours()
				if _, err := leo.pair(inTime(t, time.Hour), dora.invite(1, ViaWords)); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				before := dora.with(leo)
				for _, d := range []*pairDevice{dora, leo} {
					if d.name == full {
						d.disk.onWrite = func(int, Record) (error, error) { return errDiskFull, nil }
					}
				}
				_, err := dora.asks(inTime(t, time.Hour), leo)
				if (err == nil) != (full == "") {
					t.Errorf("asks = %v", err)
				}
				time.Sleep(2 * time.Hour)
				agree(t, dora, leo)
				if after := dora.with(leo); (after.T == before.T) != (full != "") {
					t.Errorf("the record is the old one: %v", after.T == before.T)
				}
			})
		})
	}
}
