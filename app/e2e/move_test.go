package e2e

import (
	"testing"
	"time"

	"foldpost/app"
)

// TestMove: a directory that is not where it was stops the folder with a
// question, and goes on where its user says it is.
func TestMove(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.two()
		s := w.share("Photos", ada, bob)
		want := map[string]string{"a": "1", "b": "2"}
		files(s.on(ada), want)
		s.settled(want, ada, bob)
		sent := w.count(ada)

		old := s.dirs[bob]
		dir, _ := bob.dir("Elsewhere")
		volume := bob.trees[old].Unmount()
		bob.eventually("is asked where it is", 10*time.Minute, func(st app.State) bool {
			if len(st.Questions) != 1 || st.Questions[0].Kind != app.AskRoot {
				return false
			}
			choices := st.Questions[0].Choices
			return choices[len(choices)-1].Command == "foldpost move "+string(s.id)+" DIR"
		})
		if err := bob.Move(t.Context(), s.id, dir); err == nil {
			t.Error("Move to a directory without the folder = nil, want an error")
		}
		bob.trees[dir].Mount(volume)
		w.must(bob.Move(t.Context(), s.id, dir))
		s.dirs[bob] = dir
		bob.eventually("goes on", time.Minute, func(st app.State) bool {
			return len(st.Questions) == 0 && st.Folders[0].State == app.FolderIdle && st.Folders[0].Path == dir
		})
		if n := sent(); n > 100<<10 {
			t.Errorf("ada sent %d bytes for a move, want next to nothing", n)
		}
		s.on(ada).Remove("a")
		s.on(ada).Write("c", "3")
		s.settled(map[string]string{"b": "2", "c": "3"}, ada, bob)
	})
}
