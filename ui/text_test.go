package ui

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"foldpost/app"
	"foldpost/assets"
)

// TestCatalogue: every text of the window is in the catalogue, in every
// language and with the same names to fill in, and nothing else is. With
// -update missing texts are listed in it as "".
func TestCatalogue(t *testing.T) {
	keys := catalogueKeys(t)
	for _, language := range Languages {
		b, err := assets.Translation(language)
		if err != nil {
			t.Fatal(err)
		}
		texts := map[string]string{}
		if err := json.Unmarshal(b, &texts); err != nil {
			t.Fatalf("%s: %v", language, err)
		}
		if *update {
			writeCatalogue(t, language, keys, texts)
			continue
		}
		for _, k := range keys {
			switch {
			case texts[k] == "":
				t.Errorf("%s has no text for %q: run the test with -update, then fill it in", language, k)
			case !slices.Equal(names(k), names(texts[k])):
				t.Errorf("%s: %q fills in %v, its original %v", language, texts[k], names(texts[k]), names(k))
			}
			delete(texts, k)
		}
		for k := range texts {
			t.Errorf("%s has a text that nothing shows: %q", language, k)
		}
	}
}

func writeCatalogue(t *testing.T, language string, keys []string, texts map[string]string) {
	t.Helper()
	m := map[string]string{}
	for _, k := range keys {
		m[k] = texts[k]
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(m); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("..", "assets", "translations", language+".json"), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// catalogueKeys are the literals given to tr and trn here and in desktop. A
// text that is no literal fails the test: nobody could find it.
func catalogueKeys(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || file == "text.go" {
			continue
		}
		keys = append(keys, keysOf(t, file)...)
	}
	keys = append(keys, keysOf(t, "text.go")...)
	for _, w := range app.Wordings() {
		keys = append(keys, w.Text)
		if w.Advice != "" {
			keys = append(keys, w.Advice)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func keysOf(t *testing.T, file string) (keys []string) {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && (fn.Name.Name == "tr" || fn.Name.Name == "trn") {
			continue
		}
		ast.Inspect(d, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name, ok := call.Fun.(*ast.Ident)
			if !ok || name.Name != "tr" && name.Name != "trn" {
				return true
			}
			args := call.Args[:1]
			if name.Name == "trn" {
				args = call.Args[1:3]
			}
			for _, a := range args {
				lit, ok := a.(*ast.BasicLit)
				if !ok {
					t.Errorf("%s: the text of %s is no literal", fset.Position(a.Pos()), name.Name)
					continue
				}
				k, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				keys = append(keys, k)
			}
			return true
		})
	}
	return keys
}

// names are the names that a text fills in, sorted.
func names(text string) []string {
	var list []string
	for {
		_, after, ok := strings.Cut(text, "{{")
		if !ok {
			slices.Sort(list)
			return slices.Compact(list)
		}
		name, rest, _ := strings.Cut(after, "}}")
		list, text = append(list, name), rest
	}
}

func TestShown(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"Bob's laptop", "Bob's laptop"},
		{"a\nb\tc\x1b[31m", "a\ufffdb\ufffdc\ufffd[31m"},
		{"gpj.\u202eexe", "gpj.\ufffdexe"},
		{"a\u200bb", "a\ufffdb"},
		{strings.Repeat("ä", 70), strings.Repeat("ä", 64) + "…"},
	} {
		if got := shown(c.in); got != c.want {
			t.Errorf("shown(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestWhen(t *testing.T) {
	for _, c := range []struct {
		t    time.Time
		want string
	}{
		{noon.Add(-2 * time.Hour), "10:00"},
		{noon.Add(-20 * time.Hour), "yesterday, 16:00"},
		{noon.Add(-3 * 24 * time.Hour), "Tuesday, 12:00"},
		{noon.Add(5 * 24 * time.Hour), "Wednesday, 12:00"},
		{noon.Add(-30 * 24 * time.Hour), "2026-10-21 12:00"},
		{time.Time{}, "never"},
	} {
		if got := when(c.t, noon); got != c.want {
			t.Errorf("when(%v) = %q, want %q", c.t, got, c.want)
		}
	}
}

func TestAbout(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{20 * time.Second, "less than a minute"},
		{time.Minute, "about 1 minute"},
		{50 * time.Minute, "about 50 minutes"},
		{8*time.Hour + 10*time.Minute, "about 8 hours"},
		{50 * time.Hour, "about 2 days"},
	} {
		if got := about(c.d); got != c.want {
			t.Errorf("about(%v) = %q, want %q", c.d, got, c.want)
		}
	}
}
