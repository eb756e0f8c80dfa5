package folder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// watching runs Watch, and hands each path and error on.
func watching(t *testing.T, tree Tree, skip func(Path) bool) (<-chan Path, <-chan error) {
	t.Helper()
	paths, errs := make(chan Path, 10000), make(chan error, 10)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for p, err := range tree.Watch(ctx, skip) {
			if err != nil {
				errs <- err
			} else {
				paths <- p
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return paths, errs
}

func skipNone(Path) bool { return false }

// await waits until all paths came.
func await(t *testing.T, paths <-chan Path, want ...Path) {
	t.Helper()
	missing := map[Path]bool{}
	for _, p := range want {
		missing[p] = true
	}
	timeout := time.After(30 * time.Second)
	for len(missing) > 0 {
		select {
		case p := <-paths:
			delete(missing, p)
		case <-timeout:
			t.Fatalf("%d of %d paths did not come, such as %v", len(missing), len(want), anyOf(missing))
		}
	}
}

func anyOf(m map[Path]bool) Path {
	for p := range m {
		return p
	}
	return ""
}

// Files made right after their directory are seen, which the system alone
// does not do.
func TestWatchNewDirectories(t *testing.T) {
	tree, dir := openInside(t)
	paths, _ := watching(t, tree, skipNone)
	await(t, paths, "")
	var want []Path
	for i := range 100 {
		p := filepath.Join("d"+fmt.Sprint(i), "e", "f")
		if err := os.MkdirAll(filepath.Join(dir, p), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, p, "g"), "x")
		want = append(want, Path(filepath.ToSlash(p)+"/g"))
	}
	await(t, paths, want...)
}

// After a move, changes come by the new name only.
func TestWatchMovedDirectories(t *testing.T) {
	tree, dir := openInside(t)
	if err := os.MkdirAll(filepath.Join(dir, "a/b/c"), 0o755); err != nil {
		t.Fatal(err)
	}
	paths, _ := watching(t, tree, skipNone)
	await(t, paths, "")
	name := "a"
	for i := range 20 {
		next := fmt.Sprintf("n%d", i)
		if err := os.Rename(filepath.Join(dir, name), filepath.Join(dir, next)); err != nil {
			t.Fatal(err)
		}
		name = next
	}
	await(t, paths, Path(name+"/b/c"))
	write(t, filepath.Join(dir, name, "b/c/d"), "x")
	await(t, paths, Path(name+"/b/c/d"))
	write(t, filepath.Join(dir, "last"), "x")
	for p := range paths {
		if p == "last" {
			break
		}
		if p.Below("a") {
			t.Errorf("path %q by its old name", p)
		}
	}
}

// A directory that went takes its watches along, and a new one of that name is
// watched again.
func TestWatchAgain(t *testing.T) {
	tree, dir := openInside(t)
	paths, _ := watching(t, tree, skipNone)
	await(t, paths, "")
	for i := range 10 {
		if err := os.MkdirAll(filepath.Join(dir, "a/b"), 0o755); err != nil {
			t.Fatal(err)
		}
		await(t, paths, "a/b")
		f := fmt.Sprintf("a/b/f%d", i)
		write(t, filepath.Join(dir, f), "x")
		await(t, paths, Path(f))
		if err := os.RemoveAll(filepath.Join(dir, "a")); err != nil {
			t.Fatal(err)
		}
		await(t, paths, "a")
	}
}

func TestWatchRootComesAndGoes(t *testing.T) {
	tree, dir := openInside(t)
	tree.poll = 20 * time.Millisecond
	paths, _ := watching(t, tree, skipNone)
	await(t, paths, "")
	if err := os.Rename(dir, dir+"-away"); err != nil {
		t.Fatal(err)
	}
	await(t, paths, "")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	await(t, paths, "")
	if _, err := tree.Root(); err != nil {
		t.Fatal(err)
	}
	for { // until the new root is watched
		write(t, filepath.Join(dir, "new"), "x")
		select {
		case p := <-paths:
			if p == "new" {
				return
			}
		case <-t.Context().Done():
			return
		}
	}
}

func TestWatchProblem(t *testing.T) {
	for _, err := range []error{errors.New("some reason")} {
		got := watchProblem(err)
		if !errors.Is(got, err) || got.Error() == "" {
			t.Errorf("watchProblem(%v) = %v", err, got)
		}
	}
}
