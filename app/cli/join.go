package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"foldpost/app"
)

func (s *session) joinCmd() *cobra.Command {
	var check bool
	var w waiting
	c := &cobra.Command{
		Use:   "join FOLDER [DIR]",
		Short: "Keep an offered folder in sync in a directory here",
		Long: `Keep an offered folder in sync in a directory of this device; without DIR in
~/Foldpost/NAME. Waits for the offer if it has not come yet, then until
everything is here.

A directory that has files is compared first. Files that are equal are left
alone, files that are only here are sent, files that differ are both kept. With
--check the comparison is printed and nothing is written.`,
		Example: `  foldpost join Photos
  foldpost join Photos ~/Pictures/Photos --check`,
		Args: args(cobra.RangeArgs(1, 2)),
		RunE: s.with(func(ctx context.Context, svc app.Service, a []string) error {
			ctx, cancel := w.begin(ctx)
			defer cancel()
			dir := ""
			if len(a) == 2 {
				dir = a[1]
			}
			return s.join(ctx, svc, a[0], dir, check, w.not)
		}),
		ValidArgsFunction: s.completeDirs(1, func(st app.State) []string { return words(offers(st)) }),
	}
	c.Flags().BoolVar(&check, "check", false, "compare and write nothing")
	w.flags(c)
	return c
}

// A joining is an offer, or a folder that was joined before.
type joining struct {
	offer app.Offer
	dir   string
	was   bool // it is joined already
	more  bool // and another device offers it now
}

func (s *session) join(ctx context.Context, svc app.Service, word, dir string, check, noWait bool) error {
	j, err := s.findOffer(ctx, svc, word, dir, noWait)
	if err != nil {
		return err
	}
	if check && j.was {
		return s.done("%s is kept in sync in %s already.", j.offer.Name, j.dir)
	}
	if !j.was && (check || hasFiles(j.dir)) {
		ok, err := s.compare(ctx, svc, j, check)
		if err != nil || !ok {
			return err
		}
	}
	if j.more {
		if j.more, err = s.letIn(ctx, svc, j); err != nil {
			return err
		}
	}
	if !j.was || j.more {
		if err := svc.Join(ctx, j.offer.ID, j.dir); err != nil {
			return err
		}
	}
	shows(ctx, svc, func(st app.State) bool { return isFolder(st, folderOf(j.offer)) })
	s.say("%s is kept in sync in %s.", j.offer.Name, j.dir)
	if !noWait {
		if err := s.joinWait(ctx, svc, j.offer); err != nil {
			return err
		}
	}
	if s.json {
		return s.emit(struct {
			V      int          `json:"v"`
			Folder app.FolderID `json:"folder"`
			Path   string       `json:"path"`
		}{app.StateVersion, folderOf(j.offer), j.dir})
	}
	s.say("Next: foldpost folders")
	return nil
}

// letIn asks whether one more device may take part in a folder that is here.
// Where nobody can be asked the answer is no unless -y was given: a script that
// joins once more what it has joined means no other device.
func (s *session) letIn(ctx context.Context, svc app.Service, j joining) (bool, error) {
	who := shown(deviceName(svc.State(), j.offer.From))
	switch {
	case s.yes:
		return true, nil
	case !s.canAsk():
		s.say("%s offers %s too. To let it see and change everything in it: foldpost join %s -y", who, shown(j.offer.Name), short(string(j.offer.ID)))
		return false, nil
	}
	return s.certain(ctx, who+" offers "+shown(j.offer.Name)+" too. Let it see and change everything in it?")
}

// findOffer waits until something is offered that word fits.
func (s *session) findOffer(ctx context.Context, svc app.Service, word, dir string, noWait bool) (joining, error) {
	var j joining
	said := false
	err := until(ctx, svc, "for an offer of "+word, func(st app.State) (bool, error) {
		o, err := resolve(anOffer, word, offers(st))
		if f, ok := findFolder(st, folderOf(o)); err == nil && ok { // one more device offers what is here
			j, err = joined(f, dir)
			j.offer, j.more = o, true
			return true, err
		}
		if err == nil {
			dir, err := joinDir(o, dir)
			j = joining{offer: o, dir: dir}
			return true, err
		}
		f, ferr := resolve(aFolder, word, folders(st))
		switch {
		case app.CodeOf(err) != app.CodeNotFound: // more than one
			return false, err
		case ferr == nil:
			j, err = joined(f, dir)
			return true, err
		case app.CodeOf(ferr) != app.CodeNotFound:
			return false, ferr
		case noWait:
			return false, err
		}
		if !said {
			said = true
			s.say("Waiting for an offer of %s …", word)
		}
		return false, nil
	})
	return j, err
}

// folderOf is the folder of an offer, whose own id may name its device too.
func folderOf(o app.Offer) app.FolderID {
	if o.Folder != "" {
		return o.Folder
	}
	return o.ID
}

// joined is a folder that is here already: joining it again changes nothing.
func joined(f app.Folder, dir string) (joining, error) {
	if dir != "" {
		abs, err := filepath.Abs(dir)
		if err != nil || abs != f.Path {
			return joining{}, app.Errorf(app.CodeUsage, "%s is kept in sync in %s already: leave it first with `foldpost leave %s`", f.Name, f.Path, short(string(f.ID)))
		}
	}
	return joining{offer: app.Offer{ID: f.ID, Name: f.Name}, dir: f.Path, was: true}, nil
}

// joinDir is the directory for an offer. Its name was chosen by somebody else:
// it is taken only if it is a plain name.
func joinDir(o app.Offer, dir string) (string, error) {
	if dir != "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return "", app.Errorf(app.CodeFailed, "find %s: %v", dir, err)
		}
		return abs, nil
	}
	if o.Name == "" || !filepath.IsLocal(o.Name) || strings.ContainsAny(o.Name, `/\:`) || strings.HasPrefix(o.Name, ".") || shown(o.Name) != o.Name {
		return "", app.Errorf(app.CodeUsage, "the name of the folder %s is no good name for a directory: give one with `foldpost join %s DIR`", o.Name, short(string(o.ID)))
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", app.Errorf(app.CodeUsage, "there is no home directory: give a directory with `foldpost join %s DIR`", short(string(o.ID)))
	}
	return filepath.Join(home, "Foldpost", o.Name), nil
}

// hasFiles is true unless dir is empty or missing. Errors are Join's to tell.
func hasFiles(dir string) bool {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	return err != nil || len(entries) > 0
}

// compare shows what joining would meet and, unless only that was asked for,
// wants a yes.
func (s *session) compare(ctx context.Context, svc app.Service, j joining, only bool) (bool, error) {
	c, err := svc.Compare(ctx, j.offer.ID, j.dir)
	if err != nil {
		return false, err
	}
	if only {
		return false, s.showComparison(c)
	}
	s.say("%s has files already: %s equal, %s only here, %s only there, %s different.", j.dir,
		count(c.Equal.Files, "file", "files"), count(c.OnlyHere.Files, "file", "files"),
		count(c.OnlyThere.Files, "file", "files"), count(c.Different.Files, "file", "files"))
	if c.OnlyHere.Files+c.Different.Files == 0 {
		return true, nil
	}
	return s.confirm(ctx, "Files that are only here are sent to the others; of files that differ both are kept. Go on?")
}

func (s *session) showComparison(c app.Comparison) error {
	if s.json {
		return s.emit(struct {
			V int `json:"v"`
			app.Comparison
		}{app.StateVersion, c})
	}
	t := newTable(s.out)
	t.row("equal", files(c.Equal.Files, c.Equal.Bytes))
	t.row("only here", files(c.OnlyHere.Files, c.OnlyHere.Bytes))
	t.row("only there", files(c.OnlyThere.Files, c.OnlyThere.Bytes))
	t.row("different", files(c.Different.Files, c.Different.Bytes))
	for _, p := range c.Examples {
		t.row("", p)
	}
	return t.print()
}

// joinWait waits until everything is here. A folder that is offered with files
// and shows none has not heard of them yet.
func (s *session) joinWait(ctx context.Context, svc app.Service, o app.Offer) error {
	bar := s.newMeter("here")
	defer bar.close()
	seen, heard := false, o.Files == 0
	return until(ctx, svc, "for the files", func(st app.State) (bool, error) {
		f, ok := findFolder(st, folderOf(o))
		if !ok {
			if !seen {
				return false, nil // the State is a moment behind
			}
			return false, app.Errorf(app.CodeFailed, "%s is not kept in sync any more: `foldpost folders` lists what is", o.Name)
		}
		seen = true
		if err := stopped(st, f); err != nil {
			return false, err
		}
		bar.show(f.Bytes, f.Bytes+f.NeedBytes)
		heard = heard || f.Files > 0 || f.NeedFiles > 0
		if !heard || f.State != app.FolderIdle || f.NeedFiles > 0 || f.NeedBytes > 0 {
			return false, nil
		}
		bar.close()
		s.say("Everything is here: %s.", files(f.Files, f.Bytes))
		return true, nil
	})
}

func (s *session) leaveCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "leave FOLDER",
		Short:   "Stop syncing a folder here; the files stay",
		Long:    "Stop syncing a folder on this device. Your files stay, and the others keep theirs.",
		Example: "  foldpost leave Photos",
		Args:    args(cobra.ExactArgs(1)),
		RunE: s.with(func(ctx context.Context, svc app.Service, a []string) error {
			f, err := resolve(aFolder, a[0], folders(svc.State()))
			if err != nil {
				return err
			}
			if err := svc.Leave(ctx, f.ID); err != nil {
				return err
			}
			shows(ctx, svc, func(st app.State) bool { return !isFolder(st, f.ID) })
			return s.done("%s is not synced here any more; the files stay in %s. Next: foldpost folders", f.Name, f.Path)
		}),
		ValidArgsFunction: s.complete(func(st app.State) []string { return words(folders(st)) }),
	}
}
