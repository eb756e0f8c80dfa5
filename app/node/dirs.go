package node

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"foldpost/app"
	"foldpost/app/folder"
)

// checkDir tells whether a directory may become a folder, and returns its
// absolute path without links. Missing directories are refused unless make is
// set: then their parent must be there.
func (n *Node) checkDir(dir string, s kept, mayMiss bool) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", app.Errorf(app.CodeUsage, "%s is no path: %v", dir, err)
	}
	real, err := filepath.EvalSymlinks(abs)
	if errors.Is(err, fs.ErrNotExist) && mayMiss {
		parent, perr := nearest(filepath.Dir(abs))
		if perr != nil {
			return "", app.Errorf(app.CodeFailed, "%s can not be made: %v", abs, perr)
		}
		real, err = filepath.Join(parent, strings.TrimPrefix(abs, filepath.Dir(abs))), nil
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", app.Errorf(app.CodeFailed, "there is no directory %s: create it first", abs)
	case err != nil:
		return "", app.Errorf(app.CodeFailed, "%s can not be used: %v", abs, err)
	}
	if err := checkReadable(real, mayMiss); err != nil {
		return "", err
	}
	return real, n.checkPlace(real, s)
}

// nearest resolves links in the part of a path that exists.
func nearest(dir string) (string, error) {
	real, err := filepath.EvalSymlinks(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return real, err
	}
	up, err := nearest(filepath.Dir(dir))
	return filepath.Join(up, filepath.Base(dir)), err
}

func checkReadable(dir string, mayMiss bool) error {
	st, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) && mayMiss {
		return nil
	}
	if err != nil {
		return app.Errorf(app.CodeFailed, "%s can not be used: %v", dir, err)
	}
	if !st.IsDir() {
		return app.Errorf(app.CodeUsage, "%s is a file: only directories can be shared", dir)
	}
	d, err := os.Open(dir)
	if err == nil {
		_, err = d.Readdirnames(1)
		d.Close()
	}
	if err != nil && !strings.Contains(err.Error(), "EOF") {
		return app.Errorf(app.CodeFailed, "%s can not be read: give this user access to it (%v)", dir, err)
	}
	return nil
}

// checkPlace refuses directories whose sharing would give away more than its
// user thinks, or sync one tree twice.
func (n *Node) checkPlace(dir string, s kept) error {
	if filepath.Dir(dir) == dir {
		return app.Errorf(app.CodeUsage, "%s is the whole disk: share a directory in it", dir)
	}
	if home, err := os.UserHomeDir(); err == nil {
		if real, err := filepath.EvalSymlinks(home); err == nil && within(real, dir) {
			return app.Errorf(app.CodeUsage, "%s holds your home directory with everything in it: share a directory inside it", dir)
		}
	}
	if real, err := filepath.EvalSymlinks(n.cfg.Home); err == nil && (within(real, dir) || within(dir, real)) {
		return app.Errorf(app.CodeUsage, "%s holds foldpost's own keys: share another directory", dir)
	}
	for _, part := range strings.Split(filepath.ToSlash(dir), "/") {
		if strings.EqualFold(part, folder.OwnDir) {
			return app.Errorf(app.CodeUsage, "%s is inside foldpost's own %s directory: share another one", dir, folder.OwnDir)
		}
	}
	for _, f := range s.Folders {
		switch {
		case f.Path == dir:
		case within(dir, f.Path):
			return app.Errorf(app.CodeUsage, "%s is inside the folder %s (%s), which is shared already", dir, f.Name, f.Path)
		case within(f.Path, dir):
			return app.Errorf(app.CodeUsage, "%s holds the folder %s (%s), which is shared already", dir, f.Name, f.Path)
		}
	}
	return nil
}

// within tells whether path is dir or below it.
func within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
