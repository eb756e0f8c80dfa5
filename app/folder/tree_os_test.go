package folder_test

import (
	"testing"

	"foldpost/app/folder"
	"foldpost/app/folder/foldertest"
)

func openDisk(t *testing.T) (folder.Tree, foldertest.User) {
	t.Helper()
	dir := t.TempDir()
	tree, err := folder.OpenTree(dir)
	if err != nil {
		t.Fatalf("OpenTree: %v", err)
	}
	t.Cleanup(func() { tree.Close() })
	return tree, foldertest.Disk{T: t, Dir: dir}
}

func TestDiskTree(t *testing.T) { foldertest.TestTree(t, openDisk) }
