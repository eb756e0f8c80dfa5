package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"foldpost/app"
	"foldpost/app/folder/foldertest"
)

// TestConflict: two edits of one file, made apart, are both kept, on both
// sides the same; an edit and a deletion leave the edit.
func TestConflict(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.two()
		s := w.share("Letters", ada, bob)
		want := map[string]string{"both.txt": "base", "edited.txt": "base", "other": "o"}
		files(s.on(ada), want)
		s.settled(want, ada, bob)

		w.unplug(bob, true)
		s.on(ada).Write("both.txt", "ada's")
		s.on(ada).Remove("edited.txt")
		w.must(ada.Rescan(t.Context(), s.id))
		s.on(bob).Write("both.txt", "bob's")
		s.on(bob).Write("edited.txt", "edited")
		w.must(bob.Rescan(t.Context(), s.id))
		w.unplug(bob, false)

		w.until("both kept", 3*time.Minute, func() error {
			got := s.contents(ada)
			if len(got) != 4 || s.snapshot(ada) != s.snapshot(bob) {
				return fmt.Errorf("ada has %q, bob %q", got, s.contents(bob))
			}
			return nil
		})
		got := s.contents(bob)
		if got["edited.txt"] != "edited" || got["other"] != "o" {
			t.Errorf("bob has %q, want the edited file to outlive its deletion", got)
		}
		for _, d := range []*device{ada, bob} {
			d.eventually("shows one conflict", time.Minute, func(st app.State) bool { return st.Folders[0].Conflicts == 1 })
			list, err := d.Conflicts(t.Context(), s.id)
			if err != nil || len(list) != 1 || list[0].Path != "both.txt" || len(list[0].Copies) != 1 {
				t.Fatalf("%s: Conflicts = %v, %v, want one copy of both.txt", d.name, list, err)
			}
			shown, kept := got["both.txt"], got[list[0].Copies[0]]
			if shown+kept != "ada'sbob's" && shown+kept != "bob'sada's" {
				t.Errorf("%s: both.txt is %q and its copy %q, want each edit once", d.name, shown, kept)
			}
		}
	})
}

// TestCompareWritesNothing: who is asked to join sees what would happen before
// anything does.
func TestCompareWritesNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.two()
		s := w.offer("Music", ada, false, bob)
		files(s.on(ada), map[string]string{"same": "1", "differs": "22", "there": "333"})
		w.must(ada.Rescan(t.Context(), s.id))
		dir, tree := bob.dir("Mine")
		files(tree.User(t), map[string]string{"same": "1", "differs": "xx", "here": "4444"})
		tree.SetReadOnly(true) // any attempt to write fails
		before := share{w: w, dirs: map[*device]string{bob: dir}}
		was := before.snapshot(bob)

		got, err := bob.Compare(t.Context(), s.id, dir)
		want := app.Comparison{Equal: app.Count{Files: 1, Bytes: 1}, Different: app.Count{Files: 1, Bytes: 2}, OnlyHere: app.Count{Files: 1, Bytes: 4}, OnlyThere: app.Count{Files: 1, Bytes: 3}, Examples: []string{"differs"}}
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("Compare = %+v, %v, want %+v", got, err, want)
		}
		missing := filepath.Join(filepath.Dir(dir), "not yet")
		got, err = bob.Compare(t.Context(), s.id, missing)
		if err != nil || got.OnlyThere.Files != 3 || got.Equal.Files+got.Different.Files+got.OnlyHere.Files != 0 {
			t.Errorf("Compare with a directory that is not there = %+v, %v, want 3 files only there", got, err)
		}
		if _, err := os.Stat(missing); !os.IsNotExist(err) {
			t.Errorf("Compare made the directory: %v", err)
		}
		if now := before.snapshot(bob); now != was || tree.User(t).Names(".foldpost") != nil {
			t.Errorf("Compare changed the disk from\n%s\nto\n%s", was, now)
		}
		if n := len(bob.State().Folders); n != 0 {
			t.Errorf("after Compare bob keeps %d folders, want none", n)
		}
	})
}

// TestJoinWithFiles: a directory that has files already is merged: nothing is
// lost, equal files are not sent, and unequal ones are kept both.
func TestJoinWithFiles(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.two()
		s := w.offer("Music", ada, false, bob)
		large := strings.Repeat("the same on both disks ", 20000)
		files(s.on(ada), map[string]string{"same": large, "differs": "ada's", "there": "3"})
		w.must(ada.Rescan(t.Context(), s.id))
		dir, tree := bob.dir("Mine")
		files(tree.User(t), map[string]string{"same": large, "differs": "bob's", "here": "4"})
		time.Sleep(time.Minute) // simulated: nothing here is new
		sent := w.count(ada)
		s.dirs[bob] = dir
		w.must(bob.Join(t.Context(), s.id, dir))
		w.until("merged", 2*time.Minute, func() error {
			if a, b := s.contents(ada), s.contents(bob); len(a) != 5 || fmt.Sprint(a) != fmt.Sprint(b) {
				return fmt.Errorf("%d and %d files", len(a), len(b))
			}
			return nil
		})
		got := s.contents(ada)
		all := got["differs"]
		for path, content := range got {
			if strings.HasPrefix(path, "differs (conflict") {
				all += content
			}
		}
		if got["here"] != "4" || got["there"] != "3" || all != "ada'sbob's" && all != "bob'sada's" {
			t.Errorf("after the join: %q in differs and its copy, here %q, there %q", all, got["here"], got["there"])
		}
		if n := sent(); n > len(large)/4 {
			t.Errorf("ada sent %d bytes for a file of %d that was there already", n, len(large))
		}
	})
}

// count counts the bytes of packets that a device sends from now on.
func (w *world) count(from *device) func() int {
	n := 0
	w.watch(func(p packet) bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		if addrOf(p.From) == from.addr {
			n += len(p.Data)
		}
		return false
	})
	return func() int { w.mu.Lock(); defer w.mu.Unlock(); return n }
}

// TestReadOnlyMember gets everything; what he does himself stays with him, and
// nothing is taken from him for it.
func TestReadOnlyMember(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.two()
		s := w.offer("Plans", ada, true, bob)
		want := map[string]string{"a": "1", "b": "2", "c": "3"}
		files(s.on(ada), want)
		s.join(bob)
		s.settled(want, ada, bob)
		if r := s.folder(bob).Role; r != "read-only" {
			t.Errorf("bob's role is %q, want read-only", r)
		}

		s.on(bob).Write("a", "bob's own")
		s.on(bob).Write("mine", "bob's")
		s.on(bob).Remove("b")
		w.must(bob.Rescan(t.Context(), s.id))
		s.on(ada).Write("c", "33")
		s.on(ada).Write("a", "11")
		s.wait(ada, 2*time.Minute)
		time.Sleep(time.Minute) // simulated
		s.settled(map[string]string{"a": "11", "b": "2", "c": "33"}, ada)
		got := s.contents(bob)
		if got["a"] != "11" || got["c"] != "33" || got["mine"] != "bob's" {
			t.Errorf("bob has %q, want ada's changes beside his own file", got)
		}
		var kept strings.Builder
		if err := bob.Restore(t.Context(), app.RestoreRequest{Folder: s.id, Path: "a"}, &kept); err != nil || kept.String() != "bob's own" {
			t.Errorf("Restore(a) = %v, %q, want what bob wrote before ada's change replaced it", err, kept.String())
		}
		if _, err := bob.Share(t.Context(), app.ShareRequest{Dir: s.dirs[bob], Devices: []app.DeviceID{ada.State().Device.ID}}); err == nil {
			t.Error("a read-only member could share the folder on")
		}
	})
}

// TestEndings: what ends sharing, or holds it, on either side; files stay.
func TestEndings(t *testing.T) {
	id := func(d *device) app.DeviceID { return d.State().Device.ID }
	for name, c := range map[string]struct {
		end func(w *world, s *share, ada, bob *device) error
		// again makes it go on, if that is possible without a new join.
		again func(w *world, s *share, ada, bob *device) error
	}{
		"unshare": {end: func(w *world, s *share, ada, bob *device) error { return ada.Unshare(w.t.Context(), s.id, id(bob)) }},
		"leave":   {end: func(w *world, s *share, ada, bob *device) error { return bob.Leave(w.t.Context(), s.id) }},
		"unpair":  {end: func(w *world, s *share, ada, bob *device) error { return ada.Unpair(w.t.Context(), id(bob)) }},
		"pause": {
			end:   func(w *world, s *share, ada, bob *device) error { return bob.Pause(w.t.Context(), s.id, 0) },
			again: func(w *world, s *share, ada, bob *device) error { return bob.Resume(w.t.Context(), s.id) },
		},
		"pause everything": {
			end:   func(w *world, s *share, ada, bob *device) error { return ada.Pause(w.t.Context(), "", 0) },
			again: func(w *world, s *share, ada, bob *device) error { return ada.Resume(w.t.Context(), "") },
		},
		"pause for a while": {
			end:   func(w *world, s *share, ada, bob *device) error { return ada.Pause(w.t.Context(), s.id, 5*time.Minute) },
			again: func(w *world, s *share, ada, bob *device) error { time.Sleep(5 * time.Minute); return nil },
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				ada, bob := w.two()
				s := w.share("Photos", ada, bob)
				want := map[string]string{"a": "1", "b": "2"}
				files(s.on(ada), want)
				s.settled(want, ada, bob)
				w.must(c.end(w, s, ada, bob))
				time.Sleep(time.Second) // simulated: it may take a moment
				s.on(ada).Write("new", "n")
				s.on(bob).Write("other", "o")
				time.Sleep(time.Minute) // simulated
				if a, b := s.contents(ada), s.contents(bob); len(a) != 3 || len(b) != 3 || a["other"] != "" || b["new"] != "" {
					t.Errorf("after the end ada has %q and bob %q, want what each had and wrote", a, b)
				}
				if c.again == nil {
					return
				}
				w.must(c.again(w, s, ada, bob))
				want["new"], want["other"] = "n", "o"
				s.settled(want, ada, bob)
			})
		})
	}
}

// TestUnsharedComesBack: unshared and shared again, the copies are merged.
func TestUnsharedComesBack(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.two()
		s := w.share("Photos", ada, bob)
		want := map[string]string{"a": "1", "b": "2"}
		files(s.on(ada), want)
		s.settled(want, ada, bob)
		w.must(ada.Unshare(t.Context(), s.id, bob.State().Device.ID))
		w.must(bob.Leave(t.Context(), s.id))
		s.on(ada).Remove("a")
		s.on(bob).Write("c", "3")
		w.must(ada.Rescan(t.Context(), s.id))
		s.shareWith(ada, false, bob)
		w.must(bob.Join(t.Context(), s.id, s.dirs[bob]))
		want = map[string]string{"b": "2", "c": "3"}
		w.until("both have c", 2*time.Minute, func() error {
			if s.contents(ada)["c"] == "" || s.snapshot(ada) != s.snapshot(bob) {
				return fmt.Errorf("ada %q, bob %q", s.contents(ada), s.contents(bob))
			}
			return nil
		})
		for path, content := range want {
			if got := s.contents(bob)[path]; got != content {
				t.Errorf("bob's %s is %q, want %q", path, got, content)
			}
		}
	})
}

// TestDiskIsFull: what does not fit is refused before it begins; a disk that
// fills up later is a problem that is shown and heals.
func TestDiskIsFull(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.two()
		s := w.offer("Films", ada, false, bob)
		want := map[string]string{"film": strings.Repeat("x", 300_000), "small": "s"}
		files(s.on(ada), want)
		w.must(ada.Rescan(t.Context(), s.id))
		bob.eventually("told how large it is", time.Minute, func(st app.State) bool { return len(st.Offers) == 1 && st.Offers[0].Bytes == 300_001 })
		dir, tree := bob.dir("Films")
		tree.SetFree(64<<20 + 200_000) // some is left for others
		err := bob.Join(t.Context(), s.id, dir)
		if err == nil || !strings.Contains(err.Error(), "free") {
			t.Errorf("Join of 300 kB into 200 kB = %v, want a refusal that tells what is free", err)
		}
		if n := len(bob.State().Folders); n != 0 {
			t.Errorf("after the refusal bob keeps %d folders, want none", n)
		}

		tree.SetFree(64<<20 + 310_000)
		s.join(bob)
		s.settled(want, ada, bob)
		s.on(ada).Write("second", strings.Repeat("y", 300_000))
		want["second"] = strings.Repeat("y", 300_000)
		bob.eventually("says that the disk is full", 2*time.Minute, func(st app.State) bool { return st.Folders[0].Problem != "" })
		if p := s.folder(bob).Problem; !strings.Contains(p, "full") && !strings.Contains(p, "space") && !strings.Contains(p, "room") {
			t.Errorf("bob is told %q, want that there is no room", p)
		}
		if qs := bob.State().Questions; len(qs) != 1 || qs[0].Kind != app.AskDisk || qs[0].Folder != s.id || qs[0].Since.IsZero() {
			t.Errorf("bob is asked %+v, want one question about the disk", qs)
		}
		tree.SetFree(1 << 30)
		s.settled(want, ada, bob)
		bob.eventually("no problem is left", 2*time.Minute, func(st app.State) bool {
			return st.Folders[0].Problem == "" && st.Folders[0].State == app.FolderIdle && len(st.Questions) == 0
		})
	})
}

// TestRestartInTheMiddle: whichever side ends, or loses its power, while
// content comes in or is put into its place: it goes on, and nothing is lost.
func TestRestartInTheMiddle(t *testing.T) {
	for _, op := range []string{"Write", "Put"} {
		for _, who := range []string{"sender", "receiver"} {
			for _, crash := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s in %s, power cut %v", who, op, crash), func(t *testing.T) {
					inWorld(t, func(t *testing.T, w *world) { restartInTheMiddle(w, op, who == "sender", crash) })
				})
			}
		}
	}
}

func restartInTheMiddle(w *world, op string, sender, crash bool) {
	ada, bob := w.two()
	s := w.share("Films", ada, bob)
	want := map[string]string{"bob's": "own"}
	files(s.on(bob), want)
	s.settled(want, ada, bob)

	reached, goOn := make(chan struct{}), make(chan struct{})
	s.tree(bob).Inject(foldertest.Fault{Op: op, After: 3, Do: func() { close(reached); <-goOn }})
	films := map[string]string{}
	for i := range 8 {
		films[fmt.Sprintf("film %d", i)] = strings.Repeat(fmt.Sprint(i), 150_000)
	}
	files(s.on(ada), films)
	maps.Copy(want, films)
	<-reached
	d := bob
	if sender {
		d = ada
	}
	if crash {
		d.trees[s.dirs[d]] = s.tree(d).Crash()
	}
	time.AfterFunc(time.Millisecond, func() { close(goOn) })
	d.restart()
	s.settled(want, ada, bob)
	s.wait(ada, time.Minute)
	s.wait(bob, time.Minute)
	if c := s.folder(ada).Conflicts + s.folder(bob).Conflicts; c != 0 {
		w.t.Errorf("%d conflicts, want none", c)
	}
}

// TestThirdMember: a change travels through a member between two that are
// never on at the same time.
func TestThirdMember(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, nas, cem := w.device("ada"), w.device("nas"), w.device("cem")
		w.link(ada, nas)
		w.link(nas, cem)
		s := w.share("Team", ada, nas)
		s.shareWith(nas, false, cem)
		s.join(cem)
		want := map[string]string{"a": "1"}
		files(s.on(ada), want)
		s.settled(want, ada, nas, cem)

		w.unplug(cem, true)
		s.on(ada).Write("a", "ada's")
		s.on(ada).Write("from ada", "f")
		s.wait(ada, time.Minute)
		w.unplug(ada, true)
		w.unplug(cem, false)
		want["a"], want["from ada"] = "ada's", "f"
		s.settled(want, nas, cem)
		s.on(cem).Write("a", "cem's")
		s.on(cem).Remove("from ada")
		s.wait(cem, time.Minute)
		w.unplug(cem, true)
		w.unplug(ada, false)
		delete(want, "from ada")
		want["a"] = "cem's"
		s.settled(want, ada, nas)
		if c := s.folder(ada).Conflicts; c != 0 {
			t.Errorf("%d conflicts, want none: cem had seen ada's change", c)
		}
	})
}

// TestWaitMeansOnDisk: "has all" counts what was just written, is not said of a
// member that is away, and once said is true on the member's disk.
func TestWaitMeansOnDisk(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.two()
		s := w.share("Work", ada, bob)
		want := map[string]string{"a": "1"}
		files(s.on(ada), want)
		s.settled(want, ada, bob)
		s.wait(ada, time.Minute)
		w.unplug(bob, true)
		s.on(ada).Write("a", "2")
		w.must(ada.Rescan(t.Context(), s.id))
		if f := s.folder(ada); f.Members[0].HasAll {
			t.Error("ada says that bob has all, right after a change that he can not have")
		}
		ada.never("says that bob has all", 5*time.Minute, s.allHaveAll)
		w.unplug(bob, false)
		ada.eventually("has all", 2*time.Minute, s.allHaveAll)
		if got := s.contents(bob)["a"]; got != "2" {
			t.Errorf("ada says that bob has all, his disk has %q", got)
		}
	})
}

// TestFolderFollowsItsInvitation: a folder shared with an address goes to who
// used that invitation. Who came by another one and says that the address is
// his gets nothing.
func TestFolderFollowsItsInvitation(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, mallory := w.device("ada"), w.device("bob"), w.device("mallory")
		dir, tree := ada.dir("Secret plans")
		files(tree.User(t), map[string]string{"plan": "p"})
		shared, err := ada.Share(t.Context(), app.ShareRequest{Dir: dir, People: []string{bob.email}, ByHand: true})
		w.must(err)

		fake := w.provider(bob.email) // whatever mallory's own server is told
		mallory.mailboxAt(fake, bob.email)
		w.must(mallory.SetConfig(t.Context(), "name", "bob's laptop"))
		inv, err := ada.Invite(t.Context(), app.InviteRequest{})
		w.must(err)
		_, err = mallory.Accept(t.Context(), app.AcceptRequest{Input: inv.Link})
		w.must(err)
		ada.letIn()
		mallory.eventually("linked", time.Minute, connected)
		mallory.never("offered anything", 5*time.Minute, func(st app.State) bool { return len(st.Offers) > 0 })
		st := ada.State()
		if len(st.Folders[0].Members) != 0 {
			t.Errorf("the folder has the members %+v, want none", st.Folders[0].Members)
		}
		if o := st.Devices[0].Owner; o != "" {
			t.Errorf("ada shows %q as the owner of a device that only claims it", o)
		}
		if i := slices.IndexFunc(st.Invitations, func(i app.OpenInvitation) bool { return i.With == bob.email }); i < 0 || st.Invitations[i].Step != app.StepWaiting {
			t.Errorf("ada's invitations %+v, want bob's still waiting", st.Invitations)
		}

		_, err = bob.Accept(t.Context(), app.AcceptRequest{Input: shared.Invitations[0].Text, Words: shared.Invitations[0].Words})
		w.must(err)
		ada.eventually("asked which of the two is bob", time.Minute, func(st app.State) bool {
			return len(st.Questions) == 1 && st.Questions[0].Kind == app.AskChangedKey
		})
		bob.never("linked without ada's yes", 10*time.Minute, paired)
		w.must(ada.Answer(t.Context(), ada.State().Questions[0].ID, app.ChoiceYes)) // whether bob's device asks now or comes again
		bob.eventually("offered", 10*time.Minute, func(st app.State) bool { return len(st.Offers) == 1 && st.Offers[0].ID == shared.Folder })
		if len(mallory.State().Offers) != 0 {
			t.Errorf("mallory is offered %+v", mallory.State().Offers)
		}
	})
}

// TestRescanCountsWhatWasJustWritten: also a file that nobody reported and that
// is too new to be read at once.
func TestRescanCountsWhatWasJustWritten(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada := w.device("ada")
		s := &share{w: w, name: "Work", dirs: map[*device]string{}}
		s.dirs[ada], _ = ada.dir("Work")
		shared, err := ada.Share(t.Context(), app.ShareRequest{Dir: s.dirs[ada]})
		w.must(err)
		s.id = shared.Folder
		time.Sleep(10 * time.Second) // simulated: it runs
		s.tree(ada).Blind()
		time.Sleep(time.Second) // simulated
		files(s.on(ada), map[string]string{"a": "1", "b": "22"})
		w.must(ada.Rescan(t.Context(), s.id))
		if f := s.folder(ada); f.Files != 2 || f.Bytes != 3 {
			t.Errorf("after Rescan the state has %d files, %d bytes, want 2 and 3", f.Files, f.Bytes)
		}
	})
}
