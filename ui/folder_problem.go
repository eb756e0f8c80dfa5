package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A problem is what keeps a folder from being complete: what is so, what stays
// safe, and the one thing to do.
type problem struct {
	h          *folderHead
	box        *fyne.Container
	text, safe *widget.Label
	raw        *widget.Label // what the machine said, for who asks
	fix        *button
	cause      app.Cause
}

func newProblem(h *folderHead) *problem {
	p := &problem{h: h, text: para(""), safe: muted(""), raw: selectable("")}
	p.fix = newButton(h.w, tr("Look again"), p.mend)
	details := folded(h.w, p.raw)
	body := container.NewVBox(column(p.text, p.safe), details)
	p.box = notice(container.NewBorder(nil, nil, picture("warning"), container.NewCenter(p.fix), body))
	p.box.Hide()
	return p
}

func (p *problem) draw(v seenFolder, visible bool) {
	show(p.box, visible)
	if !visible {
		return
	}
	p.cause = v.Cause
	setText(p.raw, shownText(v.Problem))
	text, safe, fix := problemText(v.Folder, p.h.w.tilde(v.Path))
	setText(p.text, text)
	setText(p.safe, safe)
	setButton(p.fix, fix)
}

// problemText says what is so, what stays safe, and what the button does.
func problemText(v app.Folder, path string) (text, safe, fix string) {
	switch v.Cause {
	case app.CauseRoot:
		return tr("{{.Path}} is not there. It may have been moved, or be on a disk that is not connected.", "Path", shownPath(path)),
			tr("Nothing is deleted anywhere because of this. It goes on by itself when the folder is back."), tr("Show where it is now…")
	case app.CauseSpace:
		return tr("There is no room for the {{.Size}} that are still to come.", "Size", bytes(v.NeedBytes)),
			tr("What fits is being fetched; nothing was overwritten or removed. Make room on this disk, and it goes on."), tr("Look again")
	}
	return tr("Something on this computer keeps this folder from being complete."),
		tr("Nothing is lost: what is here stays here, and it goes on by itself when this is solved."), tr("Look again")
}

func (p *problem) mend() {
	if p.cause == app.CauseRoot {
		moveFolder(p.h.w, p.h.view)
		return
	}
	rescan(p.h.w, p.h.view.ID, p.fix)
}
