package ui

import (
	std "bytes"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pictureBytes is a picture with a red upper and a blue lower half.
func pictureBytes(t testing.TB, format string, width, height int) []byte {
	t.Helper()
	p := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.RGBA{255, 0, 0, 255}, color.RGBA{0, 0, 255, 255}})
	for i := len(p.Pix) / 2; i < len(p.Pix); i++ {
		p.Pix[i] = 1
	}
	var b std.Buffer
	var err error
	switch format {
	case "png":
		err = png.Encode(&b, p)
	case "jpeg":
		err = jpeg.Encode(&b, p, nil)
	case "gif":
		err = gif.Encode(&b, p, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPreviewOfText(t *testing.T) {
	for _, c := range []struct {
		name  string
		in    string
		cut   bool // the file has more bytes
		lines []string
		more  bool
	}{
		{"plain", "one\ntwo\n", false, []string{"one", "two"}, false},
		{"without a last newline", "one\r\ntwo", false, []string{"one", "two"}, false},
		{"tabs", "\tx", false, []string{"    x"}, false},
		{"control and bidi characters", "a\x1b[31m\u202eb", false, []string{"a\ufffd[31m\ufffdb"}, false},
		{"byte order mark", "\ufeffone", false, []string{"one"}, false},
		{"empty", "", false, []string{""}, false},
		{"cut within a character", "one\nstra\xc3", true, []string{"one", "stra"}, true},
		{"broken at the end of a whole file", "one\nstra\xc3", false, nil, false},
		{"binary", "one\x00two", false, nil, false},
		{"latin1", "stra\xdfe", false, nil, false},
		{"long line", strings.Repeat("x", maxLine+1), false, []string{strings.Repeat("x", maxLine) + "…"}, false},
	} {
		lines, more, picture := previewOf([]byte(c.in), c.cut)
		if !slices.Equal(lines, c.lines) || more != c.more || picture != nil {
			t.Errorf("%s: previewOf(%q, %v) = %q, %v, %v, want %q, %v, nil", c.name, c.in, c.cut, lines, more, picture, c.lines, c.more)
		}
	}
	lines, more, _ := previewOf([]byte(strings.Repeat("x\n", 2*maxLines)), false)
	if len(lines) != maxLines || !more {
		t.Errorf("previewOf(%d lines) = %d lines, %v, want %d, true", 2*maxLines, len(lines), more, maxLines)
	}
}

func TestPreviewOfPicture(t *testing.T) {
	for _, c := range []struct {
		format        string
		width, height int
		want          image.Point
	}{
		{"png", 40, 20, image.Pt(40, 20)},
		{"jpeg", 1600, 400, image.Pt(640, 160)},
		{"gif", 400, 1600, image.Pt(120, 480)},
	} {
		b := pictureBytes(t, c.format, c.width, c.height)
		lines, _, p := previewOf(b, false)
		if lines != nil || p == nil {
			t.Errorf("previewOf(%s) = %q, %v, want a picture", c.format, lines, p)
			continue
		}
		if got := p.Bounds().Size(); got != c.want {
			t.Errorf("previewOf(%s of %dx%d) is %v, want %v", c.format, c.width, c.height, got, c.want)
		}
		if r, _, b, _ := p.At(1, 1).RGBA(); r < 0xe000 || b > 0x1fff {
			t.Errorf("previewOf(%s) has no red at the top: %v", c.format, p.At(1, 1))
		}
		if lines, _, p := previewOf(b, true); lines != nil || p != nil {
			t.Errorf("previewOf(half a %s) = %q, %v, want nothing", c.format, lines, p)
		}
	}
}

// TestPreviewBounds: a small file that claims to be a huge picture is not
// decoded.
func TestPreviewBounds(t *testing.T) {
	b := pictureBytes(t, "gif", 10, 10)
	b[6], b[7], b[8], b[9] = 0xff, 0xff, 0xff, 0xff // 65535 x 65535
	if _, ok := decodePicture(b); ok {
		t.Error("decodePicture took a picture of 65535 x 65535")
	}
}

func TestPreviewFile(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret.txt")
	for _, f := range []struct{ path, text string }{{outside, "secret"}, {filepath.Join(dir, "a.txt"), "hello"}} {
		if err := os.WriteFile(f.path, []byte(f.text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "large.raw"), make([]byte, maxPreview+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink(filepath.Dir(outside), filepath.Join(dir, "out")); err != nil {
		t.Skip(err)
	}
	for _, c := range []struct {
		name  string
		lines []string
		why   string
	}{
		{"a.txt", []string{"hello"}, ""},
		{"large.raw", nil, "It is too large for a preview."},
		{"gone.txt", nil, "It is not there just now."},
		{"sub", nil, "It is no ordinary file."},
		{"link", nil, "It is no ordinary file."},
		{"out/secret.txt", nil, "It can not be read just now."},
		{"../" + filepath.Base(filepath.Dir(outside)) + "/secret.txt", nil, "It can not be read just now."},
		{outside, nil, "It can not be read just now."},
	} {
		if got := previewFile(dir, c.name); !slices.Equal(got.lines, c.lines) || got.why != c.why {
			t.Errorf("previewFile(%q) = %q, %q, want %q, %q", c.name, got.lines, got.why, c.lines, c.why)
		}
	}
}

func FuzzPreview(f *testing.F) {
	f.Add([]byte("one\ntwo\n"), false)
	f.Add([]byte("\ufeffstra\xc3"), true)
	for _, format := range []string{"png", "jpeg", "gif"} {
		f.Add(pictureBytes(f, format, 20, 10), false)
	}
	f.Fuzz(func(t *testing.T, b []byte, cut bool) {
		lines, _, p := previewOf(b, cut)
		if lines != nil && p != nil {
			t.Error("both a text and a picture")
		}
		if p != nil && (p.Bounds().Dx() > previewWidth || p.Bounds().Dy() > previewHeight) {
			t.Errorf("a picture of %v", p.Bounds())
		}
		for _, l := range lines {
			if n := len([]rune(l)); n > maxLine+1 || strings.ContainsAny(l, "\n\r\t\x1b\u202e") {
				t.Errorf("line %q", l)
			}
		}
	})
}
