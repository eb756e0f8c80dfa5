package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// judge tells why what is at p is left out. Only links need the disk.
func (d *dirAt) judge(p Path, at onDisk) error {
	switch at.Kind {
	case File, Dir:
		return nil
	case Link:
		target, err := d.Readlink(at.name)
		if err != nil {
			return sysErr(err)
		}
		if err := CheckTarget(p, target); err != nil {
			return fmt.Errorf("%w: %w", ErrLeftOut, err)
		}
		return nil
	}
	return fmt.Errorf("%w: %s", ErrLeftOut, special(at.info.Mode()))
}

func special(m fs.FileMode) string {
	switch {
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "not a file, directory or link"
}

// Stat implements [Tree].
func (t *diskTree) Stat(p Path) (Stat, error) {
	st, err := t.stat(p)
	if err != nil {
		return Stat{}, fmt.Errorf("look at %q: %w", p, err)
	}
	return st, nil
}

func (t *diskTree) stat(p Path) (Stat, error) {
	root, err := t.hold()
	if err != nil {
		return Stat{}, err
	}
	defer t.mu.RUnlock()
	if p == "" {
		info, err := root.Lstat(".")
		if err != nil {
			return Stat{}, sysErr(err)
		}
		return statOf(info), nil
	}
	dir, name, err := root.parent(p)
	if err != nil {
		return Stat{}, err
	}
	defer dir.Close()
	at, err := dir.lookup(name)
	if err != nil {
		return Stat{}, err
	}
	if at.info == nil {
		return Stat{}, ErrGone
	}
	return at.Stat, dir.judge(p, at)
}

// List implements [Tree].
func (t *diskTree) List(ctx context.Context, dir Path) ([]Listed, error) {
	list, err := t.list(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("list %q: %w", dir, err)
	}
	return list, nil
}

func (t *diskTree) list(ctx context.Context, p Path) ([]Listed, error) {
	root, err := t.hold()
	if err != nil {
		return nil, err
	}
	defer t.mu.RUnlock()
	dir, err := root.down(p)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.names()
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	owners := owners(names)
	list := make([]Listed, 0, len(names))
	for i, name := range names {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if p == "" && name == OwnDir {
			continue
		}
		l, err := dir.listed(p, name, owners)
		if errors.Is(err, ErrGone) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
		list = append(list, l)
	}
	return list, nil
}

// owners maps each NFC form that some name has without being it to the name
// that stands for it: the form itself if it is there, else the first.
func owners(sorted []string) map[string]string {
	var owners map[string]string
	for _, name := range sorted {
		if isPlain := plain(name); isPlain || norm.NFC.IsNormalString(name) {
			continue
		}
		if owners == nil {
			owners = map[string]string{}
		}
		form := norm.NFC.String(name)
		if _, ok := owners[form]; ok {
			continue
		}
		owners[form] = name
		if _, ok := slices.BinarySearch(sorted, form); ok {
			owners[form] = form
		}
	}
	return owners
}

// listed looks at one name that a directory has. An error that is not its
// Listed.Err says nothing about the name.
func (d *dirAt) listed(dir Path, name string, owners map[string]string) (Listed, error) {
	leftOut := func(p Path, err error) (Listed, error) {
		if !errors.Is(err, ErrLeftOut) {
			err = fmt.Errorf("%w: %w", ErrLeftOut, err)
		}
		return Listed{Name: name, Path: p, Err: err}, nil
	}
	if !utf8.ValidString(name) {
		return leftOut("", errors.New("name is not UTF-8"))
	}
	form := name
	if !plain(name) {
		form = norm.NFC.String(name)
	}
	p := dir.Join(form)
	if err := CheckPath(p); err != nil {
		return leftOut("", err)
	}
	if owner, ok := owners[form]; ok && owner != name {
		return leftOut("", fmt.Errorf("same name as another here, in other bytes: %+q", owner))
	}
	info, err := d.Lstat(name)
	if err != nil {
		return Listed{}, sysErr(err)
	}
	at := onDisk{name: name, info: info, Stat: statOf(info)}
	if err := d.judge(p, at); errors.Is(err, ErrLeftOut) {
		return leftOut(p, err)
	} else if err != nil {
		return Listed{}, err
	}
	return Listed{Name: name, Path: p, Stat: at.Stat}, nil
}

// Readlink implements [Tree].
func (t *diskTree) Readlink(p Path) (string, error) {
	target, err := t.readlink(p)
	if err != nil {
		return "", fmt.Errorf("read link %q: %w", p, err)
	}
	return target, nil
}

func (t *diskTree) readlink(p Path) (string, error) {
	root, err := t.hold()
	if err != nil {
		return "", err
	}
	defer t.mu.RUnlock()
	dir, name, err := root.parent(p)
	if err != nil {
		return "", err
	}
	defer dir.Close()
	at, err := dir.lookup(name)
	switch {
	case err != nil:
		return "", err
	case at.info == nil:
		return "", ErrGone
	case at.Kind != Link:
		return "", ErrChanged
	}
	target, err := dir.Readlink(at.name)
	return target, sysErr(err)
}
