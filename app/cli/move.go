package cli

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"foldpost/app"
)

func (s *session) moveCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "move FOLDER DIR",
		Short: "Tell where a folder's directory is now",
		Long: `Tell where a folder's directory is now, after it was moved or renamed with
another program. DIR must be that directory; nothing is moved by this command.`,
		Example: `  mv ~/Photos /data/Photos
  foldpost move Photos /data/Photos`,
		Args: args(cobra.ExactArgs(2)),
		RunE: s.with(func(ctx context.Context, svc app.Service, a []string) error {
			f, err := resolve(aFolder, a[0], folders(svc.State()))
			if err != nil {
				return err
			}
			dir, err := filepath.Abs(a[1])
			if err != nil {
				return app.Errorf(app.CodeUsage, "%s is no path: %v", a[1], err)
			}
			if err := svc.Move(ctx, f.ID, dir); err != nil {
				return err
			}
			return s.done("%s is at %s now. Next: foldpost folders", f.Name, dir)
		}),
		ValidArgsFunction: s.completeDirs(1, func(st app.State) []string { return words(folders(st)) }),
	}
}
