package e2e

import (
	"os"
	"testing"
	"time"

	"foldpost/app"
)

// TestReset: who forgets everything is gone for the others, who keep theirs.
func TestReset(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.two()
		ada.mailbox()
		s := w.share("Photos", ada, bob)
		want := map[string]string{"a": "1", "b": "2"}
		files(s.on(ada), want)
		s.settled(want, ada, bob)
		w.must(ada.Reset(t.Context()))
		bob.eventually("ada is gone", time.Minute, func(st app.State) bool { return !connected(st) })
		time.Sleep(10 * time.Second) // simulated
		if left, err := os.ReadDir(ada.home); !os.IsNotExist(err) {
			t.Errorf("ada's home has %v, %v, want it gone", left, err)
		}
		for _, d := range []*device{ada, bob} {
			if got := s.contents(d); len(got) != 2 {
				t.Errorf("%s has %q, want both files", d.name, got)
			}
		}
		ada.restart()
		if st := ada.State(); len(st.Devices)+len(st.Folders) > 0 || st.Mailbox != nil {
			t.Errorf("ada's next start is %+v, want a new device", st)
		}
		bob.never("linked with whom has forgotten it", 10*time.Minute, connected)
	})
}
