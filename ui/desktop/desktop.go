//go:build !nogui

package desktop

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"

	"foldpost/app"
	"foldpost/assets"
	"foldpost/ui"
)

// Options say what a window shows and how it is reached.
type Options struct {
	Service  app.Service
	Open     string // an invite link or a file's absolute path, as a Request's
	Hidden   bool   // begin in the tray
	Problem  error  // with what was to be opened
	Requests <-chan Request
	Log      *slog.Logger

	// Reach finds the program again after it has ended, or with start starts
	// it in this process.
	Reach func(ctx context.Context, start bool) (app.Service, error)
	// Why returns why the program has ended, if it ran in this process and
	// failed.
	Why func() error
}

// A Request is what a later start of the program asks of the window.
type Request struct {
	Open   string
	Hidden bool
}

// A desktop is the window and what stands beside it. Its fields belong to
// Fyne's goroutine but for those that say otherwise.
type desktop struct {
	opts     Options
	app      fyne.App
	window   *ui.Window
	tray     *tray     // nil where there is none
	notifier *notifier // of any goroutine
	ctx      context.Context
	tasks    *sync.WaitGroup

	focused atomic.Bool
	quiet   atomic.Bool // notices are switched off
}

// Run shows the program until its user quits or ctx is done, which is no
// error. It must be called on the main goroutine, once in a process.
func Run(ctx context.Context, o Options) error {
	if err := CheckDisplay(); err != nil {
		return err
	}
	var tasks sync.WaitGroup
	defer waitFor(&tasks)
	outer := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d := &desktop{opts: o, ctx: ctx, tasks: &tasks}
	settings := d.settings()
	setSize(settings[app.SettingSize])
	d.quiet.Store(settings[app.SettingNotify] == "off")

	d.app = fyneapp.NewWithID(name)
	d.app.SetIcon(fyne.NewStaticResource(name+".png", assets.Icon(256)))
	d.app.Settings().SetTheme(ui.Theme{Variant: settings[app.SettingTheme]})
	if err := ui.SetLanguage(settings[app.SettingLanguage]); err != nil {
		return err
	}
	d.app.Lifecycle().SetOnEnteredForeground(func() { d.focused.Store(true) })
	d.app.Lifecycle().SetOnExitedForeground(func() { d.focused.Store(false) })
	if err := register(); err != nil {
		o.Log.Info("opening invitations", "err", err)
	}
	d.notifier = newNotifier(d.app, o.Log)
	d.tray = newTray(ctx, d.app, func(a ui.TrayAction) { d.window.Do(a) })
	d.show(o.Service)

	tasks.Go(func() { d.notifier.Run(ctx, func(n ui.Notice) { fyne.Do(func() { d.window.OpenNotice(n) }) }) })
	tasks.Go(func() { d.serve(ctx) })
	tasks.Go(func() { d.beWatched(ctx) })
	if o.Open != "" || !o.Hidden {
		d.take(Request{Open: o.Open})
	}
	if o.Problem != nil {
		d.window.Tell(o.Problem)
	}
	ended := make(chan struct{})
	go quitAfter(outer.Done(), ended, d.app)
	d.app.Run()
	close(ended)
	return nil
}

// quitAfter ends a program of Fyne's when done is closed. Fyne ends by signals
// itself, and panics if it is told to end after that: it gets time for it.
func quitAfter(done, ended <-chan struct{}, a fyne.App) {
	select {
	case <-ended:
		return
	case <-done:
	}
	select {
	case <-ended:
	case <-time.After(time.Second):
		fyne.Do(a.Quit)
	}
}

// RunProblem shows why there is no window until its user has read it or ctx is
// done. As Run it must be called on the main goroutine, instead of Run.
func RunProblem(ctx context.Context, err error) {
	if CheckDisplay() != nil || ui.SetLanguage("system") != nil {
		return
	}
	a := fyneapp.NewWithID(name)
	a.SetIcon(fyne.NewStaticResource(name+".png", assets.Icon(256)))
	a.Settings().SetTheme(ui.Theme{Variant: "system"})
	ui.NewProblem(a, title, err).Show()
	ended := make(chan struct{})
	go quitAfter(ctx.Done(), ended, a)
	a.Run()
	close(ended)
}

// waitFor gives tasks time to end. Fyne forgets what was queued at its end, so
// one of them may wait for ever; the process ends next.
func waitFor(tasks *sync.WaitGroup) {
	ended := make(chan struct{})
	go func() { tasks.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(time.Second):
	}
}

// show makes the window of a service. A window of before is replaced.
func (d *desktop) show(s app.Service) {
	home, _ := os.UserHomeDir() // "" is not shown as "~"
	old := d.window
	w := ui.New(d.app, s, ui.Options{
		Title: title, Home: home, Person: fullName(), Close: d.shut, Changed: d.changed, Reset: d.forget,
		OpenURL: d.app.OpenURL, OpenPath: openPath, PickFolder: pickFolder, PickFile: pickFile,
	})
	d.window = w
	d.tasks.Go(func() {
		if err := w.Run(d.ctx); errors.Is(err, ui.ErrEnded) && d.ctx.Err() == nil {
			fyne.Do(func() { d.ended(w, d.opts.Why()) })
		}
	})
	d.tasks.Go(func() { d.watch(s) })
	if old != nil {
		old.Fyne().Close()
	}
}

// forget ends the program after everything was forgotten.
func (d *desktop) forget() {
	if err := unregister(); err != nil {
		d.opts.Log.Info("opening invitations", "err", err)
	}
	d.app.Quit()
}

// watch tells the tray and notifications of each state of a service. Texts are
// made on Fyne's goroutine: their language changes there.
func (d *desktop) watch(s app.Service) {
	var teller ui.Teller
	for state := range s.Watch(d.ctx) {
		fyne.DoAndWait(func() {
			if d.tray != nil {
				d.tray.set(&state)
			}
			for _, n := range teller.Tell(state) {
				if !d.quiet.Load() && !d.focused.Load() {
					d.notifier.show(n)
				}
			}
		})
	}
}

// ended says that the program has ended, and goes on with it when it is back.
func (d *desktop) ended(w *ui.Window, err error) {
	if d.window != w {
		return
	}
	if d.tray != nil {
		d.tray.set(nil)
	}
	back := func(s app.Service) {
		if d.window != w {
			return
		}
		visible := !w.Hidden()
		d.show(s)
		if visible {
			d.window.Show()
		}
	}
	w.ShowEnded(err, func() {
		d.tasks.Go(func() {
			s, err := d.opts.Reach(d.ctx, true)
			fyne.Do(func() {
				if err != nil {
					d.ended(w, err)
					return
				}
				back(s)
			})
		})
	})
	d.tasks.Go(func() {
		if s := d.awaitReturn(); s != nil {
			fyne.Do(func() { back(s) })
		}
	})
}

// awaitReturn looks every second whether the program is back: a service
// manager may have restarted it.
func (d *desktop) awaitReturn() app.Service {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-d.ctx.Done():
			return nil
		case <-tick.C:
		}
		if s, err := d.opts.Reach(d.ctx, false); err == nil {
			return s
		}
	}
}

// serve does what later starts of the program ask.
func (d *desktop) serve(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case r, ok := <-d.opts.Requests:
			if !ok {
				return
			}
			fyne.Do(func() { d.take(r) })
		}
	}
}

// take shows the window, and what a link or file proposes.
func (d *desktop) take(r Request) {
	if r.Open == "" {
		if !r.Hidden {
			d.window.Show()
		}
		return
	}
	d.window.Open(r.Open)
}

// shut hides the window where it can be had back from the tray, else it ends
// the program.
func (d *desktop) shut() {
	w := d.window
	d.tasks.Go(func() {
		if d.tray != nil && hasTray(d.ctx) {
			fyne.Do(w.Hide)
			return
		}
		fyne.Do(d.app.Quit)
	})
}

// settings are the program's, as far as it tells them.
func (d *desktop) settings() map[string]string {
	m := map[string]string{app.SettingTheme: "system", app.SettingLanguage: "system", app.SettingSize: "100", app.SettingNotify: "on"}
	all, err := d.opts.Service.Config(d.ctx)
	if err != nil {
		d.opts.Log.Info("settings are not known", "err", err)
	}
	for _, s := range all {
		m[s.Key] = s.Value
	}
	return m
}

// changed obeys a setting of the window at once.
func (d *desktop) changed(key, value string) {
	switch key {
	case app.SettingTheme:
		d.app.Settings().SetTheme(ui.Theme{Variant: value})
	case app.SettingSize:
		setSize(value)
		d.app.Settings().SetTheme(d.app.Settings().Theme()) // asks for the size again
	case app.SettingNotify:
		d.quiet.Store(value == "off")
	case app.SettingLanguage:
		if err := ui.SetLanguage(value); err != nil {
			d.window.Tell(err)
			return
		}
		d.window.Rebuild()
		if d.tray != nil {
			d.tray.poke()
		}
	}
}

// scaleVariable is where Fyne looks for the size of the interface, at each
// change of its settings.
const scaleVariable = "FYNE_SCALE"

// ownScale is a size that the user's environment gives.
var ownScale = os.Getenv(scaleVariable)

// setSize makes everything a percentage of its usual size.
func setSize(percent string) {
	n, err := strconv.Atoi(percent)
	if err != nil || n < 50 || n > 300 || ownScale != "" {
		return
	}
	os.Setenv(scaleVariable, strconv.FormatFloat(float64(n)/100, 'f', 2, 64)) // fails for no such name
}
