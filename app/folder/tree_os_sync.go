package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// manyToSync is from how many on one barrier for the whole file system is
// cheaper than waiting for each.
const manyToSync = 32

// Sync implements [Tree].
func (t *diskTree) Sync(stages []string, paths []Path) error {
	if err := t.sync(stages, paths); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	return nil
}

func (t *diskTree) sync(stages []string, paths []Path) error {
	root, err := t.hold()
	if err != nil {
		return err
	}
	defer t.mu.RUnlock()
	touched := t.trash.take()
	if len(stages)+len(paths)+len(touched) >= manyToSync {
		err := syncAll(root)
		if !errors.Is(err, errors.ErrUnsupported) {
			t.unsynced(err, touched)
			return sysErr(err)
		}
	}
	err = root.syncEach(stages, paths, touched)
	t.unsynced(err, touched)
	return err
}

// unsynced remembers what a failed Sync took.
func (t *diskTree) unsynced(err error, touched []string) {
	if err == nil {
		return
	}
	for _, rel := range touched {
		t.trash.touch(rel)
	}
}

func (d *dirAt) syncEach(stages []string, paths []Path, touched []string) error {
	if len(stages) > 0 {
		if err := d.syncStages(stages); err != nil {
			return err
		}
	}
	for _, rel := range touched {
		if err := d.syncOwn(rel); err != nil && !errors.Is(err, ErrGone) {
			return err
		}
	}
	for _, p := range paths {
		if err := d.syncPath(p); err != nil && !errors.Is(err, ErrGone) {
			return fmt.Errorf("%q: %w", p, err)
		}
	}
	return nil
}

func (d *dirAt) syncStages(names []string) error {
	stage, err := d.stage()
	if err != nil {
		return err
	}
	defer stage.Close()
	for _, name := range names {
		if err := checkStageName(name); err != nil {
			return err
		}
		// For writing, as Windows asks; a sealed file may not allow it.
		f, err := stage.OpenFile(name, os.O_RDWR, 0)
		if errors.Is(err, fs.ErrPermission) {
			f, err = stage.Open(name)
		}
		if err == nil {
			err = errors.Join(f.Sync(), f.Close())
		}
		if err != nil {
			return fmt.Errorf("stage %s: %w", name, sysErr(err))
		}
	}
	return nil
}

func (d *dirAt) syncOwn(rel string) error {
	dir, err := d.through(rel)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.sync()
}

// syncPath waits for a directory's names or a file's bits. What may not be
// opened is waited for with everything else.
func (d *dirAt) syncPath(p Path) error {
	err := d.syncOne(p)
	if errors.Is(err, fs.ErrPermission) {
		err = syncAll(d)
	}
	return err
}

func (d *dirAt) syncOne(p Path) error {
	if p == "" {
		return d.sync()
	}
	dir, name, err := d.parent(p)
	if err != nil {
		return err
	}
	defer dir.Close()
	f, err := dir.openFile(name)
	switch {
	case errors.Is(err, ErrLeftOut): // somebody put something else there
		return nil
	case errors.Is(err, ErrChanged): // no file
		sub, err := dir.child(name)
		if err != nil {
			return err
		}
		defer sub.Close()
		return sub.sync()
	case err != nil:
		return err
	}
	return sysErr(errors.Join(f.Sync(), f.Close()))
}
