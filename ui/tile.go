package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A tile is content that is pressed as a whole: with the mouse, or with Enter
// while it has the focus. Arrow keys go on to the next.
type tile struct {
	widget.BaseWidget
	w       *Window
	label   string // says in words what it opens
	content fyne.CanvasObject
	tapped  func()

	fill     fyne.ThemeColorName // of its surface; "" is none
	radius   float32
	selected bool // is where one is: marked by a bar at its left
	hovered  bool
	focused  bool
}

var (
	_ fyne.Focusable     = (*tile)(nil)
	_ fyne.Tappable      = (*tile)(nil)
	_ desktop.Hoverable  = (*tile)(nil)
	_ desktop.Cursorable = (*tile)(nil)
)

func newTile(w *Window, label string, content fyne.CanvasObject, tapped func()) *tile {
	t := &tile{w: w, label: label, content: content, tapped: tapped, radius: 8}
	t.ExtendBaseWidget(t)
	return t
}

// setSelected marks the tile as where one is.
func (t *tile) setSelected(on bool) {
	if t.selected != on {
		t.selected = on
		t.Refresh()
	}
}

// Tapped implements fyne.Tappable.
func (t *tile) Tapped(*fyne.PointEvent) { t.tapped() }

// Cursor implements desktop.Cursorable.
func (t *tile) Cursor() desktop.Cursor { return desktop.PointerCursor }

// MouseIn implements desktop.Hoverable.
func (t *tile) MouseIn(*desktop.MouseEvent) {
	t.hovered = true
	t.Refresh()
}

// MouseMoved implements desktop.Hoverable.
func (t *tile) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements desktop.Hoverable.
func (t *tile) MouseOut() {
	t.hovered = false
	t.Refresh()
}

// FocusGained implements fyne.Focusable.
func (t *tile) FocusGained() {
	t.focused = true
	t.Refresh()
}

// FocusLost implements fyne.Focusable.
func (t *tile) FocusLost() {
	t.focused = false
	t.Refresh()
}

// TypedRune implements fyne.Focusable.
func (t *tile) TypedRune(rune) {}

// TypedKey implements fyne.Focusable.
func (t *tile) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		t.tapped()
	case fyne.KeyDown, fyne.KeyRight:
		t.w.win.Canvas().FocusNext()
	case fyne.KeyUp, fyne.KeyLeft:
		t.w.win.Canvas().FocusPrevious()
	default:
		t.w.key(e)
	}
}

// CreateRenderer implements fyne.Widget.
func (t *tile) CreateRenderer() fyne.WidgetRenderer {
	r := &tileRenderer{t: t, back: rectangle(), over: rectangle(), ring: rectangle(), mark: rectangle()}
	r.ring.StrokeWidth = 2
	r.Refresh()
	return r
}

func rectangle() *canvas.Rectangle { return canvas.NewRectangle(color.Transparent) }

type tileRenderer struct {
	t                      *tile
	back, over, ring, mark *canvas.Rectangle
}

const markWidth = 4

func (r *tileRenderer) Layout(s fyne.Size) {
	for _, o := range []fyne.CanvasObject{r.back, r.over, r.t.content, r.ring} {
		o.Move(fyne.NewPos(0, 0))
		o.Resize(s)
	}
	r.mark.Move(fyne.NewPos(0, s.Height/4))
	r.mark.Resize(fyne.NewSize(markWidth, s.Height/2))
}

func (r *tileRenderer) MinSize() fyne.Size { return r.t.content.MinSize() }

func (r *tileRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.back, r.over, r.t.content, r.mark, r.ring}
}

func (r *tileRenderer) Destroy() {}

func (r *tileRenderer) Refresh() {
	t := r.t
	paint := func(name fyne.ThemeColorName, on bool) color.Color {
		if !on || name == "" {
			return color.Transparent
		}
		return theme.ColorForWidget(name, t)
	}
	r.back.FillColor = paint(t.fill, true)
	r.over.FillColor = paint(theme.ColorNameHover, t.hovered || t.selected)
	r.mark.FillColor = paint(theme.ColorNamePrimary, t.selected)
	r.ring.StrokeColor = paint(theme.ColorNamePrimary, t.focused)
	for _, o := range []*canvas.Rectangle{r.back, r.over, r.ring} {
		o.CornerRadius = t.radius
		o.Refresh()
	}
	r.mark.CornerRadius = markWidth / 2
	r.mark.Refresh()
}
