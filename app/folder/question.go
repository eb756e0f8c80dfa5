package folder

import (
	"fmt"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
)

// asked is an open question and what its answer does.
type asked struct {
	Question
	answer func(choice string)
}

// ask opens a question, or words it anew.
func (e *engine) ask(now time.Time, q Question, answer func(choice string)) {
	q.Since = now
	if old, ok := e.asked[q.ID]; ok {
		q.Since = old.Since
	}
	e.asked[q.ID] = &asked{q, answer}
}

func (e *engine) answer(id, choice string) error {
	q, ok := e.asked[id]
	if !ok {
		return fmt.Errorf("answer question %q: it is not open", id)
	}
	if !slices.ContainsFunc(q.Choices, func(c Choice) bool { return c.ID == choice }) {
		return fmt.Errorf("answer question %q with %q: no such choice", id, choice)
	}
	delete(e.asked, id)
	q.answer(choice)
	return nil
}

// The ids of the guard's questions are their kinds.
const (
	askHereID  = "deletions-here"
	askThereID = "deletions-there"
)

// askGuard asks about changes that the guard holds.
func (e *engine) askGuard(now time.Time) {
	open := map[string]bool{}
	for _, h := range e.rep.held() {
		loss := Loss{Deleted: h.Deleted, Overwritten: h.Overwritten, Of: h.Of, Told: h.Told}
		q := Question{ID: askHereID, Kind: askHereID, Loss: loss, Choices: []Choice{
			{ID: "restore", Text: "Bring them back"},
			{ID: "delete", Text: "Do it for everyone"},
		}}
		q.Text = fmt.Sprintf("%s on this computer. Nobody else was told yet.", lossOf(h))
		if h.Told > 0 {
			q.Text = fmt.Sprintf("%s on this computer within an hour. The others were told of the first %d, and keep them under deleted files; nobody was told of the rest yet.", lossOf(h), h.Told)
			q.Choices[0].Text, q.Choices[1].Text = "Bring the rest back", "Do the rest for everyone"
		}
		if h.Kind == guardThere {
			q.ID, q.Kind = askThereID, askThereID
			q.Text = fmt.Sprintf("%s by another member. Nothing was changed on this computer yet.", lossOf(h))
			q.Choices = []Choice{
				{ID: "restore", Text: "Keep them, for everyone"},
				{ID: "delete", Text: "Do it here too"},
			}
			if h.Told > 0 {
				q.Text = fmt.Sprintf("%s by another member within an hour. The first %d were done on this computer too, and are kept under deleted files; the rest was not done yet.", lossOf(h), h.Told)
				q.Choices[0].Text, q.Choices[1].Text = "Keep the rest, for everyone", "Do the rest here too"
			}
		}
		open[q.ID] = true
		e.ask(now, q, func(choice string) {
			e.rep.answer(time.Now(), h.Kind, choice == "delete")
			e.rep.again()
			e.scanAll(time.Now())
		})
	}
	for _, id := range []string{askHereID, askThereID} {
		if !open[id] {
			delete(e.asked, id)
		}
	}
}

func lossOf(h heldChange) string {
	of := humanize.Comma(int64(h.Of)) + " files"
	switch {
	case h.Overwritten == 0:
		return fmt.Sprintf("%s of %s were deleted", humanize.Comma(int64(h.Deleted)), of)
	case h.Deleted == 0:
		return fmt.Sprintf("%s of %s were overwritten", humanize.Comma(int64(h.Overwritten)), of)
	}
	return fmt.Sprintf("%s of %s were deleted and %s overwritten",
		humanize.Comma(int64(h.Deleted)), of, humanize.Comma(int64(h.Overwritten)))
}

func (e *engine) questions() []Question {
	var qs []Question
	for _, q := range e.asked {
		qs = append(qs, q.Question)
	}
	slices.SortFunc(qs, func(a, b Question) int { return a.Since.Compare(b.Since) })
	return qs
}
