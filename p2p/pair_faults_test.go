package p2p

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

// diskFault is what happens at one write of a device.
type diskFault struct {
	device string // "anna" invites, "bob" answers; "": none
	write  int
	kind   string
}

// kinds of disk faults: the write fails (or says so though it was done), or
// the program crashes before or after it.
var diskFaults = []string{"fails", "fails after all", "crash before", "crash after"}

func (f diskFault) on(k *pairDisk, name string) {
	if f.device != name {
		return
	}
	k.onWrite = func(n int, _ Record) (before, after error) {
		if n != f.write {
			return nil, nil
		}
		switch f.kind {
		case "fails":
			return errDiskFull, nil
		case "fails after all":
			return nil, errDiskFull
		case "crash before":
			return errCrashed, nil
		}
		return nil, errCrashed
	}
}

var errDiskFull = fmt.Errorf("disk full")

// cutFault cuts the link at one of the frames that the two exchange, on
// whichever link they do, before or after it arrived.
type cutFault struct {
	frame   int // from 1; 0: none
	arrives bool
}

func (c cutFault) on(w *pairWorld) {
	var mu sync.Mutex
	n := 0
	w.onLink = func(here, _ *memoryLink) {
		here.link.onSend = func(*memoryLink, []byte) (deliver, cut bool) {
			mu.Lock()
			defer mu.Unlock()
			n++
			return n != c.frame || c.arrives, n == c.frame
		}
	}
}

// TestPairFaults lets each write fail and each link break: however it goes,
// once both devices are up again both keep the pairing, or neither does.
func TestPairFaults(t *testing.T) {
	disks := []diskFault{{}}
	for _, device := range []string{"anna", "bob"} {
		for write := 1; write <= 3; write++ {
			for _, kind := range diskFaults {
				disks = append(disks, diskFault{device, write, kind})
			}
		}
	}
	cuts := []cutFault{{}}
	for frame := 1; frame <= 11; frame++ {
		cuts = append(cuts, cutFault{frame, false}, cutFault{frame, true})
	}
	for _, disk := range disks {
		for _, cut := range cuts {
			for _, again := range []bool{true, false} {
				t.Run(fmt.Sprintf("%v cut %v again %v", disk, cut, again), func(t *testing.T) {
					inBubble(t, func(t *testing.T, w *pairWorld) {
						runFaults(t, w, disk, cut, again, w.add("anna"), w.add("bob"))
					})
				})
			}
		}
	}
}

// runFaults pairs under faults. With again, the answerer's application carries
// out its person's yes again after a restart; without, it has forgotten it.
func runFaults(t *testing.T, w *pairWorld, disk diskFault, cut cutFault, again bool, anna, bob *pairDevice) {
	t.Helper()
	before := anna.with(bob)
	disk.on(anna.disk, "anna")
	disk.on(bob.disk, "bob")
	cut.on(w)
	inv := anna.invite(1, ViaWords)
	ctx, cancel := context.WithTimeout(t.Context(), 30*24*time.Hour)
	defer cancel()
	answer := func() {
		p := bob.pairing
		go func() { _, _ = p.pair(ctx, inv) }()
	}
	answer()
	for range 30 { // 5 minutes
		time.Sleep(10 * time.Second)
		if gone(anna.dead) {
			anna.restart()
		}
		if gone(bob.dead) {
			bob.restart()
			if again {
				answer()
			}
		}
	}
	time.Sleep(10 * 24 * time.Hour) // beyond the end of pending records
	paired := agree(t, anna, bob)
	if again && !paired {
		t.Errorf("not paired after one fault: anna %v, bob %v", anna.disk.events, bob.disk.events)
	}
	used := anna.disk.invitations[inv.Token].used
	if before.State == NotPaired && used != paired {
		t.Errorf("invitation used: %v, paired: %v", used, paired)
	}
	if before.State == Paired && (!paired || used != (anna.with(bob).T != before.T)) {
		t.Errorf("paired: %v, invitation used: %v, same as before: %v", paired, used, anna.with(bob).T == before.T)
	}
}

// TestPairNeverSaved lets one side's disk fail at each write: neither keeps
// the pairing, and what was kept is taken back.
func TestPairNeverSaved(t *testing.T) {
	for _, device := range []string{"anna", "bob"} {
		t.Run(device, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *pairWorld) {
				anna, bob := w.add("anna"), w.add("bob")
				full := func(int, Record) (error, error) { return errDiskFull, nil }
				if device == "anna" {
					anna.disk.onWrite = full
				} else {
					bob.disk.onWrite = full
				}
				inv := anna.invite(1, ViaWords)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if r, err := bob.pair(ctx, inv); err == nil {
					t.Errorf("pair = %+v, want an error", r)
				}
				if agree(t, anna, bob) {
					t.Error("paired on a full disk")
				}
				if anna.disk.invitations[inv.Token].used {
					t.Error("the invitation is used up")
				}
				if device == "anna" && (len(bob.disk.events) == 0 || bob.disk.events[0] != "rollback") {
					t.Errorf("bob was told %v, want rollbacks", bob.disk.events)
				}
			})
		})
	}
}
