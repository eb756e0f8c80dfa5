package folder

import (
	"bufio"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"unsafe"
)

// A flaw is a history that was once wrong.
type flaw struct {
	line   int
	title  string
	off    []string // rules, together
	script script
}

func readFlaws(t *testing.T, file string) []flaw {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var flaws []flaw
	open := false
	n := 0
	for s := bufio.NewScanner(f); s.Scan(); {
		n++
		line := s.Text()
		off, isOff := strings.CutPrefix(line, "off ")
		switch {
		case line == "":
			open = false
		case strings.HasPrefix(line, "#"):
		case !open:
			flaws, open = append(flaws, flaw{line: n, title: line}), true
		case isOff:
			flaws[len(flaws)-1].off = strings.Split(off, ",")
		default:
			fl := &flaws[len(flaws)-1]
			fl.script = append(fl.script, line)
		}
	}
	return flaws
}

// switchOff sets fields of rules by their names.
func switchOff(names []string) (rules, error) {
	var off rules
	for _, name := range names {
		f := reflect.ValueOf(&off).Elem().FieldByName(name)
		if !f.IsValid() {
			return off, fmt.Errorf("no rule %s", name)
		}
		*(*bool)(unsafe.Pointer(f.UnsafeAddr())) = true
	}
	return off, nil
}

// TestFlaws runs each history with all rules on, where it must end well, and
// with its rules off, where it must not: else nobody would notice their loss.
func TestFlaws(t *testing.T) {
	const file = "testdata/flaws.txt"
	tried := map[string]bool{}
	for _, fl := range readFlaws(t, file) {
		if err := runScript(rules{}, fl.script); err != nil {
			t.Errorf("%s:%d: %s: %v", file, fl.line, fl.title, err)
			continue
		}
		if fl.off == nil {
			continue
		}
		off, err := switchOff(fl.off)
		if err != nil {
			t.Fatalf("%s:%d: %v", file, fl.line, err)
		}
		if runScript(off, fl.script) == nil {
			t.Errorf("%s:%d: %s: ends well without %v, want a failure", file, fl.line, fl.title, fl.off)
		}
		for _, name := range fl.off {
			tried[name] = true
		}
	}
	for i := range reflect.TypeFor[rules]().NumField() {
		if name := reflect.TypeFor[rules]().Field(i).Name; !tried[name] {
			t.Errorf("no history fails without rule %s", name)
		}
	}
}
