package ui

import (
	"fyne.io/fyne/v2"

	"foldpost/app"
)

// settings are what can be changed about this device.
type settings struct {
	w   *Window
	box fyne.CanvasObject
}

func newSettings(w *Window) *settings {
	return &settings{w: w, box: page(heading(tr("Settings")))}
}

func (s *settings) object() fyne.CanvasObject { return s.box }

func (s *settings) draw(app.State) {}
