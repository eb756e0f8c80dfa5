package folder

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// A universe is what random histories are made of.
type universe struct {
	devices  int
	paths    []string
	calm     bool
	lose     bool // indexes are lost and restored
	readOnly bool
	ignore   bool
	guard    bool
	steps    int
}

var (
	narrow = []string{"a", "d/a"}
	wide   = []string{"a", "b", "c", "d", "d/a", "d/b", "d/e", "d/e/a", "d/e/b", "f/a", "f/b", "a/x"}
)

// universes are run in turn.
var universes = []universe{
	{devices: 3, paths: narrow, steps: 14},
	{devices: 3, paths: narrow, steps: 14, lose: true},
	{devices: 4, paths: []string{"a", "b"}, steps: 20},
	{devices: 3, paths: wide, steps: 24},
	{devices: 3, paths: []string{"a", "a/x"}, steps: 16},
	{devices: 3, paths: narrow, steps: 12, calm: true},
	{devices: 4, paths: wide, steps: 24, lose: true},
	{devices: 3, paths: narrow, steps: 16, readOnly: true},
	{devices: 3, paths: narrow, steps: 16, ignore: true},
	{devices: 4, paths: narrow, steps: 18, readOnly: true, lose: true},
	{devices: 3, paths: []string{"a", "b", "d/a", "d/b"}, steps: 24, guard: true},
}

var deviceNames = []string{"P", "Q", "R", "S"}

// A chooser draws numbers below n: a seeded generator, or rapid.
type chooser func(n int) int

// draw makes a whole script before anything runs.
func (u universe) draw(pick chooser) script {
	line := "devices"
	for _, n := range deviceNames[:u.devices] {
		line += " " + n
	}
	s := script{line}
	if u.readOnly {
		s = append(s, "readonly R")
	}
	if u.calm {
		s = append(s, "calm")
	}
	if u.guard {
		s = append(s, "guard 1")
	}
	for i := range 4 + pick(u.steps) {
		s = append(s, u.step(pick, i))
	}
	return s
}

func (u universe) step(pick chooser, i int) string {
	d := deviceNames[pick(u.devices)]
	other := deviceNames[pick(u.devices)]
	at := func() string {
		if pick(4) == 0 {
			return "~" + strconv.Itoa(pick(8))
		}
		return u.paths[pick(len(u.paths))]
	}
	kind := pick(24)
	if u.calm {
		kind = pick(10)
	}
	switch {
	case kind < 5:
		content := fmt.Sprintf("c%d", i)
		if pick(8) == 0 {
			content = fmt.Sprintf("c%d", pick(i+1))
		}
		return fmt.Sprintf("%s write %s=%s mtime %d", d, at(), content, pick(9))
	case kind < 7:
		return fmt.Sprintf("%s delete %s", d, at())
	case kind == 7:
		return fmt.Sprintf("%s rename %s %s", d, at(), u.paths[pick(len(u.paths))])
	case kind == 8:
		return fmt.Sprintf("%s chmod %s %o", d, at(), []int{0o600, 0o644, 0o755}[pick(3)])
	case kind == 9:
		if pick(2) == 0 {
			return fmt.Sprintf("%s link %s=l%d mtime %d", d, at(), i, pick(9))
		}
		return fmt.Sprintf("%s mkdir %s", d, at())
	case kind < 12:
		return d + " scan"
	case kind < 14:
		return fmt.Sprintf("%s pull %s", d, other)
	case kind == 14:
		return fmt.Sprintf("%s glimpse %s", d, other)
	case kind == 15:
		return fmt.Sprintf("%s apply %s", d, other)
	case kind == 16:
		return fmt.Sprintf("%s slowly %d %s", d, pick(8), other)
	case kind < 20:
		return fmt.Sprintf("sync %s %s", d, other)
	case kind == 20:
		return fmt.Sprintf("%s crash %d %s", d, pick(3), other)
	case kind == 21 && u.guard:
		return fmt.Sprintf("%s answer %s %s", d, []string{"here", "there"}[pick(2)], []string{"yes", "no"}[pick(2)])
	case kind == 21 && u.lose:
		return d + []string{" lose", " save", " restore", " restore"}[pick(4)]
	case kind == 22 && u.ignore:
		return fmt.Sprintf("%s %s %s", d, []string{"leave", "thaw"}[pick(2)], u.paths[pick(len(u.paths))])
	case kind == 23:
		return fmt.Sprintf("%s lag %d", d, pick(100)-50)
	}
	return fmt.Sprintf("sync %s %s %s", d, other, deviceNames[pick(u.devices)])
}

func drawSeed(u universe, seed uint64) script {
	rnd := rand.New(rand.NewPCG(seed, 7))
	return u.draw(rnd.IntN)
}

// shrink drops steps as long as the script still fails.
func shrink(off rules, s script) script {
	for size := len(s) / 2; size > 0; {
		smaller := false
		for i := 1; i+size <= len(s); i++ {
			t := append(append(script{}, s[:i]...), s[i+size:]...)
			if runScript(off, t) != nil {
				s, smaller = t, true
				i--
			}
		}
		if !smaller || size > 1 {
			size /= 2
		}
	}
	return s
}

// TestMany runs random histories. FOLDPOST_HISTORIES sets how many of each
// universe.
func TestMany(t *testing.T) {
	n := 300
	if s := os.Getenv("FOLDPOST_HISTORIES"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	for ui, u := range universes {
		t.Run(strconv.Itoa(ui), func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(n) {
				if err := runScript(rules{}, drawSeed(u, seed)); err != nil {
					small := shrink(rules{}, drawSeed(u, seed))
					t.Fatalf("universe %d, seed %d: %v\nsmallest: %v\n%s", ui, seed, err, runScript(rules{}, small), small)
				}
			}
		})
	}
}
