package ui

import (
	"image/color"
	"path"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A versionPart is one version of a file in conflict: who wrote it, when, what
// is in it, and a button that keeps it.
type versionPart struct {
	w    *Window
	box  *fyne.Container
	keep *button

	by, facts, place *widget.Label
	sample           *fyne.Container
	version          app.Version
}

func newVersionPart(w *Window, key int, keep func()) *versionPart {
	p := &versionPart{w: w, by: strong(""), facts: mutedLine(""), place: mutedLine("")}
	p.sample = container.NewStack(muted(tr("Looking…")))
	p.keep = newButton(w, tr("Keep this one ({{.Key}})", "Key", key), keep)
	p.box = card(container.New(pile{gap: 2}, column(p.by, p.facts, p.place), container.NewHBox(p.keep), gap(4), p.sample))
	return p
}

// name says whose version it is.
func (p *versionPart) name(v seenFolder, version app.Version, here bool) {
	p.version = version
	setText(p.by, versionBy(v, version))
	p.drawFacts(v)
	if here {
		setText(p.place, tr("in its place now"))
		return
	}
	setText(p.place, tr("kept beside it as {{.File}}", "File", shown(path.Base(version.Path))))
}

func (p *versionPart) drawFacts(v seenFolder) {
	text := bytes(p.version.Size)
	if !p.version.At.IsZero() {
		text = when(p.version.At, v.now) + " · " + text
	}
	setText(p.facts, text)
}

// draw shows a preview; lines that are not in the other version are marked.
func (p *versionPart) draw(pre filePreview, other []string, v seenFolder) {
	if p.version.At.IsZero() && !pre.at.IsZero() {
		p.version.At, p.version.Size = pre.at, pre.size
		p.drawFacts(v)
	}
	var o fyne.CanvasObject
	switch {
	case pre.picture != nil:
		i := canvas.NewImageFromImage(pre.picture)
		i.FillMode = canvas.ImageFillContain
		i.SetMinSize(fyne.NewSize(100, 180))
		o = i
	case pre.lines != nil:
		o = textSample(pre, other)
	default:
		o = muted(pre.why)
	}
	p.sample.Objects = []fyne.CanvasObject{o}
	p.sample.Refresh()
}

// textSample shows lines of text from the first difference on.
func textSample(pre filePreview, other []string) fyne.CanvasObject {
	lines := make([]shownLine, len(pre.lines))
	for i, l := range pre.lines {
		lines[i].text = l
	}
	skipped := 0
	if other != nil {
		own, theirs := difference(pre.lines, other)
		lines, skipped = fromFirst(own, firstOwn(own, theirs))
	}
	g := widget.NewTextGrid()
	g.Scroll = fyne.ScrollBoth
	if skipped > 0 {
		g.Rows = append(g.Rows, gridRow(trn(skipped, "… {{.N}} line is the same", "… {{.N}} lines are the same"), false))
	}
	for _, l := range lines {
		mark := "  "
		if l.own {
			mark = "› "
		}
		g.Rows = append(g.Rows, gridRow(mark+l.text, l.own))
	}
	if pre.cut {
		g.Rows = append(g.Rows, gridRow(tr("… and more"), false))
	}
	return container.NewStack(newFill(theme.ColorNameInputBackground, 4), stretch(g, 0, 190))
}

func gridRow(text string, own bool) widget.TextGridRow {
	row := widget.TextGridRow{}
	if own {
		row.Style = ownLine{}
	}
	for _, r := range text {
		row.Cells = append(row.Cells, widget.TextGridCell{Rune: r})
	}
	return row
}

// ownLine is how a line looks that the other version does not have.
type ownLine struct{}

func (ownLine) Style() fyne.TextStyle        { return fyne.TextStyle{Bold: true} }
func (ownLine) TextColor() color.Color       { return theme.Color(theme.ColorNameForeground) }
func (ownLine) BackgroundColor() color.Color { return theme.Color(colorNotice) }
