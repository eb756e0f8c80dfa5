package ui

import (
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// What sheets do beside the service: ask for a directory, open other programs,
// and wait.

// openURL opens a page in a browser, or a mail in a mail program.
func (w *Window) openURL(u *url.URL) error {
	if w.opts.OpenURL != nil {
		return w.opts.OpenURL(u)
	}
	return w.app.OpenURL(u)
}

// pickFolder lets the user choose a directory, or type one where the desktop
// has no dialog for that. Nothing happens if none was chosen.
func (w *Window) pickFolder(title string, then func(dir string)) {
	if w.opts.PickFolder != nil {
		w.opts.PickFolder(w.win, title, then)
		return
	}
	sh := w.open(title)
	path := newEntry(w, tr("path of a folder"))
	wrong := newTrouble()
	ok := newButton(w, tr("Choose"), func() {
		dir := w.typedPath(path.Text)
		if !isDir(dir) {
			wrong.say(tr("There is no folder {{.Path}}.", "Path", shownPath(path.Text)))
			return
		}
		sh.close()
		then(dir)
	})
	sh.page(container.NewVBox(path, wrong.box), newButton(w, tr("Cancel"), sh.close), ok)
}

// typedPath is a path as people type it, which may begin with "~".
func (w *Window) typedPath(text string) string {
	text = strings.TrimSpace(text)
	if rest, ok := strings.CutPrefix(text, "~"); ok && w.opts.Home != "" && (rest == "" || rest[0] == '/' || rest[0] == filepath.Separator) {
		text = w.opts.Home + rest
	}
	if text == "" {
		return ""
	}
	return filepath.Clean(text)
}

// tilde is a path as people read it.
func (w *Window) tilde(path string) string {
	if rest, ok := strings.CutPrefix(path, w.opts.Home); ok && w.opts.Home != "" && (rest == "" || rest[0] == filepath.Separator) {
		return "~" + rest
	}
	return path
}

// copyText puts text on the clipboard and says so on the button.
func (w *Window) copyText(b *button, text string) {
	w.app.Clipboard().SetContent(text)
	b.SetText(tr("Copied"))
}

// soon calls do once, when the user has stopped typing, unless it was stopped
// before.
func (w *Window) soon(do func()) (stop func()) { return w.later(typingPause, do) }

// later calls do once after a time, unless it was stopped before.
func (w *Window) later(d time.Duration, do func()) (stop func()) {
	if w.inline {
		do()
		return func() {}
	}
	stopped := false // of the UI goroutine
	cancel := make(chan struct{})
	ctx := w.ctx
	go func() {
		select {
		case <-ctx.Done():
		case <-cancel:
		case <-time.After(d):
			fyne.Do(func() {
				if !stopped {
					do()
				}
			})
		}
	}()
	return func() {
		if !stopped {
			stopped = true
			close(cancel)
		}
	}
}

// typingPause is how long one thinks between two keys at most.
const typingPause = 400 * time.Millisecond

// trouble is where a sheet says what is wrong. It is hidden while nothing is.
type trouble struct {
	box  *fyne.Container
	text *widget.Label
}

func newTrouble() *trouble {
	t := &trouble{text: para("")}
	t.box = notice(container.NewBorder(nil, nil, picture("warning"), nil, t.text))
	t.box.Hide()
	return t
}

// say shows a text; "" takes it away.
func (t *trouble) say(text string) {
	setText(t.text, text)
	show(t.box, text != "")
}
