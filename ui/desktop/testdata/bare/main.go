// Command bare is a window of the toolkit with nothing in it and nothing behind
// it: what that costs is the least that any window can cost on a machine. With
// an argument it is hidden.
package main

import (
	"os"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/widget"
)

func main() {
	a := app.New()
	w := a.NewWindow("bare")
	w.SetContent(widget.NewLabel("bare"))
	if len(os.Args) > 1 {
		a.Lifecycle().SetOnStarted(func() { fyne.Do(w.Hide) })
	}
	w.ShowAndRun()
}
