//go:build real

package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// TestRealReset: the command hears that it is done, and the program that it
// talked to ends by itself.
func TestRealReset(t *testing.T) {
	p := newProcess(t, "ada")
	p.start()
	dir := filepath.Join(t.TempDir(), "Photos")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"share", dir, "bob@example.org", "--by-hand", "--no-wait"},
		{"reset", "-y"},
	} {
		if out, err := p.command(args...).CombinedOutput(); err != nil {
			t.Fatalf("foldpost %v: %v\n%s", args, err, out)
		}
	}
	cmd := p.cmd
	p.cmd = nil // it ends by itself
	if err := cmd.Wait(); err != nil {
		t.Errorf("foldpost run ended with %v, want none", err)
	}
	if left, err := os.ReadDir(p.home); !os.IsNotExist(err) {
		t.Errorf("the home has %v, %v, want it gone", left, err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 || names[0].Name() != "a" {
		t.Errorf("the folder has %v, %v, want its file alone", names, err)
	}
}
