package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"foldpost/app"
)

// breakDisk makes a device's state unwritable: something that can not be
// replaced stands where it is kept. The device's own memory is as it was.
func (d *device) breakDisk() {
	path := filepath.Join(d.home, "state.json")
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return // broken already
	}
	d.w.must(os.MkdirAll(filepath.Join(path+".broken", "in the way"), 0o700))
	for { // again where the device writes in between
		d.w.must(os.Rename(path, path+".kept"))
		if os.Rename(path+".broken", path) == nil {
			return
		}
	}
}

// healDisk makes the last state that was written the one that is there.
func (d *device) healDisk() {
	path := filepath.Join(d.home, "state.json")
	if _, err := os.Stat(path + ".kept"); err != nil {
		return
	}
	d.w.must(os.RemoveAll(path))
	d.w.must(os.Rename(path+".kept", path))
}

// sayYes lets whoever uses a link in, until the test ends.
func (d *device) sayYes() {
	go func() {
		for s := range d.Watch(d.w.t.Context()) {
			for _, q := range s.Questions {
				if q.Kind == app.AskPairing {
					d.Answer(d.w.t.Context(), q.ID, app.ChoiceYes)
				}
			}
		}
	}()
}

// trouble is what goes wrong while two devices pair.
type trouble struct {
	name       string
	begin, end func(ada, bob *device)
	restarts   bool // both, before it ends
}

func troubles() []trouble {
	var list []trouble
	for _, restarts := range []bool{false, true} {
		list = append(list,
			trouble{"the inviter's disk fails", func(ada, _ *device) { ada.breakDisk() }, func(ada, _ *device) { ada.healDisk() }, restarts},
			trouble{"the answerer's disk fails", func(_, bob *device) { bob.breakDisk() }, func(_, bob *device) { bob.healDisk() }, restarts},
			trouble{"the link is cut", func(_, bob *device) { bob.w.unplug(bob, true) }, func(_, bob *device) { bob.w.unplug(bob, false) }, restarts},
		)
	}
	lose := func(d *device) { d.breakDisk(); d.w.unplug(d, true) } // nothing it does from now on counts
	back := func(d *device) { d.healDisk(); d.w.unplug(d, false) }
	return append(list,
		trouble{"the inviter loses its power", func(ada, _ *device) { lose(ada) }, func(ada, _ *device) { back(ada) }, true},
		trouble{"the answerer loses its power", func(_, bob *device) { lose(bob) }, func(_, bob *device) { back(bob) }, true},
	)
}

// TestBothOrNeither: at each packet of a pairing something goes wrong for a
// while. After that both devices have the other or neither, and where neither
// has, the same invitation still works.
func TestBothOrNeither(t *testing.T) {
	const packets = 20 // a pairing and the link after it take fewer
	for _, c := range troubles() {
		t.Run(fmt.Sprintf("%s, both restart %v", c.name, c.restarts), func(t *testing.T) {
			t.Parallel() // they wait for the real disk
			ends := map[string]int{}
			for at := range packets {
				inWorld(t, func(t *testing.T, w *world) { ends[pairInTrouble(t, w, c, at)]++ })
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

// pairInTrouble pairs by a link; trouble comes before a packet between the two.
// It tells how that ended.
func pairInTrouble(t *testing.T, w *world, c trouble, at int) (end string) {
	ada, bob := w.device("ada"), w.device("bob")
	inv, err := ada.Invite(t.Context(), app.InviteRequest{})
	w.must(err)
	ada.sayYes()
	n, reached := 0, make(chan struct{})
	w.watch(func(p packet) bool {
		w.mu.Lock()
		n++
		now := n == at+1
		w.mu.Unlock()
		if now {
			c.begin(ada, bob)
			close(reached)
		}
		return false
	})
	_, err = bob.Accept(t.Context(), app.AcceptRequest{Input: inv.Link})
	w.must(err)
	<-reached
	time.Sleep(20 * time.Second) // simulated: they go on as far as they can
	if c.restarts {
		ada.end()
		bob.end()
	}
	w.watch(nil)
	c.end(ada, bob)
	if c.restarts {
		ada.start()
		bob.start()
		ada.sayYes()
	}
	agree := func() error {
		a, b := len(ada.State().Devices), len(bob.State().Devices)
		if a != b || a == 1 && (!connected(ada.State()) || !connected(bob.State())) {
			return fmt.Errorf("ada has %d devices, bob %d", a, b)
		}
		for _, d := range []*device{ada, bob} {
			for _, i := range d.State().Invitations {
				if i.Step == app.StepSaving {
					return fmt.Errorf("%s is still saving", d.name)
				}
			}
		}
		return nil
	}
	w.until(fmt.Sprintf("both or neither, after %q at packet %d", c.name, at), 3*time.Hour, agree)
	undone := ""
	w.mu.Lock()
	if strings.Contains(w.log.String(), "pairing undone") {
		undone = ", one side undone"
	}
	w.mu.Unlock()
	if len(ada.State().Devices) == 1 {
		return "both" + undone
	}
	if _, err := bob.Accept(t.Context(), app.AcceptRequest{Input: inv.Link}); err != nil {
		t.Errorf("%q at packet %d: the invitation can not be used again: %v", c.name, at, err)
	}
	for _, d := range []*device{ada, bob} {
		d.eventually(fmt.Sprintf("paired by the same invitation, after %q at packet %d", c.name, at), time.Hour, connected)
	}
	return "neither" + undone
}
