package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// ShowEnded says that the program the window shows has ended: a command ended
// it, or it failed with err. Start is to start it in this process.
func (w *Window) ShowEnded(err error, start func()) {
	w.closeSheets()
	sh := w.open(tr("Foldpost has ended"))
	sh.kept = true
	body := container.NewVBox(para(tr("Folders are not synced now. Nothing is lost: what changes goes out when Foldpost runs again.")))
	if err != nil {
		body.Add(selectable(errorText(err)))
	}
	sh.page(body, newButton(w, tr("Quit"), w.app.Quit), newButton(w, tr("Start it here"), func() { sh.close(); start() }))
}

// NewProblem makes a window that says only why there is none, for who has
// started the program by a click.
func NewProblem(a fyne.App, title string, err error) fyne.Window {
	win := a.NewWindow(title)
	shut := widget.NewButton(tr("Close"), a.Quit)
	shut.Importance = widget.HighImportance
	buttons := container.NewHBox(layout.NewSpacer(), shut)
	name, text := heading(tr("Foldpost cannot start")), selectable(errorText(err))
	name.Wrapping, text.Wrapping = fyne.TextWrapOff, fyne.TextWrapWord
	body := container.NewBorder(name, buttons, nil, nil, container.NewVScroll(text))
	win.SetContent(container.NewStack(newFill(theme.ColorNameBackground, 0), container.New(inset{24, 20}, body)))
	win.SetPadded(false)
	win.Resize(fyne.NewSize(520, 260))
	win.Canvas().SetOnTypedKey(func(*fyne.KeyEvent) { a.Quit() })
	return win
}

// Tell shows an error that came from outside of the window.
func (w *Window) Tell(err error) { w.fail(err) }

// TrayEnded is the tray while no program runs.
func TrayEnded() Tray {
	status := tr("Foldpost does not run")
	return Tray{Icon: TrayOffline, Status: status, Menu: []TrayEntry{
		{Text: status}, {}, {Text: tr("Open Foldpost"), Do: TrayOpen}, {}, {Text: tr("Quit"), Do: TrayQuit},
	}}
}
