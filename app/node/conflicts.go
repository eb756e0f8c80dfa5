package node

import (
	"context"
	"errors"
	"time"

	"foldpost/app"
	"foldpost/app/folder"
)

// Conflicts implements [app.Service].
func (n *Node) Conflicts(ctx context.Context, f app.FolderID) ([]app.Conflict, error) {
	r, err := n.started(ctx, f)
	if err != nil {
		return nil, err
	}
	found, err := r.Conflicts(ctx)
	if err != nil {
		return nil, err
	}
	s := n.keep.view()
	list := []app.Conflict{}
	for _, c := range found {
		ac := app.Conflict{Path: string(c.Path)}
		for _, p := range c.Copies {
			ac.Copies = append(ac.Copies, string(p))
		}
		for _, side := range c.Sides {
			ac.Versions = append(ac.Versions, n.version(&s, side))
		}
		list = append(list, ac)
	}
	return list, nil
}

func (n *Node) version(s *kept, side folder.Side) app.Version {
	v := app.Version{Path: string(side.Path), Device: deviceIDOf(side.Device), By: side.Label, Size: side.Size}
	if v.Device != "" {
		v.By = n.nameOf(s, side.Device, side.Label)
	}
	if side.MTime != 0 {
		v.At = time.Unix(0, side.MTime).UTC()
	}
	return v
}

// sidesOf takes back what version showed.
func sidesOf(of []app.Version) []folder.Side {
	var sides []folder.Side
	for _, v := range of {
		s := folder.Side{Path: folder.Path(v.Path), Size: v.Size}
		if !v.At.IsZero() {
			s.MTime = v.At.UnixNano()
		}
		sides = append(sides, s)
	}
	return sides
}

// nameOf is what a device is called now, or else was when it wrote something.
func (n *Node) nameOf(s *kept, d folder.DeviceID, label string) string {
	if key(d) == key(n.identity.ID()) {
		return s.Name
	}
	for _, dev := range n.State().Devices {
		if dev.ID == deviceID(key(d)) {
			return dev.Name
		}
	}
	return shownName(label)
}

// Resolve implements [app.Service].
func (n *Node) Resolve(ctx context.Context, f app.FolderID, path, keep string, of ...app.Version) error {
	r, err := n.started(ctx, f)
	if err != nil {
		return err
	}
	if r.Status().State == folder.StatePaused {
		return app.Errorf(app.CodeFailed, "the folder is paused: foldpost resume %s", f)
	}
	p, saw := folder.Path(path), sidesOf(of)
	switch keep {
	case app.KeepHere:
		err = r.KeepHere(ctx, p, saw...)
	case app.KeepBoth:
		err = r.KeepBoth(ctx, p, saw...)
	default:
		err = r.KeepCopy(ctx, p, folder.Path(keep), saw...)
	}
	switch {
	case errors.Is(err, folder.ErrGone):
		return app.Errorf(app.CodeNotFound, "%s has no such other version (any more): foldpost conflicts %s lists them", path, f)
	case errors.Is(err, folder.ErrReadOnly):
		return app.Errorf(app.CodeUsage, "you only receive this folder: ask somebody who may change it to decide")
	case errors.Is(err, folder.ErrNotHere):
		return app.Errorf(app.CodeFailed, "one version of %s has not come to this computer yet: wait for it, then decide", path)
	case errors.Is(err, folder.ErrChanged):
		return app.Errorf(app.CodeFailed, "%s was changed just now: look at it, then decide again", path)
	case errors.Is(err, folder.ErrNotEmpty):
		return app.Errorf(app.CodeFailed, "%s is a directory with files in it now: keep both, or move it away first", path)
	case errors.Is(err, folder.ErrNoRoot):
		return app.Errorf(app.CodeFailed, "the folder's directory is not there")
	case errors.Is(err, folder.ErrNoSpace):
		return app.Errorf(app.CodeFailed, "the disk is full: free some space, then decide again")
	}
	return err
}
