package ui

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app/apptest"
)

// TestEscapeDialog: Escape closes what is on top, not the sheet below it with
// what was typed there.
func TestEscapeDialog(t *testing.T) {
	w := newTestWindow(t, apptest.NewFake())
	w.askShare("")
	dialog := widget.NewModalPopUp(container.NewVBox(), w.win.Canvas())
	dialog.Show()
	escape := &fyne.KeyEvent{Name: fyne.KeyEscape}
	w.key(escape)
	if len(w.sheets) != 1 || w.win.Canvas().Overlays().Top() != w.sheets[0].pop {
		t.Errorf("after Escape over a dialog %d sheets are open, want the one below", len(w.sheets))
	}
	if w.key(escape); len(w.sheets) != 0 {
		t.Errorf("after a second Escape %d sheets are open, want none", len(w.sheets))
	}
}
