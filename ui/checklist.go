package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// A checklist shows how far something with a few steps has come, in words and
// pictures.
type checklist struct {
	box   *fyne.Container
	icons []*widget.Icon
	texts []*widget.Label
	names []string
}

func newChecklist(names ...string) *checklist {
	c := &checklist{box: container.NewVBox(), names: names}
	for _, name := range names {
		icon, text := widget.NewIcon(nil), line(name)
		c.icons, c.texts = append(c.icons, icon), append(c.texts, text)
		c.box.Add(container.NewBorder(nil, nil, container.NewCenter(stretch(icon, 22, 22)), nil, text))
	}
	return c
}

// at says that the steps before n are done, and n goes on.
func (c *checklist) at(n int) {
	for i, name := range c.names {
		switch {
		case i < n:
			c.icons[i].SetResource(glyph("check"))
			setText(c.texts[i], name)
		case i == n:
			c.icons[i].SetResource(nil)
			setText(c.texts[i], name+" …")
		default:
			c.icons[i].SetResource(nil)
			setText(c.texts[i], name)
		}
	}
}

// failed says that step n did not work.
func (c *checklist) failed(n int) {
	c.at(n)
	c.icons[n].SetResource(glyph("warning"))
	setText(c.texts[n], c.names[n])
}
