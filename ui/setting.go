package ui

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// A setting is one setting on the screen: its title at the left, what changes it
// at the right, and below that what became of the last change. A change is
// saved at once; there is no button for it.
type setting struct {
	w      *Window
	key    string
	box    *fyne.Container
	status *widget.Label
	set    func(value string) // shows a value

	saved string // what the program has
}

// titleWidth is that of the column of titles.
const titleWidth = 184

func newSetting(w *Window, key, title, help string, input fyne.CanvasObject, set func(string)) *setting {
	f := &setting{w: w, key: key, status: para(""), set: set}
	f.status.Hide()
	right := column(input, f.status)
	if help != "" {
		right = column(input, muted(help), f.status)
	}
	f.box = container.New(&titled{}, para(title), right)
	f.box.Hide()
	return f
}

// show shows what the program has.
func (f *setting) show(value string) {
	f.saved = value
	f.set(value)
	show(f.box, true)
}

// save gives a new value to the program. What it refuses stays as it was typed,
// and the reason stands below.
func (f *setting) save(value string) {
	if value == f.saved {
		return
	}
	f.w.do(func(ctx context.Context) error { return f.w.svc.SetConfig(ctx, f.key, value) }, func(err error) {
		if err != nil {
			f.say(errorText(err), widget.DangerImportance)
			return
		}
		f.saved = value
		f.say(tr("✓ Saved"), widget.SuccessImportance)
		if f.w.opts.Changed != nil {
			f.w.opts.Changed(f.key, value)
		}
	})
}

func (f *setting) say(text string, i widget.Importance) {
	setText(f.status, text)
	setImportance(f.status, i)
	show(f.status, true)
}

// textField is typed. It is saved when Enter is pressed or the focus goes.
func textField(w *Window, key, title, hint, help string) *setting {
	e := newEntry(w, hint)
	return typed(w, key, title, help, e, e, "")
}

// numberField is textField for a number of something. A value of none is shown
// as nothing typed.
func numberField(w *Window, key, title, hint, unit, help, none string) *setting {
	e := newEntry(w, hint)
	input := container.NewBorder(nil, nil, nil, &widget.Label{Text: unit}, e)
	return typed(w, key, title, help, e, input, none)
}

func typed(w *Window, key, title, help string, e *entry, input fyne.CanvasObject, none string) *setting {
	f := newSetting(w, key, title, help, input, func(v string) {
		if v == none {
			v = ""
		}
		e.SetText(v)
	})
	e.left = func() {
		if v := strings.TrimSpace(e.Text); v != "" {
			f.save(v)
			return
		}
		f.save(none)
	}
	e.keyed = func(k *fyne.KeyEvent) bool {
		enter := k.Name == fyne.KeyReturn || k.Name == fyne.KeyEnter
		if enter {
			e.left()
		}
		return enter
	}
	return f
}

// switchField is on or off.
func switchField(w *Window, key, title, text, help string) *setting {
	var f *setting
	c := newCheck(w, text, func(on bool) {
		if on {
			f.save("on")
			return
		}
		f.save("off")
	})
	f = newSetting(w, key, title, help, c, func(v string) { c.SetChecked(v == "on") })
	return f
}

// An option is a value and what people call it.
type option struct{ value, text string }

// choiceField is one of few, all visible.
func choiceField(w *Window, key, title, help string, options ...option) *setting {
	var f *setting
	texts := make([]string, len(options))
	for i, o := range options {
		texts[i] = o.text
	}
	c := newChoice(texts, func(chosen string) {
		for _, o := range options {
			if o.text == chosen {
				f.save(o.value)
			}
		}
	})
	c.Horizontal = true
	f = newSetting(w, key, title, help, c, func(v string) {
		for _, o := range options {
			if o.value == v {
				c.SetSelected(o.text)
			}
		}
	})
	return f
}
