package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"foldpost/app"
)

func (s *session) conflictsCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "conflicts [FOLDER]",
		Short: "List files of which both versions were kept",
		Long: `List files that were changed in two places at once, with the copies that hold
the other versions. Nothing was lost: "foldpost resolve" decides what stays.`,
		Example: "  foldpost conflicts Photos",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: s.with(func(ctx context.Context, svc app.Service, a []string) error {
			type conflict struct {
				Folder app.FolderID `json:"folder"`
				app.Conflict
			}
			all := []conflict{}
			t := newTable(s.out)
			err := eachFolder(svc.State(), a, func(f app.Folder) error {
				found, err := svc.Conflicts(ctx, f.ID)
				for _, c := range found {
					all = append(all, conflict{f.ID, c})
					t.row(f.Name, c.Path, strings.Join(c.Copies, ", "))
					for _, v := range c.Versions {
						t.row("", "", versionText(v)+": "+v.Path)
					}
				}
				return err
			})
			if err != nil {
				return err
			}
			if s.json {
				return s.emit(struct {
					V         int        `json:"v"`
					Conflicts []conflict `json:"conflicts"`
				}{app.StateVersion, all})
			}
			if len(all) == 0 {
				s.say("There is no conflict.")
			} else {
				s.say("Next: foldpost resolve %s %s here|there|both", all[0].Folder, quoted(all[0].Path))
			}
			return t.print()
		}),
		ValidArgsFunction: s.complete(func(st app.State) []string { return words(folders(st)) }),
	}
}

// eachFolder calls do for the folder that is named, or for all.
func eachFolder(st app.State, a []string, do func(app.Folder) error) error {
	chosen := st.Folders
	if len(a) > 0 {
		f, err := resolve(aFolder, a[0], folders(st))
		if err != nil {
			return err
		}
		chosen = []app.Folder{f}
	}
	for _, f := range chosen {
		if err := do(f); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) trashCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "trash [FOLDER [PATH]]",
		Short: "List deleted and replaced files that can be restored",
		Long: `List deleted and replaced files that are still kept here, newest first: of all
folders, of one, or only what was at PATH or below it.`,
		Example: "  foldpost trash Photos harz/day1",
		Args:    args(cobra.MaximumNArgs(2)),
		RunE: s.with(func(ctx context.Context, svc app.Service, a []string) error {
			type kept struct {
				Folder app.FolderID `json:"folder"`
				app.Kept
			}
			all := []kept{}
			t := newTable(s.out)
			err := eachFolder(svc.State(), a, func(f app.Folder) error {
				below := ""
				if len(a) == 2 {
					var err error
					if below, err = pathIn(f, a[1]); err != nil {
						return err
					}
				}
				found, err := svc.Trash(ctx, f.ID)
				for _, k := range found {
					if below == "" || k.Path == below || strings.HasPrefix(k.Path, below+"/") {
						all = append(all, kept{f.ID, k})
						t.row(f.Name, k.At.Local().Format(time.RFC3339), size(k.Size), k.Path)
					}
				}
				return err
			})
			if err != nil {
				return err
			}
			if s.json {
				return s.emit(struct {
					V     int    `json:"v"`
					Trash []kept `json:"trash"`
				}{app.StateVersion, all})
			}
			if len(all) == 0 {
				s.say("Nothing is kept there.")
			}
			return t.print()
		}),
		ValidArgsFunction: s.completeKept,
	}
}

// pathIn is a path as entries of a folder have it: relative, with slashes. A
// path on this disk is good as well.
func pathIn(f app.Folder, path string) (string, error) {
	if filepath.IsAbs(path) {
		rel, err := filepath.Rel(f.Path, path)
		if err != nil || !filepath.IsLocal(rel) {
			return "", app.Errorf(app.CodeUsage, "%s is not in the folder %s (%s)", path, f.Name, f.Path)
		}
		path = rel
	}
	path = filepath.ToSlash(filepath.Clean(path))
	if !filepath.IsLocal(path) || path == "." {
		return "", app.Errorf(app.CodeUsage, "%s is no path in the folder %s", path, f.Name)
	}
	return path, nil
}

func (s *session) restoreCmd() *cobra.Command {
	var at, to string
	c := &cobra.Command{
		Use:   "restore FOLDER PATH",
		Short: "Bring a deleted or replaced file back",
		Long: `Bring a deleted or replaced file back to its place: the newest that is kept, or
the one of --at as "foldpost trash" shows it. With --to it is written to a new
file or to standard output instead, and the folder stays as it is.`,
		Example: `  foldpost restore Photos harz/summit.jpg
  foldpost restore Notes todo.txt --at 2026-11-20T10:41:00Z --to -`,
		Args: args(cobra.ExactArgs(2)),
		RunE: s.with(func(ctx context.Context, svc app.Service, a []string) error {
			f, err := resolve(aFolder, a[0], folders(svc.State()))
			if err != nil {
				return err
			}
			r := app.RestoreRequest{Folder: f.ID}
			if r.Path, err = pathIn(f, a[1]); err != nil {
				return err
			}
			if at != "" {
				if r.At, err = findKept(ctx, svc, r, at); err != nil {
					return err
				}
			}
			return s.restore(ctx, svc, r, to)
		}),
		ValidArgsFunction: s.completeKept,
	}
	c.Flags().StringVar(&at, "at", "", "`TIME` as \"foldpost trash\" shows it")
	c.Flags().StringVar(&to, "to", "", "write to this new `FILE`, - for standard output")
	return c
}

// findKept finds the kept file of the second that a person gave: lists show no
// more of a time.
func findKept(ctx context.Context, svc app.Service, r app.RestoreRequest, text string) (time.Time, error) {
	want, err := time.Parse(time.RFC3339, text)
	if err != nil {
		want, err = time.ParseInLocation("2006-01-02 15:04:05", text, time.Local)
	}
	if err != nil {
		return want, app.Errorf(app.CodeUsage, "%q is no time: write it as `foldpost trash` does", text)
	}
	all, err := svc.Trash(ctx, r.Folder)
	if err != nil {
		return want, err
	}
	for _, k := range all {
		if k.Path == r.Path && (k.At.Equal(want) || k.At.Truncate(time.Second).Equal(want)) {
			return k.At, nil
		}
	}
	return want, app.Errorf(app.CodeNotFound, "nothing of %s is kept from %s: `foldpost trash` lists what is", r.Path, text)
}

func (s *session) restore(ctx context.Context, svc app.Service, r app.RestoreRequest, to string) error {
	switch to {
	case "":
		if err := svc.Restore(ctx, r, nil); err != nil {
			return err
		}
		return s.done("%s is back. Next: foldpost trash", r.Path)
	case "-":
		return svc.Restore(ctx, r, s.out)
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return app.Errorf(app.CodeUsage, "%s exists: give the name of a new file", to)
	}
	if err != nil {
		return app.Errorf(app.CodeFailed, "make %s: %v", to, err)
	}
	if err := restoreTo(ctx, svc, r, f); err != nil {
		os.Remove(to)
		return err
	}
	return s.done("%s is in %s.", r.Path, to)
}

func restoreTo(ctx context.Context, svc app.Service, r app.RestoreRequest, f io.WriteCloser) error {
	if err := svc.Restore(ctx, r, f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
