package foldertest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"

	"foldpost/app/folder"
)

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
