package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"foldpost/app"
)

func (s *session) foldersCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "folders",
		Short:   "List folders, and those that are offered",
		Long:    "List the folders that are kept in sync here, who has them, and those that others offer.",
		Example: "  foldpost folders --json",
		Args:    args(cobra.NoArgs),
		RunE: s.with(func(_ context.Context, svc app.Service, _ []string) error {
			st := svc.State()
			if s.json {
				return s.emit(struct {
					V       int          `json:"v"`
					Folders []app.Folder `json:"folders"`
					Offers  []app.Offer  `json:"offers"`
				}{st.V, st.Folders, st.Offers})
			}
			if len(st.Folders)+len(st.Offers) == 0 {
				s.say("There is no folder yet. Next: foldpost share DIR WHO")
			}
			return s.folderTable(st)
		}),
	}
}

func (s *session) folderTable(st app.State) error {
	t := newTable(s.out)
	for _, f := range st.Folders {
		t.row(abbr(folders(st), string(f.ID)), f.Name, f.Path, folderText(st, f), membersText(st, f))
	}
	for _, o := range st.Offers {
		id := abbr(offers(st), string(o.ID))
		t.row(id, o.Name, "", "offered by "+deviceName(st, o.From)+": "+files(o.Files, o.Bytes), "foldpost join "+id)
	}
	return t.print()
}

// folderText says in one line how a folder does.
func folderText(st app.State, f app.Folder) string {
	parts := []string{string(f.State)}
	if st.Paused {
		parts[0] = string(app.FolderPaused)
	}
	if !f.PausedUntil.IsZero() {
		parts[0] += " until " + day(f.PausedUntil)
	}
	parts = append(parts, files(f.Files, f.Bytes))
	if f.NeedFiles > 0 || f.NeedBytes > 0 {
		need := files(f.NeedFiles, f.NeedBytes) + " to come"
		if f.ETAms > 0 {
			need += ", about " + (time.Duration(f.ETAms) * time.Millisecond).Round(time.Second).String()
		}
		parts = append(parts, need)
	}
	if f.Role == "read-only" {
		parts = append(parts, "read-only")
	}
	if f.Conflicts > 0 {
		parts = append(parts, count(f.Conflicts, "conflict", "conflicts"))
	}
	if f.LeftOut > 0 {
		parts = append(parts, count(f.LeftOut, "path", "paths")+" left out")
	}
	if f.Problem != "" {
		parts = append(parts, f.Problem)
	}
	return strings.Join(parts, "; ")
}

// membersText says who has what of a folder.
func membersText(st app.State, f app.Folder) string {
	var parts []string
	for _, m := range f.Members {
		text := deviceName(st, m.Device)
		switch {
		case !m.Joined:
			text += " has not said yes yet"
		case m.HasAll:
			text += " has all"
		case m.NeedBytes > 0:
			text += " needs " + size(m.NeedBytes)
		default:
			text += " has not confirmed yet"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

func (s *session) pauseCmd() *cobra.Command {
	var d duration
	c := &cobra.Command{
		Use:     "pause [FOLDER]",
		Short:   "Stop syncing a folder, or everything, for a while",
		Long:    "Stop syncing a folder, or without one everything, until `foldpost resume` or for a time.",
		Example: "  foldpost pause Photos --for 2h",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: s.with(func(ctx context.Context, svc app.Service, a []string) error {
			id, name, err := folderOrAll(svc.State(), a)
			if err != nil {
				return err
			}
			if err := svc.Pause(ctx, id, time.Duration(d)); err != nil {
				return err
			}
			if d > 0 {
				return s.done("%s is paused for %v. Next: foldpost resume%s", name, time.Duration(d), suffix(a))
			}
			return s.done("%s is paused. Next: foldpost resume%s", name, suffix(a))
		}),
		ValidArgsFunction: s.complete(func(st app.State) []string { return words(folders(st)) }),
	}
	c.Flags().Var(&d, "for", "go on after this time")
	return c
}

func (s *session) resumeCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "resume [FOLDER]",
		Short:   "Go on syncing",
		Long:    "Go on syncing a folder that was paused, or without one everything.",
		Example: "  foldpost resume Photos",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: s.with(func(ctx context.Context, svc app.Service, a []string) error {
			id, name, err := folderOrAll(svc.State(), a)
			if err != nil {
				return err
			}
			if err := svc.Resume(ctx, id); err != nil {
				return err
			}
			return s.done("%s goes on. Next: foldpost folders", name)
		}),
		ValidArgsFunction: s.complete(func(st app.State) []string { return words(folders(st)) }),
	}
}

func folderOrAll(st app.State, a []string) (app.FolderID, string, error) {
	if len(a) == 0 {
		return "", "Everything", nil
	}
	f, err := resolve(aFolder, a[0], folders(st))
	return f.ID, f.Name, err
}

func suffix(a []string) string {
	if len(a) == 0 {
		return ""
	}
	return " " + quoted(a[0])
}
