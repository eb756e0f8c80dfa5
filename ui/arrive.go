package ui

import (
	"context"
	"slices"
	"time"

	"fyne.io/fyne/v2/container"

	"foldpost/app"
)

// arrive shows the first files coming.
func (j *joining) arrive(dir string) {
	count, bar, detail := para(""), newBar(), muted("")
	open := newButton(j.w, tr("Open folder"), func() {
		j.w.do(func(context.Context) error { return j.w.opts.OpenPath(dir) }, j.w.fail)
	})
	show(open, j.w.opts.OpenPath != nil)
	buttons := []*button{open}
	for _, o := range j.w.state.Offers {
		if o.From == j.offer.From && o.ID != j.offer.ID {
			buttons = append(buttons, newButton(j.w, tr("Next: {{.Folder}}", "Folder", shown(o.Name)), func() { j.w.join(j.sh, o, linking{}) }))
			break
		}
	}
	j.sh.retitle(shown(j.offer.Name))
	if j.fresh {
		j.sh.retitle(tr("Linked with {{.Name}}", "Name", j.who()))
	}
	j.sh.page(container.NewVBox(count, container.New(inset{x: 8}, bar), detail), append(buttons, newButton(j.w, tr("Done"), j.sh.close))...)
	j.sh.dropped = nil
	j.sh.draw = func(s app.State) {
		i := slices.IndexFunc(s.Folders, func(f app.Folder) bool { return f.Path == dir || f.ID == j.offer.Folder })
		if i < 0 {
			setText(count, tr("{{.Folder}} is being set up…", "Folder", shown(j.offer.Name)))
			return
		}
		f := s.Folders[i]
		setText(count, arrived(f, j.offer))
		bar.set(folderDone(f))
		show(bar, f.NeedFiles > 0)
		setText(detail, j.arriving(f, s))
		j.sh.say(arriveTrouble(f))
	}
	j.sh.draw(j.w.state)
	j.sh.fit()
}

// arriveTrouble is what keeps a folder from arriving, and what stays safe.
func arriveTrouble(f app.Folder) string {
	if f.Problem == "" || f.Cause == "" {
		return sentence(shownText(f.Problem))
	}
	text, safe, _ := problemText(f, f.Path)
	return text + " " + safe
}

// arrived says how much of a folder is here.
func arrived(f app.Folder, o app.Offer) string {
	all := max(f.Files+f.NeedFiles, o.Files)
	switch {
	case f.State == app.FolderIdle:
		return trn(f.Files, "All is here: {{.N}} file.", "All is here: {{.N}} files.")
	case f.State == app.FolderScanning && f.Files == 0:
		return tr("Looking through the folder…")
	}
	return trn(all, "{{.Here}} of {{.N}} file is here.", "{{.Here}} of {{.N}} files are here.", "Here", comma(f.Files))
}

// arriving says what the rest waits for.
func (j *joining) arriving(f app.Folder, s app.State) string {
	on := slices.ContainsFunc(s.Devices, func(d app.Device) bool { return d.ID == j.offer.From && d.Connected })
	switch {
	case f.State == app.FolderIdle:
		return tr("From now on changes come and go by themselves.")
	case f.State == app.FolderPaused:
		return tr("Paused.")
	case !on:
		return tr("The computer of {{.Name}} is off or asleep. It goes on by itself when both are on.", "Name", j.who())
	case f.ETAms > 0:
		return tr("The rest needs {{.Time}}. You may close this window: it goes on by itself.", "Time", about(time.Duration(f.ETAms)*time.Millisecond))
	}
	return tr("You may close this window: it goes on by itself.")
}
