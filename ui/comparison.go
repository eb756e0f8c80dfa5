package ui

import (
	"strings"

	"fyne.io/fyne/v2"

	"foldpost/app"
)

// comparisonCard says what is where, and what will happen to it.
func comparisonCard(c app.Comparison, role, who string) fyne.CanvasObject {
	mayWrite := role == "read-write"
	box := column(strong(tr("This folder has files already. None of them is lost.")))
	for _, l := range []struct {
		n    int
		text string
	}{
		{c.Equal.Files, trn(c.Equal.Files, "{{.N}} file is the same on both sides.", "{{.N}} files are the same on both sides.")},
		{c.OnlyThere.Files, trn(c.OnlyThere.Files, "{{.N}} file comes here ({{.Size}}).", "{{.N}} files come here ({{.Size}}).", "Size", bytes(c.OnlyThere.Bytes))},
		{c.OnlyHere.Files, onlyHereText(c.OnlyHere, mayWrite, who)},
		{c.Different.Files, differentText(c.Different, mayWrite, who)},
	} {
		if l.n > 0 {
			box.Add(para(l.text))
		}
	}
	var examples []string
	for _, e := range c.Examples {
		examples = append(examples, shownPath(e))
	}
	if len(examples) > 0 {
		box.Add(muted(tr("For example: {{.Paths}}", "Paths", strings.Join(examples[:min(len(examples), 3)], ", "))))
	}
	return card(box)
}

func onlyHereText(c app.Count, mayWrite bool, who string) string {
	if mayWrite {
		return trn(c.Files, "{{.N}} file is only here ({{.Size}}): it goes to {{.Name}} too.", "{{.N}} files are only here ({{.Size}}): they go to {{.Name}} too.", "Size", bytes(c.Bytes), "Name", who)
	}
	return trn(c.Files, "{{.N}} file is only here: it stays on this computer.", "{{.N}} files are only here: they stay on this computer.")
}

func differentText(c app.Count, mayWrite bool, who string) string {
	if mayWrite {
		return trn(c.Files, "{{.N}} file differs: both versions are kept, side by side.", "{{.N}} files differ: both versions are kept, side by side.")
	}
	return trn(c.Files,
		"{{.N}} file differs: the version of {{.Name}} comes here, yours is kept under deleted and replaced files.",
		"{{.N}} files differ: the versions of {{.Name}} come here, yours are kept under deleted and replaced files.", "Name", who)
}
