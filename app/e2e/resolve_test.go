package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"foldpost/app"
)

// TestResolve: what one person decides about a conflict is so on both sides,
// and what was not kept is in the trash of who decided.
func TestResolve(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.two()
		s := w.share("Letters", ada, bob)
		paths := []string{"here", "there", "both.txt"}
		want := map[string]string{"other": "o"}
		for _, p := range paths {
			want[p] = "base"
		}
		files(s.on(ada), want)
		s.settled(want, ada, bob)

		w.unplug(bob, true)
		for _, d := range []*device{ada, bob} {
			time.Sleep(time.Second) // simulated: bob writes last and is shown
			for _, p := range paths {
				s.on(d).Write(p, d.name+"'s "+p)
			}
			w.must(d.Rescan(t.Context(), s.id))
		}
		w.unplug(bob, false)
		conflicts := func(n int) func(app.State) bool {
			return func(st app.State) bool { return st.Folders[0].Conflicts == n }
		}
		for _, d := range []*device{ada, bob} {
			d.eventually("shows three conflicts", 3*time.Minute, conflicts(3))
		}
		s.wait(ada, time.Minute) // the copies are on both disks
		s.wait(bob, time.Minute)

		list, err := ada.Conflicts(t.Context(), s.id)
		w.must(err)
		for _, c := range list {
			v := c.Versions
			if len(v) != 2 || v[0].By != "bob's laptop" || v[1].By != "ada's laptop" || v[1].Device != ada.State().Device.ID || v[0].At.IsZero() || v[0].Size != int64(len("bob's "+c.Path)) {
				t.Errorf("%s: versions %+v, want bob's at the path, then ada's", c.Path, v)
			}
			keep := map[string]string{"here": app.KeepHere, "there": c.Copies[0], "both.txt": app.KeepBoth}[c.Path]
			other := slices.Clone(v)
			other[1].At = other[1].At.Add(time.Nanosecond)
			if err := ada.Resolve(t.Context(), s.id, c.Path, keep, other...); app.CodeOf(err) != app.CodeFailed {
				t.Errorf("%s: Resolve of versions that are not there = %v, want code %s", c.Path, err, app.CodeFailed)
			}
			w.must(ada.Resolve(t.Context(), s.id, c.Path, keep, v...))
		}
		s.settled(map[string]string{
			"other": "o", "here": "bob's here", "there": "ada's there", "both.txt": "bob's both.txt", "both (ada's laptop).txt": "ada's both.txt",
		}, ada, bob)
		for _, d := range []*device{ada, bob} {
			d.eventually("shows no conflict", time.Minute, conflicts(0))
		}
		kept := map[string]bool{}
		trash, err := ada.Trash(t.Context(), s.id)
		w.must(err)
		for _, k := range trash {
			var b strings.Builder
			w.must(ada.Restore(t.Context(), app.RestoreRequest{Folder: s.id, Path: k.Path, At: k.At}, &b))
			kept[b.String()] = true
		}
		for _, lost := range []string{"ada's here", "bob's there"} {
			if !kept[lost] {
				t.Errorf("ada's trash has %v, want %q in it", fmt.Sprint(kept), lost)
			}
		}
	})
}
