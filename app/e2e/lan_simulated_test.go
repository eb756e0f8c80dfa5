package e2e

import (
	"net/netip"
	"testing"
	"time"

	"foldpost/app"
	"foldpost/discovery/lantest"
)

// together moves devices that are off to addresses in one local network, of
// which the others know nothing.
func together(lan *lantest.World, at map[*device]string) {
	for d, addr := range at {
		d.move(addr)
		if d.host == nil {
			d.host = lan.NewHost(d.name)
		}
		d.host.Plug("wlan0", "home", netip.PrefixFrom(d.addr.Addr(), 24).String())
	}
}

// TestMeetInALocalNetwork: paired devices whose known addresses are all stale
// find each other without mail, unless one of them shows itself to nobody.
func TestMeetInALocalNetwork(t *testing.T) {
	tests := []struct {
		name          string
		adas, bobs    string        // the setting visible
		within        time.Duration // they are linked; 0: they never are
		adaIsOffFirst bool
	}{
		{"as it is at first", "everyone", "everyone", time.Second, false},
		{"their own devices", "devices", "devices", time.Second, false},
		{"one listens only", "nobody", "devices", 3 * time.Second, false}, // it asks for nothing, and hears what is said twice
		{"both listen only", "nobody", "nobody", 0, false},
		{"one comes later", "devices", "devices", time.Second, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				ada, bob := w.two()
				w.must(ada.SetConfig(t.Context(), "visible", tt.adas))
				w.must(bob.SetConfig(t.Context(), "visible", tt.bobs))
				ada.end()
				bob.end()
				lan := lantest.NewWorld(1)
				together(lan, map[*device]string{ada: "192.168.1.5:4005", bob: "192.168.1.6:4006"})
				bob.start()
				if tt.adaIsOffFirst {
					bob.never("linked", time.Minute, func(s app.State) bool { return s.Devices[0].Connected })
				}
				ada.start()
				linked := func(s app.State) bool { return s.Devices[0].Connected }
				if tt.within == 0 {
					ada.never("linked", time.Minute, linked)
					for _, p := range lan.Sent() {
						t.Errorf("%s sent %q", p.Host, p.Data)
					}
					return
				}
				for d, addr := range map[*device]string{ada: "192.168.1.6:4006", bob: "192.168.1.5:4005"} {
					d.eventually("linked", tt.within, linked)
					if got := d.State().Devices[0].Address; got != addr {
						t.Errorf("%s is linked at %s, want %s", d.name, got, addr)
					}
				}
			})
		})
	}
}

// TestUnpairedIsAStranger: after an unpairing, nothing that a device announces
// is for the other one.
func TestUnpairedIsAStranger(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.two()
		ada.end()
		bob.end()
		lan := lantest.NewWorld(1)
		together(lan, map[*device]string{ada: "192.168.1.5:4005", bob: "192.168.1.6:4006"})
		ada.start()
		bob.start()
		ada.eventually("linked", time.Second, func(s app.State) bool { return s.Devices[0].Connected })
		before := len(lan.Sent())
		w.must(ada.Unpair(t.Context(), ada.State().Devices[0].ID))
		ada.eventually("unpaired", time.Minute, func(s app.State) bool { return len(s.Devices) == 0 })
		time.Sleep(3 * time.Second) // in a bubble
		said := len(lan.Sent())
		if said == before {
			t.Error("nothing was said of the unpairing")
		}
		time.Sleep(2 * time.Hour)
		for _, p := range lan.Sent()[said:] {
			if p.Host == "ada" {
				t.Fatalf("who has no device left, and is not seen by strangers, sent %q", p.Data)
			}
		}
	})
}
