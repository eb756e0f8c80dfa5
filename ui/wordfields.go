package ui

import (
	"fmt"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// wordFields are six fields for the words of an invitation. Tab and space
// complete a word and go on, Backspace in an empty field goes back, and one
// paste fills them all.
type wordFields struct {
	w      *Window
	box    *fyne.Container
	fields [wordCount]*entry
	marks  [wordCount]*widget.Label
	busy   bool // the fields are being filled by us

	changed func() // something was typed; may be nil
}

// maxFound is how many words a field shows below itself.
const maxFound = 3

func newWordFields(w *Window) *wordFields {
	f := &wordFields{w: w, box: container.NewGridWithColumns(3)}
	for i := range f.fields {
		e := newEntry(w, "")
		e.OnChanged = func(text string) { f.typed(i, text) }
		e.keyed = func(k *fyne.KeyEvent) bool { return f.key(i, k) }
		e.left = func() { f.finish(i) }
		e.pastes = func(text string) bool { return f.paste(i, text) }
		mark := mutedLine("")
		mark.SizeName = theme.SizeNameCaptionText
		f.fields[i], f.marks[i] = e, mark
		number := mutedLine(fmt.Sprintf("%d", i+1))
		f.box.Add(container.NewBorder(nil, nil, stretch(number, 24, 0), nil, column(e, mark)))
	}
	return f
}

// words returns what was typed, and whether all of it is words of the list.
func (f *wordFields) words() (string, bool) {
	list := make([]string, wordCount)
	for i, e := range f.fields {
		if list[i] = allWords().fit(e.Text); list[i] == "" {
			return "", false
		}
	}
	return strings.Join(list, " "), true
}

// finishAll completes each field that has the beginning of one word only.
func (f *wordFields) finishAll() {
	for i := range f.fields {
		f.finish(i)
	}
}

// focus goes to the first field that has no word yet, else to the last.
func (f *wordFields) focus() {
	for i, e := range f.fields {
		if i == wordCount-1 || !allWords().has(e.Text) {
			f.w.win.Canvas().Focus(e)
			return
		}
	}
}

// typed is told of each change of a field by its user. What is no letter ends
// the word: so a space goes on, and several words go to several fields.
func (f *wordFields) typed(i int, text string) {
	if f.busy {
		return
	}
	list := tokens(text)
	switch {
	case len(list) > 1, len(list) == 1 && len(allWords().split(letters(list[0]))) > 1:
		f.paste(i, text)
	case len(list) == 0:
		f.set(i, "")
	case strings.HasSuffix(strings.ToLower(text), list[0]):
		f.set(i, list[0])
	default: // it has ended, right or wrong: who types fast does not look
		f.set(i, list[0])
		f.finish(i)
		f.next(i)
	}
	f.mark(i)
	f.tell()
}

// paste fills the fields with the words of a text: all of them if it has six,
// else from the given one on. It is false if the text has no words.
func (f *wordFields) paste(i int, text string) bool {
	list := allWords().read(text)
	if len(list) == wordCount {
		i = 0
	}
	if len(list) == 0 {
		return false
	}
	for j, word := range list[:min(len(list), wordCount-i)] {
		f.set(i+j, word)
		f.mark(i + j)
	}
	f.focus()
	f.tell()
	return true
}

// key is a key pressed in a field.
func (f *wordFields) key(i int, k *fyne.KeyEvent) bool {
	switch k.Name {
	case fyne.KeyBackspace:
		if f.fields[i].Text == "" && i > 0 {
			f.w.win.Canvas().Focus(f.fields[i-1])
			return true
		}
	case fyne.KeyReturn, fyne.KeyEnter:
		f.finish(i)
		if _, ok := f.words(); !ok {
			f.focus()
			return true
		}
	}
	return false
}

// next goes to the field after this one.
func (f *wordFields) next(i int) {
	if i+1 < wordCount {
		f.w.win.Canvas().Focus(f.fields[i+1])
	}
}

// finish completes a field if one word only begins so.
func (f *wordFields) finish(i int) {
	e := f.fields[i]
	if fits := allWords().fit(e.Text); fits != "" && fits != e.Text {
		f.set(i, fits)
	}
	f.mark(i)
	f.tell()
}

func (f *wordFields) set(i int, text string) {
	f.busy = true
	defer func() { f.busy = false }()
	e := f.fields[i]
	if e.Text != text {
		e.SetText(text)
	}
	e.CursorColumn = len(text)
	e.Refresh()
}

// mark says below a field what it may become, or that it is no word.
func (f *wordFields) mark(i int) {
	word := f.fields[i].Text
	text, matters := "", false
	switch found := allWords().complete(word, maxFound+1); {
	case word == "" || allWords().has(word):
	case len(found) > maxFound:
		text = strings.Join(found[:maxFound], " ") + " …"
	case len(found) > 0:
		text = strings.Join(found, " ")
	default:
		text, matters = tr("not in the list"), true
		if near := allWords().near(word); near != "" {
			text = tr("is it {{.Word}}?", "Word", near)
		}
	}
	setText(f.marks[i], text)
	if matters {
		setImportance(f.marks[i], widget.WarningImportance)
	} else {
		setImportance(f.marks[i], widget.LowImportance)
	}
}

func (f *wordFields) tell() {
	if f.changed != nil {
		f.changed()
	}
}
