package p2p

import (
	"fmt"
	"testing"
	"time"
)

// TestNearbyFaults lets each write fail and each link break: however it goes,
// once both devices are up again both keep the pairing, or neither does; and a
// request that came to nothing was shown to whoever had seen it.
func TestNearbyFaults(t *testing.T) {
	disks := []diskFault{{}}
	for _, device := range []string{"dora", "leo"} {
		for write := 1; write <= 2; write++ {
			for _, kind := range diskFaults {
				disks = append(disks, diskFault{device, write, kind})
			}
		}
	}
	cuts := []cutFault{{}}
	for frame := 1; frame <= 9; frame++ {
		cuts = append(cuts, cutFault{frame, false}, cutFault{frame, true})
	}
	for _, disk := range disks {
		for _, cut := range cuts {
			t.Run(fmt.Sprintf("%v cut %v", disk, cut), func(t *testing.T) {
				inBubble(t, func(t *testing.T, w *pairWorld) { runNearbyFaults(t, w, disk, cut) })
			})
		}
	}
}

func runNearbyFaults(t *testing.T, w *pairWorld, disk diskFault, cut cutFault) {
	dora, leo := w.neighbours()
	disk.on(dora.disk, "dora")
	disk.on(leo.disk, "leo")
	cut.on(w)
	ended := make(chan error, 1)
	go func() {
		_, err := dora.asks(inTime(t, time.Hour), leo)
		ended <- err
	}()
	for range 30 { // 5 minutes
		time.Sleep(10 * time.Second)
		for _, d := range []*pairDevice{dora, leo} {
			if gone(d.dead) {
				d.restart()
			}
		}
	}
	err := <-ended
	time.Sleep(10 * 24 * time.Hour)
	paired := agree(t, dora, leo)
	crashed := disk.kind == "crash before" || disk.kind == "crash after"
	if err == nil && !paired {
		t.Error("asks = nil, and nothing is kept")
	}
	if err != nil && paired && !crashed {
		t.Errorf("asks = %v, and the pairing is kept", err)
	}
	if disk == (diskFault{}) && cut == (cutFault{}) && !paired {
		t.Errorf("not paired without a fault: %v", err)
	}
	if !paired && !crashed && len(leo.words()) > 0 && len(leo.ends())+len(leo.disk.events) == 0 {
		t.Error("leo saw words, and nothing of their end")
	}
	if !paired && !crashed && len(dora.words()) > 0 && len(dora.ends()) == 0 {
		t.Errorf("dora saw words, and nothing of their end: %v", err)
	}
}
