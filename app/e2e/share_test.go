package e2e

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"foldpost/app"
	"foldpost/app/folder"
	"foldpost/app/folder/foldertest"
)

// A share is one folder on several devices' disks.
type share struct {
	w    *world
	id   app.FolderID
	name string
	dirs map[*device]string
}

// share makes a folder on a device and shares it with devices that are linked
// with it; they join into empty directories.
func (w *world) share(name string, from *device, with ...*device) *share {
	w.t.Helper()
	s := w.offer(name, from, false, with...)
	for _, d := range with {
		s.join(d)
	}
	return s
}

// offer is share up to the moment when the others are asked.
func (w *world) offer(name string, from *device, readOnly bool, with ...*device) *share {
	w.t.Helper()
	s := &share{w: w, name: name, dirs: map[*device]string{}}
	s.dirs[from], _ = from.dir(name)
	s.shareWith(from, readOnly, with...)
	return s
}

func (s *share) shareWith(from *device, readOnly bool, with ...*device) {
	s.w.t.Helper()
	r := app.ShareRequest{Dir: s.dirs[from], ReadOnly: readOnly}
	for _, d := range with {
		r.Devices = append(r.Devices, d.State().Device.ID)
	}
	shared, err := from.Share(s.w.t.Context(), r)
	s.w.must(err)
	s.id = shared.Folder
	for _, d := range with {
		d.eventually("offered "+s.name, time.Minute, s.offered)
	}
}

func (s *share) offered(st app.State) bool {
	return slices.ContainsFunc(st.Offers, func(o app.Offer) bool { return o.ID == s.id })
}

// join keeps the folder on one more device.
func (s *share) join(d *device) {
	s.w.t.Helper()
	s.dirs[d], _ = d.dir(s.name)
	s.w.must(d.Join(s.w.t.Context(), s.id, s.dirs[d]))
}

func (s *share) tree(d *device) *foldertest.Tree { return d.trees[s.dirs[d]] }

// on returns who works on a device's copy.
func (s *share) on(d *device) foldertest.User { return s.tree(d).User(s.w.t) }

// folder is the share as a device's state shows it.
func (s *share) folder(d *device) app.Folder {
	s.w.t.Helper()
	for _, f := range d.State().Folders {
		if f.ID == s.id {
			return f
		}
	}
	s.w.t.Fatalf("%s has no folder %s", d.name, s.name)
	return app.Folder{}
}

// wait is what the command wait does.
func (s *share) wait(d *device, limit time.Duration) {
	s.w.t.Helper()
	s.w.must(d.Rescan(s.w.t.Context(), s.id))
	d.eventually("all have everything of "+s.name, limit, s.allHaveAll)
}

func (s *share) allHaveAll(st app.State) bool {
	for _, f := range st.Folders {
		if f.ID == s.id {
			return len(f.Members) > 0 && !slices.ContainsFunc(f.Members, func(m app.Member) bool { return !m.HasAll })
		}
	}
	return false
}

// settled waits until the disks of some devices are equal, also in modes and
// times, and hold what is wanted: all of it, each path with its content.
func (s *share) settled(want map[string]string, on ...*device) {
	s.w.t.Helper()
	short := map[string]string{}
	for path, content := range want {
		short[path] = brief(content)
	}
	s.w.until("equal disks", 2*time.Minute, func() error {
		first := s.snapshot(on[0])
		for _, d := range on {
			if got := s.contents(d); !maps.Equal(got, short) {
				return fmt.Errorf("%s has %q, want %q", d.name, got, short)
			}
			if got := s.snapshot(d); got != first {
				return fmt.Errorf("%s and %s differ:\n%s\n%s", on[0].name, d.name, first, got)
			}
		}
		return nil
	})
}

// brief shortens content that is too long to be shown.
func brief(content string) string {
	if len(content) < 100 {
		return content
	}
	return fmt.Sprintf("%d bytes, %x", len(content), sha256.Sum256([]byte(content)))
}

// contents are a disk's files by path, long ones brief; of links their targets
// after "-> ", of directories "/".
func (s *share) contents(d *device) map[string]string {
	found := map[string]string{}
	s.each(d, func(p folder.Path, st folder.Stat, content string) { found[string(p)] = content })
	return found
}

// snapshot describes a disk with all that is kept equal.
func (s *share) snapshot(d *device) string {
	var b strings.Builder
	s.each(d, func(p folder.Path, st folder.Stat, content string) {
		mtime := int64(0)
		if st.Kind == folder.File {
			mtime = st.MTime
		}
		fmt.Fprintf(&b, "%s %o %d %q\n", p, st.Bits, mtime, content)
	})
	return b.String()
}

func (s *share) each(d *device, visit func(folder.Path, folder.Stat, string)) {
	s.w.t.Helper()
	t := s.tree(d)
	var walk func(dir folder.Path)
	walk = func(dir folder.Path) {
		list, err := t.List(context.Background(), dir)
		if errors.Is(err, folder.ErrGone) {
			return // in between two looks
		}
		s.w.must(err)
		for _, l := range list {
			if l.Err != nil {
				continue
			}
			content := "/"
			switch l.Stat.Kind {
			case folder.File:
				content = brief(read(t, l.Path))
			case folder.Link:
				target, _ := t.Readlink(l.Path)
				content = "-> " + target
			}
			visit(l.Path, l.Stat, content)
			if l.Stat.Kind == folder.Dir {
				walk(l.Path)
			}
		}
	}
	walk("")
}

func read(t *foldertest.Tree, p folder.Path) string {
	c, err := t.Open(p)
	if err != nil {
		return "(" + err.Error() + ")"
	}
	defer c.Close()
	st, err := c.Stat()
	if err != nil {
		return "(" + err.Error() + ")"
	}
	b, err := io.ReadAll(io.NewSectionReader(c, 0, st.Size))
	if err != nil {
		return "(" + err.Error() + ")"
	}
	return string(b)
}

// until looks again and again, in simulated time, until a condition holds.
func (w *world) until(what string, limit time.Duration, check func() error) {
	w.t.Helper()
	var err error
	pause := 20 * time.Millisecond
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(pause) { // simulated
		if err = check(); err == nil {
			return
		}
		pause = min(pause*5/4, time.Second)
	}
	w.t.Fatalf("%s: not within %s: %v", what, limit, err)
}

// files makes what a user starts with.
func files(u foldertest.User, content map[string]string) {
	for _, path := range slices.Sorted(maps.Keys(content)) {
		switch target, isLink := strings.CutPrefix(content[path], "-> "); {
		case content[path] == "/":
			u.Mkdir(path)
		case isLink:
			u.Symlink(target, path)
		default:
			u.Write(path, content[path])
		}
	}
}

// two makes two linked devices.
func (w *world) two() (ada, bob *device) {
	w.t.Helper()
	ada, bob = w.device("ada"), w.device("bob")
	w.link(ada, bob)
	return ada, bob
}

// TestFolder: changes of every kind travel in both directions.
func TestFolder(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.two()
		s := w.offer("Photos", ada, false, bob)
		want := map[string]string{
			"a.txt": "first", "empty": "", "dir": "/", "dir/b.txt": "second", "dir/deep": "/", "dir/deep/c d é.txt": "third",
			"hollow": "/", "link": "-> dir/b.txt",
		}
		files(s.on(ada), want)
		s.on(ada).Chmod("a.txt", 0o755)
		s.join(bob)
		s.settled(want, ada, bob)
		s.wait(ada, time.Minute)
		s.wait(bob, time.Minute)
		bob.eventually("idle", time.Minute, func(st app.State) bool { return st.Folders[0].State == app.FolderIdle })
		if a, b := s.folder(ada), s.folder(bob); a.Files != 4 || a.Files != b.Files || a.Bytes != b.Bytes || b.NeedFiles != 0 {
			t.Errorf("ada shows %d files, %d bytes, bob %d, %d, needs %d; want 4 and equal", a.Files, a.Bytes, b.Files, b.Bytes, b.NeedFiles)
		}

		for _, step := range []struct {
			who  *device
			do   func(u foldertest.User)
			want func()
		}{
			{ada, func(u foldertest.User) { u.Write("a.txt", "changed") }, func() { want["a.txt"] = "changed" }},
			{bob, func(u foldertest.User) { u.Append("a.txt", " again") }, func() { want["a.txt"] = "changed again" }},
			{bob, func(u foldertest.User) { u.Write("dir/new", "n") }, func() { want["dir/new"] = "n" }},
			{ada, func(u foldertest.User) { u.Remove("empty") }, func() { delete(want, "empty") }},
			{bob, func(u foldertest.User) { u.Rename("a.txt", "dir/z.txt") }, func() { want["dir/z.txt"] = want["a.txt"]; delete(want, "a.txt") }},
			{ada, func(u foldertest.User) { u.Rename("dir/deep", "shallow") }, func() {
				want["shallow"], want["shallow/c d é.txt"] = "/", "third"
				delete(want, "dir/deep")
				delete(want, "dir/deep/c d é.txt")
			}},
			{bob, func(u foldertest.User) { u.Chmod("dir/z.txt", 0o600) }, func() {}},
			{ada, func(u foldertest.User) { u.Remove("dir/new"); u.Symlink("z.txt", "dir/new") }, func() { want["dir/new"] = "-> z.txt" }},
			{bob, func(u foldertest.User) { u.Remove("hollow") }, func() { delete(want, "hollow") }},
		} {
			step.do(s.on(step.who))
			step.want()
			s.wait(step.who, time.Minute)
			s.settled(want, ada, bob)
		}
		if c := s.folder(bob).Conflicts + s.folder(ada).Conflicts; c != 0 {
			t.Errorf("%d conflicts, want none", c)
		}
		if kept, err := bob.Trash(t.Context(), s.id); err != nil || len(kept) == 0 {
			t.Errorf("bob's trash: %v, %v, want what ada deleted", kept, err)
		}
	})
}
