package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"foldpost/app"
)

func (s *session) resetCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "reset",
		Short: "Leave everything and forget keys, devices and mailbox on this device",
		Long: `Leave all folders and forget this device's keys, linked devices, invitations,
mailbox and settings; then the foldpost that runs ends. The files in the folders
stay, and so do the deleted and replaced ones in their .foldpost/trash. Others
keep what they have. It can not be undone: to begin again, link anew.`,
		Example: "  foldpost reset -y",
		Args:    args(cobra.NoArgs),
		RunE: s.with(func(ctx context.Context, svc app.Service, _ []string) error {
			ok, err := s.certain(ctx, "Forget everything but the files?")
			if err != nil || !ok {
				return err
			}
			if err := svc.Reset(ctx); err != nil {
				return err
			}
			return s.done("Everything is forgotten; the files stay. To begin again: foldpost run")
		}),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
}

// certain asks for a yes that no slip gives: where nobody can be asked, -y
// must have been given.
func (s *session) certain(ctx context.Context, prompt string) (bool, error) {
	if s.yes {
		return true, nil
	}
	if !s.canAsk() {
		return false, app.Errorf(app.CodeUsage, "this can not be undone: say -y if you are certain")
	}
	text, err := s.ask(ctx, prompt+" [y/N]")
	if err != nil {
		return false, err
	}
	switch strings.ToLower(text) {
	case "y", "yes":
		return true, nil
	}
	return false, nil
}
