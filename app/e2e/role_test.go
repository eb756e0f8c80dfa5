package e2e

import (
	"testing"
	"time"

	"foldpost/app"
)

// TestRoleChanges: the sharer decides, at any time, and both sides know. What
// was changed while only receiving was allowed counts again afterwards.
func TestRoleChanges(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.two()
		s := w.share("Plans", ada, bob)
		s.on(bob).Write("a", "1")
		s.settled(map[string]string{"a": "1"}, ada, bob)
		role := func(readOnly bool, want string) {
			t.Helper()
			_, err := ada.Share(t.Context(), app.ShareRequest{Dir: s.dirs[ada], Devices: []app.DeviceID{bob.State().Device.ID}, ReadOnly: readOnly})
			w.must(err)
			bob.eventually("role "+want, time.Minute, func(app.State) bool { return s.folder(bob).Role == want })
		}

		role(true, "read-only")
		s.on(bob).Write("b", "2")
		s.on(ada).Write("c", "3")
		s.wait(ada, 2*time.Minute)
		time.Sleep(time.Minute) // simulated
		s.settled(map[string]string{"a": "1", "c": "3"}, ada)

		role(false, "read-write")
		s.settled(map[string]string{"a": "1", "b": "2", "c": "3"}, ada, bob)
		bob.restart()
		if r := s.folder(bob).Role; r != "read-write" {
			t.Errorf("bob's role after a restart is %q, want read-write", r)
		}
	})
}
