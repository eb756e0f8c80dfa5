package ui

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// keys binds the keyboard: everything can be done without a mouse.
func (w *Window) keys() {
	c := w.win.Canvas()
	c.SetOnTypedKey(w.key)
	for _, b := range []struct {
		key fyne.KeyName
		do  func()
	}{
		{fyne.KeyN, func() { w.askShare("") }},
		{fyne.KeyO, func() { w.askShare("") }},
		{fyne.KeyI, func() { w.askAccept("") }},
		{fyne.KeyL, w.askInvite},
		{fyne.KeyF, w.find},
		{fyne.Key1, func() { w.goTo(place{kind: atHome}) }},
		{fyne.Key2, func() { w.goTo(place{kind: atSettings}) }},
		{fyne.Key3, func() { w.goTo(place{kind: atAbout}) }},
		{fyne.KeyW, w.shut},
		{fyne.KeyQ, w.app.Quit},
	} {
		c.AddShortcut(&desktop.CustomShortcut{KeyName: b.key, Modifier: fyne.KeyModifierShortcutDefault}, func(fyne.Shortcut) {
			if len(w.sheets) == 0 || b.key == fyne.KeyQ || b.key == fyne.KeyW {
				b.do()
			}
		})
	}
	c.AddShortcut(&fyne.ShortcutPaste{}, func(fyne.Shortcut) { w.paste() })
}

// shut is what closing the window does.
func (w *Window) shut() {
	if w.opts.Close != nil {
		w.opts.Close()
		return
	}
	w.win.Close()
}

// find lets the user type into the first entry of the screen: its filter.
func (w *Window) find() {
	if f := firstEntry(w.screen.object()); f != nil {
		w.win.Canvas().Focus(f)
	}
}

// paste takes text where no entry has the focus: an invitation, most likely.
func (w *Window) paste() {
	text := w.app.Clipboard().Content()
	if strings.TrimSpace(text) == "" {
		return
	}
	if n := len(w.sheets); n > 0 {
		if take := w.sheets[n-1].pasted; take != nil {
			take(text)
		}
		return
	}
	w.askAccept(text)
}

// key is a key that no widget wanted.
func (w *Window) key(e *fyne.KeyEvent) {
	n := len(w.sheets)
	if k, ok := w.screen.(keyed); ok && n == 0 && k.key(e) {
		return
	}
	switch e.Name {
	case fyne.KeyEscape:
		over := w.win.Canvas().Overlays()
		switch {
		case n == 0 || w.sheets[n-1].kept:
		case over.Top() != w.sheets[n-1].pop: // a dialog that the sheet has opened
			over.Remove(over.Top())
		default:
			w.sheets[n-1].close()
		}
	case fyne.KeyReturn, fyne.KeyEnter:
		if n > 0 {
			w.sheets[n-1].enter()
		}
	}
}

// keyed is a screen that takes keys which no widget wanted, while no sheet is
// open: true if it took one.
type keyed interface {
	key(e *fyne.KeyEvent) bool
}

// enter presses the primary button.
func (sh *sheet) enter() {
	if sh.primary != nil && !sh.primary.Disabled() && sh.primary.OnTapped != nil {
		sh.primary.OnTapped()
	}
}

// A button tells the window of keys that it does not want. Enter presses it.
type button struct {
	widget.Button
	w *Window

	// keyed is asked first: true if it took the key. May be nil.
	keyed func(e *fyne.KeyEvent) bool
}

func newButton(w *Window, text string, tapped func()) *button {
	b := &button{w: w}
	b.Text, b.OnTapped = text, tapped
	b.ExtendBaseWidget(b)
	return b
}

// newIconButton is a button with a picture beside its word.
func newIconButton(w *Window, text string, i fyne.Resource, tapped func()) *button {
	b := newButton(w, text, tapped)
	b.SetIcon(i)
	return b
}

// TypedKey implements fyne.Focusable.
func (b *button) TypedKey(e *fyne.KeyEvent) {
	if b.keyed != nil && b.keyed(e) {
		return
	}
	switch e.Name {
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		if !b.Disabled() && b.OnTapped != nil {
			b.OnTapped()
		}
	default:
		b.w.key(e)
	}
}

// An entry tells the window of Escape, and of Enter if it has one line.
type entry struct {
	widget.Entry
	w *Window

	// keyed is asked first: true if it took the key. May be nil.
	keyed func(e *fyne.KeyEvent) bool
	// pastes is asked first for what is pasted: true if it took it. May be nil.
	pastes func(text string) bool
	// left is called when the focus has gone. May be nil.
	left func()
}

func newEntry(w *Window, hint string) *entry {
	e := &entry{w: w}
	e.PlaceHolder = hint
	e.ExtendBaseWidget(e)
	return e
}

// newText is an entry of several lines.
func newText(w *Window, hint string, lines int) *entry {
	e := newEntry(w, hint)
	e.MultiLine, e.Wrapping = true, fyne.TextWrapWord
	e.SetMinRowsVisible(lines)
	return e
}

func newPassword(w *Window, hint string) *entry {
	e := newEntry(w, hint)
	e.Password = true
	return e
}

// TypedKey implements fyne.Focusable.
func (e *entry) TypedKey(k *fyne.KeyEvent) {
	if e.keyed != nil && e.keyed(k) {
		return
	}
	switch k.Name {
	case fyne.KeyEscape:
		e.w.key(k)
	case fyne.KeyReturn, fyne.KeyEnter:
		if e.MultiLine {
			e.Entry.TypedKey(k)
		} else {
			e.w.key(k)
		}
	default:
		e.Entry.TypedKey(k)
	}
}

// FocusLost implements fyne.Focusable.
func (e *entry) FocusLost() {
	e.Entry.FocusLost()
	if e.left != nil {
		e.left()
	}
}

// AcceptsTab implements fyne.Tabbable: Tab goes on, in every entry.
func (e *entry) AcceptsTab() bool { return false }

// TypedShortcut implements fyne.Shortcutable. What is not for editing text is
// the window's.
func (e *entry) TypedShortcut(s fyne.Shortcut) {
	if p, ok := s.(*fyne.ShortcutPaste); ok && e.pastes != nil {
		c := p.Clipboard
		if c == nil {
			c = e.w.app.Clipboard()
		}
		if e.pastes(c.Content()) {
			return
		}
	}
	if custom, ok := s.(*desktop.CustomShortcut); ok && custom.Modifier == fyne.KeyModifierShortcutDefault {
		if h, ok := e.w.win.Canvas().(interface{ TypedShortcut(fyne.Shortcut) }); ok {
			h.TypedShortcut(s)
			return
		}
	}
	e.Entry.TypedShortcut(s)
}

// A check tells the window of keys that it does not want.
type check struct {
	widget.Check
	w *Window
}

func newCheck(w *Window, text string, changed func(bool)) *check {
	c := &check{w: w}
	c.Text, c.OnChanged = text, changed
	c.ExtendBaseWidget(c)
	return c
}

// TypedKey implements fyne.Focusable.
func (c *check) TypedKey(e *fyne.KeyEvent) { c.w.key(e); c.Check.TypedKey(e) }

// focusFirst gives the focus to the first entry of a new page, else to
// nothing: then Enter presses the primary button.
func (w *Window) focusFirst(o fyne.CanvasObject) {
	if f := firstEntry(o); f != nil {
		w.win.Canvas().Focus(f)
		return
	}
	w.win.Canvas().Unfocus()
}

func firstEntry(o fyne.CanvasObject) fyne.Focusable {
	if !o.Visible() {
		return nil
	}
	switch o := o.(type) {
	case *entry:
		if !o.Disabled() {
			return o
		}
	case *container.Scroll:
		return firstEntry(o.Content)
	case *fyne.Container:
		for _, c := range o.Objects {
			if f := firstEntry(c); f != nil {
				return f
			}
		}
	}
	return nil
}
