package ui

import (
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// What screens and sheets are made of. Foreign names go through shown first.

// heading is the title of a screen or sheet.
func heading(text string) *widget.Label {
	return &widget.Label{Text: text, SizeName: theme.SizeNameHeadingText, TextStyle: fyne.TextStyle{Bold: true}, Wrapping: fyne.TextWrapWord}
}

// subheading is the title of a part of it.
func subheading(text string) *widget.Label {
	return &widget.Label{Text: text, SizeName: theme.SizeNameSubHeadingText, TextStyle: fyne.TextStyle{Bold: true}, Wrapping: fyne.TextWrapWord}
}

// para is running text.
func para(text string) *widget.Label {
	return &widget.Label{Text: text, Wrapping: fyne.TextWrapWord}
}

// line is one line of text, cut where there is no room.
func line(text string) *widget.Label {
	return &widget.Label{Text: text, Truncation: fyne.TextTruncateEllipsis}
}

// strong is a line that matters.
func strong(text string) *widget.Label {
	return &widget.Label{Text: text, TextStyle: fyne.TextStyle{Bold: true}, Truncation: fyne.TextTruncateEllipsis}
}

// muted is running text that matters less.
func muted(text string) *widget.Label {
	return &widget.Label{Text: text, Importance: widget.LowImportance, Wrapping: fyne.TextWrapWord}
}

// mutedLine is a line that matters less.
func mutedLine(text string) *widget.Label {
	return &widget.Label{Text: text, Importance: widget.LowImportance, Truncation: fyne.TextTruncateEllipsis}
}

// selectable is text that its reader may want to copy: an id, a path, an
// address.
func selectable(text string) *widget.Label {
	return &widget.Label{Text: text, Selectable: true, Wrapping: fyne.TextWrapBreak}
}

// setText changes a label only if it has to: each change costs a drawing.
func setText(l *widget.Label, text string) {
	if l.Text != text {
		l.SetText(text)
	}
}

// setImportance changes a label's only if it has to.
func setImportance(l *widget.Label, i widget.Importance) {
	if l.Importance != i {
		l.Importance = i
		l.Refresh()
	}
}

// setBold makes a label bold or not, only if it has to.
func setBold(l *widget.Label, on bool) {
	if l.TextStyle.Bold != on {
		l.TextStyle.Bold = on
		l.Refresh()
	}
}

// show shows or hides an object, only if it has to.
func show(o fyne.CanvasObject, visible bool) {
	switch {
	case visible && !o.Visible():
		o.Show()
	case !visible && o.Visible():
		o.Hide()
	}
}

// setIcon changes a picture only if it has to.
func setIcon(i *widget.Icon, name string) {
	if i.Resource == nil || !strings.HasSuffix(i.Resource.Name(), "_"+name+".svg") {
		i.SetResource(glyph(name))
	}
}

// setEnabled enables or disables, only if it has to.
func setEnabled(o fyne.Disableable, on bool) {
	switch {
	case on && o.Disabled():
		o.Enable()
	case !on && !o.Disabled():
		o.Disable()
	}
}

// gap is empty room of a height.
func gap(h float32) fyne.CanvasObject {
	r := canvas.NewRectangle(color.Transparent)
	r.SetMinSize(fyne.NewSize(1, h))
	return r
}

// stretch gives its object at least a size.
func stretch(o fyne.CanvasObject, width, height float32) fyne.CanvasObject {
	r := canvas.NewRectangle(color.Transparent)
	r.SetMinSize(fyne.NewSize(width, height))
	return container.NewStack(r, o)
}

// card is a surface with something on it.
func card(o fyne.CanvasObject) *fyne.Container { return surface(colorCard, o) }

// notice is a surface that wants to be read: what waits for a person.
func notice(o fyne.CanvasObject) *fyne.Container { return surface(colorNotice, o) }

func surface(name fyne.ThemeColorName, o fyne.CanvasObject) *fyne.Container {
	return container.NewStack(newFill(name, 10), container.New(inset{14, 10}, o))
}

// picture is one of the window's icons beside text.
func picture(name string) fyne.CanvasObject {
	i := widget.NewIcon(glyph(name))
	return container.NewCenter(stretch(i, 22, 22))
}

// spread puts things at the left and the right end of a row.
func spread(left, right fyne.CanvasObject) *fyne.Container {
	return container.NewBorder(nil, nil, nil, container.NewCenter(right), left)
}

// column stacks things with no more room between them than text needs.
func column(objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(tight{}, objects...)
}

// spacer takes the room that is left.
func spacer() fyne.CanvasObject { return layout.NewSpacer() }

// inset is a layout that leaves room around its objects.
type inset struct{ x, y float32 }

// Layout implements fyne.Layout.
func (i inset) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.NewPos(i.x, i.y))
		o.Resize(size.SubtractWidthHeight(2*i.x, 2*i.y))
	}
}

// MinSize implements fyne.Layout.
func (i inset) MinSize(objects []fyne.CanvasObject) fyne.Size {
	m := fyne.Size{}
	for _, o := range objects {
		m = m.Max(o.MinSize())
	}
	return m.AddWidthHeight(2*i.x, 2*i.y)
}

// tight is a column whose lines of text stand as close as lines do: each label
// has padding of its own already.
type tight struct{}

const overlap = 8

// Layout implements fyne.Layout.
func (tight) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	y := float32(0)
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		h := o.MinSize().Height
		o.Move(fyne.NewPos(0, y))
		o.Resize(fyne.NewSize(size.Width, h))
		y += h - overlap
	}
}

// MinSize implements fyne.Layout.
func (tight) MinSize(objects []fyne.CanvasObject) fyne.Size {
	m := fyne.Size{}
	for _, o := range objects {
		if o.Visible() {
			s := o.MinSize()
			m.Width, m.Height = max(m.Width, s.Width), m.Height+s.Height-overlap
		}
	}
	return fyne.NewSize(m.Width, m.Height+overlap)
}

// A tint is a rectangle in a colour of the theme, which it follows.
type tint struct {
	widget.BaseWidget
	name   fyne.ThemeColorName
	radius float32
}

func newFill(name fyne.ThemeColorName, radius float32) *tint {
	f := &tint{name: name, radius: radius}
	f.ExtendBaseWidget(f)
	return f
}

// CreateRenderer implements fyne.Widget.
func (f *tint) CreateRenderer() fyne.WidgetRenderer {
	r := &fillRenderer{f: f, rect: canvas.NewRectangle(color.Transparent)}
	r.Refresh()
	return r
}

type fillRenderer struct {
	f    *tint
	rect *canvas.Rectangle
}

func (r *fillRenderer) Layout(s fyne.Size)           { r.rect.Resize(s) }
func (r *fillRenderer) MinSize() fyne.Size           { return fyne.Size{} }
func (r *fillRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.rect} }
func (r *fillRenderer) Destroy()                     {}

func (r *fillRenderer) Refresh() {
	r.rect.FillColor = theme.ColorForWidget(r.f.name, r.f)
	r.rect.CornerRadius = r.f.radius
	r.rect.Refresh()
}

// A row shows one of several values.
type row[V any] interface {
	object() fyne.CanvasObject
	draw(v V)
}

// rows show values that come and go, each by its key: what is there already
// is changed, not made anew, so that focus and typing survive.
type rows[K comparable, V any] struct {
	box  *fyne.Container
	key  func(V) K
	make func(V) row[V]
	have map[K]row[V]
	keys []K
}

func newRows[K comparable, V any](key func(V) K, make func(V) row[V]) *rows[K, V] {
	return &rows[K, V]{box: container.NewVBox(), key: key, make: make, have: map[K]row[V]{}}
}

// draw shows the values in their order.
func (r *rows[K, V]) draw(values []V) {
	have, keys := map[K]row[V]{}, []K{}
	same := len(values) == len(r.keys)
	for i, v := range values {
		k := r.key(v)
		o, ok := r.have[k]
		if !ok {
			o = r.make(v)
		}
		o.draw(v)
		same = same && ok && r.keys[i] == k
		have[k], keys = o, append(keys, k)
	}
	r.have, r.keys = have, keys
	if same {
		return
	}
	r.box.Objects = nil
	for _, k := range keys {
		r.box.Objects = append(r.box.Objects, have[k].object())
	}
	r.box.Refresh()
}

// setButton changes a button's text only if it has to.
func setButton(b *button, text string) {
	if b.Text != text {
		b.SetText(text)
	}
}
