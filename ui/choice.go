package ui

import (
	"image/color"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A choice is one of few, all visible: arrow keys and space choose. Fyne's own
// keeps Enter and Escape to itself.
type choice struct {
	widget.DisableableWidget
	Options    []string
	Selected   string
	OnChanged  func(string) // may be nil
	Horizontal bool         // in one line, for short texts

	box   *fyne.Container
	items []*choiceItem
}

func newChoice(options []string, changed func(string)) *choice {
	c := &choice{Options: options, OnChanged: changed, box: container.NewVBox()}
	c.ExtendBaseWidget(c)
	c.follow()
	return c
}

// CreateRenderer implements fyne.Widget.
func (c *choice) CreateRenderer() fyne.WidgetRenderer {
	c.follow()
	return widget.NewSimpleRenderer(c.box)
}

// Refresh follows the fields.
func (c *choice) Refresh() {
	c.follow()
	c.BaseWidget.Refresh()
}

// SetSelected chooses an option.
func (c *choice) SetSelected(text string) {
	if c.Selected == text || !slices.Contains(c.Options, text) {
		return
	}
	c.Selected = text
	c.Refresh()
	if c.OnChanged != nil {
		c.OnChanged(text)
	}
}

// follow makes the options that the fields tell.
func (c *choice) follow() {
	if len(c.items) != len(c.Options) {
		c.items, c.box.Objects = nil, nil
		for i := range c.Options {
			o := &choiceItem{c: c, at: i, text: para(""), icon: widget.NewIcon(nil), back: canvas.NewRectangle(color.Transparent)}
			o.ExtendBaseWidget(o)
			c.items = append(c.items, o)
			c.box.Add(o)
		}
	}
	c.box.Layout = layout.NewVBoxLayout()
	if c.Horizontal {
		c.box.Layout = layout.NewHBoxLayout()
	}
	for _, o := range c.items {
		o.text.Wrapping = fyne.TextWrapWord
		if c.Horizontal {
			o.text.Wrapping = fyne.TextWrapOff
		}
		o.follow()
	}
}

// A choiceItem is one of a choice's.
type choiceItem struct {
	widget.BaseWidget
	c    *choice
	at   int
	icon *widget.Icon
	text *widget.Label
	back *canvas.Rectangle

	focused, hovered bool
}

// CreateRenderer implements fyne.Widget.
func (o *choiceItem) CreateRenderer() fyne.WidgetRenderer {
	o.follow()
	icon := container.NewCenter(stretch(o.icon, 20, 20))
	return widget.NewSimpleRenderer(container.NewStack(o.back, container.NewBorder(nil, nil, icon, nil, o.text)))
}

// Refresh follows the choice.
func (o *choiceItem) Refresh() {
	o.follow()
	o.BaseWidget.Refresh()
}

func (o *choiceItem) selected() bool { return o.c.Options[o.at] == o.c.Selected }

func (o *choiceItem) follow() {
	setText(o.text, o.c.Options[o.at])
	icon := theme.Current().Icon(theme.IconNameRadioButton)
	if o.selected() {
		icon = theme.NewPrimaryThemedResource(theme.Current().Icon(theme.IconNameRadioButtonChecked))
	}
	importance := widget.MediumImportance
	if o.c.Disabled() {
		icon, importance = theme.NewDisabledResource(icon), widget.LowImportance
	}
	setImportance(o.text, importance)
	o.icon.SetResource(icon)
	o.back.CornerRadius = theme.Size(theme.SizeNameInputRadius)
	o.back.FillColor = color.Transparent
	switch {
	case o.c.Disabled():
	case o.focused:
		o.back.FillColor = theme.Color(theme.ColorNameFocus)
	case o.hovered:
		o.back.FillColor = theme.Color(theme.ColorNameHover)
	}
	o.back.Refresh()
}

// Tapped implements fyne.Tappable.
func (o *choiceItem) Tapped(*fyne.PointEvent) {
	if o.c.Disabled() {
		return
	}
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil {
		c.Focus(o)
	}
	o.c.SetSelected(o.c.Options[o.at])
}

// FocusGained implements fyne.Focusable.
func (o *choiceItem) FocusGained() { o.focused = true; o.Refresh() }

// FocusLost implements fyne.Focusable.
func (o *choiceItem) FocusLost() { o.focused = false; o.Refresh() }

// TypedRune implements fyne.Focusable.
func (o *choiceItem) TypedRune(r rune) {
	if r == ' ' && !o.c.Disabled() {
		o.c.SetSelected(o.c.Options[o.at])
	}
}

// TypedKey implements fyne.Focusable. What does not choose is the window's.
func (o *choiceItem) TypedKey(e *fyne.KeyEvent) {
	c := fyne.CurrentApp().Driver().CanvasForObject(o)
	if c == nil {
		return
	}
	to := o.at
	switch e.Name {
	case fyne.KeyDown, fyne.KeyRight:
		to++
	case fyne.KeyUp, fyne.KeyLeft:
		to--
	case fyne.KeySpace: // TypedRune follows
	default:
		if typed := c.OnTypedKey(); typed != nil {
			typed(e)
		}
	}
	if to != o.at && to >= 0 && to < len(o.c.items) && !o.c.Disabled() {
		c.Focus(o.c.items[to])
		o.c.SetSelected(o.c.Options[to])
	}
}

// MouseIn implements desktop.Hoverable.
func (o *choiceItem) MouseIn(*desktop.MouseEvent) { o.hovered = true; o.Refresh() }

// MouseMoved implements desktop.Hoverable.
func (*choiceItem) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements desktop.Hoverable.
func (o *choiceItem) MouseOut() { o.hovered = false; o.Refresh() }
