package folder

import (
	"fmt"
	"strings"
	"testing"
)

func TestHeldRules(t *testing.T) {
	long := strings.Repeat("#", maxHeldText)
	for _, tt := range []struct {
		name  string
		texts []string
		held  string // paths
		free  string
	}{
		{"one", []string{"a"}, "a", "b"},
		{"several", []string{"a", "b", "a", ""}, "a b", "c"},
		{"a negation ends with its text", []string{"a", "*\n!b"}, "a c", "b"},
		{"too long", []string{"a", long}, "a b", ""},
	} {
		var h heldRules
		for _, text := range tt.texts {
			h.add("", text)
		}
		for _, p := range strings.Fields(tt.held) {
			if !h.match(Path(p), false) {
				t.Errorf("%s: match(%q) = false, want true", tt.name, p)
			}
		}
		for _, p := range strings.Fields(tt.free) {
			if h.match(Path(p), false) {
				t.Errorf("%s: match(%q) = true, want false", tt.name, p)
			}
		}
	}
	var h heldRules
	for i := range 2 * maxHeld {
		h.add("", fmt.Sprint(i))
	}
	if !h.match("unknown", false) || len(h.texts) > maxHeld+1 {
		t.Errorf("after %d texts: match = false, or %d are kept", 2*maxHeld, len(h.texts))
	}
}
