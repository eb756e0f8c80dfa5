package foldertest

import (
	"time"

	"foldpost/app/folder"
)

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
