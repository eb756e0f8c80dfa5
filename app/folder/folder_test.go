package folder_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"foldpost/app/folder"
	"foldpost/app/folder/foldertest"
)

// onDisk starts a device on a real directory.
func onDisk(t *testing.T, name string) *device {
	t.Helper()
	dir := t.TempDir()
	tree, err := folder.OpenTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tree.Close() })
	return start(t, name, tree, foldertest.Disk{T: t, Dir: dir}, nil)
}

// inMemory starts a device on a tree in memory. It is called in a bubble.
func inMemory(t *testing.T, name string, change func(*folder.Config)) *device {
	t.Helper()
	tree := foldertest.NewTree(foldertest.Options{Seed: uint64(name[0])})
	return start(t, name, tree, tree.User(t), change)
}

// everyKind is what happens to two devices that are connected, but for a pause
// in which each has a user of its own.
func everyKind(t *testing.T, a, b *device) {
	pair(a, b)
	a.Mkdir("many")
	for i := range 30 {
		a.Write(fmt.Sprintf("many/%d", i), strings.Repeat("x", i))
	}
	a.Write("edited", "1")
	a.Write("deleted", "1")
	a.Mkdir("moved")
	a.Write("moved/x", "content that moves")
	a.Write("file", "becomes a directory")
	a.Mkdir("dir")
	a.Write("dir/f", "in what becomes a file")
	a.Symlink("edited", "link")
	a.Mkdir("emptydir")
	settle(a, b)
	wantEqual(t, a, b)

	b.Write("edited", "22")
	b.Remove("deleted")
	b.Rename("moved", "elsewhere")
	a.Remove("file")
	a.Mkdir("file")
	a.Write("file/inside", "new")
	a.Remove("dir")
	a.Write("dir", "now a file")
	a.Remove("link")
	a.Symlink("file/inside", "link")
	b.Chmod("many/7", 0o600)
	b.Chmod("emptydir", 0o700)
	a.Remove("many/8")
	settle(a, b)
	wantEqual(t, a, b)
	if got, want := a.Status().Files, 29+4; got != want {
		t.Errorf("Status().Files = %d, want %d:\n%s", got, want, a.listing())
	}

	a.Pause(true)
	b.Pause(true)
	a.Write("edited", "by A")
	b.Write("edited", "by B")
	a.Remove("file")
	b.Write("file/inside", "an edit beats a deletion")
	a.Pause(false)
	b.Pause(false)
	settle(a, b)
	wantEqual(t, a, b)
	all := a.listing()
	for _, want := range []string{"by A", "by B", "an edit beats", "edited (conflict "} {
		if !strings.Contains(all, want) {
			t.Errorf("after a conflict there is no %q in\n%s", want, all)
		}
	}
	if cs, err := a.Conflicts(t.Context()); err != nil || len(cs) != 1 || cs[0].Path != "edited" || len(cs[0].Copies) != 1 {
		t.Errorf("Conflicts() = %v, %v, want one of %q", cs, err, "edited")
	}
}

func TestEveryKindOfChange(t *testing.T) {
	t.Run("on disk", func(t *testing.T) {
		everyKind(t, onDisk(t, "A"), onDisk(t, "B"))
	})
	t.Run("in memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			everyKind(t, inMemory(t, "A", nil), inMemory(t, "B", nil))
		})
	})
}

func TestManyFilesOfFewContents(t *testing.T) {
	a, b := onDisk(t, "A"), onDisk(t, "B")
	for d := range 7 {
		a.Mkdir(fmt.Sprintf("d%d", d))
	}
	for i := range 700 {
		a.Write(fmt.Sprintf("d%d/%d", i%7, i), strings.Repeat("y", i%5))
	}
	pair(a, b)
	settle(a, b)
	wantEqual(t, a, b)
}
