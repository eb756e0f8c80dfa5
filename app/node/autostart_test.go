//go:build linux

package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAutostart(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	a := SystemAutostart("--hidden", "--home", "/home/ada/100% $my \\\"files\"")
	want := func(on bool) {
		t.Helper()
		if got, err := a.On(); err != nil || got != on {
			t.Errorf("On() = %t, %v, want %t", got, err, on)
		}
	}
	set := func(on bool) {
		t.Helper()
		if err := a.Set(on); err != nil {
			t.Fatal(err)
		}
		want(on)
	}
	want(false)
	set(false)
	set(true)
	set(true)
	file := filepath.Join(dir, "autostart", "foldpost.desktop")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	line := "Exec=" + program + ` --hidden --home "/home/ada/100%% \\$my \\\\\\"files\\""` + "\n"
	if !strings.Contains(string(b), line) {
		t.Errorf("the entry is\n%s\nwant in it %s", b, line)
	}
	for _, off := range []string{"Hidden=true", "X-GNOME-Autostart-enabled = FALSE"} {
		if err := os.WriteFile(file, append(b, off...), 0o600); err != nil {
			t.Fatal(err)
		}
		want(false)
	}
	set(true)
	set(false)
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("after Set(false) the entry is there: %v", err)
	}
}
