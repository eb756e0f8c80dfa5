package ui

import (
	"context"

	"fyne.io/fyne/v2"
)

// hold runs a call that goes on until stop, or until it ends by itself: then
// follows, on the UI goroutine.
func (w *Window) hold(call func(ctx context.Context) error, then func(error)) (stop func()) {
	ctx, cancel := context.WithCancel(w.ctx)
	go func() {
		err := call(ctx)
		if ctx.Err() != nil {
			return // nobody waits for it
		}
		follow := func() { then(err) }
		if w.inline {
			w.held <- follow // a test calls it when it wants
			return
		}
		fyne.Do(follow)
	}()
	return cancel
}
