package folder

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParseStamp(t *testing.T) {
	at := time.Date(2026, 11, 20, 7, 8, 26, 0, time.UTC)
	for _, tt := range []struct {
		stamp string
		want  time.Time
		ok    bool
	}{
		{"20261120T070826Z", at, true},
		{"20261120T070826Z-1", at.Add(time.Millisecond), true},
		{"20261120T070826Z-998", at.Add(998 * time.Millisecond), true},
		{"20261120T070826Z-999", time.Time{}, false},
		{"20261120T070826Z-0", time.Time{}, false},
		{"20261120T070826Z-", time.Time{}, false},
		{"20261120T070826", time.Time{}, false},
		{"", time.Time{}, false},
		{"..", time.Time{}, false},
	} {
		if got, ok := parseStamp(tt.stamp); !got.Equal(tt.want) || ok != tt.ok {
			t.Errorf("parseStamp(%q) = %v, %v, want %v, %v", tt.stamp, got, ok, tt.want, tt.ok)
		}
	}
}

// No name, whoever gives it, opens anything but what the trash holds.
func FuzzKeptName(f *testing.F) {
	dir := f.TempDir()
	tree, err := OpenTree(dir)
	if err == nil {
		err = tree.Mark("m")
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "a"), []byte("x"), 0o644)
	}
	if err != nil {
		f.Fatal(err)
	}
	defer tree.Close()
	st, err := tree.Stat("a")
	if err != nil {
		f.Fatal(err)
	}
	kept, err := tree.Remove("a", st)
	if err != nil {
		f.Fatal(err)
	}
	stamp, _, _ := strings.Cut(kept.Name, "/")
	for _, s := range []string{kept.Name, "", "..", "../folder", stamp, stamp + "/", stamp + "/../../folder", stamp + "//a", stamp + "/./a", "./" + kept.Name, kept.Name + "/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		c, err := tree.OpenKept(name)
		if err != nil {
			return
		}
		c.Close()
		if name != kept.Name {
			t.Errorf("OpenKept(%q) opens a file, want only %q", name, kept.Name)
		}
	})
}
