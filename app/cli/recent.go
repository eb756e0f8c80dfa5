package cli

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"foldpost/app"
)

func (s *session) recentCmd() *cobra.Command {
	var most int
	c := &cobra.Command{
		Use:   "recent [FOLDER]",
		Short: "List what changed lately, and who changed it",
		Long: `List the latest changes of all folders, or of one, newest first, as this device
learnt them: a path is there once, with its last.`,
		Example: "  foldpost recent Photos -n 50",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: s.with(func(ctx context.Context, svc app.Service, a []string) error {
			if most < 1 {
				return app.Errorf(app.CodeUsage, "-n is a number above zero")
			}
			type change struct {
				Folder app.FolderID `json:"folder"`
				app.Change
				name string
			}
			st := svc.State()
			all := []change{}
			err := eachFolder(st, a, func(f app.Folder) error {
				found, err := svc.Recent(ctx, f.ID, most)
				for _, c := range found {
					all = append(all, change{f.ID, c, f.Name})
				}
				return err
			})
			if err != nil {
				return err
			}
			slices.SortStableFunc(all, func(a, b change) int { return b.At.Compare(a.At) })
			all = all[:min(len(all), most)]
			if s.json {
				return s.emit(struct {
					V      int      `json:"v"`
					Recent []change `json:"recent"`
				}{app.StateVersion, all})
			}
			if len(all) == 0 {
				s.say("Nothing has changed yet.")
			}
			t := newTable(s.out)
			for _, c := range all {
				t.row(c.At.Local().Format(time.RFC3339), c.name, string(c.What), madeBy(st, c.Change), c.Path)
			}
			return t.print()
		}),
		ValidArgsFunction: s.complete(func(st app.State) []string { return words(folders(st)) }),
	}
	c.Flags().IntVarP(&most, "most", "n", 20, "at most `N` changes")
	return c
}

// madeBy names who made a change, as far as that is known.
func madeBy(st app.State, c app.Change) string {
	switch c.Device {
	case "":
		return ""
	case st.Device.ID:
		return st.Device.Name
	}
	return deviceName(st, c.Device)
}
