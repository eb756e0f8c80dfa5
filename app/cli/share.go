package cli

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"foldpost/app"
)

type shareFlags struct {
	readOnly bool
	note     string
	byHand   bool
	wait     waiting
}

func (s *session) shareCmd() *cobra.Command {
	var f shareFlags
	c := &cobra.Command{
		Use:   "share DIR WHO…",
		Short: "Share a directory with devices and people",
		Long: `Share a directory with devices and people. WHO is a linked device, or an e-mail
address: who is not linked yet is invited, and the folder follows once they
have taken the invitation. Six words are printed for each: tell them by voice
or in a chat, not by mail. A device of "foldpost nearby" is linked first: both
screens show three words to be compared.

Nothing is written on the other side before its person says where. They may add
and change files unless you say --read-only. A member who may write may write
everything.

Waits until everybody has everything.`,
		Example: `  foldpost share ~/Photos bob@example.org --note "Here are the photos of the Harz"
  foldpost share ~/Photos nas --read-only`,
		Args: args(cobra.MinimumNArgs(2)),
		RunE: s.with(func(ctx context.Context, svc app.Service, a []string) error {
			return s.share(ctx, svc, a[0], a[1:], f)
		}),
		ValidArgsFunction: s.completeDirs(0, func(st app.State) []string { return words(devices(st)) }),
	}
	c.Flags().BoolVar(&f.readOnly, "read-only", false, "they receive and change nothing")
	c.Flags().StringVar(&f.note, "note", "", "your own first line of the mail, as `TEXT`; the mail's provider can read it")
	c.Flags().BoolVar(&f.byHand, "by-hand", false, "send no mail, print the invitation")
	f.wait.flags(c)
	return c
}

// recipients are those that a directory is shared with.
type recipients struct {
	ids    []app.DeviceID // linked
	people []string       // addresses to invite
	near   []app.Nearby   // to be linked first
}

// whom sorts the words for people. Who is linked is meant before who is nearby.
func whom(st app.State, who []string) (r recipients, err error) {
	for _, w := range who {
		d, err := resolve(aDevice, w, devices(st))
		if err == nil {
			r.ids = append(r.ids, d.ID)
			continue
		}
		near, none := resolve(aNeighbour, w, neighbours(st))
		switch {
		case app.CodeOf(err) != app.CodeNotFound:
			return r, err
		case isAddress(w):
			r.people = append(r.people, w)
		case none == nil:
			r.near = append(r.near, near)
		default:
			return r, err
		}
	}
	return r, nil
}

func (s *session) share(ctx context.Context, svc app.Service, dir string, who []string, f shareFlags) error {
	ctx, cancel := f.wait.begin(ctx)
	defer cancel()
	dir, err := filepath.Abs(dir)
	if err != nil {
		return app.Errorf(app.CodeFailed, "find %s: %v", dir, err)
	}
	before := svc.State()
	to, err := whom(before, who)
	if err != nil {
		return err
	}
	if len(to.near) > 0 && (f.wait.not || s.json) {
		return app.Errorf(app.CodeUsage, "%s is not linked yet, and both of you have to compare words for that: use `foldpost pair %s` first", to.near[0].Name, quoted(to.near[0].Name))
	}
	for _, d := range to.near {
		id, _, err := s.linkNearby(ctx, svc, d)
		if err != nil {
			return err
		}
		s.say("Linked with %s.", d.Name)
		to.ids = append(to.ids, id)
	}
	shared, err := svc.Share(ctx, app.ShareRequest{
		Dir: dir, Devices: to.ids, People: to.people,
		ReadOnly: f.readOnly, Note: f.note, ByHand: f.byHand,
	})
	if err != nil {
		return err
	}
	if err := s.showShared(shared); err != nil {
		return err
	}
	shows(ctx, svc, func(st app.State) bool { return isFolder(st, shared.Folder) })
	s.say("%s is shared. Next: foldpost wait %s", dir, quoted(dir))
	if f.wait.not {
		return nil
	}
	var chases []*chase
	for _, inv := range shared.Invitations {
		c := &chase{id: inv.ID, with: inv.To, letIn: inv.Link != ""}
		c.look(before)
		chases = append(chases, c)
	}
	return s.shareWait(ctx, svc, shared.Folder, to.ids, chases)
}

func (s *session) showShared(sh app.Shared) error {
	if !s.json {
		return s.showInvitations(sh.Invitations)
	}
	list := []invitationJSON{}
	for _, i := range sh.Invitations {
		list = append(list, invitationJSON(i))
	}
	return s.emit(struct {
		V           int              `json:"v"`
		Folder      app.FolderID     `json:"folder"`
		Invitations []invitationJSON `json:"invitations"`
	}{app.StateVersion, sh.Folder, list})
}

// shareWait waits for the invitations' pairings, then until everybody has
// everything.
func (s *session) shareWait(ctx context.Context, svc app.Service, folder app.FolderID, ids []app.DeviceID, chases []*chase) error {
	bar := s.newMeter("they have")
	defer bar.close()
	seen := false
	said := map[string]bool{}
	joined := map[app.DeviceID]bool{}
	return until(ctx, svc, "for the others to have everything", func(st app.State) (bool, error) {
		want, open := slices.Clone(ids), 0
		for _, c := range chases {
			paired, err := s.follow(ctx, svc, c, st)
			if err != nil {
				return false, err
			}
			if !paired {
				open++
			} else if c.device != "" {
				want = append(want, c.device)
			}
		}
		f, ok := findFolder(st, folder)
		if !ok && seen {
			return false, app.Errorf(app.CodeFailed, "the folder is not shared any more: `foldpost folders` lists what is")
		}
		if seen = ok; !ok {
			return false, nil // the State is a moment behind
		}
		for _, m := range f.Members {
			if m.Joined && !joined[m.Device] && slices.Contains(want, m.Device) {
				joined[m.Device] = true
				s.say("%s has said yes to %s.", deviceName(st, m.Device), f.Name)
			}
		}
		bar.show(sending(f, want))
		if open > 0 {
			return false, stopped(st, f)
		}
		s.sayNew(said, delays(st, f, want))
		ok, err := confirmed(st, f, want)
		if ok {
			bar.close()
			s.say("Everybody has all of %s (%s).", f.Name, files(f.Files, f.Bytes))
		}
		return ok, err
	})
}

func (s *session) unshareCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "unshare FOLDER WHO",
		Short: "Take a folder from one device",
		Long: `Take a folder from one device: it gets no more changes from here. It keeps its
copy, and other members who share with it go on.`,
		Example: "  foldpost unshare Photos bob@example.org",
		Args:    args(cobra.ExactArgs(2)),
		RunE: s.with(func(ctx context.Context, svc app.Service, a []string) error {
			st := svc.State()
			f, err := resolve(aFolder, a[0], folders(st))
			if err != nil {
				return err
			}
			d, err := resolve(aMember, a[1], members(st, f))
			if inv, ierr := resolve(anInvite, a[1], invitations(st)); err != nil && ierr == nil && slices.Contains(inv.Folders, f.ID) {
				return app.Errorf(app.CodeUsage, "%s is only invited yet: use `foldpost withdraw %s`", a[1], a[1])
			}
			if err != nil {
				return err
			}
			if err := svc.Unshare(ctx, f.ID, d.ID); err != nil {
				return err
			}
			return s.done("%s is not shared with %s any more; it keeps its copy. Next: foldpost folders", f.Name, titled(d))
		}),
		ValidArgsFunction: s.completeMembers,
	}
}
