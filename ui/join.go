package ui

import "foldpost/app"

// askJoin opens the sheet that asks where an offered folder shall be.
func (w *Window) askJoin(app.FolderID) {}
