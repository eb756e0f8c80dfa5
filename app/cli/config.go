package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"foldpost/app"
)

func (s *session) configCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "config [KEY [VALUE]]",
		Short: "List, show or change settings",
		Long: `List all settings, show one, or change one. Settings live in foldpost; there is
no file to edit.`,
		Example: `  foldpost config
  foldpost config name "Ada's laptop"`,
		Args: args(cobra.MaximumNArgs(2)),
		RunE: s.with(func(ctx context.Context, svc app.Service, a []string) error {
			if len(a) == 2 && a[0] == app.SettingTURNPassword {
				return s.setSecret(ctx, svc, a[0], a[1])
			}
			if len(a) == 2 {
				if err := svc.SetConfig(ctx, a[0], a[1]); err != nil {
					return err
				}
				return s.done("%s is %s now. Next: foldpost config", a[0], a[1])
			}
			all, err := svc.Config(ctx)
			if err != nil {
				return err
			}
			return s.showConfig(all, a)
		}),
		ValidArgsFunction: s.completeConfig,
	}
}

// setSecret changes a setting that others may not see, as the arguments of a
// command are.
func (s *session) setSecret(ctx context.Context, svc app.Service, key, arg string) error {
	if arg != "-" {
		return app.Errorf(app.CodeUsage, "others on this computer can see what a command is given: foldpost config %s - reads it from standard input", key)
	}
	secret, err := s.mailPassword(ctx, key, arg)
	if err != nil {
		return err
	}
	if err := svc.SetConfig(ctx, key, secret); err != nil {
		return err
	}
	return s.done("%s is kept. Next: foldpost config", key)
}

func (s *session) showConfig(all []app.Setting, key []string) error {
	if len(key) == 1 {
		i := slices.IndexFunc(all, func(set app.Setting) bool { return set.Key == key[0] })
		if i < 0 {
			return app.Errorf(app.CodeNotFound, "there is no setting %q: `foldpost config` lists all", key[0])
		}
		if !s.json {
			_, err := fmt.Fprintln(s.out, shown(all[i].Value))
			return err
		}
		all = all[i : i+1]
	}
	if s.json {
		return s.emit(struct {
			V        int           `json:"v"`
			Settings []app.Setting `json:"settings"`
		}{app.StateVersion, append([]app.Setting{}, all...)})
	}
	t := newTable(s.out)
	for _, set := range all {
		help := set.Help
		if len(set.Values) > 0 {
			help += ": " + strings.Join(set.Values, ", ")
		}
		t.row(set.Key, set.Value, help)
	}
	return t.print()
}
