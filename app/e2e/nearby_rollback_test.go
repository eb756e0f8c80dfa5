package e2e

import (
	"fmt"
	"testing"
	"time"

	"foldpost/app"
)

// agrees opens every request and finds all words the same, until the test ends.
func (d *device) agrees() {
	go func() {
		for s := range d.Watch(d.w.t.Context()) {
			for _, q := range s.Questions {
				switch q.Kind {
				case app.AskNearby:
					d.Answer(d.w.t.Context(), q.ID, app.ChoiceOpen)
				case app.AskSame:
					d.Answer(d.w.t.Context(), q.ID, app.ChoiceSame)
				}
			}
		}
	}()
}

// TestNearbyBothOrNeither: at each packet of a pairing nearby something goes
// wrong for a while. After that both devices have the other or neither, and
// where neither has, asking again works.
func TestNearbyBothOrNeither(t *testing.T) {
	const packets = 22 // a pairing and the link after it take fewer
	for _, c := range troubles() {
		t.Run(fmt.Sprintf("%s, both restart %v", c.name, c.restarts), func(t *testing.T) {
			t.Parallel() // they wait for the real disk
			ends := map[string]int{}
			for at := range packets {
				inWorld(t, func(t *testing.T, w *world) { ends[nearbyInTrouble(t, w, c, at)]++ })
				if t.Failed() {
					return
				}
			}
			if len(ends) < 2 {
				t.Errorf("every run ended alike, %v: the trouble comes too early or too late", ends)
			}
		})
	}
}

// nearbyInTrouble pairs nearby, where nas is asked; trouble comes before a
// packet between the two. It tells how that ended.
func nearbyInTrouble(t *testing.T, w *world, c trouble, at int) (end string) {
	ada, nas := w.home()
	ada.agrees()
	nas.agrees()
	n, reached := 0, make(chan struct{})
	w.watch(func(p packet) bool {
		w.mu.Lock()
		n++
		now := n == at+1
		w.mu.Unlock()
		if now {
			c.begin(nas, ada)
			close(reached)
		}
		return false
	})
	asked := ada.asks()
	select {
	case <-reached:
	case <-time.After(time.Hour):
		t.Fatalf("%q at packet %d: there never is so much to say: %v", c.name, at, <-asked)
	}
	time.Sleep(20 * time.Second) // simulated: they go on as far as they can
	if c.restarts {
		ada.end()
		nas.end()
	}
	w.watch(nil)
	c.end(nas, ada)
	if c.restarts {
		for _, d := range []*device{ada, nas} {
			d.start()
			d.agrees()
			w.open(d)
			d.eventually("visible again", time.Minute, func(s app.State) bool { return s.Device.Visible })
		}
	}
	<-asked
	w.until(fmt.Sprintf("both or neither, after %q at packet %d", c.name, at), 3*time.Hour, func() error {
		a, b := len(ada.State().Devices), len(nas.State().Devices)
		if a != b || a == 1 && (!connected(ada.State()) || !connected(nas.State())) {
			return fmt.Errorf("ada has %d devices, nas %d", a, b)
		}
		return nil
	})
	if paired(ada.State()) {
		return "both"
	}
	w.until(fmt.Sprintf("asking again works, after %q at packet %d", c.name, at), 2*time.Hour, func() error { return <-ada.asks() })
	for _, d := range []*device{ada, nas} {
		d.eventually(fmt.Sprintf("linked by asking again, after %q at packet %d", c.name, at), time.Hour, connected)
	}
	return "neither"
}
