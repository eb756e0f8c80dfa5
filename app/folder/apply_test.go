package folder_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/app/folder"
	"foldpost/app/folder/foldertest"
)

// calm writes files that nothing happens to, so that the guard stays calm.
func calm(d *device) {
	d.Mkdir("calm")
	for i := range 12 {
		d.Write(fmt.Sprintf("calm/%d", i), fmt.Sprint(i))
	}
}

// others are the files below calm.
func (d *device) others() map[string]string {
	all := d.files()
	maps.DeleteFunc(all, func(p, _ string) bool { return folder.Path(p).Below("calm") })
	return all
}

// A program that ends, or a computer whose power is cut, between any two steps
// of a batch must neither take what it wrote for a person's edit, nor bring
// back what its author deleted meanwhile, nor lose anything.
func TestEndsInTheMiddleOfABatch(t *testing.T) {
	points := []foldertest.Fault{
		{Op: "Stage"},
		{Op: "Write"},
		{Op: "Seal"},
		{Op: "Sync"},
		{Op: "Put"},
		{Op: "Put", After: 1},
		{Op: "Mkdir"},
		{Op: "Remove"},
		{Op: "Remove", After: 1},
		{Op: "Sync", After: 1},
		{Op: "StatKept"},
	}
	for _, power := range []bool{false, true} {
		for _, point := range points {
			for _, deleted := range []bool{false, true} {
				name := fmt.Sprintf("power %v, %s after %d, deleted %v", power, point.Op, point.After, deleted)
				t.Run(name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { endInBatch(t, power, point, deleted) })
				})
			}
		}
	}
}

func endInBatch(t *testing.T, power bool, point foldertest.Fault, deleted bool) {
	a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
	cut := pair(a, b)
	calm(a)
	a.Write("edited", "1")
	a.Write("gone", "1")
	a.Write("gone too", "1")
	settle(a, b)

	tree := b.config.Tree.(*foldertest.Tree)
	after := tree
	reached := make(chan struct{})
	point.Do = func() {
		b.cancel()
		if power {
			after = tree.Crash()
		}
		close(reached)
	}
	if !power {
		point.Err = foldertest.ErrIO
	}
	tree.Inject(point)
	a.Write("edited", "2, longer")
	a.Mkdir("new")
	a.Write("new/file", "2")
	a.Remove("gone")
	a.Remove("gone too")
	<-reached
	b.stop()
	cut()
	tree.Heal()

	if deleted {
		a.Remove("edited")
		a.Remove("new")
	}
	b.again(after, a, b)
	connect(a, b)
	settle(a, b)
	wantEqual(t, a, b)
	want := map[string]string{"edited": "2, longer", "new/file": "2"}
	if deleted {
		want = map[string]string{}
	}
	if got := a.others(); !maps.Equal(got, want) {
		t.Errorf("files are %q, want %q", got, want)
	}
}

func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
		pair(a, b)
		settle(a, b)
		tree := b.config.Tree.(*foldertest.Tree)
		tree.SetFree(65 << 20)
		a.Write("large", string(make([]byte, 4<<20)))
		a.Write("small", "fits")
		b.until("a problem, and the small file", func(s folder.Status) bool { return s.Problem != "" && s.Files == 1 })
		if s := b.Status(); s.NeedFiles != 1 || s.NeedBytes != 4<<20 {
			t.Errorf("Status() = %+v, want 1 file of 4 MiB needed", s)
		}
		tree.SetFree(1 << 30)
		a.untilHas(b)
		wantEqual(t, a, b)
		if s := b.Status(); s.Problem != "" {
			t.Errorf("Status().Problem = %q after there was room again", s.Problem)
		}
	})
}

// Faults of a disk delay one file, and no other.
func TestFaultsOfTheDisk(t *testing.T) {
	for _, f := range []foldertest.Fault{
		{Op: "Put", Path: "x", Err: foldertest.ErrIO, Times: 3},
		{Op: "Put", Path: "x", Err: foldertest.ErrFull, Times: 3},
		{Op: "Sync", Err: foldertest.ErrIO, Times: 2},
		{Op: "Seal", Err: foldertest.ErrPermission, Times: 2},
		{Op: "Write", Err: foldertest.ErrFull, Times: 2},
		{Op: "Stage", Err: foldertest.ErrIO, Times: 2},
	} {
		t.Run(fmt.Sprintf("%s %v", f.Op, f.Err), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
				pair(a, b)
				settle(a, b)
				b.config.Tree.(*foldertest.Tree).Inject(f)
				a.Write("x", "1")
				a.Write("y", "2")
				b.until("a problem", func(s folder.Status) bool { return s.Problem != "" })
				<-time.After(2 * time.Minute)
				a.untilHas(b)
				wantEqual(t, a, b)
				if s := b.Status(); s.Problem != "" {
					t.Errorf("Status().Problem = %q after the disk was well again", s.Problem)
				}
			})
		})
	}
}

// An editor holds a file open while it is replaced, and saves afterwards.
func TestEditOfAReplacedFile(t *testing.T) {
	for _, wait := range []time.Duration{0, time.Second, 30 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
			pair(a, b)
			calm(a)
			a.Write("doc", "1")
			settle(a, b)
			a.Write("doc", "2")
			b.until("the new content", func(folder.Status) bool { return b.content("doc", 9) == "2" })
			<-time.After(wait)
			kept, err := b.Trash()
			if err != nil || len(kept) != 1 {
				t.Fatalf("Trash() = %v, %v, want one version", kept, err)
			}
			b.Write(folder.OwnDir+"/trash/"+kept[0].Name, "saved by the editor")
			<-time.After(2 * time.Minute)
			settle(a, b)
			wantEqual(t, a, b)
			if got := slices.Collect(maps.Values(a.others())); !slices.Contains(got, "saved by the editor") {
				t.Errorf("%v after the replacement: files are %q, want the editor's among them", wait, got)
			}
		})
	}
}
