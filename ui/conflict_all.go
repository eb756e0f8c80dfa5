package ui

import (
	"cmp"
	"context"
	"slices"

	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A solveAll is the sheet that ends all conflicts of a folder alike.
type solveAll struct {
	w   *Window
	id  app.FolderID
	all []app.Conflict
	end func(paths ...string) // called with those that were solved

	sheet       *sheet
	way         *choice
	count       *widget.Label
	bar         *bar
	wrong       *trouble
	solve, back *button
	stopped     bool
	solved      []string
	refused     int
	first       error
}

// askSolveAll opens the sheet.
func askSolveAll(w *Window, id app.FolderID, all []app.Conflict, end func(paths ...string)) {
	s := &solveAll{w: w, id: id, all: slices.Clone(all), end: end, count: muted(""), bar: newBar(), wrong: newTrouble()}
	s.sheet = w.open(trn(len(all), "Solve {{.N}} conflict alike", "Solve {{.N}} conflicts alike"))
	s.sheet.closed = func() { s.stopped = true }
	s.way = newChoice([]string{tr("Keep the newest version of each"), tr("Keep what is in its place now"), tr("Keep all versions, as files of their own")}, nil)
	s.way.SetSelected(s.way.Options[0])
	s.solve = newButton(w, tr("Solve all"), s.start)
	s.back = newButton(w, tr("Cancel"), s.sheet.close)
	show(s.bar, false)
	show(s.count, false)
	s.sheet.page(container.NewVBox(
		para(tr("Nothing is lost: what is not kept goes to the deleted and replaced files.")), s.way, s.bar, s.count, s.wrong.box,
	), s.back, s.solve)
}

// keep is what the chosen way keeps of a conflict.
func (s *solveAll) keep(k app.Conflict) string {
	switch s.way.Selected {
	case s.way.Options[0]:
		return newestOf(k)
	case s.way.Options[1]:
		return app.KeepHere
	}
	return app.KeepBoth
}

// newestOf is the choice that keeps the version which was changed last; of
// equal ones that in its place.
func newestOf(k app.Conflict) string {
	versions := versionsOf(k)
	newest := 0
	for i, v := range versions {
		if v.At.After(versions[newest].At) {
			newest = i
		}
	}
	if newest == 0 {
		return app.KeepHere
	}
	return versions[newest].Path
}

func (s *solveAll) start() {
	s.way.Disable()
	s.solve.Disable()
	show(s.bar, true)
	show(s.count, true)
	s.next(0)
}

// next solves one, and then those after it: the sheet can be closed meanwhile.
func (s *solveAll) next(i int) {
	if s.stopped || i == len(s.all) {
		s.finish()
		return
	}
	s.bar.set(share(int64(i), int64(len(s.all))))
	setText(s.count, tr("{{.I}} of {{.N}}", "I", i, "N", len(s.all)))
	k := s.all[i]
	s.w.do(func(ctx context.Context) error { return s.w.svc.Resolve(ctx, s.id, k.Path, s.keep(k), k.Versions...) }, func(err error) {
		if err == nil {
			s.solved = append(s.solved, k.Path)
		} else {
			s.refused++
			s.first = cmp.Or(s.first, err)
		}
		s.next(i + 1)
	})
}

func (s *solveAll) finish() {
	if len(s.solved) > 0 {
		s.w.say(trn(len(s.solved), "{{.N}} conflict is solved.", "{{.N}} conflicts are solved."))
		s.end(s.solved...)
	}
	if s.first == nil || s.stopped {
		s.sheet.close()
		return
	}
	s.wrong.say(trn(s.refused, "{{.N}} is left: {{.Why}}", "{{.N}} are left, the first because: {{.Why}}", "Why", errorText(s.first)))
	show(s.bar, false)
	show(s.count, false)
	s.back.SetText(tr("Close"))
	s.sheet.fit()
}
