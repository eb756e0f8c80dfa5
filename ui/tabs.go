package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A tabBar lets one of several parts of a screen be chosen. The chosen one is
// underlined. Left and right move in it.
type tabBar struct {
	box    *fyne.Container
	tabs   []*tab
	chosen func(key string)
	at     int
}

type tab struct {
	key    string
	button *button
	line   *tint
}

func newTabBar(chosen func(key string)) *tabBar {
	return &tabBar{box: container.New(&flow{gap: 4}), chosen: chosen, at: -1}
}

// add appends a tab.
func (b *tabBar) add(w *Window, key, text string) {
	i := len(b.tabs)
	t := &tab{key: key, line: newFill(theme.ColorNamePrimary, 1)}
	t.button = newButton(w, text, func() { b.choose(i) })
	t.button.Importance = widget.LowImportance
	t.button.keyed = func(e *fyne.KeyEvent) bool { return b.move(w, i, e.Name) }
	t.line.Hide()
	b.tabs = append(b.tabs, t)
	b.box.Add(container.NewBorder(nil, stretch(t.line, 0, 3), nil, nil, t.button))
}

func (b *tabBar) move(w *Window, from int, k fyne.KeyName) bool {
	to := from
	switch k {
	case fyne.KeyLeft:
		to--
	case fyne.KeyRight:
		to++
	default:
		return false
	}
	if to >= 0 && to < len(b.tabs) {
		b.choose(to)
		w.win.Canvas().Focus(b.tabs[to].button)
	}
	return true
}

func (b *tabBar) choose(i int) {
	if i == b.at {
		return
	}
	b.at = i
	for j, t := range b.tabs {
		show(t.line, j == i)
	}
	b.chosen(b.tabs[i].key)
}

// open chooses a tab by its key; the first if there is none such.
func (b *tabBar) open(key string) {
	for i, t := range b.tabs {
		if t.key == key {
			b.choose(i)
			return
		}
	}
	b.choose(0)
}

// setText changes what a tab is called.
func (b *tabBar) setText(key, text string) {
	for _, t := range b.tabs {
		if t.key == key && t.button.Text != text {
			t.button.SetText(text)
			b.box.Refresh()
		}
	}
}
