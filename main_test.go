package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layers is the import map: what each package may import of ours. A package
// that is not listed fails the test: say first what it may know.
var layers = map[string][]string{
	".":                     {"ui", "ui/desktop", "ui/hush", "app/cli", "app/control", "app/demo", "app/node", "app"},
	"ui":                    {"app", "assets"},
	"ui/desktop":            {"ui", "app", "assets"},
	"ui/hush":               {},
	"app":                   {},
	"app/apptest":           {"app"},
	"app/cli":               {"app"},
	"app/control":           {"app", "p2p/wire"},
	"app/demo":              {"app", "app/node", "mail/mailtest"},
	"app/folder":            {"p2p/wire"},
	"app/folder/foldertest": {"app/folder"},
	"app/node":              {"app", "app/folder", "p2p", "discovery", "mail", "assets", "p2p/wire"},
	"assets":                {},
	"discovery":             {"p2p", "p2p/wire"},
	"discovery/lantest":     {"discovery"},
	"mail":                  {"p2p", "p2p/wire"},
	"mail/mailtest":         {"mail"},
	"p2p":                   {"p2p/wire"},
	"p2p/wire":              {},
}

// confined says which files may import a library whose quirks one place knows.
// Entries are package directories or single files.
var confined = map[string][]string{
	"github.com/quic-go/quic-go":       {"p2p"},
	"github.com/vmihailenco/msgpack":   {"p2p/wire"},
	"github.com/emersion/":             {"mail", "mail/mailtest"},
	"github.com/flynn/noise":           {"mail/letter.go"},
	"modernc.org/sqlite":               {"app/folder"},
	"github.com/fsnotify/fsnotify":     {"app/folder"},
	"github.com/spf13/cobra":           {"app/cli"},
	"github.com/schollz/progressbar":   {"app/cli", "app/demo"},
	"github.com/sethvargo/go-diceware": {"p2p/words.go", "ui/words.go"},
	"github.com/gofrs/flock":           {"app/node", "app/control"},
	"github.com/zalando/go-keyring":    {"app/node/keyring.go"},
	"github.com/zeebo/blake3":          {"app/folder"},
	"fyne.io/":                         {"ui", "ui/desktop"},
	"github.com/godbus/dbus":           {"ui/desktop"},
	"github.com/rymdport/portal":       {"ui/desktop"},
	"github.com/pion/turn":             {"app/node/turn.go"},
	"github.com/pion/logging":          {"app/node/turn.go"},
	"github.com/hashicorp/mdns":        {"discovery/lan_zone.go"},
	"github.com/miekg/dns":             {"discovery/lan_zone.go"},
	"github.com/hashicorp/yamux":       {"p2p/mux.go", "p2p/mux_stream.go"},
	"github.com/jackpal/go-nat-pmp":    {"discovery/mapping_pmp.go"},
	"github.com/huin/goupnp":           {"discovery/mapping_upnp.go"},
}

func TestLayers(t *testing.T) {
	for file, imports := range sources(t) {
		dir := path.Dir(file)
		allowed, ok := layers[dir]
		if !ok {
			t.Errorf("%s: package %q is not in the import map", file, dir)
			continue
		}
		for _, imp := range imports {
			if ours, ok := strings.CutPrefix(imp, "foldpost/"); ok && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s; %s may import only %v of ours", file, ours, dir, allowed)
			}
			for lib, places := range confined {
				if strings.HasPrefix(imp, lib) && !slices.Contains(places, dir) && !slices.Contains(places, file) {
					t.Errorf("%s imports %s, which only %v may know", file, imp, places)
				}
			}
		}
	}
}

// TestProgramName fails where a label spells the program's name itself.
func TestProgramName(t *testing.T) {
	for _, dir := range []string{"p2p", "mail", "app/folder", "app/node"} {
		for file, literals := range stringLiterals(t, dir) {
			for _, s := range literals {
				if strings.HasPrefix(s, "foldpost-") || strings.HasPrefix(s, "foldpost/1") || strings.HasPrefix(s, "EXPORTER-foldpost") {
					t.Errorf("%s spells the label %q: begin it with wire.Name", file, s)
				}
			}
		}
	}
}

// sources maps each of our non-test Go files to its imports.
func sources(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	eachGoFile(t, ".", func(file string) {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, imp := range f.Imports {
			s, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			found[file] = append(found[file], s)
		}
	})
	if len(found) < 10 {
		t.Fatalf("only %v found: does the test run in the module's root?", slices.Sorted(maps.Keys(found)))
	}
	return found
}

func eachGoFile(t *testing.T, root string, visit func(file string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata"):
			return fs.SkipDir
		case !d.IsDir() && strings.HasSuffix(p, ".go") && !strings.HasSuffix(p, "_test.go"):
			visit(filepath.ToSlash(p))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// stringLiterals maps each of our non-test Go files below dir to its string
// literals.
func stringLiterals(t *testing.T, dir string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	eachGoFile(t, dir, func(file string) {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil {
					found[file] = append(found[file], s)
				}
			}
			return true
		})
	})
	return found
}
