package node

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"foldpost/app"
	"foldpost/app/folder"
	"foldpost/assets"
)

// Measure implements [app.Service].
func (n *Node) Measure(ctx context.Context, dir string) (app.Measure, error) {
	abs, err := filepath.Abs(dir)
	if dir == "" || err != nil {
		return app.Measure{}, app.Errorf(app.CodeUsage, "%q is no directory", dir)
	}
	place, err := existing(abs)
	if err != nil {
		return app.Measure{}, app.Errorf(app.CodeFailed, "%s can not be used: %v", abs, err)
	}
	if err := checkReadable(place, false); err != nil {
		return app.Measure{}, err
	}
	tree, err := n.cfg.OpenTree(place)
	if err != nil {
		return app.Measure{}, app.Errorf(app.CodeFailed, "%s can not be used: %v", place, err)
	}
	defer tree.Close()
	free, err := tree.Free()
	if err != nil {
		return app.Measure{}, app.Errorf(app.CodeFailed, "%v", err)
	}
	m := app.Measure{Free: max(0, free), Kept: folder.DiskReserve}
	if place != abs {
		return m, nil // it will be made there, empty
	}
	t, err := folder.Measure(ctx, tree, assets.Ignore)
	switch {
	case ctx.Err() != nil:
		return app.Measure{}, ctx.Err()
	case err != nil:
		return app.Measure{}, app.Errorf(app.CodeFailed, "%s can not be read: %v", abs, err)
	}
	m.Count = app.Count(t)
	return m, nil
}

// existing returns the nearest directory of a path that is there: the path
// itself, or the parent that would be the first to get something new.
func existing(path string) (string, error) {
	for {
		_, err := os.Stat(path)
		up := filepath.Dir(path)
		if !errors.Is(err, fs.ErrNotExist) || up == path {
			return path, err
		}
		path = up
	}
}
