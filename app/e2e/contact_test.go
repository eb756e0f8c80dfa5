package e2e

import (
	"slices"
	"testing"
	"time"

	"foldpost/app"
)

// all tells whether a device is connected with n others.
func all(n int) func(app.State) bool {
	return func(s app.State) bool {
		up := 0
		for _, d := range s.Devices {
			if d.Connected {
				up++
			}
		}
		return up == n
	}
}

// without tells whether a device has lost the one of a name.
func without(name string) func(app.State) bool {
	return func(s app.State) bool {
		return slices.ContainsFunc(s.Devices, func(d app.Device) bool { return d.Name == name+"'s laptop" && !d.Connected })
	}
}

// circle is three devices that are all linked with each other; ada and bob
// have mailboxes.
func (w *world) circle() (ada, bob, cem *device) {
	w.t.Helper()
	ada, bob, _ = w.acquainted()
	cem = w.device("cem")
	w.link(cem, ada)
	w.link(cem, bob)
	return ada, bob, cem
}

// TestFoundAgainByContact: both are somewhere else when they come back. A
// device that both are linked with, and that did not move, tells them in
// seconds; no mail is written.
func TestFoundAgainByContact(t *testing.T) {
	for _, later := range []time.Duration{0, time.Hour} {
		t.Run(later.String(), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				ada, bob, _ := w.circle()
				ada.end()
				bob.end()
				seeking := w.postman()
				ada.move("198.51.100.11:4011")
				bob.move("203.0.113.12:4012")
				ada.start()
				time.Sleep(later)
				bob.start()
				ada.eventually("linked again", 8*time.Second, all(2))
				bob.eventually("linked again", 8*time.Second, all(2))
				if n := seeking.count(); later == 0 && n != 0 {
					t.Errorf("%d mails though a contact carried the letters: %s", n, seeking)
				}
			})
		})
	}
}

// TestFoundAgainByContactsBehindRouters: the same where each is behind a router
// of its own. What it is called outside, two devices elsewhere tell it.
func TestFoundAgainByContactsBehindRouters(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, cem := w.circle()
		nas := w.device("nas")
		w.link(nas, ada)
		w.link(nas, bob)
		w.link(nas, cem)
		ada.end()
		bob.end()
		ada.move("192.168.1.2:4001")
		bob.move("10.2.0.2:4002")
		w.routers(map[*device]router{ada: {public: "198.51.100.99"}, bob: {public: "203.0.113.99"}})
		seeking := w.postman()
		ada.start()
		time.Sleep(700 * time.Millisecond)
		bob.start()
		ada.eventually("linked again", 30*time.Second, all(3))
		bob.eventually("linked again", time.Second, all(3))
		if n := seeking.count(); n != 0 {
			t.Errorf("%d mails though contacts carried the letters: %s", n, seeking)
		}
	})
}
