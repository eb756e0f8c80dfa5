package foldertest

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/app/folder"
)

func TestMemoryTree(t *testing.T) {
	TestTree(t, func(t *testing.T) (folder.Tree, User) {
		tree := NewTree(Options{})
		return tree, tree.User(t)
	})
}

func TestMemoryTreeInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tree := NewTree(Options{})
		tree.User(t).Write("a", "x")
		st, err := tree.Stat("a")
		if want := time.Now(); err != nil || st.MTime < want.UnixNano() || st.MTime > want.Add(time.Millisecond).UnixNano() {
			t.Errorf("Stat = %+v, %v, want mtime %v", st, err, want.UnixNano())
		}
	})
}

func newMarked(t *testing.T, opts Options) (*Tree, User) {
	t.Helper()
	tree := NewTree(opts)
	if err := tree.Mark("m"); err != nil {
		t.Fatalf("Mark: %v", err)
	}
	return tree, tree.User(t)
}

func stage(t *testing.T, tree folder.Tree, content string) {
	t.Helper()
	s, err := tree.Stage("00")
	if err == nil {
		_, err = s.WriteAt([]byte(content), 0)
	}
	if err == nil {
		err = errors.Join(s.Seal(1, 0o600), s.Close())
	}
	if err != nil {
		t.Fatalf("fill stage: %v", err)
	}
}

// What a replacement may leave behind when the power goes, by what was synced.
func TestCrash(t *testing.T) {
	old, content := strings.Repeat("old", 10), strings.Repeat("new", 20)
	for _, tt := range []struct {
		name         string
		data, names  bool // synced
		want, always []string
	}{
		{"nothing synced", false, false, nil, []string{old, content}},
		{"content synced", true, false, []string{old, content}, []string{old, content}},
		{"all synced", true, true, []string{content}, nil},
	} {
		seen := map[string]bool{}
		for seed := range uint64(60) {
			tree, user := newMarked(t, Options{Seed: seed})
			user.Write("a", old)
			st, _ := tree.Stat("a")
			stage(t, tree, content)
			if tt.data {
				tree.Sync([]string{"00"}, nil)
			}
			if _, _, err := tree.Put("a", st, "00"); err != nil {
				t.Fatalf("Put: %v", err)
			}
			if tt.names {
				tree.Sync(nil, []folder.Path{""})
			}
			after := tree.Crash()
			if _, err := tree.Stat("a"); !errors.Is(err, ErrOff) {
				t.Errorf("Stat after Crash: %v, want ErrOff", err)
			}
			got := after.User(t).Read("a")
			seen[got] = true
			if tt.want != nil && !slices.Contains(tt.want, got) {
				t.Errorf("%s, seed %d: a = %q, want one of %q", tt.name, seed, got, tt.want)
			}
			if got != old {
				kept := 0
				for k, err := range after.Trash() {
					c, cerr := after.OpenKept(k.Name)
					if err != nil || cerr != nil {
						t.Fatalf("Trash: %v, %v", err, cerr)
					}
					b := make([]byte, len(old))
					if c.ReadAt(b, 0); string(b) == old {
						kept++
					}
				}
				if kept != 1 {
					t.Errorf("%s, seed %d: a is new, and the trash has the old content %d times", tt.name, seed, kept)
				}
			}
		}
		for _, s := range tt.always {
			if !seen[s] {
				t.Errorf("%s: no seed led to %q", tt.name, s)
			}
		}
		if tt.want == nil && len(seen) < 4 {
			t.Errorf("%s: only %d outcomes were seen, want damage too", tt.name, len(seen))
		}
	}
}

// What users did is there after a crash, also on top of what was not synced.
func TestCrashKeepsUsers(t *testing.T) {
	for seed := range uint64(30) {
		tree, user := newMarked(t, Options{Seed: seed})
		tree.Mkdir("d", 0o755)
		stage(t, tree, "put")
		tree.Put("d/a", folder.Stat{}, "00")
		user.Append("d/a", " and edited")
		user.Write("d/b", "b")
		user.Rename("d/b", "c")
		user = tree.Crash().User(t)
		if a, c, d := user.Read("d/a"), user.Read("c"), user.Names("d"); a != "put and edited" || c != "b" || len(d) != 1 {
			t.Errorf("seed %d: d/a = %q, c = %q, names in d = %q", seed, a, c, d)
		}
	}
}

func TestFaults(t *testing.T) {
	tree, user := newMarked(t, Options{})
	user.Write("a", "content")
	st, _ := tree.Stat("a")

	tree.Inject(Fault{Op: "Stat", Path: "a", After: 1, Times: 2, Err: ErrIO})
	for i, want := range []error{nil, ErrIO, ErrIO, nil} {
		if _, err := tree.Stat("a"); !errors.Is(err, want) {
			t.Errorf("Stat %d: %v, want %v", i, err, want)
		}
	}
	stage(t, tree, "new")
	tree.Inject(Fault{Op: "Put", Do: func() { user.Append("a", "!") }})
	if _, _, err := tree.Put("a", st, "00"); !errors.Is(err, folder.ErrChanged) {
		t.Errorf("Put of what changes right before: %v, want ErrChanged", err)
	}
	c, err := tree.Open("a")
	if err != nil {
		t.Fatal(err)
	}
	tree.Inject(Fault{Op: "Read", Err: ErrShort})
	b := make([]byte, 8)
	if n, err := c.ReadAt(b, 0); n != 4 || err != io.EOF {
		t.Errorf("short read = %d, %v, want 4, EOF", n, err)
	}
	if n, err := c.ReadAt(b, 0); n != 8 || err != nil {
		t.Errorf("next read = %d, %v, want 8", n, err)
	}

	tree.SetFree(10)
	s, _ := tree.Stage("01")
	if _, err := s.WriteAt(make([]byte, 11), 0); !errors.Is(err, folder.ErrNoSpace) {
		t.Errorf("WriteAt on a full disk: %v, want ErrNoSpace", err)
	}
	if st, _ := s.Stat(); st.Size != 0 {
		t.Errorf("Stat after that = %+v, want 0 bytes", st)
	}
	tree.SetReadOnly(true)
	if _, err := tree.Mkdir("d", 0o755); err == nil {
		t.Error("Mkdir on a read-only disk: no error")
	}
	tree.SetReadOnly(false)

	v := tree.Unmount()
	if _, err := tree.Root(); !errors.Is(err, folder.ErrNoRoot) {
		t.Errorf("Root when unmounted: %v, want ErrNoRoot", err)
	}
	if _, err := tree.List(t.Context(), ""); !errors.Is(err, folder.ErrNoRoot) {
		t.Errorf("List when unmounted: %v, want ErrNoRoot", err)
	}
	tree.Mount(NewVolume(Options{}))
	other, err := tree.Root()
	if err != nil || other.Marker != "" {
		t.Errorf("Root of another disk = %+v, %v", other, err)
	}
	tree.Mount(v)
	if id, err := tree.Root(); err != nil || id.Marker != "m" || id.Dev == other.Dev {
		t.Errorf("Root after mounting again = %+v, %v", id, err)
	}
}
