package folder

import (
	"encoding/hex"
	"testing"
)

// TestBirthDot: each replica must make the same dot for a copy, for ever.
func TestBirthDot(t *testing.T) {
	d := Dot{R: ReplicaID{1, 2, 3, 4, 5, 6, 7, 8}, N: 1_700_000_000_000_000}
	for p, want := range map[Path]string{
		"a":         "7fb184001f5fcb77",
		"d/ä b.txt": "e9e71e759d3fe559",
	} {
		got := birthDot(p, d)
		if h := hex.EncodeToString(got.R[:]); h != want || got.N != 1 {
			t.Errorf("birthDot(%q, %v) = %s %d, want %s 1", p, d, h, got.N, want)
		}
	}
}

// TestCutCopies: names that are cut never lead back to the path they come from,
// whatever is kept there.
func TestCutCopies(t *testing.T) {
	p := CopyPath(Path(expand("{x*255}")), "P", Version{Content: contentOf("a")})
	seen := map[Path]bool{}
	for i := range 100 {
		if len(p) > MaxName || seen[p] {
			t.Fatalf("copy %d is %q, which was there before", i, p)
		}
		seen[p] = true
		p = CopyPath(p, "P", Version{Dot: birthDot(p, Dot{N: 1}), Content: contentOf("a")})
	}
}
