package e2e

import (
	"strings"
	"testing"
	"time"

	"foldpost/app"
)

// TestProgress: while a file is on its way, the device that has it shows how
// much of it the other one still needs.
func TestProgress(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.two()
		s := w.share("Films", ada, bob)
		w.must(bob.SetConfig(t.Context(), "limit-down", "64"))
		film := strings.Repeat("0123456789abcdef", 128<<10) // 2 MiB
		files(s.on(ada), map[string]string{"film": film})
		member := func(st app.State) app.Member { return st.Folders[0].Members[0] }
		ada.eventually("shows that bob needs it", time.Minute, func(st app.State) bool {
			return !member(st).HasAll && member(st).NeedBytes == int64(len(film))
		})
		for _, part := range []int64{4, 2} {
			ada.eventually("shows that bob needs less", time.Minute, func(st app.State) bool {
				m := member(st)
				return !m.HasAll && m.NeedBytes > 0 && m.NeedBytes < int64(len(film))*part/5
			})
			if f := s.folder(bob); f.NeedFiles != 1 || f.Files != 0 {
				t.Errorf("meanwhile bob shows %+v, want the file on its way", f)
			}
		}
		ada.eventually("shows that bob has it", time.Minute, func(st app.State) bool { return member(st).HasAll && member(st).NeedBytes == 0 })
	})
}
