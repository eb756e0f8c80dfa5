package ui

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// A load is what a screen asks the service for: once when it is first drawn,
// and again when what it was made of has changed.
type load[T any] struct {
	w     *Window
	fetch func(ctx context.Context) (T, error)
	took  func() // called on the UI goroutine after value or err has changed

	value T
	err   error
	done  bool // value or err is there
	busy  bool
	mark  any // that value was made of
	want  any
	last  time.Time
}

func newLoad[T any](w *Window, fetch func(ctx context.Context) (T, error), took func()) *load[T] {
	return &load[T]{w: w, fetch: fetch, took: took}
}

// minLoad is the shortest time between two loads: while many files arrive,
// each state is another.
const minLoad = time.Second

// draw loads again if mark is another than last time.
func (l *load[T]) draw(mark any) {
	l.want = mark
	l.start()
}

// again loads in any case.
func (l *load[T]) again() {
	l.done, l.last = false, time.Time{}
	l.start()
}

func (l *load[T]) start() {
	if l.busy || l.done && l.mark == l.want {
		return
	}
	l.busy, l.mark = true, l.want
	wait := minLoad - time.Since(l.last)
	if l.w.inline || l.last.IsZero() {
		wait = 0
	}
	var value T
	l.w.do(func(ctx context.Context) (err error) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		value, err = l.fetch(ctx)
		return err
	}, func(err error) {
		l.busy, l.done, l.err, l.last = false, true, err, time.Now()
		if err == nil {
			l.value = value
		}
		l.took()
		settle(l.w.win.Content())
		l.start()
	})
}

// A lack stands where a list is empty and says why: it is being loaded,
// nothing is there, or it could not be had.
type lack struct {
	box   *fyne.Container
	text  *widget.Label
	retry *button
}

func newLack(w *Window, retry func()) *lack {
	l := &lack{text: muted(""), retry: newButton(w, tr("Try again"), retry)}
	l.text.Alignment = fyne.TextAlignCenter
	l.box = container.NewVBox(spacer(), l.text, container.NewHBox(spacer(), l.retry, spacer()), spacer())
	return l
}

// draw says what is the matter; nothing of it shows if there are values.
func (l *lack) draw(done bool, err error, n int, empty string) {
	text := empty
	switch {
	case err != nil && done:
		text = tr("This could not be read just now.") + " " + errorText(err)
	case !done:
		text = tr("Looking…")
	}
	setText(l.text, text)
	show(l.retry, err != nil && done)
	show(l.box, n == 0 || err != nil && done)
}
