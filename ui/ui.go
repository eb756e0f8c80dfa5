// Package ui is the window: screens, sheets and what stands in them, drawn from
// an [app.State] and acting through an [app.Service]. It knows Fyne's widgets
// and the vocabulary of app, and nothing of how the program works or of the
// desktop it runs on: tray, notifications and file dialogs are ui/desktop's.
//
// Read window.go (what a Window is), place.go (its screens), sheet.go (its
// dialogs) and parts.go (what both are made of); then the file of a screen.
//
// All of it runs on Fyne's one goroutine. What takes time runs in [Window.do].
package ui

import (
	"net/url"
	"time"

	"fyne.io/fyne/v2"
)

// Options are what a Window needs of its desktop. Zero values do what can be
// done without one.
type Options struct {
	Title string // "" is the program's name

	// PickFolder and PickFile let the user choose; then is called on the UI
	// goroutine, not at all if nothing was chosen.
	PickFolder func(over fyne.Window, title string, then func(dir string))
	PickFile   func(over fyne.Window, title string, then func(path string))
	OpenURL    func(u *url.URL) error // "" in a browser or mail program
	OpenPath   func(path string) error

	// Close hides the window, or ends the program where it could not be had
	// back; nil closes it.
	Close func()

	// Home is the user's home directory: new folders are kept in Foldpost
	// below it, and paths are shown with "~".
	Home string
	// Person is the user's full name, to be proposed where one is asked for.
	Person string
	// Changed is called after a setting of the window has changed.
	Changed func(key, value string)
	// Reset is called after everything was forgotten: the program ends.
	Reset func()
	Now   func() time.Time // time.Now
}
