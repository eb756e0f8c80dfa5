package cli

import (
	"context"
	"slices"
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

// complete offers words that stand for things.
func (s *session) complete(offered func(app.State) []string) cobra.CompletionFunc {
	return s.completeWith(offered, cobra.ShellCompDirectiveNoFileComp)
}

func (s *session) completeWith(offered func(app.State) []string, d cobra.ShellCompDirective) cobra.CompletionFunc {
	return func(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		var list []string
		s.reach(c, func(_ context.Context, svc app.Service) { list = offered(svc.State()) })
		return list, d
	}
}

// completeDirs offers directories for one argument, and words for the others.
func (s *session) completeDirs(at int, offered func(app.State) []string) cobra.CompletionFunc {
	return func(c *cobra.Command, a []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(a) == at {
			return nil, cobra.ShellCompDirectiveFilterDirs
		}
		var list []string
		s.reach(c, func(_ context.Context, svc app.Service) { list = offered(svc.State()) })
		return list, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeMembers offers folders, then who is a member of one.
func (s *session) completeMembers(c *cobra.Command, a []string, _ string) ([]string, cobra.ShellCompDirective) {
	var list []string
	s.reach(c, func(_ context.Context, svc app.Service) {
		st := svc.State()
		switch len(a) {
		case 0:
			list = words(folders(st))
		case 1:
			if f, err := resolve(aFolder, a[0], folders(st)); err == nil {
				list = words(members(st, f))
			}
		}
	})
	return list, cobra.ShellCompDirectiveNoFileComp
}

// completeKept offers folders, then what was deleted or replaced in one.
func (s *session) completeKept(c *cobra.Command, a []string, _ string) ([]string, cobra.ShellCompDirective) {
	var list []string
	s.reach(c, func(ctx context.Context, svc app.Service) {
		st := svc.State()
		switch len(a) {
		case 0:
			list = words(folders(st))
		case 1:
			f, err := resolve(aFolder, a[0], folders(st))
			if err != nil {
				return
			}
			kept, err := svc.Trash(ctx, f.ID)
			if err != nil {
				return
			}
			for _, k := range kept {
				if p := shown(k.Path); p == k.Path && !slices.Contains(list, p) {
					list = append(list, p)
				}
			}
		}
	})
	return list, cobra.ShellCompDirectiveNoFileComp
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

// completeConfig offers the keys of settings, then what one may be.
func (s *session) completeConfig(c *cobra.Command, a []string, _ string) ([]string, cobra.ShellCompDirective) {
	var list []string
	s.reach(c, func(ctx context.Context, svc app.Service) {
		all, err := svc.Config(ctx)
		if err != nil {
			return
		}
		for _, set := range all {
			switch {
			case len(a) == 0:
				list = append(list, cobra.CompletionWithDesc(set.Key, set.Help))
			case len(a) == 1 && set.Key == a[0]:
				list = set.Values
			}
		}
	})
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
