package node

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func sprint(v any) string { return fmt.Sprintf("%v %#v", v, v) }

func TestCheckDir(t *testing.T) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", filepath.Join(base, "user"))
	for _, dir := range []string{"user/Documents", "state", "shared/inside", "outer/shared2", "free", "x/.foldpost/y"} {
		if err := os.MkdirAll(filepath.Join(base, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(base, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(base, "user"), filepath.Join(base, "link home")); err != nil {
		t.Fatal(err)
	}
	n := &Node{cfg: Config{Home: filepath.Join(base, "state")}}
	s := kept{Folders: []keptFolder{{Name: "one", Path: filepath.Join(base, "shared")}, {Name: "two", Path: filepath.Join(base, "outer", "shared2")}}}
	for _, tt := range []struct {
		dir     string
		mayMiss bool
		want    string // part of the error, "" for none
	}{
		{"free", false, ""},
		{"user/Documents", false, ""},
		{"shared", false, ""}, // the folder itself: sharing it again is fine
		{"missing", false, "create it first"},
		{"missing/deeper", true, ""},
		{"file", false, "is a file"},
		{"user", false, "home directory"},
		{"link home", false, "home directory"},
		{".", false, "home directory"},
		{"state", false, "keys"},
		{"shared/inside", false, "inside the folder one"},
		{"shared/missing", true, "inside the folder one"},
		{"outer", false, "holds the folder two"},
		{"x/.foldpost/y", false, "own .foldpost"},
		{"../../../../../../../../../..", false, "whole disk"},
	} {
		got, err := n.checkDir(filepath.Join(base, tt.dir), s, tt.mayMiss)
		switch {
		case tt.want == "" && (err != nil || got != filepath.Join(base, tt.dir)):
			t.Errorf("checkDir(%q) = %q, %v", tt.dir, got, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("checkDir(%q) = %q, %v, want an error with %q", tt.dir, got, err, tt.want)
		}
	}
}
