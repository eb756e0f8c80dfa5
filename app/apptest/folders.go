package apptest

import (
	"context"
	"io"
	"path/filepath"
	"slices"
	"time"

	"foldpost/app"
)

// Share makes a folder of a directory, whose content it does not count.
func (f *Fake) Share(ctx context.Context, r app.ShareRequest) (app.Shared, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "Share", r.Dir, r.Devices, r.People, r.ReadOnly, r.ByHand); err != nil {
		return app.Shared{}, err
	}
	if err := checkDir(r.Dir); err != nil {
		return app.Shared{}, err
	}
	role := "read-write"
	if r.ReadOnly {
		role = "read-only"
	}
	var out app.Shared
	for _, who := range r.People {
		inv, err := f.invite(app.InviteRequest{To: who, ByHand: r.ByHand, Note: r.Note})
		if err != nil {
			return app.Shared{}, err
		}
		out.Invitations = append(out.Invitations, inv)
	}
	f.update(func(s *app.State) {
		i := slices.IndexFunc(s.Folders, func(fo app.Folder) bool { return fo.Path == r.Dir })
		if i < 0 {
			i = len(s.Folders)
			s.Folders = append(s.Folders, app.Folder{
				ID: app.FolderID(f.draw("folder")), Name: filepath.Base(r.Dir), Path: r.Dir,
				State: app.FolderIdle, Role: "read-write", Members: []app.Member{},
			})
		}
		fo := &s.Folders[i]
		out.Folder = fo.ID
		for _, d := range r.Devices {
			if i := slices.IndexFunc(fo.Members, func(m app.Member) bool { return m.Device == d }); i >= 0 {
				fo.Members[i].Role = role
			} else {
				fo.Members = append(fo.Members, app.Member{Device: d, Role: role})
			}
		}
		for _, inv := range out.Invitations {
			for j := range s.Invitations {
				if o := &s.Invitations[j]; o.ID == inv.ID && !slices.Contains(o.Folders, fo.ID) {
					o.Folders = append(o.Folders, fo.ID)
				}
			}
		}
	})
	return out, nil
}

// Unshare takes a member from a folder.
func (f *Fake) Unshare(ctx context.Context, id app.FolderID, d app.DeviceID) error {
	return f.onFolder(ctx, "Unshare", id, func(fo *app.Folder) {
		fo.Members = slices.DeleteFunc(fo.Members, func(m app.Member) bool { return m.Device == d })
	}, d)
}

// Compare finds what Differ said.
func (f *Fake) Compare(ctx context.Context, offer app.FolderID, _ string) (app.Comparison, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "Compare", offer); err != nil {
		return app.Comparison{}, err
	}
	if !slices.ContainsFunc(f.state.Offers, func(o app.Offer) bool { return o.ID == offer }) {
		return app.Comparison{}, noFolder(offer)
	}
	return f.comparison, nil
}

// Join makes a folder of an offer that needs everything until Finish.
func (f *Fake) Join(ctx context.Context, offer app.FolderID, dir string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "Join", offer, dir); err != nil {
		return err
	}
	if slices.ContainsFunc(f.state.Folders, func(fo app.Folder) bool { return fo.ID == offer && fo.Path == dir }) {
		return nil
	}
	i := slices.IndexFunc(f.state.Offers, func(o app.Offer) bool { return o.ID == offer })
	if i < 0 {
		return noFolder(offer)
	}
	f.update(func(s *app.State) {
		o := s.Offers[i]
		s.Offers = slices.Delete(s.Offers, i, i+1)
		s.Folders = append(s.Folders, app.Folder{
			ID: o.ID, Name: o.Name, Path: dir, State: app.FolderSyncing, Role: o.Role,
			NeedFiles: o.Files, NeedBytes: o.Bytes,
			Members: []app.Member{{Device: o.From, Role: "read-write", Joined: true}},
		})
	})
	return nil
}

// Leave takes a folder from the list.
func (f *Fake) Leave(ctx context.Context, id app.FolderID) error {
	if err := f.onFolder(ctx, "Leave", id, func(*app.Folder) {}); err != nil {
		return err
	}
	f.Update(func(s *app.State) {
		s.Folders = slices.DeleteFunc(s.Folders, func(fo app.Folder) bool { return fo.ID == id })
	})
	return nil
}

// Pause stops a folder or everything, whatever the time.
func (f *Fake) Pause(ctx context.Context, id app.FolderID, d time.Duration) error {
	return f.pause(ctx, "Pause", id, true, d)
}

// Resume ends a pause.
func (f *Fake) Resume(ctx context.Context, id app.FolderID) error {
	return f.pause(ctx, "Resume", id, false)
}

func (f *Fake) pause(ctx context.Context, method string, id app.FolderID, paused bool, args ...any) error {
	if id != "" {
		return f.onFolder(ctx, method, id, func(fo *app.Folder) {
			fo.State = app.FolderIdle
			if paused {
				fo.State = app.FolderPaused
			}
		}, args...)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, method, append([]any{id}, args...)...); err != nil {
		return err
	}
	f.update(func(s *app.State) { s.Paused = paused })
	return nil
}

// Rescan finds nothing new.
func (f *Fake) Rescan(ctx context.Context, id app.FolderID) error {
	return f.onFolder(ctx, "Rescan", id, func(*app.Folder) {})
}

// Conflicts lists what Conflict added.
func (f *Fake) Conflicts(ctx context.Context, id app.FolderID) ([]app.Conflict, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.known(id); err != nil {
		return nil, err
	}
	return slices.Clone(f.conflicts[id]), nil
}

// Trash lists what Keep put there.
func (f *Fake) Trash(ctx context.Context, id app.FolderID) ([]app.Kept, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.known(id); err != nil {
		return nil, err
	}
	var list []app.Kept
	for _, k := range f.trash[id] {
		list = append(list, k.Kept)
	}
	return list, nil
}

// Restore writes a kept file's content to w, or only notes the call.
func (f *Fake) Restore(ctx context.Context, r app.RestoreRequest, w io.Writer) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "Restore", r.Folder, r.Path, w != nil); err != nil {
		return err
	}
	if err := f.known(r.Folder); err != nil {
		return err
	}
	for _, k := range f.trash[r.Folder] {
		if k.Path != r.Path || !r.At.IsZero() && !k.At.Equal(r.At) {
			continue
		}
		if w == nil {
			return nil
		}
		_, err := io.WriteString(w, k.content)
		return err
	}
	return app.Errorf(app.CodeNotFound, "nothing was kept of %s: `foldpost trash` lists what was", r.Path)
}

// onFolder changes one folder as a method.
func (f *Fake) onFolder(ctx context.Context, method string, id app.FolderID, change func(*app.Folder), args ...any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, method, append([]any{id}, args...)...); err != nil {
		return err
	}
	if err := f.known(id); err != nil {
		return err
	}
	f.update(func(s *app.State) {
		for i := range s.Folders {
			if s.Folders[i].ID == id {
				change(&s.Folders[i])
			}
		}
	})
	return nil
}

func (f *Fake) known(id app.FolderID) error {
	if slices.ContainsFunc(f.state.Folders, func(fo app.Folder) bool { return fo.ID == id }) {
		return nil
	}
	return noFolder(id)
}

func noFolder(id app.FolderID) error {
	return app.Errorf(app.CodeNotFound, "no folder %s is here: `foldpost folders` lists them", id)
}
