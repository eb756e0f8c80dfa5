package folder_test

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/app/folder"
	"foldpost/app/folder/foldertest"
)

// differing writes files of which 20 are equal on both, 1 differs, and each
// side has 2 of its own.
func differing(a, b foldertest.User) {
	for _, u := range []foldertest.User{a, b} {
		u.Mkdir("d")
		for i := range 20 {
			u.Write(fmt.Sprintf("d/%d", i), fmt.Sprintf("equal %d", i))
		}
	}
	a.Write("differs", "as A has it")
	b.Write("differs", "as B has it")
	for _, name := range []string{"1", "2"} {
		a.Write("a"+name, "A")
		b.Write("b"+name, "BB")
	}
	b.Write("x.tmp", "ignored")
}

func TestCompare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := inMemory(t, "A", nil)
		there := foldertest.NewTree(foldertest.Options{})
		differing(a, there.User(t))
		a.SetMembers([]folder.Member{{Device: folder.DeviceID{'B'}, Role: folder.ReadWrite}})
		if err := a.Rescan(t.Context()); err != nil {
			t.Fatal(err)
		}
		r, err := a.Serve(folder.DeviceID{'B'})
		if err != nil {
			t.Fatal(err)
		}
		before := there.User(t).Names("")
		got, err := folder.Compare(t.Context(), there, "*.tmp\n", r)
		if err != nil {
			t.Fatal(err)
		}
		want := folder.Comparison{
			Equal:     folder.Tally{Files: 20, Bytes: 10*7 + 10*8},
			OnlyHere:  folder.Tally{Files: 2, Bytes: 4},
			OnlyThere: folder.Tally{Files: 2, Bytes: 2},
			Different: folder.Tally{Files: 1, Bytes: 11},
			Examples:  []folder.Path{"differs"},
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("Compare() = %+v, want %+v", got, want)
		}
		if after := there.User(t).Names(""); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("Compare() left %q where %q was", after, before)
		}
	})
}

// Joining a directory that has files keeps both sides' files. Equal ones are
// neither sent nor in conflict.
func TestJoinWithFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := inMemory(t, "A", nil)
		tree := foldertest.NewTree(foldertest.Options{Seed: 7})
		differing(a, tree.User(t))
		a.until("it is scanned", func(s folder.Status) bool { return s.Files == 23 && s.State == folder.StateIdle })
		b := start(t, "B", tree, tree.User(t), func(c *folder.Config) { c.IgnoreDefaults = "*.tmp\n" })
		know(a, b)
		w := newWire()
		connectBy(a, b, w.over)
		settle(a, b)
		b.Remove("x.tmp")
		wantEqual(t, a, b)
		got := a.files()
		if len(got) != 20+2+2+2 || got["a1"] != "A" || got["b1"] != "BB" {
			t.Errorf("A has %d files in the end, want 26: %q", len(got), got)
		}
		if cs, err := a.Conflicts(t.Context()); err != nil || len(cs) != 1 || cs[0].Path != "differs" {
			t.Errorf("Conflicts() = %v, want one of differs", cs)
		}
		if sent, want := w.content.Load(), int64(2*11+1+2); sent != want {
			t.Errorf("%d bytes were sent, want %d: each content that is not here, once", sent, want)
		}
	})
}

// A device that lost its index takes back nothing that others changed or
// deleted meanwhile, and loses nothing of its own.
func TestIndexIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
		pair(a, b)
		calm(a)
		for _, name := range []string{"edited", "deleted", "mine"} {
			a.Write(name, "1 "+name)
		}
		settle(a, b)
		a.Write("edited", "2 edited")
		settle(a, b)
		b.stop()
		os.Remove(b.config.StorePath)
		b.Write("mine", "edited by B while its index was gone")
		b.Write("new", "by B")
		a.Write("edited", "3 edited")
		a.Remove("deleted")
		<-time.After(time.Minute)
		b.again(nil, a, b)
		connect(a, b)
		settle(a, b)
		wantEqual(t, a, b)
		got := a.others()
		if got["edited"] != "3 edited" || got["new"] != "by B" {
			t.Errorf("files are %q", got)
		}
		if _, back := got["deleted"]; back {
			t.Errorf("what A deleted came back: %q", got)
		}
		for p, c := range got {
			if strings.HasPrefix(p, "mine") && c == "edited by B while its index was gone" {
				return
			}
		}
		t.Errorf("B's edit is lost: %q", got)
	})
}

// An index that was restored from a backup is not gone on with.
func TestIndexIsRestored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
		pair(a, b)
		calm(a)
		a.Write("f", "1")
		settle(a, b)
		a.stop()
		backup, err := os.ReadFile(a.config.StorePath)
		if err != nil {
			t.Fatal(err)
		}
		a.again(nil, a, b)
		connect(a, b)
		a.Write("f", "2")
		settle(a, b)
		a.stop()
		if err := os.WriteFile(a.config.StorePath, backup, 0o600); err != nil { // same inode: nothing tells
			t.Fatal(err)
		}
		a.Write("f", "3")
		a.again(nil, a, b)
		connect(a, b)
		settle(a, b)
		settle(a, b)
		wantEqual(t, a, b)
		found := false
		for c := range maps.Values(a.others()) {
			found = found || c == "3"
		}
		if !found {
			t.Errorf("the last edit is lost: %q", a.others())
		}
	})
}
