package assets

import (
	"bytes"
	"image/png"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"
)

func TestIcon(t *testing.T) {
	for size, want := range map[int]int{0: 16, 16: 16, 17: 24, 48: 48, 100: 128, 512: 512, 4000: 512} {
		if got := width(t, Icon(size)); got != want {
			t.Errorf("Icon(%d) is %d pixels wide, want %d", size, got, want)
		}
	}
}

func TestTrayIcons(t *testing.T) {
	seen := map[string]string{}
	for _, state := range TrayStates {
		for _, dark := range []bool{true, false} {
			b := TrayIcon(state, dark)
			if got := width(t, b); got != 64 {
				t.Errorf("TrayIcon(%s, %v) is %d pixels wide, want 64", state, dark, got)
			}
			if other := seen[string(b)]; other != "" {
				t.Errorf("TrayIcon(%s, %v) looks like %s", state, dark, other)
			}
			seen[string(b)] = state
		}
	}
}

func width(t *testing.T, b []byte) int {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if s := img.Bounds().Size(); s.X != s.Y {
		t.Errorf("%v pixels, want a square", s)
	}
	return img.Bounds().Dx()
}

// flat is what the window's library draws well: filled closed paths.
var flat = regexp.MustCompile(`^<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="24" height="24">\n(  <path fill="#000000" d="[MLHVCZ0-9 .-]+Z"/>\n)+</svg>\n$`)

func TestGlyphsAreFlat(t *testing.T) {
	files, err := fs.Glob(iconFiles, "icons/ui/*.svg")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d glyphs, %v", len(files), err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(path.Base(f), ".svg")
		if svg := Glyph(name); !flat.Match(svg) {
			t.Errorf("Glyph(%s) is not only filled closed paths:\n%s", name, svg)
		}
	}
}
