package node

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"foldpost/app"
)

// homeNames match everything that a node makes in its home before and beside
// its identity. What writeFile and Compare leave there when they are killed is
// swept at the next start.
var (
	homeNames = append([]string{"lock", "state.json", "mails.json", "letters*", "control.sock", "window.*", "index-*"}, leftNames...)
	leftNames = []string{".write-*", "compare-*"}
)

// checkHome refuses a directory of something else, by a slip like --home /tmp:
// a home is closed to all other users.
func checkHome(home string) error {
	if _, err := os.Lstat(filepath.Join(home, "identity")); err == nil {
		return nil
	}
	entries, err := os.ReadDir(home)
	if err != nil {
		return fmt.Errorf("look at home: %w", err)
	}
	for _, e := range entries {
		if !isNamed(e.Name(), homeNames) {
			return app.Errorf(app.CodeUsage, "%s has other files in it, like %s: --home wants a directory of its own, a new one", home, e.Name())
		}
	}
	return nil
}

func isNamed(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { ok, _ := filepath.Match(p, name); return ok })
}

// sweepHome removes what a killed process left half done. It may hold secrets,
// and is of no use to anybody.
func sweepHome(home string) {
	entries, _ := os.ReadDir(home)
	for _, e := range entries {
		if isNamed(e.Name(), leftNames) {
			os.RemoveAll(filepath.Join(home, e.Name()))
		}
	}
}
