package ui

import (
	"fyne.io/fyne/v2"

	"foldpost/app"
)

// about says what the program is, and what it sends.
type aboutScreen struct{ box fyne.CanvasObject }

func newAbout(*Window) *aboutScreen { return &aboutScreen{page(heading(tr("About Foldpost")))} }

func (a *aboutScreen) object() fyne.CanvasObject { return a.box }

func (a *aboutScreen) draw(app.State) {}
