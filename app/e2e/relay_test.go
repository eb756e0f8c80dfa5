package e2e

import (
	"testing"
	"time"

	"foldpost/app"
)

// linkOf returns a device's link to another, by its name.
func linkOf(s app.State, name string) app.Device {
	for _, d := range s.Devices {
		if d.Name == name+"'s laptop" {
			return d
		}
	}
	return app.Device{}
}

func by(kind, name string) func(app.State) bool {
	return func(s app.State) bool { d := linkOf(s, name); return d.Connected && d.Link == kind }
}

// hardHomes puts ada and bob behind routers that nobody can find a way through.
func (w *world) hardHomes(ada, bob *device) {
	w.routers(map[*device]router{ada: {public: "198.51.100.99", dependent: true}, bob: {public: "203.0.113.99", dependent: true}})
}

// apart are two devices that share a folder, and a third one, the first one's
// own, that relays; then the two move behind routers.
func (w *world) apart() (ada, bob, cem *device, s *share) {
	w.t.Helper()
	ada, bob, s = w.acquainted()
	cem = w.device("cem")
	w.link(cem, ada)
	w.link(cem, bob)
	for _, d := range cem.State().Devices {
		if d.Name == "ada's laptop" {
			w.must(cem.Relay(w.t.Context(), d.ID, true))
		}
	}
	time.Sleep(5 * time.Second) // each keeps where it reached the others
	ada.end()
	bob.end()
	ada.move("192.168.1.2:4001")
	bob.move("10.2.0.2:4002")
	w.hardHomes(ada, bob)
	return ada, bob, cem, s
}

// TestRelay: two devices that can not reach each other link through a third
// one, and their folder is the same. The relay's user sees it, and ends it.
func TestRelay(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, cem, s := w.apart()
		ada.start()
		bob.start()
		ada.eventually("linked through cem", 15*time.Second, by("relay", "bob"))
		bob.eventually("linked through cem", 15*time.Second, by("relay", "ada"))
		if d := linkOf(ada.State(), "bob"); d.Through != cem.State().Device.ID || d.Address != "" {
			t.Errorf("ada reaches bob through %s at %q, want through cem", d.Through, d.Address)
		}
		s.on(ada).Write("new.txt", "of ada")
		w.must(ada.Rescan(t.Context(), s.id))
		s.on(bob).Write("other.txt", "of bob")
		w.must(bob.Rescan(t.Context(), s.id))
		s.wait(ada, time.Minute)
		s.wait(bob, time.Minute)
		cem.eventually("says that it relays", time.Minute, func(st app.State) bool {
			return len(st.Relays) == 1 && st.Relays[0].Bytes > 100
		})
		ada.restart()
		ada.eventually("linked through cem again", 20*time.Second, by("relay", "bob"))
		w.must(cem.Relay(t.Context(), app.DeviceID(bob.id().String()), false))
		ada.eventually("lost bob", time.Minute, without("bob"))
		cem.eventually("relays no more", time.Minute, func(st app.State) bool { return len(st.Relays) == 0 })
		ada.never("linked again", time.Hour, by("relay", "bob"))
	})
}

// TestRelayGoesOn: others' relays end after an hour, or when the relay is gone.
// Then another one begins; both sides miss each other for some seconds.
func TestRelayGoesOn(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, cem := w.circle()
		nas := w.device("nas")
		w.link(nas, ada)
		w.link(nas, bob)
		for _, d := range []*device{cem, nas} {
			w.must(d.Relay(t.Context(), app.DeviceID(ada.id().String()), true))
		}
		time.Sleep(5 * time.Second)
		ada.end()
		bob.end()
		ada.move("192.168.1.2:4001")
		bob.move("10.2.0.2:4002")
		w.hardHomes(ada, bob)
		ada.start()
		bob.start()
		ada.eventually("linked by relay", 15*time.Second, by("relay", "bob"))
		lost, gap := time.Time{}, time.Duration(0)
		ada.never("lost for long", 70*time.Minute, func(s app.State) bool {
			switch up := linkOf(s, "bob").Connected; {
			case !up && lost.IsZero():
				lost = time.Now()
			case up && !lost.IsZero():
				gap, lost = max(gap, time.Since(lost)), time.Time{}
			}
			return false
		})
		if gap == 0 || gap > 12*time.Second {
			t.Errorf("without a link for %s when an hour was over, want 12s at most", gap)
		}
		first := cem
		if linkOf(ada.State(), "bob").Through == nas.State().Device.ID {
			first = nas
		}
		began := time.Now()
		first.end()
		ada.eventually("lost bob", time.Minute, without("bob"))
		ada.eventually("linked through the other", time.Minute, by("relay", "bob"))
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("through the other relay after %s, want 15s at most", took)
		}
	})
}

// TestDirectPathTakesOver: other routers let the two through, and they leave
// the relay by themselves.
func TestDirectPathTakesOver(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, cem := w.circle()
		nas := w.device("nas")
		w.link(nas, ada)
		w.link(nas, bob)
		w.must(cem.Relay(t.Context(), app.DeviceID(ada.id().String()), true))
		time.Sleep(5 * time.Second)
		ada.end()
		bob.end()
		ada.move("192.168.1.2:4001")
		bob.move("10.2.0.2:4002")
		w.hardHomes(ada, bob)
		ada.start()
		bob.start()
		ada.eventually("linked through cem", 15*time.Second, by("relay", "bob"))
		time.Sleep(10 * time.Minute)
		w.routers(map[*device]router{ada: {public: "198.51.100.99"}, bob: {public: "203.0.113.99"}})
		ada.eventually("linked directly", 3*time.Minute, by("quic", "bob"))
		bob.eventually("linked directly", 5*time.Second, by("quic", "ada"))
		cem.eventually("relays no more", 5*time.Second, func(s app.State) bool { return len(s.Relays) == 0 })
		ada.never("back on the relay", time.Hour, by("relay", "bob"))
	})
}
