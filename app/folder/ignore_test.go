package folder

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A probe is one line of testdata/ignore.txt with the rules above it.
type probe struct {
	line  int
	rules string
	path  string // with "/" at the end for a directory
	want  bool
}

func readProbes(t *testing.T) []probe {
	b, err := os.ReadFile("testdata/ignore.txt")
	if err != nil {
		t.Fatal(err)
	}
	var probes []probe
	rules, fresh := "", true
	for i, line := range strings.Split(string(b), "\n") {
		mark, text, _ := strings.Cut(line, " ")
		switch mark {
		case "|":
			if fresh {
				rules = ""
			}
			rules, fresh = rules+text+"\n", false
		case "+", "-":
			probes, fresh = append(probes, probe{i + 1, rules, text, mark == "+"}), true
		}
	}
	return probes
}

func TestIgnore(t *testing.T) {
	for _, pr := range readProbes(t) {
		p, dir := strings.CutSuffix(pr.path, "/")
		if got := ParseIgnore("", pr.rules).Match(Path(p), dir); got != pr.want {
			t.Errorf("ignore.txt:%d: Match(%q) by %q = %v, want %v", pr.line, pr.path, pr.rules, got, pr.want)
		}
	}
}

// git says of each line of the table the same.
func TestIgnoreTableAgainstGit(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("no git")
	}
	byRules := map[string][]probe{}
	for _, pr := range readProbes(t) {
		byRules[pr.rules] = append(byRules[pr.rules], pr)
	}
	for rules, probes := range byRules {
		dir := t.TempDir()
		cmd := exec.Command(git, "init", "-q", dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Skipf("git init: %v: %s", err, out)
		}
		os.WriteFile(filepath.Join(dir, ".git/info/exclude"), []byte(rules), 0o644)
		for _, pr := range probes {
			p, isDir := strings.CutSuffix(pr.path, "/")
			cmd := exec.Command(git, "-C", dir, "check-ignore", "-q", "--no-index", "./"+p)
			at := filepath.Join(dir, p)
			os.MkdirAll(filepath.Dir(at), 0o755)
			if isDir {
				os.MkdirAll(at, 0o755)
			} else {
				os.WriteFile(at, nil, 0o644)
			}
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			err := cmd.Run()
			if stderr.Len() > 0 {
				t.Errorf("ignore.txt:%d: git: %v: %s", pr.line, err, stderr.String())
			} else if (err == nil) != pr.want {
				t.Errorf("ignore.txt:%d: git check-ignore %q by %q = %v, want %v", pr.line, pr.path, rules, err == nil, pr.want)
			}
			os.RemoveAll(filepath.Join(dir, strings.Split(p, "/")[0]))
		}
	}
}

func TestIgnoreDefaults(t *testing.T) {
	ig := ParseIgnore("*.tmp\n.DS_Store\n", "!mine.tmp\n*\n!a.tmp\n")
	for p, want := range map[Path]bool{"x.tmp": true, "a.tmp": false, IgnoreFile: false, "d/" + IgnoreFile: true, "": false} {
		if got := ig.Match(p, false); got != want {
			t.Errorf("Match(%q) = %v, want %v", p, got, want)
		}
	}
	if !ParseIgnore("", "?.txt\n").Match("ü.txt", false) {
		t.Error("? does not match one letter of two bytes") // git's does not
	}
	old := ParseIgnore("", "secrets/\n")
	for p, want := range map[Path]bool{"secrets/a": true, "secrets": false, "other": false} {
		if got := NewlyIncluded(old, ParseIgnore("", ""), p, false); got != want {
			t.Errorf("NewlyIncluded(%q) = %v, want %v", p, got, want)
		}
	}
}

func TestIgnoreBounds(t *testing.T) {
	many := strings.Repeat("x\n", MaxIgnoreLines) + "beyond\n"
	long := "first\n" + strings.Repeat(strings.Repeat("y", 4000)+"\n", 66) + "beyond\n"
	for _, tt := range []struct{ name, text string }{
		{"many lines", "first\n" + many},
		{"many bytes", long},
		{"one line", "first\n" + strings.Repeat("z", 1<<20)},
		{"long line", "first\n" + strings.Repeat("*", maxIgnoreLine+1) + "\n"},
		{"bad pattern", "first\n[\n"},
		{"not UTF-8", "first\n\xff\n"},
	} {
		ig := ParseIgnore("", tt.text)
		if ig.Err() == nil || !ig.Match("first", false) || ig.Match("beyond", false) {
			t.Errorf("%s: Err = %v, first %v, beyond %v, want an error, true, false", tt.name, ig.Err(), ig.Match("first", false), ig.Match("beyond", false))
		}
	}
	if err := ParseIgnore("", "a\n\n# b\n!c\n").Err(); err != nil {
		t.Errorf("Err of good rules = %v", err)
	}
	// Patterns that make other matchers slow.
	slow := ParseIgnore("", strings.Repeat("a*", 2000)+"b\n"+strings.Repeat("**/a/", 800)+"b\n")
	if slow.Match(Path(strings.Repeat("a", 255)), false) || slow.Match(Path(strings.Repeat("a/", 127)+"a"), false) {
		t.Errorf("slow patterns match")
	}
}

func FuzzIgnore(f *testing.F) {
	for _, s := range []string{"a\n", "!a/**/b/\n", "[[:alpha:]\n", "[\\", "\\", "[]-a]", "**/**", "/", "!", "//", "[!", "[a-\\"} {
		f.Add(s, "a/b/c")
	}
	f.Fuzz(func(t *testing.T, rules, p string) {
		if CheckPath(Path(p)) != nil {
			return
		}
		ig := ParseIgnore("", rules)
		below := Path(p).Join("x")
		if ig.Match(Path(p), true) && !ig.Match(below, false) {
			t.Errorf("by %q %q is ignored and %q is not", rules, p, below)
		}
		if err := ig.Err(); err != nil && err.Error() == "" {
			t.Errorf("by %q: empty error", rules)
		}
	})
}
