// Package desktop is the window's place on a desktop: Fyne's own program, the
// tray, notifications, file dialogs, and one window for all starts. It knows
// the systems' services and what package ui draws, and nothing of how the
// program works.
//
// What needs Fyne's driver, and so a C compiler, is left out with the build
// tag nogui; what decides is in ui, in tray.go and notify.go.
package desktop

// The program's name, for systems and for people.
const (
	name  = "foldpost"
	title = "Foldpost"
)
