package e2e

import (
	"strings"
	"testing"
	"time"

	"foldpost/app"
)

// TestLimit: a limit on either side is kept, what is on its way is shown, and
// taking the limit away takes effect at once.
func TestLimit(t *testing.T) {
	for _, side := range []string{"limit-up", "limit-down"} {
		t.Run(side, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				ada, bob := w.two()
				s := w.share("Films", ada, bob)
				limited := map[string]*device{"limit-up": ada, "limit-down": bob}[side]
				w.must(limited.SetConfig(t.Context(), side, "64"))
				film := strings.Repeat("0123456789abcdef", 128<<10) // 2 MiB
				files(s.on(ada), map[string]string{"film": film})
				began := time.Now()
				bob.eventually("shows the film on its way", time.Minute, func(st app.State) bool {
					f := st.Folders[0]
					return len(f.Moving) == 1 && f.Moving[0].Path == "film" && f.Moving[0].From == ada.State().Device.ID &&
						f.Moving[0].Bytes == int64(len(film)) && f.Moving[0].Done > 512<<10 && f.Rate > 0 && f.ETAms > 0
				})
				if took := time.Since(began); took < 7*time.Second || took > 20*time.Second {
					t.Errorf("512 KiB at 64 KiB/s took %v, want about 8 s", took)
				}
				w.must(limited.SetConfig(t.Context(), side, "0"))
				freed := time.Now()
				bob.eventually("has it", time.Minute, func(st app.State) bool {
					return st.Folders[0].Files == 1 && len(st.Folders[0].Moving) == 0
				})
				if took := time.Since(freed); took > 5*time.Second {
					t.Errorf("the rest without a limit took %v", took)
				}
				changes, err := bob.Recent(t.Context(), s.id, 10)
				if err != nil || len(changes) != 1 || changes[0].Path != "film" || changes[0].Device != ada.State().Device.ID || changes[0].What != app.Changed {
					t.Errorf("Recent = %+v, %v, want the film by ada", changes, err)
				}
				if f := bob.State().Folders[0]; f.Changed.IsZero() {
					t.Errorf("Changed is zero in %+v", f)
				}
			})
		})
	}
}
