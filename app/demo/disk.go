package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// treeSum hashes the names, kinds and contents below dir, without the
// program's own folder.
func treeSum(dir string) (sum string, files int, err error) {
	h := sha256.New()
	err = fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path == ".foldpost" {
			return fs.SkipDir
		}
		fmt.Fprintf(h, "%s\x00%s\x00", path, d.Type())
		if !d.Type().IsRegular() {
			return nil
		}
		files++
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
		if err != nil {
			return err
		}
		content := sha256.Sum256(b)
		h.Write(content[:])
		return nil
	})
	return hex.EncodeToString(h.Sum(nil)), files, err
}

// until looks again and again whether something is so on disk.
func until(ctx context.Context, ok func() bool) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func readsAs(path, want string) bool {
	b, err := os.ReadFile(path)
	return err == nil && string(b) == want
}

func firstLine(b []byte) string {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return string(line)
}
