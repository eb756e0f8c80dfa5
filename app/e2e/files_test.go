//go:build real || lab || reach || lan

package e2e

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// plant makes a tree with what real directories have: spaces, Unicode, empty
// files and directories, mode bits, symlinks, odd times, and one large file.
func plant(t *testing.T, dir string, files int, large int64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, uint64(files)))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	names := []string{"plain", "with space", "Grüße aus dem Harz", "日本語", "emoji 🌲", "dots.in.name", "-dash", "#hash", "quote'\"s", "back\\slash"}
	for i := range files {
		sub := filepath.Join(dir, names[i%len(names)], fmt.Sprintf("level %d", i/100))
		must(os.MkdirAll(sub, 0o755))
		path := filepath.Join(sub, fmt.Sprintf("%s %d.txt", names[(i/7)%len(names)], i))
		size := rng.IntN(6000)
		if i%50 == 0 {
			size = 0
		}
		must(os.WriteFile(path, noise(rng, size), 0o644))
		if i%9 == 0 {
			must(os.Chmod(path, []os.FileMode{0o600, 0o755, 0o444, 0o640}[i/9%4]))
		}
		when := time.Unix(1_600_000_000+int64(i)*1000, rng.Int64N(1e9))
		must(os.Chtimes(path, when, when))
	}
	must(os.MkdirAll(filepath.Join(dir, "empty", "deeper", "deepest"), 0o755))
	must(os.MkdirAll(filepath.Join(dir, "private"), 0o700))
	must(os.WriteFile(filepath.Join(dir, "private", "script.sh"), []byte("#!/bin/sh\n"), 0o700))
	must(os.Symlink("private/script.sh", filepath.Join(dir, "link to script")))
	must(os.Symlink("empty", filepath.Join(dir, "link to directory")))
	must(os.Symlink("nowhere at all", filepath.Join(dir, "dangling link")))
	if large > 0 {
		f, err := os.Create(filepath.Join(dir, "large.bin"))
		must(err)
		for left := large; left > 0; {
			b := noise(rng, int(min(left, 1<<20)))
			_, err := f.Write(b)
			must(err)
			left -= int64(len(b))
		}
		must(f.Close())
	}
}

func newRand(seed int) *rand.Rand { return rand.New(rand.NewPCG(2, uint64(seed))) }

func noise(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// sameTrees compares two trees with rsync, which shares no code with this
// program, and the times of files to the nanosecond.
func sameTrees(t *testing.T, a, b string) {
	t.Helper()
	out, err := exec.Command("rsync", "-aniOJc", "--exclude=/.foldpost", "--delete", a+"/", b+"/").CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("rsync %s %s: %v\n%s", a, b, err, tail(out, 3000))
	}
	want, got := times(t, a), times(t, b)
	for path, when := range want {
		if got[path] != when {
			t.Errorf("mtime of %s: %v in one tree, %v in the other", path, when, got[path])
		}
	}
}

func times(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	found := map[string]int64{}
	eachFile(t, dir, func(path string, st unix.Stat_t) { found[path] = st.Mtim.Nano() })
	return found
}

// countFiles is what find -type f says.
func countFiles(t *testing.T, dir string) (files int, size int64) {
	t.Helper()
	eachFile(t, dir, func(_ string, st unix.Stat_t) { files, size = files+1, size+st.Size })
	return files, size
}

func eachFile(t *testing.T, dir string, visit func(path string, st unix.Stat_t)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(path, dir+"/")
		if rel == ".foldpost" {
			return fs.SkipDir
		}
		if d.Type().IsRegular() {
			var st unix.Stat_t
			if err := unix.Lstat(path, &st); err != nil {
				return err
			}
			visit(rel, st)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
