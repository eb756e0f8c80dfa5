//go:build !nogui && uitest

package desktop

import (
	"context"
	"encoding/json"
	"net"
	"os"
	_ "unsafe" // for rendererOf

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
)

// A screen is what a person sees in the window, for a test that has no eyes:
// all texts, in pixels of the window, in the order in which they are drawn.
type screen struct {
	Texts   []seen
	Focused *seen // nil if nothing has the focus
}

// A seen is one text, or a widget that can have the focus.
type seen struct {
	Text       string
	X, Y, W, H int
	Disabled   bool
}

// watchVariable names the socket that beWatched listens at.
const watchVariable = "FOLDPOST_UITEST"

// beWatched tells everybody who connects what is on the screen.
func (d *desktop) beWatched(ctx context.Context) {
	path := os.Getenv(watchVariable)
	if path == "" {
		return
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		d.opts.Log.Error("watch", "err", err)
		return
	}
	defer context.AfterFunc(ctx, func() { l.Close() })()
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		looked := make(chan screen, 1)
		fyne.Do(func() { looked <- look(d.window.Fyne().Canvas()) })
		select {
		case s := <-looked:
			json.NewEncoder(conn).Encode(s)
		case <-ctx.Done():
		}
		conn.Close()
	}
}

//go:linkname rendererOf fyne.io/fyne/v2/internal/cache.Renderer
func rendererOf(w fyne.Widget) fyne.WidgetRenderer

// look walks over what is on top: the overlay, if there is one, hides the rest
// from clicks.
func look(c fyne.Canvas) screen {
	l := looker{scale: c.Scale(), focused: c.Focused()}
	room := area{0, 0, c.Size().Width, c.Size().Height}
	if top := c.Overlays().Top(); top != nil {
		l.walk(top, fyne.Position{}, room, false)
	} else {
		l.walk(c.Content(), fyne.Position{}, room, false)
	}
	return l.screen
}

// An area is what can be seen of an object: left, top, right, bottom.
type area struct{ x0, y0, x1, y1 float32 }

func (a area) cut(p fyne.Position, s fyne.Size) area {
	return area{max(a.x0, p.X), max(a.y0, p.Y), min(a.x1, p.X+s.Width), min(a.y1, p.Y+s.Height)}
}

type looker struct {
	scale   float32
	focused fyne.Focusable
	screen  screen
}

func (l *looker) walk(o fyne.CanvasObject, parent fyne.Position, clip area, disabled bool) {
	if o == nil || !o.Visible() {
		return
	}
	at := parent.Add(o.Position())
	if d, ok := o.(fyne.Disableable); ok && d.Disabled() {
		disabled = true
	}
	if f, ok := o.(fyne.Focusable); ok && f == l.focused {
		s, _ := l.see("", at, o.Size(), clip, disabled)
		l.screen.Focused = &s
	}
	switch o := o.(type) {
	case *canvas.Text:
		if s, ok := l.see(o.Text, at, o.Size(), clip, disabled); ok && o.Text != "" {
			l.screen.Texts = append(l.screen.Texts, s)
		}
	case *fyne.Container:
		for _, c := range o.Objects {
			l.walk(c, at, clip, disabled)
		}
	case fyne.Widget:
		if _, ok := o.(*container.Scroll); ok {
			clip = clip.cut(at, o.Size())
		}
		for _, c := range rendererOf(o).Objects() {
			l.walk(c, at, clip, disabled)
		}
	}
}

// see returns an object in pixels; ok is false if its middle is out of sight.
func (l *looker) see(text string, at fyne.Position, size fyne.Size, clip area, disabled bool) (s seen, ok bool) {
	x, y := at.X+size.Width/2, at.Y+size.Height/2
	px := func(v float32) int { return int(v * l.scale) }
	return seen{text, px(x), px(y), px(size.Width), px(size.Height), disabled}, x >= clip.x0 && x <= clip.x1 && y >= clip.y0 && y <= clip.y1
}
