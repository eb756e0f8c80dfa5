package folder_test

import (
	"context"
	"errors"
	"testing"

	"foldpost/app/folder"
	"foldpost/app/folder/foldertest"
)

// TestMeasure counts what a scan would take, and nothing else.
func TestMeasure(t *testing.T) {
	tree := foldertest.NewTree(foldertest.Options{})
	u := tree.User(t)
	u.Write("a", "1")
	for _, dir := range []string{"deep", "deep/er", "skipped", ".foldpost", ".foldpost/trash"} {
		u.Mkdir(dir)
	}
	u.Write("deep/er/b", "22")
	u.Write("deep/skip.tmp", "333")
	u.Write("skipped/c", "4444")
	u.Write(".foldpost/trash/x", "55555")
	u.Write(".foldpostignore", "skipped/\n")
	u.Symlink("a", "link")
	u.Pipe("pipe")
	got, err := folder.Measure(t.Context(), tree, "*.tmp\n")
	if want := (folder.Tally{Files: 3, Bytes: 1 + 2 + int64(len("skipped/\n"))}); err != nil || got != want {
		t.Errorf("Measure = %+v, %v, want %+v", got, err, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := folder.Measure(ctx, tree, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("Measure with a done context = %v, want context.Canceled", err)
	}
}
