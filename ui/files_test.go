package ui

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestSaveNew: nothing is overwritten, and nothing half is left.
func TestSaveNew(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) func(io.Writer) error {
		return func(out io.Writer) error { _, err := io.WriteString(out, text); return err }
	}
	for _, c := range []struct{ text, want string }{{"1", "a.txt"}, {"2", "a (2).txt"}, {"3", "a (3).txt"}} {
		path, err := saveNew(dir, "a.txt", write(c.text))
		if err != nil || filepath.Base(path) != c.want {
			t.Fatalf("saveNew(a.txt) = %s, %v, want %s", path, err, c.want)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != c.text {
			t.Errorf("%s holds %q, %v, want %q", path, b, err, c.text)
		}
	}
	broken := errors.New("broken")
	if _, err := saveNew(dir, "b.txt", func(io.Writer) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("saveNew = %v, want %v", err, broken)
	}
	if _, err := os.Stat(filepath.Join(dir, "b.txt")); err == nil {
		t.Error("saveNew left half a file")
	}
	if _, err := saveNew(filepath.Join(dir, "none"), "b.txt", write("")); err == nil {
		t.Error("saveNew made a directory")
	}
}
