package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"foldpost/app"
)

// completeTimeout is how long a person waits for the Tab key.
const completeTimeout = 2 * time.Second

// reach asks what runs, for completion only: silence is better than an error.
func (s *session) reach(c *cobra.Command, use func(ctx context.Context, svc app.Service)) {
	if s.findHome() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(c.Context(), completeTimeout)
	defer cancel()
	svc, conn, err := s.Connect(ctx, s.home)
	if err != nil {
		return
	}
	defer conn.Close()
	use(ctx, svc)
}

// complete offers words that stand for things, and file names.
func (s *session) complete(offered func(app.State) []string) cobra.CompletionFunc {
	return func(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		var list []string
		s.reach(c, func(_ context.Context, svc app.Service) { list = offered(svc.State()) })
		return list, cobra.ShellCompDirectiveDefault
	}
}

// completeAnswer offers questions, then their choices.
func (s *session) completeAnswer(c *cobra.Command, a []string, _ string) ([]string, cobra.ShellCompDirective) {
	var list []string
	s.reach(c, func(_ context.Context, svc app.Service) {
		all := questions(svc.State())
		switch len(a) {
		case 0:
			for _, q := range all {
				list = append(list, cobra.CompletionWithDesc(q.id, shown(q.label)))
			}
		case 1:
			q, err := resolve(aQuestion, a[0], all)
			if err != nil {
				return
			}
			for _, ch := range q.Choices {
				list = append(list, cobra.CompletionWithDesc(ch.ID, shown(ch.Text)))
			}
		}
	})
	return list, cobra.ShellCompDirectiveNoFileComp
}

// completeConfig offers the keys of settings.
func (s *session) completeConfig(c *cobra.Command, a []string, _ string) ([]string, cobra.ShellCompDirective) {
	var list []string
	if len(a) == 0 {
		s.reach(c, func(ctx context.Context, svc app.Service) {
			all, err := svc.Config(ctx)
			if err != nil {
				return
			}
			for _, set := range all {
				list = append(list, cobra.CompletionWithDesc(set.Key, set.Help))
			}
		})
	}
	return list, cobra.ShellCompDirectiveNoFileComp
}

// words are what a person would type for things: their first name, else their
// id.
func words[T any](all []meaning[T]) []string {
	var list []string
	for _, m := range all {
		word := m.id
		if len(m.names) > 0 && shown(m.names[0]) == m.names[0] {
			word = m.names[0]
		}
		list = append(list, cobra.CompletionWithDesc(word, shown(m.label)))
	}
	return list
}
