//go:build linux

package folder_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"foldpost/app/folder"
)

func openMarked(t *testing.T) (folder.Tree, string) {
	t.Helper()
	dir := t.TempDir()
	tree, err := folder.OpenTree(dir)
	if err == nil {
		err = tree.Mark("m")
	}
	if err != nil {
		t.Fatalf("open tree: %v", err)
	}
	t.Cleanup(func() { tree.Close() })
	return tree, dir
}

func fill(t *testing.T, tree folder.Tree, name, content string) {
	t.Helper()
	s, err := tree.Stage(name)
	if err == nil {
		err = s.Truncate(0)
	}
	if err == nil {
		_, err = s.WriteAt([]byte(content), 0)
	}
	if err == nil {
		err = errors.Join(s.Seal(1e18, 0o644), s.Close())
	}
	if err != nil {
		t.Errorf("fill stage: %v", err)
	}
}

// A program that reads while a file is replaced finds the old or the new
// content, always.
func TestReplaceIsNeverSeen(t *testing.T) {
	tree, dir := openMarked(t)
	at := filepath.Join(dir, "a")
	content := func(i int) string { return strings.Repeat(fmt.Sprint(i%10), 5000) }
	if err := os.WriteFile(at, []byte(content(0)), 0o644); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(stop)
	wg.Go(func() {
		for reads := 0; ; reads++ {
			select {
			case <-stop:
				return
			default:
			}
			b, err := os.ReadFile(at)
			if err != nil || len(b) != 5000 || bytes.Count(b, b[:1]) != 5000 {
				t.Errorf("read %d: %d bytes, %v", reads, len(b), err)
				return
			}
		}
	})
	for i := range 500 {
		st, err := tree.Stat("a")
		if err != nil {
			t.Fatalf("Stat: %v", err)
		}
		fill(t, tree, "0a", content(i))
		if _, _, err := tree.Put("a", st, "0a"); err != nil {
			t.Fatalf("Put: %v", err)
		}
	}
}

// A user saves all the time, in one step and seeing what that replaced; so do
// we. Everything the user saved was replaced by the user, or is in the trash,
// or is there.
func TestPutLosesNoSave(t *testing.T) {
	tree, dir := openMarked(t)
	at, tmp := filepath.Join(dir, "a"), filepath.Join(dir, "tmp")
	if err := os.WriteFile(at, []byte("user 0"), 0o644); err != nil {
		t.Fatal(err)
	}
	const saves = 1500
	seen := map[string]bool{}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(stop)
		for i := 1; i < saves; i++ {
			err := os.WriteFile(tmp, fmt.Appendf(nil, "user %d", i), 0o644)
			if err == nil {
				err = unix.Renameat2(unix.AT_FDCWD, tmp, unix.AT_FDCWD, at, unix.RENAME_EXCHANGE)
			}
			b, rerr := os.ReadFile(tmp)
			if err := errors.Join(err, rerr, os.Remove(tmp)); err != nil {
				t.Errorf("save %d: %v", i, err)
				return
			}
			seen[string(b)] = true
		}
	})
	put, changed := 0, 0
loop:
	for {
		select {
		case <-stop:
			break loop
		default:
		}
		st, err := tree.Stat("a")
		if err != nil {
			t.Errorf("Stat: %v", err)
			break
		}
		fill(t, tree, "0a", fmt.Sprint("put ", put))
		switch _, _, err := tree.Put("a", st, "0a"); {
		case err == nil:
			put++
		case errors.Is(err, folder.ErrChanged):
			changed++
		default:
			t.Errorf("Put: %v", err)
		}
	}
	wg.Wait()
	last, err := os.ReadFile(at)
	if err != nil {
		t.Fatal(err)
	}
	seen[string(last)] = true
	for k, err := range tree.Trash() {
		if err != nil {
			t.Fatalf("Trash: %v", err)
		}
		c, err := tree.OpenKept(k.Name)
		if err != nil {
			t.Fatalf("OpenKept: %v", err)
		}
		b, _ := io.ReadAll(io.NewSectionReader(c, 0, 100))
		c.Close()
		seen[string(b)] = true
	}
	lost := 0
	for i := range saves {
		if !seen[fmt.Sprintf("user %d", i)] {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d saves are lost (put %d, changed %d)", lost, saves, put, changed)
	}
	t.Logf("put %d, changed %d", put, changed)
}

// Somebody exchanges a directory for a link to another place all the time. Not
// one of our files gets there.
func TestPutNeverFollows(t *testing.T) {
	tree, dir := openMarked(t)
	outside := t.TempDir()
	d, link := filepath.Join(dir, "d"), filepath.Join(dir, "link")
	if err := errors.Join(os.Mkdir(d, 0o755), os.Symlink(outside, link)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(filepath.Join(outside, "victim"), []byte("safe"), 0o644), os.Mkdir(filepath.Join(outside, "sub"), 0o755)); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				unix.Renameat2(unix.AT_FDCWD, d, unix.AT_FDCWD, link, unix.RENAME_EXCHANGE)
			}
		}
	})
	done := 0
	for i := range 200 {
		p := folder.Path(fmt.Sprintf("d/f%d", i))
		fill(t, tree, "0a", "x")
		if _, _, err := tree.Put(p, folder.Stat{}, "0a"); err == nil {
			done++
		}
		tree.Mkdir("d/made", 0o777)
		tree.Rmdir("d/sub")
		if st, err := tree.Stat("d/victim"); err == nil {
			t.Errorf("Stat(d/victim) = %+v", st)
		}
		tree.PutLink("d/l", folder.Stat{}, "x")
	}
	close(stop)
	wg.Wait()
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) != 2 {
		t.Errorf("outside: %v, %v, want victim and sub", entries, err)
	}
	t.Logf("%d of 200 put", done)
}
