package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// A who asks for a person: an entry, what is known that fits, and what the
// typed text would mean.
type who struct {
	w       *Window
	box     *fyne.Container
	entry   *entry
	known   *fyne.Container
	meaning *widget.Label
	changed func() // may be nil
	fit     func()
}

func newWho(w *Window, sh *sheet) *who {
	p := &who{w: w, entry: newEntry(w, tr("name or e-mail address")), known: container.NewHBox(), meaning: muted(""), fit: sh.fit}
	p.known.Hide()
	p.meaning.Hide()
	p.entry.OnChanged = func(string) { p.typed() }
	p.box = container.NewVBox(p.entry, p.known, p.meaning)
	return p
}

func (p *who) recipient() recipient { return recipientOf(p.entry.Text, p.w.state) }

func (p *who) typed() {
	p.known.Objects = nil
	for _, name := range suggestions(p.entry.Text, p.w.state) {
		p.known.Add(newIconButton(p.w, shown(name), glyph("person"), func() { p.entry.SetText(name) }))
	}
	show(p.known, len(p.known.Objects) > 0)
	p.known.Refresh()
	text := ""
	switch r := p.recipient(); {
	case r.own:
		text = tr("That is you: this connects your other computer.")
	case len(r.devices) > 0:
		text = tr("Linked already: no invitation is needed.")
	}
	setText(p.meaning, text)
	show(p.meaning, text != "")
	if p.changed != nil {
		p.changed()
	}
	p.fit()
}
