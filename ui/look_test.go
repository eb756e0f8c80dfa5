package ui

import (
	"image/png"
	"io"
)

func pngEncode(out io.Writer, w *Window) error { return png.Encode(out, w.win.Canvas().Capture()) }
