package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A list shows any number of lines, and makes only those in sight. One of them
// is chosen: by a click, or by the arrow keys. Other keys are the window's.
type list struct {
	widget.List
	w    *Window
	ring *canvas.Rectangle // around it while it has the focus
	box  *fyne.Container
	at   int // the chosen line, -1: none

	chosen  func(i int) // called when at has changed; may be nil
	entered func(i int) // Enter on the chosen line; may be nil
}

// A listRow is one line: what, more about it, and something short at the right.
type listRow struct {
	widget.BaseWidget
	icon                *widget.Icon
	name, detail, right *widget.Label
	content             *fyne.Container
}

func newList(w *Window, length func() int, draw func(i int, r *listRow)) *list {
	l := &list{w: w, at: -1}
	l.Length = length
	l.CreateItem = func() fyne.CanvasObject { return newListRow() }
	l.UpdateItem = func(i int, o fyne.CanvasObject) { draw(i, o.(*listRow)) }
	l.OnSelected = l.picked
	l.ExtendBaseWidget(l)
	l.ring = canvas.NewRectangle(color.Transparent)
	l.ring.StrokeWidth, l.ring.CornerRadius = 2, 6
	l.ring.Hide()
	l.box = container.NewStack(l, l.ring)
	return l
}

func newListRow() *listRow {
	r := &listRow{icon: widget.NewIcon(nil), name: line(""), detail: mutedLine(""), right: widget.NewLabel("")}
	r.right.Importance = widget.LowImportance
	icon := container.NewCenter(stretch(r.icon, 22, 22))
	r.content = container.New(inset{8, 0}, container.NewBorder(nil, nil, icon, container.NewCenter(r.right), column(r.name, r.detail)))
	r.ExtendBaseWidget(r)
	return r
}

// CreateRenderer implements fyne.Widget.
func (r *listRow) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(r.content) }

// draw fills a line.
func (r *listRow) draw(icon, name, detail, right string) {
	setIcon(r.icon, icon)
	setText(r.name, name)
	setText(r.detail, detail)
	before := r.right.MinSize().Width
	setText(r.right, right)
	if r.right.MinSize().Width != before {
		settle(r.content)
	}
}

func (l *list) picked(i int) {
	l.at = i
	if l.chosen != nil {
		l.chosen(i)
	}
}

// choose chooses a line, or none.
func (l *list) choose(i int) {
	if i < 0 || i >= l.Length() {
		l.at = -1
		l.UnselectAll()
		return
	}
	l.Select(i)
}

// changed draws what the list shows anew, without scrolling; keep is where the
// chosen line is now, -1 if it is gone.
func (l *list) changed(keep int) {
	offset := l.GetScrollOffset()
	l.at = -1
	l.UnselectAll()
	l.choose(keep)
	l.Refresh()
	l.ScrollToOffset(offset)
}

// FocusGained implements fyne.Focusable.
func (l *list) FocusGained() {
	l.ring.StrokeColor = theme.Color(theme.ColorNamePrimary)
	l.ring.Show()
	if l.at < 0 {
		l.choose(0)
	}
}

// FocusLost implements fyne.Focusable.
func (l *list) FocusLost() { l.ring.Hide() }

// pageLines is how far PageUp and PageDown go.
const pageLines = 10

// TypedKey implements fyne.Focusable.
func (l *list) TypedKey(e *fyne.KeyEvent) {
	to, last := l.at, l.Length()-1
	switch e.Name {
	case fyne.KeyUp:
		to--
	case fyne.KeyDown:
		to++
	case fyne.KeyPageUp:
		to -= pageLines
	case fyne.KeyPageDown:
		to += pageLines
	case fyne.KeyHome:
		to = 0
	case fyne.KeyEnd:
		to = last
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		if l.at >= 0 && l.entered != nil {
			l.entered(l.at)
		}
		return
	default:
		l.w.key(e)
		return
	}
	if last >= 0 {
		l.choose(min(max(0, to), last))
	}
}

// sift puts those of all that pass into shown, whose room it uses again, and
// tells where the one that was chosen there is now: -1, it is not.
func sift[T comparable](shown []T, chosen int, all []T, pass func(T) bool) (kept []T, at int) {
	var it T
	if chosen >= 0 && chosen < len(shown) {
		it = shown[chosen]
	}
	kept, at = shown[:0], -1
	for _, v := range all {
		if !pass(v) {
			continue
		}
		if v == it {
			at = len(kept)
		}
		kept = append(kept, v)
	}
	return kept, at
}
