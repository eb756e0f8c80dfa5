package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"foldpost/app"
)

func (s *session) waitCmd() *cobra.Command {
	var with []string
	var w waiting
	c := &cobra.Command{
		Use:   "wait [FOLDER…]",
		Short: "Wait until others have everything that is here",
		Long: `Wait until every member of the folders, or each --with, has confirmed that it
has everything this device has, on its disk. The folders are looked at first,
so that the last change is counted. A member that is off counts as "not yet".

Exits with 0 once it is so, 2 if there is no other member, 3 when --timeout has
passed, 4 if a folder is stopped.`,
		Example: `  foldpost wait --with nas --timeout 2h Photos && rm -r ~/Photos.old`,
		RunE: s.with(func(ctx context.Context, svc app.Service, a []string) error {
			ctx, cancel := w.begin(ctx)
			defer cancel()
			return s.wait(ctx, svc, a, with)
		}),
		ValidArgsFunction: s.complete(func(st app.State) []string { return words(folders(st)) }),
	}
	c.Flags().StringArrayVar(&with, "with", nil, "wait for this `DEVICE` only (repeatable)")
	c.Flags().Var(&w.limit, "timeout", "wait at most this long, then exit with 3")
	return c
}

// A target is a folder and the members that must have it.
type target struct {
	folder app.FolderID
	who    []app.DeviceID // empty: all, whoever they are
}

// targets finds what `wait` is to wait for.
func targets(st app.State, folderWords, withWords []string) ([]target, error) {
	var who []app.DeviceID
	for _, w := range withWords {
		d, err := resolve(aDevice, w, devices(st))
		if err != nil {
			return nil, err
		}
		who = append(who, d.ID)
	}
	chosen := st.Folders
	if len(folderWords) > 0 {
		chosen = nil
		for _, w := range folderWords {
			f, err := resolve(aFolder, w, folders(st))
			if err != nil {
				return nil, err
			}
			chosen = append(chosen, f)
		}
	}
	var all []target
	for _, f := range chosen {
		t := target{folder: f.ID}
		for _, id := range who {
			if isMember(f, id) {
				t.who = append(t.who, id)
			} else if len(folderWords) > 0 {
				return nil, app.Errorf(app.CodeUsage, "%s is not shared with %s: share it with `foldpost share %s WHO`", f.Name, deviceName(st, id), quoted(f.Path))
			}
		}
		if len(f.Members) == 0 {
			return nil, app.Errorf(app.CodeUsage, "%s has no other member: share it with `foldpost share %s WHO`", f.Name, quoted(f.Path))
		}
		if len(who) == 0 || len(t.who) > 0 {
			all = append(all, t)
		}
	}
	if len(all) == 0 {
		return nil, app.Errorf(app.CodeUsage, "there is no folder to wait for: share one with `foldpost share DIR WHO`")
	}
	return all, nil
}

func (s *session) wait(ctx context.Context, svc app.Service, folderWords, with []string) error {
	all, err := targets(svc.State(), folderWords, with)
	if err != nil {
		return err
	}
	said := map[string]bool{}
	for _, t := range all {
		st := svc.State()
		if f, ok := findFolder(st, t.folder); ok {
			if err := stopped(st, f); err != nil {
				return err
			}
			s.sayNew(said, delays(st, f, t.who))
		}
		if err := svc.Rescan(ctx, t.folder); err != nil {
			return err
		}
	}
	bar := s.newMeter("they have")
	defer bar.close()
	var last app.State
	err = until(ctx, svc, "for the others to have everything", func(st app.State) (bool, error) {
		last = st
		done, total := int64(0), int64(0)
		reached := true
		for _, t := range all {
			f, ok := findFolder(st, t.folder)
			if !ok {
				return false, app.Errorf(app.CodeFailed, "%s is not shared any more: `foldpost folders` lists what is", short(string(t.folder)))
			}
			for _, id := range t.who {
				if !isMember(f, id) {
					return false, app.Errorf(app.CodeUsage, "%s is not shared with %s any more", f.Name, deviceName(st, id))
				}
			}
			d, n := sending(f, t.who)
			done, total = done+d, total+n
			ok, err := confirmed(st, f, t.who)
			if err != nil {
				return false, err
			}
			reached = reached && ok
			s.sayNew(said, delays(st, f, t.who))
		}
		bar.show(done, total)
		return reached, nil
	})
	bar.close()
	if err != nil {
		return err
	}
	for _, t := range all {
		if f, ok := findFolder(last, t.folder); ok && f.LeftOut > 0 {
			s.say("Mind: %s in %s left out and only here. See `foldpost status`.", count(f.LeftOut, "path is", "paths are"), f.Name)
		}
	}
	return s.done("The others have everything.")
}

func isFolder(st app.State, id app.FolderID) bool {
	_, ok := findFolder(st, id)
	return ok
}

func findFolder(st app.State, id app.FolderID) (app.Folder, bool) {
	i := slices.IndexFunc(st.Folders, func(f app.Folder) bool { return f.ID == id })
	if i < 0 {
		return app.Folder{}, false
	}
	return st.Folders[i], true
}

func isMember(f app.Folder, id app.DeviceID) bool {
	return slices.ContainsFunc(f.Members, func(m app.Member) bool { return m.Device == id })
}

// stopped returns the error of a folder that does not go on by itself.
func stopped(st app.State, f app.Folder) error {
	for _, q := range st.Questions {
		if q.Folder == f.ID && f.State == app.FolderStopped {
			return mustAnswer(st, q)
		}
	}
	if f.State != app.FolderStopped {
		return nil
	}
	return app.Errorf(app.CodeQuestion, "%s is stopped: %s", f.Name, f.Problem)
}

// confirmed tells whether each of who (all members if empty) has confirmed
// everything this device has. What is being looked at, or paused, is not
// known yet.
func confirmed(st app.State, f app.Folder, who []app.DeviceID) (bool, error) {
	if err := stopped(st, f); err != nil {
		return false, err
	}
	if st.Paused || f.State != app.FolderIdle && f.State != app.FolderSyncing {
		return false, nil
	}
	if len(who) == 0 && len(f.Members) == 0 {
		return false, app.Errorf(app.CodeUsage, "%s has no other member any more", f.Name)
	}
	for _, id := range who {
		if !isMember(f, id) {
			return false, nil
		}
	}
	for _, m := range f.Members {
		if (len(who) == 0 || slices.Contains(who, m.Device)) && !(m.Joined && m.HasAll) {
			return false, nil
		}
	}
	return true, nil
}

// delays says what a person should know about why it takes so long.
func delays(st app.State, f app.Folder, who []app.DeviceID) []string {
	var list []string
	if st.Paused || f.State == app.FolderPaused {
		list = append(list, f.Name+" is paused. Go on with `foldpost resume`")
	}
	for _, m := range f.Members {
		if m.Joined && m.HasAll || len(who) > 0 && !slices.Contains(who, m.Device) {
			continue
		}
		i := slices.IndexFunc(st.Devices, func(d app.Device) bool { return d.ID == m.Device })
		switch {
		case !m.Joined:
			list = append(list, deviceName(st, m.Device)+" has not said yes to "+f.Name+" yet.")
		case i >= 0 && !st.Devices[i].Connected:
			list = append(list, deviceName(st, m.Device)+" is off or out of reach. It goes on by itself when both computers are on.")
		}
	}
	return list
}

// sayNew says what was not said before.
func (s *session) sayNew(said map[string]bool, texts []string) {
	for _, text := range texts {
		if !said[text] {
			said[text] = true
			s.say("%s", text)
		}
	}
}

// sending counts the bytes that members have and are to have.
func sending(f app.Folder, who []app.DeviceID) (done, total int64) {
	for _, m := range f.Members {
		if len(who) == 0 || slices.Contains(who, m.Device) {
			total += f.Bytes
			if m.Joined {
				done += max(0, f.Bytes-m.NeedBytes)
			}
		}
	}
	return done, total
}
