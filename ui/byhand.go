package ui

import (
	"context"
	"io"
	"net/url"
	"strings"
	"unicode"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// handWays are the ways in which a person can send a letter without the
// program: each is a button, and says what happened beside it.
type handWays struct {
	w     *Window
	box   *fyne.Container
	wrong *trouble
	file  string                                            // its name
	fetch func(ctx context.Context) (app.Invitation, error) // the letter
	have  *app.Invitation
}

func newHandWays(w *Window, file string, fetch func(ctx context.Context) (app.Invitation, error)) *handWays {
	h := &handWays{w: w, wrong: newTrouble(), file: file, fetch: fetch}
	h.box = container.NewVBox(
		h.way(tr("Open my mail program"), "envelope", tr("A new mail with everything in it opens. You only press Send there."), h.mail),
		h.way(tr("Copy the text"), "copy", tr("Paste it into a new mail, or into a mail page in the browser."), h.copy),
		h.way(tr("Save the file…"), "download", tr("Attach it to a mail, or hand it over in any other way."), h.save),
		h.wrong.box,
	)
	return h
}

// way is a button and what it does; done changes the text to what was done.
func (h *handWays) way(name, icon, what string, do func(inv app.Invitation, done func(string))) fyne.CanvasObject {
	text := para(what)
	var b *button
	b = newIconButton(h.w, name, glyph(icon), func() {
		h.wrong.say("")
		setEnabled(b, false)
		h.get(func(inv app.Invitation, err error) {
			setEnabled(b, true)
			if err != nil {
				h.wrong.say(errorText(err))
				return
			}
			do(inv, func(s string) { setText(text, s) })
		})
	})
	b.Alignment = widget.ButtonAlignLeading
	return container.NewBorder(nil, nil, container.NewCenter(stretch(b, 220, 0)), nil, text)
}

// get hands the letter over; it is made once.
func (h *handWays) get(then func(app.Invitation, error)) {
	if h.have != nil {
		then(*h.have, nil)
		return
	}
	var inv app.Invitation
	h.w.do(func(ctx context.Context) (err error) {
		inv, err = h.fetch(ctx)
		return err
	}, func(err error) {
		if err == nil {
			h.have = &inv
		}
		then(inv, err)
	})
}

func (h *handWays) mail(inv app.Invitation, done func(string)) {
	u, err := url.Parse(inv.Mailto)
	if err != nil || inv.Mailto == "" {
		h.wrong.say(tr("This mail is too long to be handed to a mail program. Copy the text instead."))
		return
	}
	if err := h.w.openURL(u); err != nil {
		h.wrong.say(tr("No mail program opened. Copy the text instead, or save the file."))
		return
	}
	done(tr("Your mail program was opened. Press Send there."))
}

func (h *handWays) copy(inv app.Invitation, done func(string)) {
	h.w.app.Clipboard().SetContent(inv.Text)
	done(tr("Copied. Paste it into a new mail."))
}

func (h *handWays) save(inv app.Invitation, done func(string)) {
	h.w.pickFolder(tr("Where shall the file be saved?"), func(dir string) {
		var path string
		h.w.do(func(context.Context) (err error) {
			path, err = saveNew(dir, h.file, func(out io.Writer) error { _, err := out.Write(inv.File); return err })
			return err
		}, func(err error) {
			if err != nil {
				h.wrong.say(tr("The file can not be written there. Choose another folder."))
				return
			}
			done(tr("Saved as {{.Path}}", "Path", shownPath(h.w.tilde(path))))
		})
	})
}

// fileName makes text good for a file's name on any system.
func fileName(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || strings.ContainsRune(`/\:*?"<>|`, r) {
			return -1
		}
		return r
	}, text)
	return strings.Trim(text, " .")
}
