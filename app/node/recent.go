package node

import (
	"context"
	"time"

	"foldpost/app"
	"foldpost/app/folder"
)

// maxRecent bounds what one call of Recent returns.
const maxRecent = 1000

// Recent implements [app.Service].
func (n *Node) Recent(ctx context.Context, f app.FolderID, limit int) ([]app.Change, error) {
	r, err := n.started(ctx, f)
	if err != nil {
		return nil, err
	}
	found, err := r.Recent(ctx, min(limit, maxRecent))
	if err != nil {
		return nil, err
	}
	list := []app.Change{}
	for _, c := range found {
		what := app.Changed
		if c.Deleted {
			what = app.Deleted
		}
		list = append(list, app.Change{Path: string(c.Path), What: what, At: c.At, Device: deviceIDOf(c.Device), Size: c.Size})
	}
	return list, nil
}

// deviceIDOf is "" for a device that is not known.
func deviceIDOf(d folder.DeviceID) app.DeviceID {
	if d == (folder.DeviceID{}) {
		return ""
	}
	return deviceID(key(d))
}

// pausedUntil is when the last of some pauses ends; zero where none is active,
// or one has no end.
func pausedUntil(now time.Time, ps ...*pause) time.Time {
	var last time.Time
	for _, p := range ps {
		switch {
		case !p.active(now):
		case p.Until.IsZero():
			return time.Time{}
		case p.Until.After(last):
			last = p.Until
		}
	}
	return last
}
