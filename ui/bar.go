package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A bar shows how much of something is done. It says nothing: the words stand
// beside it.
type bar struct {
	widget.BaseWidget
	done float64 // 0 to 1
}

const barHeight = 6

func newBar() *bar {
	b := &bar{}
	b.ExtendBaseWidget(b)
	return b
}

// set shows a share of 0 to 1. Changes of less than a pixel's worth cost
// nothing.
func (b *bar) set(done float64) {
	done = float64(int(min(1, max(0, done))*1000)) / 1000
	if done != b.done {
		b.done = done
		b.Refresh()
	}
}

// CreateRenderer implements fyne.Widget.
func (b *bar) CreateRenderer() fyne.WidgetRenderer {
	r := &barRenderer{b: b, rail: rectangle(), fill: rectangle()}
	r.rail.CornerRadius, r.fill.CornerRadius = barHeight/2, barHeight/2
	r.Refresh()
	return r
}

type barRenderer struct {
	b          *bar
	rail, fill *canvas.Rectangle
}

func (r *barRenderer) Layout(s fyne.Size) {
	r.rail.Resize(s)
	width := s.Width * float32(r.b.done)
	if width > 0 {
		width = max(width, barHeight) // its ends are round
	}
	r.fill.Resize(fyne.NewSize(width, s.Height))
}

func (r *barRenderer) MinSize() fyne.Size { return fyne.NewSize(40, barHeight) }

func (r *barRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.rail, r.fill} }

func (r *barRenderer) Destroy() {}

func (r *barRenderer) Refresh() {
	r.rail.FillColor = theme.ColorForWidget(theme.ColorNameSeparator, r.b)
	r.fill.FillColor = theme.ColorForWidget(theme.ColorNamePrimary, r.b)
	r.Layout(r.b.Size())
	r.rail.Refresh()
	r.fill.Refresh()
}
