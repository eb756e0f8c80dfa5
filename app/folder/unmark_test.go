package folder_test

import (
	"os"
	"path/filepath"
	"testing"

	"foldpost/app/folder"
	"foldpost/app/folder/foldertest"
)

// TestUnmark: only what the program needs for itself goes, and only where it is
// that folder's.
func TestUnmark(t *testing.T) {
	a := onDisk(t, "A")
	disk := a.User.(foldertest.Disk)
	a.Write("x", "1")
	a.until("it is scanned", func(s folder.Status) bool { return s.Files == 1 })
	b := onDisk(t, "B")
	pair(a, b)
	settle(a, b)
	b.Write("x", "22")
	settle(a, b) // the first x is in A's trash now
	a.stop()
	b.stop()
	own := filepath.Join(disk.Dir, folder.OwnDir)
	if err := folder.Unmark(disk.Dir, folder.ID{99}); err != nil {
		t.Errorf("Unmark of another folder = %v", err)
	}
	if _, err := os.Stat(filepath.Join(own, "folder")); err != nil {
		t.Errorf("Unmark of another folder took the marker: %v", err)
	}
	for range 2 {
		if err := folder.Unmark(disk.Dir, a.config.ID); err != nil {
			t.Errorf("Unmark = %v", err)
		}
	}
	if kept, err := filepath.Glob(filepath.Join(own, "trash", "*", "x")); err != nil || len(kept) != 1 {
		t.Errorf("the trash has %v, %v, want the first x", kept, err)
	}
	if names := a.Names(folder.OwnDir); len(names) != 1 {
		t.Errorf("%s has %q, want the trash alone", folder.OwnDir, names)
	}
	bDir := b.User.(foldertest.Disk).Dir
	if err := folder.Unmark(bDir, b.config.ID); err != nil {
		t.Errorf("Unmark = %v", err)
	}
	if _, err := os.Lstat(filepath.Join(bDir, folder.OwnDir)); !os.IsNotExist(err) {
		t.Errorf("where the trash is empty %s is still there: %v", folder.OwnDir, err)
	}
	if err := folder.Unmark(filepath.Join(bDir, "nosuch"), b.config.ID); err != nil {
		t.Errorf("Unmark of what is not there = %v", err)
	}
}
