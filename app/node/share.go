package node

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"foldpost/app"
	"foldpost/app/folder"
	"foldpost/assets"
	"foldpost/p2p"
)

// Share implements [app.Service].
func (n *Node) Share(ctx context.Context, r app.ShareRequest) (app.Shared, error) {
	dir, err := n.checkDir(r.Dir, n.keep.view(), false)
	if err != nil {
		return app.Shared{}, err
	}
	role := roleReadWrite
	if r.ReadOnly {
		role = roleReadOnly
	}
	devices, people, err := n.whom(r)
	if err != nil {
		return app.Shared{}, err
	}
	var id key
	err = n.update(func(s *kept) error {
		if err := n.checkPlace(dir, *s); err != nil {
			return err // another call was quicker
		}
		f, err := n.folderAt(s, dir)
		if err != nil {
			return err
		}
		id = f.ID
		for _, d := range devices {
			if m := f.member(d); m != nil {
				m.Role = role
			} else {
				f.Members = append(f.Members, keptMember{Peer: key(d), Role: role})
			}
		}
		return nil
	})
	if err != nil {
		return app.Shared{}, err
	}
	shared := app.Shared{Folder: folderID(id)}
	for _, to := range people {
		inv, err := n.invite(app.InviteRequest{To: to, ByHand: r.ByHand, Note: r.Note}, &keptShare{ID: id, Role: role})
		if err != nil {
			return shared, err
		}
		shared.Invitations = append(shared.Invitations, inv)
	}
	return shared, nil
}

// whom tells devices that are linked already from people to be invited.
func (n *Node) whom(r app.ShareRequest) (devices []p2p.PeerID, people []string, err error) {
	s := n.keep.view()
	for _, d := range r.Devices {
		if s.peer(peerIDOf(d)) == nil {
			return nil, nil, app.Errorf(app.CodeNotFound, "no device %s: foldpost devices lists them", d)
		}
		devices = append(devices, peerIDOf(d))
	}
	for _, to := range r.People {
		known := false
		for i := range s.Peers {
			if p := &s.Peers[i]; p.Owner != "" && strings.EqualFold(p.Owner, to) && p.State == p2p.Paired {
				devices, known = append(devices, p2p.PeerID(p.Peer)), true
			}
		}
		if !known {
			if err := n.checkInvite(app.InviteRequest{To: to, ByHand: r.ByHand}); err != nil {
				return nil, nil, err
			}
			people = append(people, to)
		}
	}
	return devices, people, nil
}

// folderAt finds the folder of a directory, or makes one.
func (n *Node) folderAt(s *kept, dir string) (*keptFolder, error) {
	for i := range s.Folders {
		f := &s.Folders[i]
		if f.Path != dir {
			continue
		}
		if f.Role != roleReadWrite {
			return nil, app.Errorf(app.CodeUsage, "%s is shared with you to receive only: ask its owner to share it on", f.Name)
		}
		return f, nil
	}
	s.Folders = append(s.Folders, keptFolder{ID: n.newFolderID(), Name: filepath.Base(dir), Path: dir, Role: roleReadWrite, Own: true})
	return &s.Folders[len(s.Folders)-1], nil
}

// Join implements [app.Service].
func (n *Node) Join(_ context.Context, offer app.FolderID, dir string) error {
	found, err := n.findOffer(offer)
	if err != nil {
		return err
	}
	o, role := found.frame, roleName(found.frame.Role)
	s := n.keep.view()
	if k := s.folder(key(o.ID)); k != nil { // kept already: one more member
		if abs, err := n.checkDir(dir, s, true); dir != "" && (err != nil || abs != k.Path) {
			return app.Errorf(app.CodeUsage, "this is the folder %s, which is here already, in %s. To let the other device see and change everything in it, choose that directory",
				k.Name, k.Path)
		}
		return n.changeFolder(folderID(k.ID), func(_ *kept, k *keptFolder) error { k.addMember(found.from, role); return nil })
	}
	real, err := n.checkDir(dir, s, true)
	if err != nil {
		return err
	}
	if err := s.taken(real); err != nil {
		return err
	}
	if err := n.checkRoom(real, o); err != nil {
		return err
	}
	if err := os.MkdirAll(real, 0o755); err != nil {
		return app.Errorf(app.CodeFailed, "make %s: %v", real, err)
	}
	return n.update(func(s *kept) error {
		if k := s.folder(key(o.ID)); k != nil { // another call was quicker
			if k.Path != real {
				return app.Errorf(app.CodeUsage, "this is the folder %s, which is here already, in %s", k.Name, k.Path)
			}
			k.addMember(found.from, role)
			return nil
		}
		if err := errors.Join(s.taken(real), n.checkPlace(real, *s)); err != nil {
			return err
		}
		k := keptFolder{ID: key(o.ID), Name: shownName(o.Name), Path: real, Role: role}
		k.addMember(found.from, role)
		s.Folders = append(s.Folders, k)
		return nil
	})
}

// taken refuses the directory of another folder.
func (s *kept) taken(dir string) error {
	for _, f := range s.Folders {
		if f.Path == dir {
			return app.Errorf(app.CodeUsage, "%s is the folder %s already: choose another directory", dir, f.Name)
		}
	}
	return nil
}

// addMember adds a device that shares the folder with this one: who shares may
// write.
func (k *keptFolder) addMember(id p2p.PeerID, gives string) {
	if k.member(id) == nil {
		k.Members = append(k.Members, keptMember{Peer: key(id), Role: roleReadWrite, Gives: gives, Joined: true})
		k.Role = k.ourRole()
	}
}

// checkRoom refuses what does not fit, before anything is written. What is
// there already is counted as if it were to come: the user can compare first.
func (n *Node) checkRoom(dir string, o offerFrame) error {
	place, err := existing(dir)
	if err != nil {
		return app.Errorf(app.CodeFailed, "%s can not be used: %v", place, err)
	}
	tree, err := n.cfg.OpenTree(place)
	if err != nil {
		return app.Errorf(app.CodeFailed, "%s can not be used: %v", place, err)
	}
	free, err := tree.Free()
	if err := errors.Join(err, tree.Close()); err != nil {
		return app.Errorf(app.CodeFailed, "%s can not be used: %v", place, err)
	}
	if here, err := sizeOf(dir); err == nil {
		free += here
		if o.Bytes > uint64(here) {
			free -= folder.DiskReserve // which syncing would not use
		}
	}
	if o.Bytes > uint64(max(0, free)) {
		return app.Errorf(app.CodeFailed, "%s needs %s; %s has %s free: choose a directory on another disk",
			shownName(o.Name), bytesText(int64(min(o.Bytes, 1<<60))), place, bytesText(max(0, free)))
	}
	return nil
}

func sizeOf(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			sum += info.Size()
		}
		return nil
	})
	return sum, err
}

// Compare implements [app.Service].
func (n *Node) Compare(ctx context.Context, offer app.FolderID, dir string) (app.Comparison, error) {
	found, err := n.findOffer(offer)
	if err != nil {
		return app.Comparison{}, err
	}
	o := found.frame
	real, err := n.checkDir(dir, n.keep.view(), true)
	if err != nil {
		return app.Comparison{}, err
	}
	if _, err := os.Stat(real); err != nil { // nothing there: everything is only there
		empty, err := os.MkdirTemp(n.cfg.Home, "compare-*")
		if err != nil {
			return app.Comparison{}, err
		}
		defer os.RemoveAll(empty)
		real = empty
	}
	tree, err := n.cfg.OpenTree(real)
	if err != nil {
		return app.Comparison{}, app.Errorf(app.CodeFailed, "%s can not be used: %v", real, err)
	}
	defer tree.Close()
	r := newRemote(folder.DeviceID(found.from), o.ID, n.opener(found.from), n.down)
	defer r.close()
	c, err := folder.Compare(ctx, tree, assets.Ignore, r)
	if err != nil {
		return app.Comparison{}, app.Errorf(app.CodeFailed, "compare with %s: %v; try again when it is connected", shownName(o.Name), err)
	}
	out := app.Comparison{
		Equal: app.Count(c.Equal), OnlyHere: app.Count(c.OnlyHere), OnlyThere: app.Count(c.OnlyThere), Different: app.Count(c.Different),
	}
	for _, p := range c.Examples {
		out.Examples = append(out.Examples, string(p))
	}
	return out, nil
}
