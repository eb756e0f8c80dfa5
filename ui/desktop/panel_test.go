//go:build desktop

package desktop

import (
	"fmt"
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"

	"foldpost/app"
)

// item is the bus name of a person's tray icon.
func (p *person) item() string {
	return fmt.Sprintf("org.kde.StatusNotifierItem-%d-1", p.program.cmd.Process.Pid)
}

// hasIcon is true if the panel shows the person's tray icon.
func (p *person) hasIcon() bool {
	v, err := p.bus.Object("org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher").
		GetProperty("org.kde.StatusNotifierWatcher.RegisteredStatusNotifierItems")
	if err != nil {
		return false
	}
	var owner string
	if p.bus.BusObject().Call("org.freedesktop.DBus.GetNameOwner", 0, p.item()).Store(&owner) != nil {
		return false
	}
	items, _ := v.Value().([]string)
	return slices.ContainsFunc(items, func(i string) bool { return strings.HasPrefix(i, owner) || strings.HasPrefix(i, p.item()) })
}

// tooltip is what the tray icon says of itself.
func (p *person) tooltip() string {
	v, err := p.bus.Object(p.item(), "/StatusNotifierItem").GetProperty("org.kde.StatusNotifierItem.ToolTip")
	if err != nil {
		return ""
	}
	fields, _ := v.Value().([]any)
	if len(fields) < 3 {
		return ""
	}
	text, _ := fields[2].(string)
	return text
}

// A layout is a menu as com.canonical.dbusmenu has it.
type layout struct {
	ID         int32
	Properties map[string]dbus.Variant
	Children   []dbus.Variant
}

func (p *person) menu() dbus.BusObject { return p.bus.Object(p.item(), "/StatusNotifierItem/menu") }

// entries maps the texts of the tray's menu to their ids.
func (p *person) entries() map[string]int32 {
	var revision uint32
	var root layout
	found := map[string]int32{}
	if err := p.menu().Call("com.canonical.dbusmenu.GetLayout", 0, int32(0), int32(-1), []string{}).Store(&revision, &root); err != nil {
		return found
	}
	var walk func(l layout)
	walk = func(l layout) {
		if label, ok := l.Properties["label"].Value().(string); ok {
			found[label] = l.ID
		}
		for _, c := range l.Children {
			var child layout
			if dbus.Store([]any{c.Value()}, &child) == nil {
				walk(child)
			}
		}
	}
	walk(root)
	return found
}

// choose chooses an entry of the tray's menu, once it is there.
func (p *person) choose(label string) {
	p.t.Helper()
	p.until(p.name+"'s tray offers "+label, func() bool { _, ok := p.entries()[label]; return ok })
	p.menu().Call("com.canonical.dbusmenu.Event", 0, p.entries()[label], "clicked", dbus.MakeVariant(int32(0)), uint32(0))
}

// usesTray walks through the tray's menu.
func (p *person) usesTray() {
	p.t.Helper()
	p.until("the tray icon is there", p.hasIcon)
	p.until("the tray says that all is well", func() bool { return p.tooltip() == "Foldpost: Everything is up to date" })
	all := p.entries()
	for _, want := range []string{"Open Foldpost", "Share a folder…", "Devices nearby", "Pause syncing", "Quit"} {
		if _, ok := all[want]; !ok {
			p.t.Errorf("the tray's menu has no %q, only %v", want, all)
		}
	}
	p.choose("Until I resume")
	p.state("everything is paused", func(s app.State) bool { return s.Paused })
	p.until("the tray says that it is paused", func() bool { return p.tooltip() == "Foldpost: Paused" })
	p.picture("tray-paused")
	p.choose("Resume syncing")
	p.state("nothing is paused", func(s app.State) bool { return !s.Paused })
}

// hidesAndReturns: closing hides the window, the tray icon outlives the panel,
// and a second start brings the window back with what it was given.
func (p *person) hidesAndReturns(link string) {
	p.t.Helper()
	p.press("ctrl+w")
	p.until("the window is gone", func() bool { return p.visible() == "" })
	p.panel.stop()
	p.until("the panel is gone", func() bool { return !hasTray(p.t.Context()) })
	p.startPanel()
	p.until("the tray icon is back", p.hasIcon)
	p.picture("only-tray")
	p.choose("Open Foldpost")
	p.front()
	p.press("ctrl+w")
	p.until("the window is gone", func() bool { return p.visible() == "" })
	p.bus.Object(p.item(), "/StatusNotifierItem").Call("org.kde.StatusNotifierItem.Activate", 0, int32(0), int32(0)) // a left click
	p.front()
	p.press("ctrl+w")
	p.until("the window is gone", func() bool { return p.visible() == "" })
	if err := p.again(); err != nil {
		p.t.Errorf("a second start: %v", err)
	}
	p.front()
	if err := p.again("--", link); err != nil {
		p.t.Errorf("a second start with a link: %v", err)
	}
	p.sees("Accept this invitation?")
	p.picture("link")
	p.press("Escape")
	p.until("the sheet is closed", func() bool { return !strings.Contains(p.look().String(), "Accept this invitation?") })
	if err := p.again("--", "/etc/passwd"); err == nil {
		p.t.Error("a second start with a file that is no invitation: no error")
	}
}

// quitsWithoutTray: where nothing shows tray icons, closing the window ends
// the program.
func (p *person) quitsWithoutTray() {
	p.t.Helper()
	p.panel.stop()
	p.until("the panel is gone", func() bool { return !hasTray(p.t.Context()) })
	p.press("ctrl+w")
	<-p.program.ended
	if code := p.program.cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Errorf("%s's program ended with exit code %d", p.name, code)
	}
}
