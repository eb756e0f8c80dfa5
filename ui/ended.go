package ui

import "fyne.io/fyne/v2/container"

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

// Tell shows an error that came from outside of the window.
func (w *Window) Tell(err error) { w.fail(err) }

// TrayEnded is the tray while no program runs.
func TrayEnded() Tray {
	status := tr("Foldpost does not run")
	return Tray{Icon: TrayOffline, Status: status, Menu: []TrayEntry{
		{Text: status}, {}, {Text: tr("Open Foldpost"), Do: TrayOpen}, {}, {Text: tr("Quit"), Do: TrayQuit},
	}}
}
