package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"foldpost/app"
)

func (s *session) resolveCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "resolve FOLDER PATH here|there|both",
		Short: "Decide which version of a file stays",
		Long: `Decide which version of a file stays that was changed in two places at once.
"here" keeps what is at PATH, "there" puts what its copy holds in its place,
"both" makes a file of its own of each copy. Where there are several copies,
name the one instead of "there". It is so on all devices afterwards; what was
not kept is among the deleted and replaced files of this one.`,
		Example: `  foldpost conflicts Notes
  foldpost resolve Notes todo.txt there`,
		Args: args(cobra.ExactArgs(3)),
		RunE: s.with(func(ctx context.Context, svc app.Service, a []string) error {
			f, err := resolve(aFolder, a[0], folders(svc.State()))
			if err != nil {
				return err
			}
			path, err := pathIn(f, a[1])
			if err != nil {
				return err
			}
			c, err := findConflict(ctx, svc, f, path)
			if err != nil {
				return err
			}
			keep, err := choice(f, c, a[2])
			if err != nil {
				return err
			}
			if err := svc.Resolve(ctx, f.ID, path, keep, c.Versions...); err != nil {
				return err
			}
			shows(ctx, svc, func(st app.State) bool {
				i := slices.IndexFunc(st.Folders, func(o app.Folder) bool { return o.ID == f.ID })
				return i < 0 || st.Folders[i].Conflicts < f.Conflicts
			})
			return s.done("%s is decided. Next: foldpost conflicts %s", path, quoted(a[0]))
		}),
		ValidArgsFunction: s.completeResolve,
	}
}

func findConflict(ctx context.Context, svc app.Service, f app.Folder, path string) (app.Conflict, error) {
	all, err := svc.Conflicts(ctx, f.ID)
	if err != nil {
		return app.Conflict{}, err
	}
	for _, c := range all {
		if c.Path == path {
			return c, nil
		}
		if slices.Contains(c.Copies, path) {
			return c, app.Errorf(app.CodeUsage, "%s is a copy of %s: `foldpost resolve %s %s there` keeps it", path, c.Path, quoted(f.Name), quoted(c.Path))
		}
	}
	return app.Conflict{}, app.Errorf(app.CodeNotFound, "%s has no other version: `foldpost conflicts %s` lists what has", path, quoted(f.Name))
}

// choice is what a word means to Resolve.
func choice(f app.Folder, c app.Conflict, word string) (string, error) {
	switch word {
	case "here":
		return app.KeepHere, nil
	case "both":
		return app.KeepBoth, nil
	case "there":
		if len(c.Copies) == 1 {
			return c.Copies[0], nil
		}
		return "", app.Errorf(app.CodeUsage, "%s has several copies, name one instead of \"there\":%s", c.Path, copiesText(c))
	}
	if path, err := pathIn(f, word); err == nil && slices.Contains(c.Copies, path) {
		return path, nil
	}
	return "", app.Errorf(app.CodeUsage, "%q is no choice: here, there, both, or one of:%s", word, copiesText(c))
}

// copiesText lists the copies with who wrote them, one a line.
func copiesText(c app.Conflict) string {
	var b strings.Builder
	for _, p := range c.Copies {
		b.WriteString("\n  " + quoted(p))
		for _, v := range c.Versions {
			if v.Path == p {
				b.WriteString("  " + versionText(v))
			}
		}
	}
	return b.String()
}

// versionText says in a few words whose version it is.
func versionText(v app.Version) string {
	parts := []string{size(v.Size)}
	if v.By != "" {
		parts = append([]string{v.By}, parts...)
	}
	if !v.At.IsZero() {
		parts = append(parts, v.At.Local().Format(time.RFC3339))
	}
	return strings.Join(parts, ", ")
}

// completeResolve offers folders, then what has other versions, then what to
// do about it.
func (s *session) completeResolve(c *cobra.Command, a []string, _ string) ([]string, cobra.ShellCompDirective) {
	var list []string
	s.reach(c, func(ctx context.Context, svc app.Service) {
		st := svc.State()
		if len(a) == 0 {
			list = words(folders(st))
			return
		}
		f, err := resolve(aFolder, a[0], folders(st))
		if err != nil {
			return
		}
		all, err := svc.Conflicts(ctx, f.ID)
		if err != nil {
			return
		}
		for _, con := range all {
			switch {
			case len(a) == 1 && shown(con.Path) == con.Path:
				list = append(list, con.Path)
			case len(a) == 2 && con.Path == a[1]:
				list = append([]string{"here", "there", "both"}, con.Copies...)
			}
		}
	})
	return list, cobra.ShellCompDirectiveNoFileComp
}
