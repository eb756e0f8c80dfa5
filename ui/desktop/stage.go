//go:build !nogui

package desktop

import (
	"context"
	"os"
	"sync"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"

	"foldpost/app"
	"foldpost/assets"
	"foldpost/ui"
)

// A Stage has windows of several programs, to be looked at side by side. There
// is no tray and there are no notifications.
type Stage struct {
	app   fyne.App
	tasks sync.WaitGroup
}

// stageSize is that of a window of which two shall be in sight.
var stageSize = fyne.NewSize(780, 600)

// RunStage calls play, which opens windows, and ends when it or ctx ends or a
// window is closed. It must be called on the main goroutine, once in a process.
func RunStage(ctx context.Context, play func(ctx context.Context, s *Stage) error) error {
	if err := CheckDisplay(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &Stage{app: fyneapp.NewWithID(name)}
	s.app.SetIcon(fyne.NewStaticResource(name+".png", assets.Icon(256)))
	s.app.Settings().SetTheme(ui.Theme{Variant: "system"})
	if err := ui.SetLanguage("system"); err != nil {
		cancel()
		return err
	}
	var err error
	played, ended := make(chan struct{}), make(chan struct{})
	go func() {
		err = play(ctx, s)
		close(played)
	}()
	go quitAfter(played, ended, s.app)
	s.app.Run()
	close(ended)
	cancel()
	<-played
	waitFor(&s.tasks)
	return err
}

// Open shows a window on a user's program until ctx is done, and returns what
// puts a line on top of it.
func (s *Stage) Open(ctx context.Context, user string, svc app.Service) (hint func(text string)) {
	home, _ := os.UserHomeDir()
	opened := make(chan *ui.Window, 1)
	fyne.Do(func() {
		w := ui.New(s.app, svc, ui.Options{
			Title: title + ": " + user, Home: home, Close: s.app.Quit, Reset: s.app.Quit,
			OpenURL: s.app.OpenURL, OpenPath: openPath, PickFolder: pickFolder, PickFile: pickFile,
		})
		w.Fyne().Resize(stageSize)
		w.Show()
		opened <- w
	})
	select {
	case w := <-opened:
		s.tasks.Go(func() { w.Run(ctx) }) // ends with ctx: there is nothing to say about it
		return w.SetHint
	case <-ctx.Done():
		return func(string) {}
	}
}
