package foldertest

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"foldpost/app/folder"
)

// TestTree is what each [folder.Tree] must do. open gives an empty tree that
// was never marked, and its user.
func TestTree(t *testing.T, open func(t *testing.T) (folder.Tree, User)) {
	for _, tt := range []struct {
		name string
		run  func(*contract)
	}{
		{"root", (*contract).root},
		{"unmarked", (*contract).unmarked},
		{"list", (*contract).list},
		{"names", (*contract).names},
		{"left out", (*contract).leftOut},
		{"gone", (*contract).gone},
		{"stage", (*contract).stage},
		{"put new", (*contract).putNew},
		{"put over", (*contract).putOver},
		{"put changed", (*contract).putChanged},
		{"put in place of directory", (*contract).putDir},
		{"put through link", (*contract).putThrough},
		{"hard link", (*contract).hardLink},
		{"links", (*contract).links},
		{"unsafe links", (*contract).unsafeLinks},
		{"edited after", (*contract).editedAfter},
		{"remove", (*contract).remove},
		{"directories", (*contract).directories},
		{"bits", (*contract).bits},
		{"trash", (*contract).trash},
		{"watch", (*contract).watch},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tree, user := open(t)
			if tt.name != "root" && tt.name != "unmarked" {
				if err := tree.Mark("m"); err != nil {
					t.Fatalf("Mark: %v", err)
				}
			}
			tt.run(&contract{T: t, Tree: tree, user: user})
			if err := tree.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

type contract struct {
	*testing.T
	folder.Tree
	user  User
	inode uint64 // of the last staged file
}

// stat is Stat, with a zero Stat for what is gone.
func (c *contract) stat(p folder.Path) folder.Stat {
	c.Helper()
	st, err := c.Stat(p)
	if err != nil && !errors.Is(err, folder.ErrGone) {
		c.Fatalf("Stat(%q): %v", p, err)
	}
	return st
}

const stageName = "0123456789abcdef"

// A fixed time with nanoseconds.
var someTime = time.Date(2021, 3, 4, 5, 6, 7, 123456789, time.UTC)

func (c *contract) staged(content string) string {
	c.Helper()
	s, err := c.Stage(stageName)
	if err != nil {
		c.Fatalf("Stage: %v", err)
	}
	err = errors.Join(s.Truncate(0), write(s, content), s.Seal(someTime.UnixNano(), 0o640))
	st, serr := s.Stat()
	if err = errors.Join(err, serr, s.Close()); err != nil {
		c.Fatalf("fill stage: %v", err)
	}
	c.inode = st.Ino
	return stageName
}

func write(w io.WriterAt, content string) error {
	_, err := w.WriteAt([]byte(content), 0)
	return err
}

func (c *contract) put(p folder.Path, old folder.Stat, content string) (folder.Stat, *folder.Kept) {
	c.Helper()
	st, kept, err := c.Put(p, old, c.staged(content))
	if err != nil {
		c.Fatalf("Put(%q): %v", p, err)
	}
	if st.Ino != c.inode {
		c.Errorf("Put(%q): inode %d, want that of the staged file, %d", p, st.Ino, c.inode)
	}
	return st, kept
}

func (c *contract) content(f folder.Content, err error) string {
	c.Helper()
	if err != nil {
		c.Errorf("open: %v", err)
		return ""
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		c.Errorf("Content.Stat: %v", err)
	}
	b, err := io.ReadAll(io.NewSectionReader(f, 0, st.Size))
	if err != nil {
		c.Errorf("read: %v", err)
	}
	return string(b)
}

func (c *contract) wantErr(what string, err, want error) {
	c.Helper()
	if !errors.Is(err, want) {
		c.Errorf("%s: %v, want %v", what, err, want)
	}
}

func (c *contract) stage() {
	for _, name := range []string{"", "../x", "A", "x", strings.Repeat("a", 129)} {
		if _, err := c.Stage(name); err == nil {
			c.Errorf("Stage(%.20q): no error", name)
		}
	}
	s, err := c.Stage("00")
	if err != nil {
		c.Fatalf("Stage: %v", err)
	}
	if err := write(s, "partly"); err != nil {
		c.Errorf("WriteAt: %v", err)
	}
	if err := s.Close(); err != nil {
		c.Errorf("Close: %v", err)
	}
	s, err = c.Stage("00")
	if err != nil {
		c.Fatalf("Stage again: %v", err)
	}
	b := make([]byte, 6)
	if st, err := s.Stat(); st.Size != 6 || err != nil {
		c.Errorf("Stat() = %+v, %v, want 6 bytes", st, err)
	}
	if _, err := s.ReadAt(b, 0); err != nil || string(b) != "partly" {
		c.Errorf("ReadAt = %q, %v", b, err)
	}
	if _, err := s.ReadAt(b, 3); err != io.EOF {
		c.Errorf("ReadAt past the end: %v, want EOF", err)
	}
	if err := s.Truncate(2); err != nil {
		c.Errorf("Truncate: %v", err)
	}
	if st, _ := s.Stat(); st.Size != 2 {
		c.Errorf("Stat() after Truncate = %+v, want 2 bytes", st)
	}
	if err := c.Sync([]string{"00"}, nil); err != nil {
		c.Errorf("Sync: %v", err)
	}
	if err := s.Discard(); err != nil {
		c.Errorf("Discard: %v", err)
	}
	if got := c.user.Names(".foldpost/stage"); len(got) != 0 {
		c.Errorf("stage after Discard: %q", got)
	}
	_, _, err = c.Put("a", folder.Stat{}, "00")
	if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, folder.ErrGone) {
		c.Errorf("Put of a stage file that is not there: %v, want fs.ErrNotExist and not ErrGone", err)
	}
	if err := c.Sync([]string{"00"}, nil); err == nil {
		c.Error("Sync of a stage file that is not there: no error")
	}
}

func (c *contract) putNew() {
	st, kept := c.put("a", folder.Stat{}, "one")
	if kept != nil {
		c.Errorf("Put of a new file kept %+v", kept)
	}
	if got := c.stat("a"); got != st || st.MTime != someTime.UnixNano() || st.Bits != 0o640 || st.Size != 3 || st.NLink != 1 {
		c.Errorf("Put = %+v, Stat = %+v", st, got)
	}
	if got := c.user.Read("a"); got != "one" {
		c.Errorf("content = %q", got)
	}
	if err := c.Sync(nil, []folder.Path{"", "a"}); err != nil {
		c.Errorf("Sync: %v", err)
	}
	if got := c.user.Names(".foldpost/stage"); len(got) != 0 {
		c.Errorf("stage after Put: %q", got)
	}
	_, _, err := c.Put("a", folder.Stat{}, c.staged("two"))
	c.wantErr("Put of a new file over another", err, folder.ErrChanged)
	if got := c.user.Read("a"); got != "one" {
		c.Errorf("content = %q, want one", got)
	}
}

func (c *contract) putOver() {
	c.user.Write("a", "old")
	st, kept := c.put("a", c.stat("a"), "new")
	if got := c.stat("a"); got != st {
		c.Errorf("Put = %+v, Stat = %+v", st, got)
	}
	if got := c.user.Read("a"); got != "new" {
		c.Errorf("content = %q, want new", got)
	}
	if kept == nil || kept.Path != "a" {
		c.Fatalf("Put kept %+v", kept)
	}
	if got := c.content(c.OpenKept(kept.Name)); got != "old" {
		c.Errorf("OpenKept = %q, want old", got)
	}
	if now, err := c.StatKept(kept.Name); err != nil || now != kept.Stat {
		c.Errorf("StatKept = %+v, %v, want %+v", now, err, kept.Stat)
	}
	if got := c.user.Names(".foldpost/stage"); len(got) != 0 {
		c.Errorf("stage after Put: %q", got)
	}
	if got := c.stat("a").NLink; got != 1 {
		c.Errorf("new file has %d names", got)
	}
}

func (c *contract) putChanged() {
	for _, tt := range []struct {
		name   string
		change func()
	}{
		{"content", func() { c.user.Write("a", "new") }},
		{"size", func() { c.user.Append("a", "more") }},
		{"mtime", func() { c.user.Touch("a", someTime) }},
		{"bits, by ctime", func() { c.user.Chmod("a", 0o611) }},
		{"inode", func() { c.user.Write("b", "old"); c.user.Rename("b", "a") }},
		{"kind", func() { c.user.Remove("a"); c.user.Mkdir("a") }},
		{"link", func() { c.user.Remove("a"); c.user.Symlink("b", "a") }},
		{"gone", func() { c.user.Remove("a") }},
	} {
		c.user.Remove("a")
		c.user.Write("a", "old")
		old := c.stat("a")
		tt.change()
		before := c.stat("a")
		_, kept, err := c.Put("a", old, c.staged("put"))
		c.wantErr("Put after a change of "+tt.name, err, folder.ErrChanged)
		_, err = c.Remove("a", old)
		c.wantErr("Remove after a change of "+tt.name, err, folder.ErrChanged)
		_, err = c.Chmod("a", old, 0o777)
		c.wantErr("Chmod after a change of "+tt.name, err, folder.ErrChanged)
		_, _, err = c.PutLink("a", old, "b")
		c.wantErr("PutLink after a change of "+tt.name, err, folder.ErrChanged)
		if after := c.stat("a"); kept != nil || after != before {
			c.Errorf("after a change of %s, ErrChanged left %+v, want %+v", tt.name, after, before)
		}
	}
	for k, err := range c.Trash() {
		c.Errorf("Trash yields %+v, %v, want nothing", k, err)
	}
}

func (c *contract) putDir() {
	c.user.Mkdir("a")
	c.user.Write("a/x", "x")
	_, _, err := c.Put("a", c.stat("a"), c.staged("file"))
	c.wantErr("Put in place of a directory that is not empty", err, folder.ErrNotEmpty)
	c.user.Remove("a/x")
	c.put("a", c.stat("a"), "file")
	if got := c.user.Read("a"); got != "file" {
		c.Errorf("content = %q", got)
	}
}

// A peer who sent a link to .foldpost, or a user who moved a directory away and
// left a link, must not make us write through it.
func (c *contract) putThrough() {
	c.user.Mkdir("real")
	c.user.Write("real/f", "real")
	c.user.Symlink("real", "link")
	c.user.Symlink(".foldpost", "own")
	c.user.Write("own/stage/00", "staged")
	for _, p := range []folder.Path{"link/f", "own/folder", "own/stage/00"} {
		_, err := c.Stat(p)
		c.wantErr("Stat("+string(p)+")", err, folder.ErrGone)
		_, err = c.Open(p)
		c.wantErr("Open("+string(p)+")", err, folder.ErrGone)
		_, _, err = c.Put(p, folder.Stat{}, c.staged("x"))
		c.wantErr("Put("+string(p)+")", err, folder.ErrGone)
		_, _, err = c.PutLink(p, folder.Stat{}, "x")
		c.wantErr("PutLink("+string(p)+")", err, folder.ErrGone)
		_, err = c.Mkdir(p, 0o777)
		c.wantErr("Mkdir("+string(p)+")", err, folder.ErrGone)
		_, err = c.Remove(p, c.stat("real/f"))
		c.wantErr("Remove("+string(p)+")", err, folder.ErrGone)
	}
	_, err := c.Open("link")
	c.wantErr("Open(link)", err, folder.ErrChanged)
	_, err = c.List(c.Context(), "link")
	c.wantErr("List(link)", err, folder.ErrGone)
	if got := c.user.Names("real"); !slices.Equal(got, []string{"f"}) {
		c.Errorf("real holds %q", got)
	}
}

func (c *contract) links() {
	st, kept, err := c.PutLink("l", folder.Stat{}, "a")
	if err != nil || kept != nil || st.Kind != folder.Link || st.Size != 1 || st != c.stat("l") {
		c.Fatalf("PutLink = %+v, %v, %v", st, kept, err)
	}
	st2, kept, err := c.PutLink("l", st, "bb")
	if err != nil || kept == nil || st2 != c.stat("l") {
		c.Fatalf("PutLink over a link = %+v, %v, %v", st2, kept, err)
	}
	if target, err := c.Readlink("l"); err != nil || target != "bb" {
		c.Errorf("Readlink = %q, %v, want bb", target, err)
	}
	if now, err := c.StatKept(kept.Name); err != nil || now != kept.Stat || now.Kind != folder.Link {
		c.Errorf("StatKept = %+v, %v, want %+v", now, err, kept.Stat)
	}
	c.put("l", st2, "a file now")
	if _, _, err := c.PutLink("l", c.stat("l"), "cc"); err != nil {
		c.Errorf("PutLink over a file: %v", err)
	}
	if _, err := c.Remove("l", c.stat("l")); err != nil {
		c.Errorf("Remove of a link: %v", err)
	}
	if got := c.user.Names(".foldpost/stage"); len(got) != 0 {
		c.Errorf("stage: %q", got)
	}
}

func (c *contract) unsafeLinks() {
	for _, target := range []string{"/etc/passwd", "..", "a/../../b", ".foldpost/trash", "x/.FoldPost", "bad\xff"} {
		_, _, err := c.PutLink("l", folder.Stat{}, target)
		c.wantErr("PutLink to "+target, err, folder.ErrLeftOut)
		c.user.Symlink(target, "l")
		_, err = c.Stat("l")
		c.wantErr("Stat of a link to "+target, err, folder.ErrLeftOut)
		list, err := c.List(c.Context(), "")
		if err != nil || len(list) != 1 || list[0].Path != "l" {
			c.Fatalf("List = %+v, %v", list, err)
		}
		c.wantErr("Listed.Err of a link to "+target, list[0].Err, folder.ErrLeftOut)
		c.user.Remove("l")
	}
}

func (c *contract) directories() {
	st, err := c.Mkdir("d", 0o700)
	if err != nil || st.Kind != folder.Dir || st.Bits != 0o700 {
		c.Fatalf("Mkdir = %+v, %v", st, err)
	}
	st, err = c.Mkdir("d", 0o775)
	if err != nil || st != c.stat("d") || st.Bits != 0o775 {
		c.Errorf("Mkdir of an existing directory = %+v, %v", st, err)
	}
	c.user.Write("d/a", "")
	c.user.Write("f", "")
	c.wantErr("Rmdir", c.Rmdir("d"), folder.ErrNotEmpty)
	c.wantErr("Rmdir of a file", c.Rmdir("f"), folder.ErrChanged)
	_, err = c.Mkdir("f", 0o700)
	c.wantErr("Mkdir over a file", err, folder.ErrChanged)
	c.user.Remove("d/a")
	if err := c.Rmdir("d"); err != nil {
		c.Errorf("Rmdir: %v", err)
	}
	if got := c.user.Names(""); !slices.Equal(got, []string{".foldpost", "f"}) {
		c.Errorf("names = %q", got)
	}
}

func (c *contract) bits() {
	c.user.Write("a", "x")
	c.user.Mkdir("d")
	for _, p := range []folder.Path{"a", "d"} {
		st, err := c.Chmod(p, c.stat(p), 0o711)
		if err != nil || st.Bits != 0o711 || st != c.stat(p) {
			c.Errorf("Chmod(%q) = %+v, %v", p, st, err)
		}
	}
	old := c.stat("d")
	c.user.Write("d/x", "") // what is in a directory does not matter
	if _, err := c.Chmod("d", old, 0o755); err != nil {
		c.Errorf("Chmod of a directory that got a file: %v", err)
	}
	_, err := c.Chmod("d", old, 0o700)
	c.wantErr("Chmod of a directory with other bits", err, folder.ErrChanged)
	_, err = c.Chmod("b", folder.Stat{}, 0o700)
	c.wantErr("Chmod of nothing", err, folder.ErrChanged)
}
