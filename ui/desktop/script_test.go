package desktop

import (
	"strings"
	"testing"
)

// TestInScript: nothing in a notice leaves the string that a script has it in,
// or is run within it.
func TestInScript(t *testing.T) {
	for text, want := range map[string]string{
		"Anna's Photos is here":        "Anna's Photos is here",
		"Fotos „Urlaub“ sind da – ja!": "Fotos 'Urlaub' sind da – ja!",
		"$(calc) ${x} $env:x":          "＄(calc) ＄{x} ＄env:x",
		"a\"; calc; \"b":               "a'; calc; 'b",
		"a”; calc; “b":                 "a'; calc; 'b",
		"`$(calc)`":                    "'＄(calc)'",
	} {
		got := inScript(text)
		if got != want {
			t.Errorf("inScript(%q) = %q, want %q", text, got, want)
		}
		if i := strings.IndexAny(got, "$`\"“”„"); i >= 0 {
			t.Errorf("inScript(%q) = %q, of which %q means something in a script", text, got, got[i:])
		}
	}
}
