package ui

import "fyne.io/fyne/v2"

// Layouts that know their width before they ask for heights.

// pile stacks objects, each as high as it has to be at the width there is. The
// last one takes the room that is left.
type pile struct{ gap float32 }

// Layout implements fyne.Layout.
func (p pile) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	y := float32(0)
	last := lastVisible(objects)
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		h := heightAt(o, size.Width)
		if o == last {
			h = max(h, size.Height-y)
		}
		o.Move(fyne.NewPos(0, y))
		o.Resize(fyne.NewSize(size.Width, h))
		y += h + p.gap
	}
}

// MinSize implements fyne.Layout.
func (p pile) MinSize(objects []fyne.CanvasObject) fyne.Size {
	m := fyne.Size{}
	for _, o := range objects {
		if o.Visible() {
			s := o.MinSize()
			m = fyne.NewSize(max(m.Width, s.Width), m.Height+s.Height+p.gap)
		}
	}
	return m.SubtractWidthHeight(0, min(p.gap, m.Height))
}

// heightAt is the least height of an object of some width: text needs more
// lines where it is narrow.
func heightAt(o fyne.CanvasObject, width float32) float32 {
	if s := o.Size(); s.Width != width {
		o.Resize(fyne.NewSize(width, max(s.Height, o.MinSize().Height)))
	}
	return o.MinSize().Height
}

func lastVisible(objects []fyne.CanvasObject) fyne.CanvasObject {
	for i := len(objects) - 1; i >= 0; i-- {
		if objects[i].Visible() {
			return objects[i]
		}
	}
	return nil
}

// flow puts objects beside each other, and below where there is no room. Its
// height is that of the width it last had.
type flow struct {
	gap   float32
	width float32
}

// Layout implements fyne.Layout.
func (f *flow) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	f.width = size.Width
	f.place(objects, func(o fyne.CanvasObject, x, y float32) {
		o.Move(fyne.NewPos(x, y))
		o.Resize(o.MinSize())
	})
}

// MinSize implements fyne.Layout.
func (f *flow) MinSize(objects []fyne.CanvasObject) fyne.Size {
	widest := float32(0)
	bottom := f.place(objects, func(o fyne.CanvasObject, _, _ float32) { widest = max(widest, o.MinSize().Width) })
	return fyne.NewSize(widest, bottom)
}

func (f *flow) place(objects []fyne.CanvasObject, put func(o fyne.CanvasObject, x, y float32)) (bottom float32) {
	var x, y float32
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		s := o.MinSize()
		if x > 0 && f.width > 0 && x+s.Width > f.width {
			x, y = 0, bottom+f.gap
		}
		put(o, x, y)
		x, bottom = x+s.Width+f.gap, max(bottom, y+s.Height)
	}
	return bottom
}

// natural is the width at which all objects are beside each other.
func (f *flow) natural(objects []fyne.CanvasObject) float32 {
	x := -f.gap
	for _, o := range objects {
		if o.Visible() {
			x += o.MinSize().Width + f.gap
		}
	}
	return max(0, x)
}

// naturalWidth is the width that an object is best at.
func naturalWidth(o fyne.CanvasObject) float32 {
	if c, ok := o.(*fyne.Container); ok {
		if f, ok := c.Layout.(*flow); ok {
			return f.natural(c.Objects)
		}
	}
	return o.MinSize().Width
}

// sides puts objects beside each other, all as wide, where each gets at least
// a width; else below each other.
type sides struct {
	least float32
	gap   float32
	width float32
}

// Layout implements fyne.Layout.
func (l *sides) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	n := float32(len(objects))
	if l.beside(len(objects)) {
		w := (size.Width - (n-1)*l.gap) / n
		for i, o := range objects {
			o.Move(fyne.NewPos(float32(i)*(w+l.gap), 0))
			o.Resize(fyne.NewSize(w, max(size.Height, heightAt(o, w))))
		}
		return
	}
	y := float32(0)
	for _, o := range objects {
		h := heightAt(o, size.Width)
		o.Move(fyne.NewPos(0, y))
		o.Resize(fyne.NewSize(size.Width, h))
		y += h + l.gap
	}
}

func (l *sides) beside(n int) bool { return l.width >= float32(n)*(l.least+l.gap)-l.gap }

// MinSize implements fyne.Layout.
func (l *sides) MinSize(objects []fyne.CanvasObject) fyne.Size {
	m := fyne.Size{}
	for i, o := range objects {
		s := o.MinSize()
		m.Width = max(m.Width, s.Width)
		switch {
		case l.beside(len(objects)):
			m.Height = max(m.Height, s.Height)
		case i > 0:
			m.Height += l.gap + s.Height
		default:
			m.Height += s.Height
		}
	}
	return m
}

// titled puts a title at the left of what it is about, or above it where there
// is no room for both.
type titled struct{ width float32 }

// Layout implements fyne.Layout.
func (l *titled) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	title, o := objects[0], objects[1]
	title.Move(fyne.NewPos(0, 0))
	if l.beside(o) {
		title.Resize(fyne.NewSize(titleWidth, heightAt(title, titleWidth)))
		o.Move(fyne.NewPos(titleWidth, 0))
		o.Resize(fyne.NewSize(size.Width-titleWidth, max(size.Height, heightAt(o, size.Width-titleWidth))))
		return
	}
	h := heightAt(title, size.Width) - overlap
	title.Resize(fyne.NewSize(size.Width, h+overlap))
	o.Move(fyne.NewPos(0, h))
	o.Resize(fyne.NewSize(size.Width, heightAt(o, size.Width)))
}

func (l *titled) beside(o fyne.CanvasObject) bool {
	return l.width >= titleWidth+max(o.MinSize().Width, titleWidth)
}

// MinSize implements fyne.Layout.
func (l *titled) MinSize(objects []fyne.CanvasObject) fyne.Size {
	title, o := objects[0].MinSize(), objects[1].MinSize()
	if l.beside(objects[1]) {
		return fyne.NewSize(o.Width, max(title.Height, o.Height))
	}
	return fyne.NewSize(max(title.Width, o.Width), title.Height+o.Height-overlap)
}

// asideIfRoom puts its second object at the right of the first one, where that
// keeps a width; else below it.
type asideIfRoom struct {
	least float32
	width float32
}

// Layout implements fyne.Layout.
func (l *asideIfRoom) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	a, b := objects[0], objects[1]
	a.Move(fyne.NewPos(0, 0))
	if natural := naturalWidth(b); l.aside(natural) {
		w := size.Width - natural - asideGap
		a.Resize(fyne.NewSize(w, max(size.Height, heightAt(a, w))))
		b.Move(fyne.NewPos(size.Width-natural, 0))
		b.Resize(fyne.NewSize(natural, heightAt(b, natural)))
		return
	}
	h := heightAt(a, size.Width)
	a.Resize(fyne.NewSize(size.Width, h))
	b.Move(fyne.NewPos(0, h))
	b.Resize(fyne.NewSize(size.Width, heightAt(b, size.Width)))
}

const asideGap = 12

func (l *asideIfRoom) aside(other float32) bool { return l.width >= l.least+other+asideGap }

// MinSize implements fyne.Layout.
func (l *asideIfRoom) MinSize(objects []fyne.CanvasObject) fyne.Size {
	a, b := objects[0].MinSize(), objects[1].MinSize()
	if l.aside(naturalWidth(objects[1])) {
		return fyne.NewSize(a.Width, max(a.Height, b.Height))
	}
	return fyne.NewSize(max(a.Width, b.Width), a.Height+b.Height)
}

// listAndDetail puts a list at the left of what it lists, or above it where
// the window is narrow. A hidden list takes no room.
type listAndDetail struct {
	list, least float32 // widths
	width       float32
}

const (
	detailGap = 12
	listAbove = 150 // height of a list above its detail
)

// Layout implements fyne.Layout.
func (l *listAndDetail) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	a, b := objects[0], objects[1]
	x, y := float32(0), float32(0)
	switch {
	case !a.Visible():
	case l.beside():
		a.Resize(fyne.NewSize(l.list, size.Height))
		x = l.list + detailGap
	default:
		a.Resize(fyne.NewSize(size.Width, listAbove))
		y = listAbove + detailGap
	}
	a.Move(fyne.NewPos(0, 0))
	b.Move(fyne.NewPos(x, y))
	b.Resize(fyne.NewSize(size.Width-x, max(heightAt(b, size.Width-x), size.Height-y)))
}

func (l *listAndDetail) beside() bool { return l.width >= l.list+detailGap+l.least }

// MinSize implements fyne.Layout.
func (l *listAndDetail) MinSize(objects []fyne.CanvasObject) fyne.Size {
	m := objects[1].MinSize()
	if objects[0].Visible() && !l.beside() {
		m.Height += listAbove + detailGap
	}
	return m
}
