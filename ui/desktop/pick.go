//go:build !nogui

package desktop

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
)

// pickFolder and pickFile let the user choose in the desktop's own dialog, or
// in Fyne's where there is none. then is called on Fyne's goroutine, and not
// at all if nothing was chosen.
func pickFolder(over fyne.Window, title string, then func(dir string)) {
	go func() {
		path, err := portalPick(title, true)
		fyne.Do(func() {
			if err == nil {
				give(path, then)
				return
			}
			dialog.ShowFolderOpen(func(u fyne.ListableURI, _ error) {
				if u != nil {
					give(u.Path(), then)
				}
			}, over)
		})
	}()
}

func pickFile(over fyne.Window, title string, then func(path string)) {
	go func() {
		path, err := portalPick(title, false)
		fyne.Do(func() {
			if err == nil {
				give(path, then)
				return
			}
			dialog.ShowFileOpen(func(r fyne.URIReadCloser, _ error) {
				if r != nil {
					r.Close()
					give(r.URI().Path(), then)
				}
			}, over)
		})
	}()
}

func give(path string, then func(string)) {
	if path != "" {
		then(path)
	}
}
