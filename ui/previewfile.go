package ui

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // pictures people keep
	_ "image/jpeg"
	_ "image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	std "bytes"
)

// Bounds of what is read of a file only to be looked at. It may be foreign.
const (
	maxPreview = 8 << 20  // bytes of a picture's file
	maxPixels  = 40e6     // of a picture before it is made smaller
	maxText    = 64 << 10 // bytes of a text
	maxLines   = 1000     // of a text
	maxLine    = 300      // characters of a line

	previewWidth, previewHeight = 640, 480 // pixels of a picture as it is shown
)

// A filePreview is what can be seen of a file without opening it.
type filePreview struct {
	lines   []string // of a text; nil if it is none
	cut     bool     // there is more text
	picture image.Image
	why     string // nothing can be shown
	size    int64
	at      time.Time
}

// previewFile looks at a file below dir. Only regular files that lead nowhere
// else are read. It may take a second for a large picture.
func previewFile(dir, name string) filePreview {
	b, st, err := readPreview(dir, name)
	p := filePreview{}
	if st != nil {
		p.size, p.at = st.Size(), st.ModTime()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.why = tr("It is not there just now.")
	case errors.Is(err, errNotRegular):
		p.why = tr("It is no ordinary file.")
	case err != nil:
		p.why = tr("It can not be read just now.")
	default:
		p.lines, p.cut, p.picture = previewOf(b, int64(len(b)) < st.Size())
		switch {
		case p.lines != nil || p.picture != nil:
		case st.Size() > maxPreview:
			p.why = tr("It is too large for a preview.")
		default:
			p.why = tr("There is no preview of files like this.")
		}
	}
	return p
}

var errNotRegular = errors.New("not a regular file")

// readPreview reads the beginning of a file, at most maxPreview bytes.
func readPreview(dir, name string) ([]byte, fs.FileInfo, error) {
	name = filepath.FromSlash(name)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, err
	}
	defer root.Close()
	st, err := root.Lstat(name)
	if err != nil {
		return nil, nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, st, fmt.Errorf("preview %s: %w", name, errNotRegular)
	}
	flag := os.O_RDONLY
	if runtime.GOOS != "windows" {
		flag |= syscall.O_NONBLOCK // it may have become a pipe since
	}
	f, err := root.OpenFile(name, flag, 0)
	if err != nil {
		return nil, st, err
	}
	defer f.Close()
	if st, err = f.Stat(); err != nil || !st.Mode().IsRegular() {
		return nil, st, errors.Join(err, errNotRegular)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxPreview))
	return b, st, err
}

// previewOf tells what the bytes of a file are: lines of text, a picture, or
// neither. Cut is true if the file has more bytes.
func previewOf(b []byte, cut bool) (lines []string, more bool, picture image.Image) {
	if !cut {
		if p, ok := decodePicture(b); ok {
			return nil, false, p
		}
	}
	if len(b) > maxText {
		b, cut = b[:maxText], true
	}
	if cut { // between two characters
		for i := 1; i <= utf8.UTFMax && i <= len(b); i++ {
			if r := b[len(b)-i]; utf8.RuneStart(r) {
				if !utf8.FullRune(b[len(b)-i:]) {
					b = b[:len(b)-i]
				}
				break
			}
		}
	}
	if !utf8.Valid(b) || std.IndexByte(b, 0) >= 0 {
		return nil, false, nil
	}
	lines = strings.SplitAfter(strings.TrimPrefix(string(b), "\ufeff"), "\n")
	if n := len(lines); n > 1 && lines[n-1] == "" {
		lines = lines[:n-1]
	}
	if len(lines) > maxLines {
		lines, cut = lines[:maxLines], true
	}
	for i, l := range lines {
		l = strings.ReplaceAll(strings.TrimRight(l, "\r\n"), "\t", "    ")
		lines[i] = ink(l, maxLine)
	}
	return lines, cut, nil
}

// decodePicture reads a picture and makes it small enough to be shown.
func decodePicture(b []byte) (image.Image, bool) {
	c, _, err := image.DecodeConfig(std.NewReader(b))
	if err != nil || c.Width <= 0 || c.Height <= 0 || int64(c.Width)*int64(c.Height) > maxPixels {
		return nil, false
	}
	p, _, err := image.Decode(std.NewReader(b))
	if err != nil {
		return nil, false
	}
	return shrink(p, previewWidth, previewHeight), true
}

// shrink makes a picture fit: each new pixel is the mean of those it covers.
func shrink(p image.Image, width, height int) image.Image {
	b := p.Bounds()
	if b.Dx() <= width && b.Dy() <= height {
		return p
	}
	w, h := width, max(1, b.Dy()*width/b.Dx())
	if h > height {
		w, h = max(1, b.Dx()*height/b.Dy()), height
	}
	out := image.NewNRGBA64(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			out.Set(x, y, mean(p, image.Rect(
				b.Min.X+x*b.Dx()/w, b.Min.Y+y*b.Dy()/h,
				b.Min.X+(x+1)*b.Dx()/w, b.Min.Y+(y+1)*b.Dy()/h,
			)))
		}
	}
	return out
}

// mean is the colour of an area, by at most 16 of its points.
func mean(p image.Image, area image.Rectangle) color.Color {
	const side = 4
	var r, g, b, a, n uint32
	stepX, stepY := max(1, area.Dx()/side), max(1, area.Dy()/side)
	for y := area.Min.Y; y < max(area.Max.Y, area.Min.Y+1); y += stepY {
		for x := area.Min.X; x < max(area.Max.X, area.Min.X+1); x += stepX {
			pr, pg, pb, pa := p.At(x, y).RGBA()
			r, g, b, a, n = r+pr, g+pg, b+pb, a+pa, n+1
		}
	}
	return color.RGBA64{uint16(r / n), uint16(g / n), uint16(b / n), uint16(a / n)}
}
