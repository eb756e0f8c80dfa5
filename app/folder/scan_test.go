package folder_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/app/folder"
	"foldpost/app/folder/foldertest"
)

// answer waits for a question of a kind and answers it.
func (d *device) answer(kind, choice string) folder.Question {
	d.t.Helper()
	var q folder.Question
	d.until("a question "+kind, func(s folder.Status) bool {
		for _, q = range s.Questions {
			if q.Kind == kind {
				return true
			}
		}
		return false
	})
	if choice != "" {
		if err := d.Answer(q.ID, choice); err != nil {
			d.t.Fatalf("Answer(%q, %q): %v", q.ID, choice, err)
		}
	}
	return q
}

// crowd makes two connected members with n files.
func crowd(t *testing.T, n int) (a, b *device) {
	a, b = inMemory(t, "A", nil), inMemory(t, "B", nil)
	pair(a, b)
	a.Mkdir("d")
	for i := range n {
		a.Write(fmt.Sprintf("d/%d", i), fmt.Sprintf("content %d", i))
	}
	settle(a, b)
	return a, b
}

func TestGuard(t *testing.T) {
	const n = 60
	tests := []struct {
		name  string
		paths func(d *device) // what a user does on A
		kind  string
		here  bool // A asks, else B
		do    string
		left  int // files on both sides in the end
	}{
		{"deleted, for everyone", func(d *device) { d.Remove("d") }, "deletions-here", true, "delete", 0},
		{"deleted, brought back", func(d *device) { d.Remove("d") }, "deletions-here", true, "restore", n},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := crowd(t, n)
				test.paths(a)
				a.Write("new", "made after the accident")
				q := a.answer(test.kind, "")
				<-time.After(10 * time.Minute)
				if got := len(b.files()); got < n {
					t.Errorf("B has %d files while A asks %q, want at least %d", got, q.Text, n)
				}
				if s := a.Status(); s.State != folder.StateStopped || !strings.Contains(q.Text, "60 of 61") {
					t.Errorf("A is %v and asks %q", s.State, q.Text)
				}
				a.answer(test.kind, test.do)
				if test.do == "delete" {
					b.answer("deletions-there", "delete")
				}
				a.until("all is here", func(s folder.Status) bool { return s.NeedFiles == 0 && s.State == folder.StateIdle })
				settle(a, b)
				wantEqual(t, a, b)
				if got := len(a.files()); got != test.left+1 {
					t.Errorf("%d files in the end, want %d", got, test.left+1)
				}
			})
		})
	}
}

// Deletions that come slowly trip the guard when some of them were told: the
// question says so, and brings back the others.
func TestGuardTrippedInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := crowd(t, 60)
		for i := range 40 {
			a.Remove(fmt.Sprintf("d/%d", i))
		}
		settle(a, b)
		for i := range 15 {
			a.Remove(fmt.Sprintf("d/%d", 40+i))
		}
		q := a.answer("deletions-here", "restore")
		if want := (folder.Loss{Deleted: 55, Of: 60, Told: 40}); q.Loss != want {
			t.Errorf("A asks about %+v, want %+v", q.Loss, want)
		}
		if strings.Contains(q.Text, "Nobody else was told") || !strings.Contains(q.Text, "told of the first 40") {
			t.Errorf("A asks %q, which is not so", q.Text)
		}
		settle(a, b)
		wantEqual(t, a, b)
		if got := len(a.files()); got != 20 {
			t.Errorf("%d files in the end, want 20", got)
		}
	})
}

// A mass deletion that a member was told to do is asked about there too, and
// can be undone for everyone.
func TestGuardAgainstAMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := crowd(t, 60)
		a.Remove("d")
		a.answer("deletions-here", "delete")
		q := b.answer("deletions-there", "restore")
		if len(b.files()) != 60 {
			t.Errorf("B has %d files while it asks %q, want 60", len(b.files()), q.Text)
		}
		settle(a, b)
		wantEqual(t, a, b)
		if got := len(a.files()); got != 60 {
			t.Errorf("%d files in the end, want 60", got)
		}
	})
}

// A renamed directory is no mass deletion, and costs no transfer.
func TestRenamedDirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
		know(a, b)
		w := newWire()
		connectBy(a, b, w.over)
		a.Mkdir("d")
		for i := range 100 {
			a.Write(fmt.Sprintf("d/%d", i), fmt.Sprintf("content %d", i))
		}
		settle(a, b)
		sent := w.content.Load()
		a.Rename("d", "e")
		settle(a, b)
		wantEqual(t, a, b)
		if s := b.Status(); len(s.Questions) > 0 || s.Files != 100 {
			t.Errorf("Status() after a rename = %+v, want 100 files and no question", s)
		}
		if w.content.Load() != sent {
			t.Errorf("%d bytes were sent for a rename, want none", w.content.Load()-sent)
		}
	})
}

// Nobody is told anything while the directory is missing or another one.
func TestRootIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := crowd(t, 10)
		tree := a.config.Tree.(*foldertest.Tree)
		was := tree.Unmount()
		err := a.Rescan(t.Context())
		if err == nil {
			t.Error("Rescan() of a missing directory = nil, want an error")
		}
		a.until("it is stopped", func(s folder.Status) bool {
			return s.State == folder.StateStopped && s.Problem != "" && s.Cause == "root"
		})
		<-time.After(5 * time.Hour)
		if got := len(b.files()); got != 10 {
			t.Errorf("B has %d files while A's directory is missing, want 10", got)
		}
		tree.Mount(was)
		a.until("it goes on", func(s folder.Status) bool {
			return s.State == folder.StateIdle && s.Problem == "" && len(s.Questions) == 0
		})
		settle(a, b)
		wantEqual(t, a, b)
	})
}

// TestRootIsNamed: a copy of the directory that a person names is compared, and
// what it has not is no deletion; an unmarked one stays a question.
func TestRootIsNamed(t *testing.T) {
	for _, c := range []struct{ marked, sameInode bool }{
		{false, false},
		{true, false},
		{true, true}, // new disks give the same number to their first directory
	} {
		marked := c.marked
		synctest.Test(t, func(t *testing.T) {
			a, b := crowd(t, 10)
			a.stop()
			other := foldertest.NewTree(foldertest.Options{Seed: 99})
			if is, err := a.config.Tree.Root(); err != nil {
				t.Fatal(err)
			} else if marked {
				if err := other.Mark(is.Marker); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := folder.Holds(other, a.config.ID); err != nil || got != marked {
				t.Errorf("Holds = %t, %v, want %t", got, err, marked)
			}
			a.User = other.User(t)
			a.Write("stray", "only in the copy")
			a.config.Named, a.config.Tree = true, elsewhere{other}
			if c.sameInode {
				a.config.Tree = other
			}
			a.again(nil, a, b)
			if !marked {
				a.answer("root", "")
				return
			}
			a.until("it has looked at the copy", func(s folder.Status) bool { return s.Files == 1 })
			connect(a, b)
			settle(a, b)
			wantEqual(t, a, b)
			if got := len(a.files()); got != 11 {
				t.Errorf("%d files in the end, want all 11", got)
			}
		})
	}
}

// elsewhere is a tree whose root has an inode that no other one has.
type elsewhere struct{ *foldertest.Tree }

func (e elsewhere) Root() (folder.RootID, error) {
	id, err := e.Tree.Root()
	id.Ino += 1 << 40
	return id, err
}

func TestRootIsAnother(t *testing.T) {
	for _, use := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			a, b := crowd(t, 10)
			tree := a.config.Tree.(*foldertest.Tree)
			was := tree.Unmount()
			tree.Mount(foldertest.NewVolume(foldertest.Options{Seed: 99}))
			a.Write("stray", "in another directory")
			q := a.answer("root", "")
			<-time.After(5 * time.Hour)
			if got := b.files(); len(got) != 10 {
				t.Errorf("B has %d files while A asks %q, want 10", len(got), q.Text)
			}
			if use {
				a.answer("root", "use")
			} else {
				tree.Mount(was)
			}
			a.until("it goes on", func(s folder.Status) bool { return s.State == folder.StateIdle && len(s.Questions) == 0 })
			settle(a, b)
			wantEqual(t, a, b)
			want := 10
			if use {
				want = 11
			}
			if got := len(b.files()); got != want {
				t.Errorf("use %v: %d files in the end, want %d", use, got, want)
			}
		})
	}
}

func TestIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
		pair(a, b)
		a.Write("keep", "1")
		a.Write("late.tmp", "was shared before it was ignored")
		settle(a, b)
		a.Write(".foldpostignore", "*.tmp\nbuild/\n")
		a.Write("x.tmp", "not shared")
		a.Mkdir("build")
		a.Write("build/out", "not shared")
		settle(a, b)
		rules := "*.tmp\nbuild/\n"
		want := map[string]string{".foldpostignore": rules, "keep": "1", "late.tmp": "was shared before it was ignored"}
		if got := b.files(); !maps.Equal(got, want) {
			t.Errorf("B has %q, want %q", got, want)
		}
		// Absence while ignored is no deletion, and what is the same needs nothing.
		a.Remove("late.tmp")
		settle(a, b)
		if got := b.files(); !maps.Equal(got, want) {
			t.Errorf("B has %q after an ignored file was deleted, want %q", got, want)
		}
		a.Write(".foldpostignore", "build/\n")
		settle(a, b)
		want[".foldpostignore"] = "build/\n"
		want["x.tmp"] = "not shared"
		if got := b.files(); !maps.Equal(got, want) {
			t.Errorf("B has %q after a rule was dropped, want %q", got, want)
		}
		if got := a.files()["late.tmp"]; got == "" {
			t.Error("A did not fetch again what it deleted while it was ignored")
		}
	})
}

// Another member's rules do not make files of this device shared that never
// were.
func TestRulesOfAMember(t *testing.T) {
	for _, choice := range []string{"share", "keep", "own"} {
		t.Run(choice, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
				pair(a, b)
				b.Write(".foldpostignore", "secrets/\n")
				settle(a, b)
				b.Mkdir("secrets")
				b.Write("secrets/key", "private")
				a.Write(".foldpostignore", "# all\n")
				b.until("A's rules", func(folder.Status) bool { return b.files()[".foldpostignore"] == "# all\n" })
				b.answer("rules", "")
				<-time.After(5 * time.Hour)
				if got := a.files(); got["secrets/key"] != "" {
					t.Fatalf("A has %q: it let itself in", got)
				}
				want := "private"
				switch choice {
				case "own": // B's user writes the rules anew
					b.Write(".foldpostignore", "# mine\n")
				case "keep":
					b.answer("rules", choice)
					want = ""
				default:
					b.answer("rules", choice)
				}
				<-time.After(time.Minute)
				if err := b.Rescan(t.Context()); err != nil {
					t.Fatal(err)
				}
				<-time.After(time.Minute)
				if got := a.files()["secrets/key"]; got != want {
					t.Errorf("after %q A has %q, want %q", choice, got, want)
				}
				if qs := b.Status().Questions; len(qs) > 0 {
					t.Errorf("after %q B still asks %v", choice, qs)
				}
			})
		})
	}
}

// A file that can not be read is left out: who waits for the rest does not
// wait for it.
func TestUnreadableFileKeepsNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tree := foldertest.NewTree(foldertest.Options{})
		tree.Inject(foldertest.Fault{Op: "Open", Path: "locked", Err: foldertest.ErrPermission, Times: 1000})
		a, b := start(t, "A", tree, tree.User(t), nil), inMemory(t, "B", nil)
		a.Write("locked", "1")
		a.Write("open", "2")
		pair(a, b)
		a.until("idle without the locked file", func(s folder.Status) bool {
			return s.State == folder.StateIdle && s.LeftOut == 1 && s.Files == 1 && len(s.Members) == 1 && s.Members[0].HasAll
		})
	})
}

// What takes a member's rules away is a change of rules as well.
func TestRulesTakenAwayByAMember(t *testing.T) {
	for _, how := range []string{"deleted", "too long", "link", "directory"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
				pair(a, b)
				b.Write(".foldpostignore", "secrets/\n")
				settle(a, b)
				b.Mkdir("secrets")
				b.Write("secrets/key", "private")
				a.Remove(".foldpostignore")
				switch how {
				case "too long":
					a.Write(".foldpostignore", strings.Repeat("#", 300<<10))
				case "link":
					a.Symlink("elsewhere", ".foldpostignore")
				case "directory":
					a.Mkdir(".foldpostignore")
				}
				<-time.After(time.Minute)
				for range 2 { // also after a restart
					<-time.After(5 * time.Hour)
					if got := a.files(); got["secrets/key"] != "" {
						t.Fatalf("A has %q: it let itself in", got["secrets/key"])
					}
					b.answer("rules", "")
					b.again(nil, a, b)
					connect(a, b)
				}
			})
		})
	}
}

// What a member's rules kept out stays out when they are changed again, also
// where this device's user never wrote any.
func TestRulesOfAMemberChangeAgain(t *testing.T) {
	for _, restart := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
			pair(a, b)
			want := map[string]string{"public": "1", ".foldpostignore": ""}
			for i, rules := range []string{"secrets/\n", "secrets/\nother/\n", "other/\n", "# none\n"} {
				a.Write(".foldpostignore", rules)
				b.until("A's rules", func(folder.Status) bool { return b.files()[".foldpostignore"] == rules })
				if i == 0 {
					b.Mkdir("secrets")
					b.Write("secrets/key", "private")
					b.Write("public", "1")
				}
				<-time.After(5 * time.Hour)
				if restart {
					b.again(nil, a, b)
					connect(a, b)
					<-time.After(time.Minute)
				}
				want[".foldpostignore"] = rules
				if got := a.files(); !maps.Equal(got, want) {
					t.Fatalf("restart=%t: under %q A has %q, want %q", restart, rules, got, want)
				}
			}
			b.answer("rules", "share")
			<-time.After(time.Minute)
			if got := a.files()["secrets/key"]; got != "private" {
				t.Errorf("restart=%t: after yes A has %q, want %q", restart, got, "private")
			}
		})
	}
}

// Rules that this device's user had are a member's change too, when a member
// goes back to them.
func TestRulesOfAMemberGoBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
		pair(a, b)
		b.Write(".foldpostignore", "mine/\n")
		settle(a, b)
		a.Write(".foldpostignore", "mine/\nsecrets/\n")
		settle(a, b)
		b.Mkdir("secrets")
		b.Write("secrets/key", "private")
		a.Write(".foldpostignore", "mine/\n")
		b.answer("rules", "")
		<-time.After(5 * time.Hour)
		if got := a.files()["secrets/key"]; got != "" {
			t.Errorf("A has %q: it let itself in", got)
		}
	})
}

// A file is read when it rests, and one that programs empty before they write
// it is not told as empty.
func TestFilesThatDoNotRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
		pair(a, b)
		calm(a)
		a.Write("doc", "first")
		settle(a, b)
		seen := map[string]bool{}
		watch, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			for watch.Err() == nil {
				seen[b.files()["doc"]] = true
				<-time.After(20 * time.Millisecond)
			}
		}()
		a.Write("doc", "")
		<-time.After(time.Second)
		a.Write("doc", "second")
		settle(a, b)
		a.Rename("doc", "doc~")
		<-time.After(500 * time.Millisecond)
		a.Write("doc", "third")
		settle(a, b)
		a.Write("growing", "")
		for range 750 {
			a.Append("growing", "0123456789")
			<-time.After(400 * time.Millisecond)
		}
		if got := len(b.files()["growing"]); got == 0 {
			t.Errorf("B has %d bytes of a file that grew for minutes, want what it had a while ago", got)
		}
		settle(a, b)
		stop()
		<-done
		wantEqual(t, a, b)
		for _, wrong := range []string{""} {
			if seen[wrong] {
				t.Errorf("B had doc with %q for a while; it had %v", wrong, seen)
			}
		}
	})
}

// A change that the watch missed is found by the whole scan.
func TestWholeScan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
		pair(a, b)
		calm(a)
		settle(a, b)
		a.stop()
		a.Write("while it was off", "1")
		a.Write("calm/3", "edited")
		a.Remove("calm/4")
		a.again(nil, a, b)
		connect(a, b)
		settle(a, b)
		wantEqual(t, a, b)
		if got := b.files(); got["while it was off"] != "1" || got["calm/3"] != "edited" || got["calm/4"] != "" {
			t.Errorf("B has %q", got)
		}
	})
}

// What can not be read counts for nothing and is listed.
func TestUnreadable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := crowd(t, 10)
		tree := a.config.Tree.(*foldertest.Tree)
		tree.Inject(foldertest.Fault{Op: "List", Path: "d", Err: foldertest.ErrPermission, Times: 100})
		tree.Inject(foldertest.Fault{Op: "Open", Path: "new", Err: foldertest.ErrPermission, Times: 100})
		a.Write("new", "read later")
		a.Pipe("pipe")
		if err := a.Rescan(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-time.After(10 * time.Second)
		if s := a.Status(); s.Files != 10 || s.LeftOut != 3 {
			t.Errorf("Status() = %+v, want 10 files and 3 left out", s)
		}
		tree.Heal()
		<-time.After(2 * time.Minute)
		settle(a, b)
		if s := a.Status(); s.Files != 11 || s.LeftOut != 1 {
			t.Errorf("Status() = %+v, want 11 files and 1 left out", s)
		}
	})
}

func TestTrashAndRestore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
		pair(a, b)
		calm(a)
		a.Mkdir("d")
		for _, content := range []string{"1", "22", "333"} {
			a.Write("d/f", content)
			settle(a, b)
			<-time.After(time.Minute)
		}
		a.Remove("d")
		settle(a, b)
		kept, err := b.Trash()
		if err != nil || len(kept) != 3 {
			t.Fatalf("Trash() = %v, %v, want 3 versions", kept, err)
		}
		var out strings.Builder
		if err := b.Restore(t.Context(), "d/f", kept[1].At, &out); err != nil || out.String() != "22" {
			t.Errorf("Restore(d/f, the second) = %q, %v, want %q", out.String(), err, "22")
		}
		if err := b.Restore(t.Context(), "d/f", time.Time{}, nil); err != nil {
			t.Errorf("Restore(d/f) = %v", err)
		}
		settle(a, b)
		if got := a.files()["d/f"]; got != "333" {
			t.Errorf("A has %q after a restore at B, want %q", got, "333")
		}
		if err := b.Restore(t.Context(), "d/f", kept[2].At, nil); err != nil {
			t.Errorf("Restore(d/f over what is there) = %v", err)
		}
		settle(a, b)
		wantEqual(t, a, b)
		if got := a.files()["d/f"]; got != "1" {
			t.Errorf("A has %q after another restore at B, want %q", got, "1")
		}
		if kept, _ := b.Trash(); len(kept) != 4 {
			t.Errorf("Trash() has %d versions, want 4: what was there is kept too", len(kept))
		}
		if err := b.Restore(t.Context(), "d/never", time.Time{}, nil); err == nil {
			t.Error("Restore(d/never) = nil, want an error")
		}
	})
}
