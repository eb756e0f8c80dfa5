package foldertest

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"reflect"
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
			tt.run(&contract{t, tree, user})
			if err := tree.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

type contract struct {
	*testing.T
	folder.Tree
	user User
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
	if err := errors.Join(s.Truncate(0), write(s, content), s.Seal(someTime.UnixNano(), 0o640), s.Close()); err != nil {
		c.Fatalf("fill stage: %v", err)
	}
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

func (c *contract) root() {
	id, err := c.Root()
	if err != nil || id.Marker != "" {
		c.Fatalf("Root() = %+v, %v, want no marker", id, err)
	}
	for _, m := range []string{"one", "two"} {
		if err := c.Mark(m); err != nil {
			c.Fatalf("Mark(%q): %v", m, err)
		}
		want := id
		want.Marker = m
		if got, err := c.Root(); err != nil || got != want {
			c.Errorf("Root() = %+v, %v, want %+v", got, err, want)
		}
	}
	if n, err := c.Free(); err != nil || n <= 0 {
		c.Errorf("Free() = %d, %v", n, err)
	}
	if st := c.stat(""); st.Kind != folder.Dir {
		c.Errorf("Stat(\"\").Kind = %d, want Dir", st.Kind)
	}
}

// A root without a mark may be another drive: nothing is written there.
func (c *contract) unmarked() {
	c.user.Write("a", "x")
	if _, err := c.Stage(stageName); err == nil {
		c.Error("Stage before Mark: no error")
	}
	if _, err := c.Remove("a", c.stat("a")); err == nil || errors.Is(err, folder.ErrGone) {
		c.Errorf("Remove before Mark: %v, want an error that is not ErrGone", err)
	}
	if got := c.user.Names(""); !slices.Equal(got, []string{"a"}) {
		c.Errorf("names = %q, want only a", got)
	}
	for k, err := range c.Trash() {
		c.Errorf("Trash() yields %v, %v before Mark", k, err)
	}
}

func (c *contract) list() {
	c.user.Write("b", "content")
	c.user.Touch("b", someTime)
	c.user.Chmod("b", 0o600)
	c.user.Mkdir("a")
	c.user.Chmod("a", 0o750)
	c.user.Write("a/.foldpost", "only special in the root")
	c.user.Symlink("a/x", "c")
	got, err := c.List(c.Context(), "")
	if err != nil {
		c.Fatalf("List: %v", err)
	}
	type row struct {
		name  string
		kind  folder.Kind
		size  int64
		bits  uint32
		links uint32
	}
	want := []row{{"a", folder.Dir, 0, 0o750, 0}, {"b", folder.File, 7, 0o600, 1}, {"c", folder.Link, 3, 0, 1}}
	var rows []row
	for _, l := range got {
		r := row{l.Name, l.Stat.Kind, l.Stat.Size, l.Stat.Bits, l.Stat.NLink}
		if l.Stat.Kind == folder.Dir {
			r.links = 0
		}
		rows = append(rows, r)
		if l.Err != nil || string(l.Path) != l.Name {
			c.Errorf("List: %+v", l)
		}
		if st := c.stat(l.Path); st != l.Stat {
			c.Errorf("Stat(%q) = %+v, want what List tells: %+v", l.Path, st, l.Stat)
		}
	}
	if !slices.Equal(rows, want) {
		c.Errorf("List = %+v, want %+v", rows, want)
	}
	if st := c.stat("b"); st.MTime != someTime.UnixNano() || st.Ino == 0 || st.CTime <= st.MTime {
		c.Errorf("Stat(b) = %+v, want mtime %d, an inode and a younger ctime", st, someTime.UnixNano())
	}
	if got, err := c.List(c.Context(), "a"); err != nil || len(got) != 1 || got[0].Path != "a/.foldpost" {
		c.Errorf("List(a) = %+v, %v", got, err)
	}
	if target, err := c.Readlink("c"); err != nil || target != "a/x" {
		c.Errorf("Readlink(c) = %q, %v", target, err)
	}
	if got := c.content(c.Open("b")); got != "content" {
		c.Errorf("content of b = %q", got)
	}
	ctx, cancel := context.WithCancel(c.Context())
	cancel()
	_, err = c.List(ctx, "")
	c.wantErr("List with a context that is done", err, context.Canceled)
}

func (c *contract) names() {
	nfd, nfc := "u\u0308", "\u00fc"
	c.user.Write(nfd, "decomposed")
	c.user.Mkdir("d")
	c.user.Write("d/"+nfd, "decomposed")
	c.user.Write("d/"+nfc, "composed")
	c.user.Write("d/bad\xff", "")
	c.user.Write("d/"+strings.Repeat("e\u0301", 85), "") // 255 bytes; fewer in NFC

	got, err := c.List(c.Context(), "")
	if err != nil || len(got) != 2 || got[1].Name != nfd || got[1].Path != folder.Path(nfc) || got[1].Err != nil {
		c.Errorf("List = %+v, %v, want %+q as %+q", got, err, nfd, nfc)
	}
	if got := c.content(c.Open(folder.Path(nfc))); got != "decomposed" {
		c.Errorf("content of %+q = %q", nfc, got)
	}
	c.put(folder.Path(nfc), c.stat(folder.Path(nfc)), "new")
	if got := c.user.Read(nfd); got != "new" {
		c.Errorf("after Put of %+q, %+q = %q, want new", nfc, nfd, got)
	}

	got, err = c.List(c.Context(), "d")
	if err != nil {
		c.Fatalf("List(d): %v", err)
	}
	var paths []folder.Path
	left := map[string]bool{}
	for _, l := range got {
		if l.Err != nil {
			c.wantErr("Listed.Err", l.Err, folder.ErrLeftOut)
			left[l.Name] = true
		} else {
			paths = append(paths, l.Path)
		}
	}
	if want := map[string]bool{nfd: true, "bad\xff": true}; !reflect.DeepEqual(left, want) {
		c.Errorf("left out %v, want %v", left, want)
	}
	if want := []folder.Path{folder.Path("d/" + strings.Repeat("\u00e9", 85)), folder.Path("d/" + nfc)}; !slices.Equal(paths, want) {
		c.Errorf("List(d) has %+q, want %+q", paths, want)
	}
	if got := c.content(c.Open(folder.Path("d/" + nfc))); got != "composed" {
		c.Errorf("content of d/%+q = %q, want that of the exact name", nfc, got)
	}
}

func (c *contract) leftOut() {
	c.user.Pipe("pipe")
	got, err := c.List(c.Context(), "")
	if err != nil || len(got) != 1 || got[0].Path != "pipe" || got[0].Stat != (folder.Stat{}) {
		c.Fatalf("List = %+v, %v, want the pipe", got, err)
	}
	c.wantErr("Listed.Err", got[0].Err, folder.ErrLeftOut)
	_, err = c.Stat("pipe")
	c.wantErr("Stat(pipe)", err, folder.ErrLeftOut)
	_, err = c.Open("pipe")
	c.wantErr("Open(pipe)", err, folder.ErrLeftOut)
	_, _, err = c.Put("pipe", folder.Stat{}, c.staged("x"))
	c.wantErr("Put(pipe)", err, folder.ErrLeftOut)
	for _, p := range []folder.Path{".foldpost", ".foldpost/folder", ".FOLDPOST/x", "../x", "/x", "a//b", "a/..", "a\x00"} {
		_, err := c.Stat(p)
		c.wantErr("Stat("+string(p)+")", err, folder.ErrLeftOut)
		_, err = c.Open(p)
		c.wantErr("Open("+string(p)+")", err, folder.ErrLeftOut)
		_, _, err = c.Put(p, folder.Stat{}, stageName)
		c.wantErr("Put("+string(p)+")", err, folder.ErrLeftOut)
		_, _, err = c.PutLink(p, folder.Stat{}, "x")
		c.wantErr("PutLink("+string(p)+")", err, folder.ErrLeftOut)
		_, err = c.Mkdir(p, 0o755)
		c.wantErr("Mkdir("+string(p)+")", err, folder.ErrLeftOut)
		_, err = c.Remove(p, folder.Stat{Kind: folder.File})
		c.wantErr("Remove("+string(p)+")", err, folder.ErrLeftOut)
		c.wantErr("Rmdir("+string(p)+")", c.Rmdir(p), folder.ErrLeftOut)
		_, err = c.List(c.Context(), p)
		c.wantErr("List("+string(p)+")", err, folder.ErrLeftOut)
	}
}

func (c *contract) gone() {
	c.user.Write("file", "")
	for _, p := range []folder.Path{"a", "a/b", "file/x"} {
		_, err := c.Stat(p)
		c.wantErr("Stat("+string(p)+")", err, folder.ErrGone)
		_, err = c.Open(p)
		c.wantErr("Open("+string(p)+")", err, folder.ErrGone)
		_, err = c.Readlink(p)
		c.wantErr("Readlink("+string(p)+")", err, folder.ErrGone)
		_, err = c.List(c.Context(), p)
		c.wantErr("List("+string(p)+")", err, folder.ErrGone)
		c.wantErr("Rmdir("+string(p)+")", c.Rmdir(p), folder.ErrGone)
	}
	_, err := c.List(c.Context(), "file")
	c.wantErr("List(file)", err, folder.ErrGone)
	_, _, err = c.Put("a/b", folder.Stat{}, c.staged("x"))
	c.wantErr("Put(a/b)", err, folder.ErrGone)
	_, err = c.Mkdir("file/x", 0o755)
	c.wantErr("Mkdir(file/x)", err, folder.ErrGone)
	if err := c.Sync(nil, []folder.Path{"a", "a/b", ""}); err != nil {
		c.Errorf("Sync of what is gone: %v", err)
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
	if n, err := s.Size(); n != 6 || err != nil {
		c.Errorf("Size() = %d, %v, want 6", n, err)
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
	if n, _ := s.Size(); n != 2 {
		c.Errorf("Size() after Truncate = %d, want 2", n)
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

func (c *contract) hardLink() {
	c.user.Write("a", "old")
	c.user.Link("a", "b")
	_, kept := c.put("a", c.stat("a"), "new")
	c.user.Write("b", "edited by its other name")
	if got := c.content(c.OpenKept(kept.Name)); got != "old" {
		c.Errorf("kept version became %q", got)
	}
	if now, err := c.StatKept(kept.Name); err != nil || now != kept.Stat {
		c.Errorf("StatKept = %+v, %v, want %+v", now, err, kept.Stat)
	}
	c.user.Link("a", "c")
	kept, err := c.Remove("a", c.stat("a"))
	if err != nil {
		c.Fatalf("Remove: %v", err)
	}
	c.user.Write("c", "edited by its other name")
	if got := c.content(c.OpenKept(kept.Name)); got != "new" {
		c.Errorf("removed version became %q", got)
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

// An editor that holds a file open writes into the inode that was replaced.
func (c *contract) editedAfter() {
	c.user.Write("a", "old")
	_, kept := c.put("a", c.stat("a"), "new")
	c.user.Append(".foldpost/trash/"+kept.Name, " and edited")
	if now, err := c.StatKept(kept.Name); err != nil || now == kept.Stat {
		c.Errorf("StatKept = %+v, %v, want another than %+v", now, err, kept.Stat)
	}
	kept, err := c.Remove("a", c.stat("a"))
	if err != nil {
		c.Fatalf("Remove: %v", err)
	}
	c.user.Append(".foldpost/trash/"+kept.Name, " and edited")
	if now, err := c.StatKept(kept.Name); err != nil || now == kept.Stat {
		c.Errorf("StatKept after Remove = %+v, %v, want another than %+v", now, err, kept.Stat)
	}
}

func (c *contract) remove() {
	c.user.Mkdir("d")
	c.user.Write("d/a", "x")
	kept, err := c.Remove("d/a", c.stat("d/a"))
	if err != nil {
		c.Fatalf("Remove: %v", err)
	}
	if now, err := c.StatKept(kept.Name); err != nil || now != kept.Stat {
		c.Errorf("StatKept = %+v, %v, want %+v", now, err, kept.Stat)
	}
	if got := c.content(c.OpenKept(kept.Name)); got != "x" || kept.Path != "d/a" {
		c.Errorf("kept %+v with %q", kept, got)
	}
	if st := c.stat("d/a"); st != (folder.Stat{}) {
		c.Errorf("Stat after Remove = %+v", st)
	}
	_, err = c.Remove("d", c.stat("d"))
	c.wantErr("Remove of a directory", err, folder.ErrChanged)
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

func (c *contract) trash() {
	c.user.Mkdir("d")
	for _, content := range []string{"one", "two", "three"} {
		c.user.Write("d/a", content)
		if _, err := c.Remove("d/a", c.stat("d/a")); err != nil {
			c.Fatalf("Remove: %v", err)
		}
	}
	c.user.Remove("d")
	c.user.Write("d", "a file where a directory was")
	if _, err := c.Remove("d", c.stat("d")); err != nil {
		c.Fatalf("Remove: %v", err)
	}
	seen := map[string]time.Time{}
	for k, err := range c.Trash() {
		if err != nil {
			c.Fatalf("Trash: %v", err)
		}
		if now, err := c.StatKept(k.Name); err != nil || now != k.Stat {
			c.Errorf("StatKept(%q) = %+v, %v, want %+v", k.Name, now, err, k.Stat)
		}
		seen[string(k.Path)+"="+c.content(c.OpenKept(k.Name))] = k.At
	}
	want := []string{"d=a file where a directory was", "d/a=one", "d/a=two", "d/a=three"}
	for _, w := range want {
		if _, ok := seen[w]; !ok || len(seen) != len(want) {
			c.Errorf("Trash has %v, want %q", seen, want)
		}
	}
	if !seen["d/a=one"].Before(seen["d/a=two"]) || !seen["d/a=two"].Before(seen["d/a=three"]) {
		c.Errorf("times %v are not in order", seen)
	}
	for _, name := range []string{"", "x", "../folder", "20200101T000000Z/../../folder", "20200101T000000Z", "20200101T000000Z/x"} {
		_, err := c.OpenKept(name)
		c.wantErr("OpenKept("+name+")", err, folder.ErrGone)
		_, err = c.StatKept(name)
		c.wantErr("StatKept("+name+")", err, folder.ErrGone)
	}
	if err := c.Expire(time.Now().Add(-time.Hour)); err != nil {
		c.Errorf("Expire: %v", err)
	}
	if got := len(c.user.Names(".foldpost/trash")); got == 0 {
		c.Error("Expire dropped what is young")
	}
	if err := c.Expire(time.Now().Add(time.Hour)); err != nil {
		c.Errorf("Expire: %v", err)
	}
	if got := c.user.Names(".foldpost/trash"); len(got) != 0 {
		c.Errorf("trash after Expire: %q", got)
	}
}

func (c *contract) watch() {
	c.user.Mkdir("d")
	c.user.Mkdir("skipped")
	ctx, cancel := context.WithCancel(c.Context())
	defer cancel()
	steps := []struct {
		do   func()
		want folder.Path
	}{
		{func() { c.user.Write("a", "x") }, "a"},
		{func() { c.user.Append("a", "x") }, "a"},
		{func() { c.user.Chmod("a", 0o600) }, "a"},
		{func() { c.user.Write("d/a", "x") }, "d/a"},
		{func() { c.user.Rename("d", "e") }, "d"},
		{func() {}, "e/a"},
		{func() { c.user.Append("e/a", "x") }, "e/a"},
		{func() { c.user.Mkdir("e/f"); c.user.Write("e/f/g", "x") }, "e/f/g"},
		{func() { c.user.Write("u\u0308", "x") }, "\u00fc"},
		{func() { c.user.Symlink("x", "l") }, "l"},
		{func() { c.user.Write("skipped/x", "x"); c.user.Remove("a") }, "a"},
		{func() { c.put("new", folder.Stat{}, "x") }, "new"},
	}
	n := -1
	for p, err := range c.Watch(ctx, func(p folder.Path) bool { return p == "skipped" }) {
		switch {
		case err != nil:
			c.Errorf("Watch yields error: %v", err)
		case n < 0 && p != "":
			c.Errorf("Watch yields %q before it is set up", p)
		case n >= 0 && (strings.HasPrefix(string(p), "skipped/") || p.Below(folder.OwnDir) || folder.CheckPath(p) != nil):
			c.Errorf("Watch yields %q", p)
		case n >= 0 && p != steps[n].want:
			continue
		}
		if n++; n == len(steps) {
			cancel()
			continue
		}
		steps[n].do()
	}
	if n < len(steps) {
		c.Errorf("Watch ended at step %d", n)
	}
}
