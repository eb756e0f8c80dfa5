package ui

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"foldpost/app"
)

// minDraw is the shortest time between two drawings: four a second are enough
// for eyes, and each costs some milliseconds.
const minDraw = 250 * time.Millisecond

// A Window shows one running program.
type Window struct {
	svc  app.Service
	app  fyne.App
	win  fyne.Window
	opts Options
	ctx  context.Context // of what was begun in the window; it ends with Run

	inline bool        // calls of do end before it returns, for tests
	held   chan func() // likewise: what follows calls of hold

	state  app.State // drawn last
	days   int       // deleted and replaced files are kept so long
	shell  *shell
	place  place
	screen screen
	sheets []*sheet
	opened *sheet // by Open, the last time

	linking  *nearbyLink      // on top
	requests []app.QuestionID // of devices nearby, that were shown

	mu     sync.Mutex
	latest app.State     // seen last
	hidden bool          // nothing is drawn
	wake   chan struct{} // capacity 1: latest or hidden has changed
}

// New makes a window that is not shown yet. Run must follow.
func New(a fyne.App, svc app.Service, o Options) *Window {
	if o.Title == "" {
		o.Title = "Foldpost"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	w := &Window{svc: svc, app: a, win: a.NewWindow(o.Title), opts: o, ctx: context.Background(), hidden: true, wake: make(chan struct{}, 1)}
	w.win.Resize(fyne.NewSize(980, 680))
	w.win.SetOnDropped(func(_ fyne.Position, dropped []fyne.URI) { w.dropped(dropped) })
	w.shell = newShell(w)
	w.win.SetContent(w.shell.object)
	w.win.SetPadded(false)
	w.win.SetCloseIntercept(w.shut)
	w.keys()
	return w
}

// Fyne is the window as Fyne knows it.
func (w *Window) Fyne() fyne.Window { return w.win }

// Run draws each state of the program until ctx is done or the program has
// ended; then it returns [ErrEnded]. It is called on a goroutine of its own.
func (w *Window) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	fyne.DoAndWait(func() { w.ctx = ctx })
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		defer cancel()
		for s := range w.svc.Watch(ctx) {
			w.mu.Lock()
			w.latest = s
			w.mu.Unlock()
			w.poke()
		}
	})
	for {
		older := false
		select {
		case <-ctx.Done():
			return ErrEnded
		case <-w.wake:
		case <-time.After(time.Minute):
			older = true
		}
		w.mu.Lock()
		s, hidden := w.latest, w.hidden
		w.mu.Unlock()
		if hidden || s.V == 0 {
			continue
		}
		fyne.DoAndWait(func() {
			w.draw(s)
			if older {
				w.redraw() // texts that tell how long ago something was
			}
		})
		select {
		case <-ctx.Done():
			return ErrEnded
		case <-time.After(minDraw):
		}
	}
}

// ErrEnded says that the program a window shows has ended, or its context.
var ErrEnded = errors.New("the program has ended")

func (w *Window) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Show brings the window to the front.
func (w *Window) Show() {
	w.setHidden(false)
	w.mu.Lock()
	s := w.latest // nothing was drawn while it was hidden
	w.mu.Unlock()
	if s.V != 0 {
		w.draw(s)
	}
	w.win.Show()
	w.win.RequestFocus()
}

// Hide takes the window from the screen. Nothing is drawn until Show.
func (w *Window) Hide() {
	w.setHidden(true)
	w.win.Hide()
}

// Hidden is true while the window is not on the screen.
func (w *Window) Hidden() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hidden
}

func (w *Window) setHidden(h bool) {
	w.mu.Lock()
	w.hidden = h
	w.mu.Unlock()
	w.poke()
}

// draw shows a state. Equal states cost nothing.
func (w *Window) draw(s app.State) {
	if reflect.DeepEqual(s, w.state) {
		return
	}
	first := w.state.V == 0
	w.state = s
	if first {
		w.loadDays()
	}
	if first && w.screen == nil {
		w.goTo(w.first(s))
		return
	}
	w.redraw()
}

// redraw draws the last state again: something beside it has changed.
func (w *Window) redraw() {
	w.shell.draw(w.state)
	if w.screen != nil {
		w.screen.draw(w.state)
	}
	for _, sh := range slices.Clone(w.sheets) {
		if sh.draw != nil && sh.isOpen() {
			sh.draw(w.state)
		}
	}
	w.showRequests(w.state)
	settle(w.win.Content())
}

// settle lays out again what is in containers: Fyne does not when an object in
// one was shown or hidden.
func settle(o fyne.CanvasObject) {
	switch o := o.(type) {
	case *fyne.Container:
		if !o.Visible() {
			return
		}
		if o.Layout != nil {
			o.Layout.Layout(o.Objects, o.Size())
		}
		for _, c := range o.Objects {
			settle(c)
		}
	case *container.Scroll:
		settle(o.Content)
	case *tile:
		settle(o.content)
	}
}

// Rebuild makes everything anew, in another language or look.
func (w *Window) Rebuild() {
	w.shell = newShell(w)
	w.win.SetContent(w.shell.object)
	w.goTo(w.place)
}

// do runs a call that may take time, and then, on the UI goroutine, what
// follows. Its errors are shown by then, or by fail if then is of no use:
//
//	w.do(func(ctx context.Context) error { return w.svc.Withdraw(ctx, id) }, w.fail)
func (w *Window) do(call func(ctx context.Context) error, then func(error)) {
	ctx := w.ctx
	if w.inline {
		then(call(ctx))
		return
	}
	go func() {
		err := call(ctx)
		if ctx.Err() != nil {
			return // the window is gone
		}
		fyne.Do(func() { then(err) })
	}()
}

// fail shows an error, if it is one, as a note that goes away by itself.
func (w *Window) fail(err error) {
	if err != nil {
		w.shell.notes.add(errorText(err), noteError)
	}
}

// say shows that something was done.
func (w *Window) say(text string) { w.shell.notes.add(text, noteDone) }

// now is the time that texts are made for.
func (w *Window) now() time.Time { return w.opts.Now() }

// errorText is an error for people: what happened and what to do.
func errorText(err error) string {
	return sentence(shownText(err.Error()))
}

// Open shows what a link, or the file at an absolute path, proposes. It never
// acts on it. What the user has begun stays below, but for what Open has shown
// before.
func (w *Window) Open(what string) {
	w.Show()
	if w.opened != nil {
		w.opened.close()
	}
	w.askAccept(what)
	w.opened = nil
	if n := len(w.sheets); n > 0 {
		w.opened = w.sheets[n-1]
	}
}

// dropped takes what was dropped on the window: a directory to be shared, or an
// invitation.
func (w *Window) dropped(items []fyne.URI) {
	if len(items) != 1 || items[0].Scheme() != "file" {
		w.say(tr("Drop one folder, or one invitation."))
		return
	}
	if len(w.sheets) > 0 {
		if take := w.sheets[len(w.sheets)-1].dropped; take != nil {
			take(items[0].Path())
			return
		}
	}
	if isDir(items[0].Path()) {
		w.askShare(items[0].Path())
		return
	}
	w.openFile(items[0].Path())
}

// page is content that scrolls where the window is too small for it.
func page(o fyne.CanvasObject) fyne.CanvasObject {
	return container.NewVScroll(container.New(inset{24, 20}, o))
}
