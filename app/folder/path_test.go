package folder

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestCheckPath(t *testing.T) {
	long := strings.Repeat("a", MaxName)
	deep := strings.Repeat("d/", MaxDepth-1) + "f"
	for _, tt := range []struct {
		path Path
		want string // in the error; "" for none
	}{
		{"", ""},
		{"a", ""},
		{"a/b c/ü.txt", ""},
		{"...", ""},
		{".foldpostignore", ""},
		{"a/.foldpost", ""}, // only the root has one
		{Path(long), ""},
		{Path(deep), ""},
		{".foldpost", "own folder"},
		{".foldpost/stage/1", "own folder"},
		{".FoldPost/x", "own folder"},
		{".foldpoſt", "own folder"},
		{".fold\u200cpost", "own folder"},
		{".fold\ufe0fpost", "own folder"},
		{".", `name "."`},
		{"a/../b", `name ".."`},
		{"../b", `name ".."`},
		{"/a", "empty"},
		{"a/", "empty"},
		{"a//b", "empty"},
		{"a\x00", "NUL"},
		{"a\xff", "UTF-8"},
		{"u\u0308", "normal form"},
		{Path(long + "a"), "longer"},
		{Path("x/" + deep), "deeper"},
		{Path(strings.Repeat(long+"/", 16) + "a"), "longer"},
	} {
		err := CheckPath(tt.path)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("CheckPath(%.40q) = %v, want %q in it", tt.path, err, tt.want)
		}
	}
}

func TestCheckTarget(t *testing.T) {
	for _, tt := range []struct {
		path   Path
		target string
		safe   bool
	}{
		{"l", "a", true},
		{"l", "a/b", true},
		{"l", "./a", true},
		{"l", "missing/and/deep", true},
		{"d/l", "..", true},
		{"d/l", "../a", true},
		{"d/e/l", "../../a", true},
		{"l", "", false},
		{"l", "/etc/passwd", false},
		{"l", "..", false},
		{"l", "../a", false},
		{"d/l", "../../a", false},
		{"d/l", "./../../a", false},
		{"l", "a/../b", false}, // a may be a link
		{"l", ".foldpost", false},
		{"l", ".foldpost/trash", false},
		{"d/l", "../.FOLDPOST/x", false},
		{"l", "d/.foldpost", false}, // d may be a link to the root
		{"l", "a\xff", false},
		{"l", "a\x00", false},
		{"l", strings.Repeat("a", MaxTarget+1), false},
	} {
		if err := CheckTarget(tt.path, tt.target); (err == nil) != tt.safe {
			t.Errorf("CheckTarget(%q, %.40q) = %v, want safe %v", tt.path, tt.target, err, tt.safe)
		}
	}
}

func TestPathParts(t *testing.T) {
	for _, tt := range []struct{ path, dir Path }{{"a", ""}, {"a/b", "a"}, {"a/b/c", "a/b"}} {
		dir, name := tt.path.Split()
		if dir != tt.dir || dir.Join(name) != tt.path {
			t.Errorf("%q.Split() = %q, %q, want %q", tt.path, dir, name, tt.dir)
		}
	}
	for _, tt := range []struct {
		path, dir Path
		want      bool
	}{{"a", "", true}, {"", "", false}, {"a/b", "a", true}, {"a", "a", false}, {"ab", "a", false}, {"a", "a/b", false}} {
		if got := tt.path.Below(tt.dir); got != tt.want {
			t.Errorf("%q.Below(%q) = %v, want %v", tt.path, tt.dir, got, tt.want)
		}
	}
}

// Only these ASCII characters are what other characters become in NFC.
func TestPlain(t *testing.T) {
	made := map[rune]bool{}
	for r := rune(0x80); r < 0x110000; r++ {
		for _, c := range norm.NFC.String(string(r)) {
			if c < 0x80 {
				made[c] = true
			}
		}
	}
	for c := rune(0); c < 0x80; c++ {
		if plain(string(c)) == made[c] {
			t.Errorf("plain(%q) = %v, want %v", c, !made[c], made[c])
		}
	}
}

func FuzzCheckPath(f *testing.F) {
	for _, s := range []string{"", "a/b", "..", "a/../b", ".foldpost/x", ".FOLDPOST", "a\x00b", "\xff", "u\u0308", "a//b", "/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := Path(s)
		if CheckPath(p) != nil || p == "" {
			return
		}
		if len(s) > MaxPath || norm.NFC.String(s) != s || strings.Contains("/"+s+"/", "/../") || strings.Contains("/"+s+"/", "//") || strings.HasPrefix(strings.ToLower(s)+"/", OwnDir+"/") {
			t.Errorf("CheckPath(%q) = nil", s)
		}
		dir, name := p.Split()
		if CheckPath(dir) != nil || CheckName(name) != nil {
			t.Errorf("CheckPath(%q) = nil, but its parts %q, %q are refused", s, dir, name)
		}
	})
}
