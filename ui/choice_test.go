package ui

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"

	"foldpost/app/apptest"
)

// TestChoiceByKeys: arrows choose, Enter presses the primary button, Escape
// closes.
func TestChoiceByKeys(t *testing.T) {
	w := newTestWindow(t, apptest.NewFake())
	var chosen []string
	pressed := 0
	c := newChoice([]string{"change", "receive"}, func(s string) { chosen = append(chosen, s) })
	sh := w.open("A choice")
	sh.page(container.NewVBox(c), newButton(w, "Next", func() { pressed++ }))
	w.win.Canvas().Focus(c.items[0])
	press := func(keys ...fyne.KeyName) {
		for _, k := range keys {
			w.win.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: k})
		}
	}
	test.Type(c.items[0], " ")
	press(fyne.KeyUp, fyne.KeyDown, fyne.KeyDown, fyne.KeyReturn)
	if c.Selected != "receive" || len(chosen) != 2 || pressed != 1 {
		t.Errorf("after space, arrows and Enter: selected %q, chosen %q, pressed %d times; want receive, two, once", c.Selected, chosen, pressed)
	}
	press(fyne.KeyEscape)
	if len(w.sheets) != 0 {
		t.Error("Escape in a choice does not close the sheet")
	}
	c.Disable()
	c.items[0].Tapped(nil)
	if c.Selected != "receive" {
		t.Errorf("a disabled choice was changed to %q", c.Selected)
	}
}
