package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"foldpost/app"
)

func (s *session) answerCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "answer [ID [CHOICE]]",
		Short: "List and answer the questions that wait for you",
		Long: `List the questions that wait for a person, show one and its choices, or choose.
Where an answer needs more than a word, the choice names the command for it.`,
		Example: `  foldpost answer
  foldpost answer k3 restore`,
		Args: args(cobra.MaximumNArgs(2)),
		RunE: s.with(func(ctx context.Context, svc app.Service, a []string) error {
			st := svc.State()
			if len(a) == 0 {
				return s.showQuestions(st, st.Questions, false)
			}
			q, err := resolve(aQuestion, a[0], questions(st))
			if err != nil {
				return err
			}
			if len(a) == 2 {
				return s.choose(ctx, svc, q, a[1])
			}
			if err := s.showQuestions(st, []app.Question{q}, true); err != nil || !s.canAsk() {
				return err
			}
			choice, err := s.ask(ctx, "Your choice (or Enter for later):")
			if err != nil || choice == "" {
				return err
			}
			return s.choose(ctx, svc, q, choice)
		}),
		ValidArgsFunction: s.completeAnswer,
	}
}

func (s *session) choose(ctx context.Context, svc app.Service, q app.Question, choice string) error {
	i := slices.IndexFunc(q.Choices, func(c app.Choice) bool { return c.ID == choice })
	if i < 0 {
		ids := ""
		for _, c := range q.Choices {
			ids += "\n  " + c.ID + "  " + shown(c.Text)
		}
		return app.Errorf(app.CodeUsage, "question %s has no choice %q, but:%s", q.ID, choice, ids)
	}
	if c := q.Choices[i]; c.Command != "" {
		return app.Errorf(app.CodeUsage, "this answer needs more than a word: use `%s`", c.Command)
	}
	if err := svc.Answer(ctx, q.ID, choice); err != nil {
		return err
	}
	if q.Kind == app.AskNearby && choice == app.ChoiceOpen {
		return s.compareNext(ctx, svc, q.Name)
	}
	return s.done("Answered: %s. Next: foldpost status", q.Choices[i].Text)
}

func (s *session) showQuestions(st app.State, list []app.Question, choices bool) error {
	if s.json {
		return s.emit(struct {
			V         int            `json:"v"`
			Questions []app.Question `json:"questions"`
		}{st.V, list})
	}
	if len(list) == 0 {
		s.say("No question waits for you.")
	}
	for _, q := range list {
		if _, err := fmt.Fprintf(s.out, "%s  %s\n", abbr(questions(st), string(q.ID)), shown(q.Text)); err != nil {
			return err
		}
		if !choices {
			continue
		}
		t := newTable(s.out)
		for _, c := range q.Choices {
			t.row("    "+c.ID, c.Text, c.Command)
		}
		if err := t.print(); err != nil {
			return err
		}
	}
	if len(list) > 0 && !choices {
		s.say("Next: foldpost answer %s", abbr(questions(st), string(list[0].ID)))
	}
	return nil
}
