package discovery_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/discovery"
	"foldpost/discovery/lantest"
)

// crowd is devices on one bridge that all show their names.
func crowd(t *testing.T, w *lantest.World, n int) []*device {
	var list []*device
	for i := range n {
		h := w.NewHost(fmt.Sprintf("h%d", i))
		h.Plug("eth0", "lan", fmt.Sprintf("10.0.%d.%d/16", i/200, 1+i%200))
		list = append(list, newDevice(t, h, i+1, discovery.Everyone))
	}
	return list
}

// allSee fails unless each device sees all the others that run.
func allSee(t *testing.T, when string, list []*device) {
	t.Helper()
	for _, d := range list {
		if n := len(d.lan.Neighbours()); n != len(list)-1 {
			t.Errorf("%s: %s sees %d others, want %d", when, d.name(), n, len(list)-1)
		}
	}
}

func TestCrowd(t *testing.T) {
	for _, n := range []int{2, 5, 20, 50} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := lantest.NewWorld(uint64(n))
				list := crowd(t, w, n)
				for _, d := range list {
					d.start()
				}
				after(2 * time.Second)
				allSee(t, "2 s after all started", list)
				withinLimits(t, w.Sent(), n)

				quiet := len(w.Sent())
				t.Logf("%d packets in the first two seconds", quiet)
				after(6 * time.Minute)
				allSee(t, "6 minutes later", list)
				// In each time to live, each is heard of once more: a question
				// and an answer. The questions of the first minutes come to that.
				if sent, most := len(w.Sent())-quiet, n*(3*4+12); sent > most {
					t.Errorf("%d packets in 6 minutes of rest, want %d at most", sent, most)
				}
				withinLimits(t, w.Sent()[quiet:], n)

				last := list[n-1]
				last.stop()
				after(100 * time.Millisecond)
				allSee(t, "after one left", list[:n-1])
				last.start()
				after(2 * time.Second)
				allSee(t, "after it came again", list)
			})
		})
	}
}

// withinLimits fails where a device repeats itself within a second, answers
// too often, or announces again unasked.
func withinLimits(t *testing.T, sent []lantest.Packet, n int) {
	t.Helper()
	last := map[string]time.Time{}
	minute := map[string]int{}
	for _, p := range sent {
		if p.Data[2]&0x80 == 0 {
			minute[fmt.Sprint(p.Host, " asks in minute ", p.At.Unix()/60)]++
			continue
		}
		key := p.Host + string(p.Data)
		if before, ok := last[key]; ok && p.At.Sub(before) < time.Second {
			t.Fatalf("%s sends the same records after %s", p.Host, p.At.Sub(before))
		}
		last[key] = p.At
	}
	for what, times := range minute {
		if times > 12 { // 1, 2, 4, 8, 16 and 32 seconds apart, and those that refresh
			t.Fatalf("%s %d times", what, times)
		}
	}
}

func TestCrowdOnABadNetwork(t *testing.T) {
	for seed := range uint64(3) {
		synctest.Test(t, func(t *testing.T) {
			const n = 12
			w := lantest.NewWorld(seed)
			w.Faults(0.2, 0.1)
			list := crowd(t, w, n)
			draw := rand.New(rand.NewPCG(seed, 2))
			up := map[int]bool{}
			for i, d := range list {
				d.start()
				up[i] = true
			}
			after(time.Minute)
			for range 60 {
				i := draw.IntN(n)
				d := list[i]
				switch draw.IntN(4) {
				case 0, 1:
					d.host.Plug("eth0", "lan", fmt.Sprintf("10.0.%d.%d/16", 1+draw.IntN(200), 1+draw.IntN(200)))
					d.publish()
				case 2:
					if up[i] {
						d.stop()
					} else {
						d.start()
					}
					up[i] = !up[i]
				case 3:
					d.host.Unplug("eth0")
					after(time.Duration(draw.IntN(5000)) * time.Millisecond)
					d.host.Plug("eth0", "lan", fmt.Sprintf("10.0.%d.%d/16", 1+draw.IntN(200), 1+draw.IntN(200)))
					d.publish()
				}
				after(time.Duration(draw.IntN(10000)) * time.Millisecond)
			}
			w.Faults(0, 0)
			after(5 * time.Minute) // longer than anything is believed
			var running []*device
			for i, d := range list {
				if up[i] {
					running = append(running, d)
				}
			}
			allSee(t, fmt.Sprintf("seed %d, when the network is good again", seed), running)
		})
	}
}

// TestHostileCrowd has somebody send much that is wrong, and sees that the
// others still find each other.
func TestHostileCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := lantest.NewWorld(7)
		list := crowd(t, w, 3)
		for _, d := range list[:2] {
			d.start()
		}
		after(5 * time.Second)
		model := lastAnnouncement(t, w, "h0").Data
		draw := rand.New(rand.NewPCG(7, 7))
		group := netip.MustParseAddrPort("224.0.0.251:5353")
		for i := range 20000 {
			b := append([]byte{}, model...)
			from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 9, byte(i % 5)}), 5353)
			switch i % 4 {
			case 0: // another name, another port
				for k := range b {
					if b[k] == 16 && k+17 < len(b) {
						binary.BigEndian.PutUint64(b[k+1:], 0x6161616161616161+uint64(draw.IntN(1<<16)))
						break
					}
				}
			case 1: // bytes of chance
				for range 5 {
					b[draw.IntN(len(b))] = byte(draw.Uint32())
				}
			case 2: // cut off
				b = b[:draw.IntN(len(b))]
			case 3: // counts that lie
				binary.BigEndian.PutUint16(b[6:], uint16(draw.Uint32()))
			}
			w.Forge("lan", from, group, b)
			if i%100 == 0 {
				after(time.Millisecond)
			}
		}
		list[2].start()
		after(2 * time.Second)
		for _, d := range list {
			names := map[string]bool{}
			for _, n := range d.lan.Neighbours() {
				names[n.Name] = true
			}
			for _, o := range list {
				if o != d && !names[o.name()] {
					t.Errorf("%s does not see %s in the noise", d.name(), o.name())
				}
			}
		}
		after(5 * time.Minute)
		allSee(t, "after the noise", list)
	})
}
