package folder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func manyFiles(b *testing.B) (Tree, string) {
	dir := b.TempDir()
	for i := range 100 {
		d := filepath.Join(dir, fmt.Sprint("d", i))
		if err := os.Mkdir(d, 0o755); err != nil {
			b.Fatal(err)
		}
		for j := range 100 {
			if err := os.WriteFile(filepath.Join(d, fmt.Sprint("file", j)), nil, 0o644); err != nil {
				b.Fatal(err)
			}
		}
	}
	tree, err := OpenTree(dir)
	if err == nil {
		err = tree.Mark("m")
	}
	if err != nil {
		b.Fatal(err)
	}
	return tree, dir
}

// What a full scan costs besides hashing: 10,000 files in 100 directories.
func BenchmarkList(b *testing.B) {
	tree, _ := manyFiles(b)
	for b.Loop() {
		for i := range 100 {
			list, err := tree.List(b.Context(), Path(fmt.Sprint("d", i)))
			if err != nil || len(list) != 100 {
				b.Fatal(len(list), err)
			}
		}
	}
}

// The same by the plain means of the os package.
func BenchmarkReadDir(b *testing.B) {
	_, dir := manyFiles(b)
	for b.Loop() {
		for i := range 100 {
			entries, err := os.ReadDir(filepath.Join(dir, fmt.Sprint("d", i)))
			if err != nil {
				b.Fatal(err)
			}
			for _, e := range entries {
				if _, err := e.Info(); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
}

// What a small new file costs on disk, without Sync.
func BenchmarkPutNew(b *testing.B) {
	dir := b.TempDir()
	tree, err := OpenTree(dir)
	if err == nil {
		err = tree.Mark("m")
	}
	if err == nil {
		_, err = tree.Mkdir("d", 0o755)
	}
	if err != nil {
		b.Fatal(err)
	}
	content := make([]byte, 4096)
	for i := 0; b.Loop(); i++ {
		s, err := tree.Stage("00")
		if err != nil {
			b.Fatal(err)
		}
		s.WriteAt(content, 0)
		if err := errors.Join(s.Seal(1e18, 0o644), s.Close()); err != nil {
			b.Fatal(err)
		}
		if _, _, err := tree.Put(Path(fmt.Sprint("d/f", i)), Stat{}, "00"); err != nil {
			b.Fatal(err)
		}
	}
}
