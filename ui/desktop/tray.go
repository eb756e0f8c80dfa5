//go:build !nogui

package desktop

import (
	"context"
	"reflect"
	"time"

	"fyne.io/fyne/v2"
	fynedesktop "fyne.io/fyne/v2/driver/desktop"
	"fyne.io/systray"

	"foldpost/app"
	"foldpost/assets"
	"foldpost/ui"
)

// minRebuild is the shortest time between two changes of the menu: panels
// close a menu that changes while it is open.
const minRebuild = 2 * time.Second

// A tray is the program's icon and menu in a panel. Its fields belong to Fyne's
// goroutine but for wake.
type tray struct {
	app   fynedesktop.App
	do    func(ui.TrayAction)
	dark  bool       // the panel is
	state *app.State // nil: no program runs
	shown ui.Tray
	root  *fyne.Menu // one for ever: Fyne shows the one it was given first again once the bus answers

	wake chan struct{} // capacity 1: something has changed
}

// newTray makes the tray, or nil where the system has none. It ends with ctx.
func newTray(ctx context.Context, a fyne.App, do func(ui.TrayAction)) *tray {
	da, ok := a.(fynedesktop.App)
	if !ok || !mayHaveTray(ctx) {
		return nil
	}
	t := &tray{app: da, do: do, dark: darkPanel(), root: fyne.NewMenu(""), wake: make(chan struct{}, 1)}
	// Fyne's own way shows the window on the goroutine of the bus.
	systray.SetOnTapped(func() { fyne.Do(func() { do(ui.TrayOpen) }) })
	t.draw()
	go t.run(ctx)
	return t
}

// set shows a state, at once or a little later; nil says that none is known.
func (t *tray) set(s *app.State) {
	t.state = s
	t.poke()
}

// poke looks whether something has changed, at once or a little later.
func (t *tray) poke() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

func (t *tray) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.wake:
		}
		fyne.Do(t.draw)
		select {
		case <-ctx.Done():
			return
		case <-time.After(minRebuild):
		}
	}
}

// draw changes what differs: each change is a message to the panel.
func (t *tray) draw() {
	last, next := t.shown, ui.TrayEnded()
	if t.state != nil {
		next = ui.TrayOf(*t.state)
	}
	t.shown = next
	if last.Icon != next.Icon {
		t.app.SetSystemTrayIcon(fyne.NewStaticResource("tray-"+string(next.Icon)+".png", assets.TrayIcon(string(next.Icon), t.dark)))
	}
	if last.Status != next.Status {
		systray.SetTooltip(title + ": " + next.Status)
	}
	if !reflect.DeepEqual(last.Menu, next.Menu) {
		t.root.Items = t.items(next.Menu)
		t.app.SetSystemTrayMenu(t.root)
	}
}

func (t *tray) items(entries []ui.TrayEntry) []*fyne.MenuItem {
	var items []*fyne.MenuItem
	for _, e := range entries {
		if e.Text == "" {
			items = append(items, fyne.NewMenuItemSeparator())
			continue
		}
		item := fyne.NewMenuItem(e.Text, func() { t.do(e.Do) })
		item.IsQuit = e.Do == ui.TrayQuit
		item.Disabled = e.Do == "" && len(e.Entries) == 0
		if len(e.Entries) > 0 {
			item.ChildMenu = fyne.NewMenu(e.Text, t.items(e.Entries)...)
		}
		items = append(items, item)
	}
	return items
}
