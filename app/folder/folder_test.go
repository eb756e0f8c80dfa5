package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A member is a Folder of a test that runs, with its directory.
type testMember struct {
	*Folder
	t       *testing.T
	dir     string
	device  DeviceID
	changed chan struct{}
	ctx     context.Context // of Run
	stop    func()
}

// startOn runs a Folder on a real directory.
func startOn(t *testing.T, dir string, n byte, role Role, change func(*Config)) *testMember {
	t.Helper()
	tree, err := OpenTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	m := &testMember{t: t, dir: dir, device: DeviceID{n}, changed: make(chan struct{}, 1)}
	c := Config{
		ID: ID{1}, Device: m.device, Label: string('A' + rune(n-1)), Role: role, Tree: tree,
		StorePath: filepath.Join(t.TempDir(), "index.db"),
		Changed: func() {
			select {
			case m.changed <- struct{}{}:
			default:
			}
		},
	}
	if testing.Verbose() {
		c.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("on", c.Label)
	}
	if change != nil {
		change(&c)
	}
	m.Folder = New(c)
	ctx, cancel := context.WithCancel(t.Context())
	m.ctx = ctx
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := m.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Run of %s = %v, want canceled", c.Label, err)
		}
	}()
	m.stop = sync.OnceFunc(func() {
		cancel()
		<-done
		tree.Close()
	})
	t.Cleanup(m.stop)
	return m
}

func memberList(ms ...*testMember) []Member {
	var list []Member
	for _, m := range ms {
		list = append(list, Member{Device: m.device, Name: m.cfg.Label, Role: m.cfg.Role})
	}
	return list
}

// joinBoth makes members of each other and connects them until the test ends.
func joinBoth(t *testing.T, a, b *testMember) (cut func()) {
	t.Helper()
	a.SetMembers(memberList(b))
	b.SetMembers(memberList(a))
	return connectBoth(t, a, b)
}

// connectBoth connects two members.
func connectBoth(t *testing.T, a, b *testMember) (cut func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	connect := func(from, to *testMember) {
		r, err := from.Serve(to.device)
		if err != nil {
			t.Fatalf("Serve(%x): %v", to.device[:1], err)
		}
		wg.Go(func() { to.Connect(ctx, r) })
	}
	connect(a, b)
	connect(b, a)
	cut = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
	})
	t.Cleanup(cut)
	return cut
}

// until waits for a status.
func (m *testMember) until(what string, ok func(Status) bool) {
	m.t.Helper()
	late := time.After(20 * time.Second)
	for !ok(m.Status()) {
		select {
		case <-m.changed:
		case <-late:
			m.t.Fatalf("%s: Status() = %+v, want %s", m.cfg.Label, m.Status(), what)
		}
	}
}

// untilHas waits until every member has all of m.
func (m *testMember) untilHas() {
	m.t.Helper()
	m.until("every member has all", func(s Status) bool {
		for _, o := range s.Members {
			if !o.HasAll {
				return false
			}
		}
		return len(s.Members) > 0
	})
}

func (m *testMember) write(name, content string) {
	m.t.Helper()
	at := filepath.Join(m.dir, name)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(content), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

// listing tells a directory's whole state, a line for each path.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		if rel == OwnDir {
			return fs.SkipDir
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		switch {
		case rel == ".":
		case d.IsDir():
			fmt.Fprintf(&b, "%s/ %o\n", rel, fi.Mode().Perm())
		case d.Type() == fs.ModeSymlink:
			target, _ := os.Readlink(p)
			fmt.Fprintf(&b, "%s -> %s\n", rel, target)
		default:
			c, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			if len(c) > 40 {
				c = c[:40]
			}
			fmt.Fprintf(&b, "%s %o %d %d %q\n", rel, fi.Mode().Perm(), fi.ModTime().UnixNano(), fi.Size(), c)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func wantEqual(t *testing.T, ms ...*testMember) {
	t.Helper()
	want := listing(t, ms[0].dir)
	for _, m := range ms[1:] {
		if got := listing(t, m.dir); got != want {
			t.Errorf("%s has\n%s\n%s has\n%s", ms[0].cfg.Label, want, m.cfg.Label, got)
		}
	}
}

func TestTwoRealDirectories(t *testing.T) {
	a, b := startOn(t, t.TempDir(), 1, ReadWrite, nil), startOn(t, t.TempDir(), 2, ReadWrite, nil)
	a.write("a", "from A")
	a.write("d/e/f", "deep")
	a.write("empty", "")
	if err := os.Symlink("d/e/f", filepath.Join(a.dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(a.dir, "a"), 0o755); err != nil {
		t.Fatal(err)
	}
	b.write("b", "from B")
	joinBoth(t, a, b)
	a.until("three files of its own and one of B", func(s Status) bool { return s.Files == 4 && s.State == StateIdle })
	b.until("all files", func(s Status) bool { return s.Files == 4 && s.State == StateIdle })
	a.untilHas()
	b.untilHas()
	wantEqual(t, a, b)
}

// settle waits until both have everything of each other.
func settle(ms ...*testMember) {
	for range 2 { // what the first round brings is news for those before it
		for _, m := range ms {
			m.t.Helper()
			if err := m.Rescan(m.t.Context()); err != nil {
				m.t.Fatalf("Rescan of %s: %v", m.cfg.Label, err)
			}
			m.untilHas()
		}
	}
}

func TestChangesOnRealDirectories(t *testing.T) {
	a, b := startOn(t, t.TempDir(), 1, ReadWrite, nil), startOn(t, t.TempDir(), 2, ReadWrite, nil)
	joinBoth(t, a, b)
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	at := func(m *testMember, name string) string { return filepath.Join(m.dir, name) }
	for i := range 30 {
		a.write(fmt.Sprintf("many/%d", i), strings.Repeat("x", i))
	}
	a.write("edited", "1")
	a.write("deleted", "1")
	a.write("moved/x", "content that moves")
	a.write("file", "becomes a directory")
	a.write("dir/f", "in what becomes a file")
	do(os.Symlink("edited", at(a, "link")))
	do(os.Mkdir(at(a, "emptydir"), 0o700))
	settle(a, b)
	wantEqual(t, a, b)

	b.write("edited", "22")
	do(os.Remove(at(b, "deleted")))
	do(os.Rename(at(b, "moved"), at(b, "elsewhere")))
	do(os.Remove(at(a, "file")))
	a.write("file/inside", "new")
	do(os.RemoveAll(at(a, "dir")))
	a.write("dir", "now a file")
	do(os.Remove(at(a, "link")))
	do(os.Symlink("file/inside", at(a, "link")))
	do(os.Chmod(at(b, "many/7"), 0o600))
	do(os.Chmod(at(b, "emptydir"), 0o755))
	do(os.Remove(at(a, "many/8")))
	settle(a, b)
	wantEqual(t, a, b)
	if got, want := a.Status().Files, 30+1+1+1+1-1; got != want {
		t.Errorf("Status().Files = %d, want %d:\n%s", got, want, listing(t, a.dir))
	}

	a.Pause(true)
	b.Pause(true)
	a.write("edited", "by A")
	b.write("edited", "by B")
	do(os.RemoveAll(at(a, "file")))
	b.write("file/inside", "an edit beats a deletion")
	a.Pause(false)
	b.Pause(false)
	settle(a, b)
	wantEqual(t, a, b)
	all := listing(t, a.dir)
	for _, want := range []string{"by A", "by B", "an edit beats", "edited (conflict "} {
		if !strings.Contains(all, want) {
			t.Errorf("after a conflict there is no %q in\n%s", want, all)
		}
	}
	if cs := a.Conflicts(); len(cs) != 1 || cs[0].Path != "edited" || len(cs[0].Copies) != 1 {
		t.Errorf("Conflicts() = %v, want one of %q", cs, "edited")
	}
}
