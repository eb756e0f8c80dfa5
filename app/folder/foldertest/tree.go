package foldertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"foldpost/app/folder"
)

// down finds a directory by its path.
func (d *disk) down(p folder.Path) (*node, error) {
	if err := folder.CheckPath(p); err != nil {
		return nil, fmt.Errorf("%w: %w", folder.ErrLeftOut, err)
	}
	at := d.root
	if p == "" {
		return at, nil
	}
	for name := range strings.SplitSeq(string(p), "/") {
		_, kid := at.lookup(name)
		if kid == nil || kid.kind != folder.Dir {
			return nil, folder.ErrGone
		}
		at = kid
	}
	return at, nil
}

// A place is a path's directory entry; node is nil where there is none.
type place struct {
	dir  *node
	name string
	*node
}

func (d *disk) at(p folder.Path) (place, error) {
	if p == "" {
		return place{}, fmt.Errorf("%w: the folder itself", folder.ErrLeftOut)
	}
	if err := folder.CheckPath(p); err != nil {
		return place{}, fmt.Errorf("%w: %w", folder.ErrLeftOut, err)
	}
	parent, name := p.Split()
	dir, err := d.down(parent)
	if err != nil {
		return place{}, err
	}
	diskName, n := dir.lookup(name)
	return place{dir, diskName, n}, nil
}

// find is at for a path that must be as it was seen.
func (d *disk) find(p folder.Path, old folder.Stat) (place, error) {
	at, err := d.at(p)
	switch {
	case err != nil:
		return at, err
	case at.node == nil && old.Kind == folder.Nothing:
		return at, nil
	case at.node == nil:
		return at, folder.ErrChanged
	case at.kind == folder.Nothing:
		return at, errSpecial
	}
	now := d.stat(at.node)
	same := now.Kind == old.Kind && now.Dev == old.Dev && now.Ino == old.Ino
	if now.Kind != folder.Dir {
		same = same && now.Size == old.Size && now.MTime == old.MTime && now.CTime == old.CTime
	}
	if !same {
		return at, folder.ErrChanged
	}
	return at, nil
}

var errSpecial = fmt.Errorf("%w: a pipe", folder.ErrLeftOut)

func judge(p folder.Path, n *node) error {
	switch n.kind {
	case folder.Nothing:
		return errSpecial
	case folder.Link:
		if err := folder.CheckTarget(p, n.target); err != nil {
			return fmt.Errorf("%w: %w", folder.ErrLeftOut, err)
		}
	}
	return nil
}

// Stat implements [folder.Tree].
func (t *Tree) Stat(p folder.Path) (st folder.Stat, err error) {
	err = t.do("Stat", p, false, func(d *disk) error {
		if p == "" {
			st = d.stat(d.root)
			return nil
		}
		at, err := d.at(p)
		if err == nil && at.node == nil {
			err = folder.ErrGone
		}
		if err == nil {
			err = judge(p, at.node)
		}
		if err == nil {
			st = d.stat(at.node)
		}
		return err
	})
	return st, err
}

// List implements [folder.Tree].
func (t *Tree) List(ctx context.Context, p folder.Path) (list []folder.Listed, err error) {
	err = t.do("List", p, false, func(d *disk) error {
		dir, err := d.down(p)
		if err != nil {
			return err
		}
		list, err = d.list(ctx, p, dir)
		return err
	})
	return list, err
}

func (d *disk) list(ctx context.Context, p folder.Path, dir *node) ([]folder.Listed, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	list := []folder.Listed{}
	for _, name := range sortedNames(dir) {
		if p == "" && name == folder.OwnDir {
			continue
		}
		l := folder.Listed{Name: name, Path: p.Join(norm.NFC.String(name))}
		_, owner := dir.lookup(norm.NFC.String(name))
		switch err := folder.CheckPath(l.Path); {
		case !utf8.ValidString(name):
			l.Path, l.Err = "", fmt.Errorf("%w: name is not UTF-8", folder.ErrLeftOut)
		case err != nil:
			l.Path, l.Err = "", fmt.Errorf("%w: %w", folder.ErrLeftOut, err)
		case owner != dir.kids[name]:
			l.Path, l.Err = "", fmt.Errorf("%w: same name as another here, in other bytes", folder.ErrLeftOut)
		default:
			l.Err = judge(l.Path, dir.kids[name])
		}
		if l.Err == nil {
			l.Stat = d.stat(dir.kids[name])
		}
		list = append(list, l)
	}
	return list, nil
}

// Readlink implements [folder.Tree].
func (t *Tree) Readlink(p folder.Path) (target string, err error) {
	err = t.do("Readlink", p, false, func(d *disk) error {
		at, err := d.at(p)
		switch {
		case err != nil:
			return err
		case at.node == nil:
			return folder.ErrGone
		case at.kind != folder.Link:
			return folder.ErrChanged
		}
		target = at.target
		return nil
	})
	return target, err
}

// Mkdir implements [folder.Tree].
func (t *Tree) Mkdir(p folder.Path, bits uint32) (st folder.Stat, err error) {
	err = t.do("Mkdir", p, true, func(d *disk) error {
		at, err := d.at(p)
		if err != nil {
			return err
		}
		if at.node != nil && at.kind == folder.Nothing {
			return folder.ErrChanged
		}
		n := d.makeDir(at.dir, at.name, bits&0o777)
		if n == nil {
			return folder.ErrChanged
		}
		d.chmod(n, bits)
		d.changed(p)
		st = d.stat(n)
		return nil
	})
	return st, err
}

func (d *disk) chmod(n *node, bits uint32) {
	if n.bits != bits&0o777 {
		n.bits, n.ctime = bits&0o777, d.now()
	}
}

// Chmod implements [folder.Tree].
func (t *Tree) Chmod(p folder.Path, old folder.Stat, bits uint32) (st folder.Stat, err error) {
	err = t.do("Chmod", p, true, func(d *disk) error {
		at, err := d.find(p, old)
		if err == nil && (at.node == nil || at.kind == folder.Link || at.bits != old.Bits) {
			err = folder.ErrChanged
		}
		if err != nil {
			return err
		}
		d.chmod(at.node, bits)
		d.changed(p)
		st = d.stat(at.node)
		return nil
	})
	return st, err
}

// Rmdir implements [folder.Tree].
func (t *Tree) Rmdir(p folder.Path) error {
	return t.do("Rmdir", p, true, func(d *disk) error {
		at, err := d.at(p)
		switch {
		case err != nil:
			return err
		case at.node == nil:
			return folder.ErrGone
		case at.kind != folder.Dir:
			return folder.ErrChanged
		case len(at.kids) > 0:
			return folder.ErrNotEmpty
		}
		d.name(slot{at.dir, at.name, nil})
		d.changed(p)
		return nil
	})
}

// Sync implements [folder.Tree].
func (t *Tree) Sync(stages []string, paths []folder.Path) error {
	return t.do("Sync", "", false, func(d *disk) error {
		for _, name := range stages {
			n := d.staged(name)
			if n == nil {
				return errStage(name)
			}
			d.save(n)
		}
		for dir := range d.trashDirs {
			d.saveNames(dir)
		}
		clear(d.trashDirs)
		for _, p := range paths {
			if dir, err := d.down(p); err == nil {
				d.saveNames(dir)
				continue
			}
			at, err := d.at(p)
			switch {
			case errors.Is(err, folder.ErrGone) || err == nil && at.node == nil:
			case err != nil:
				return err
			default:
				d.save(at.node)
			}
		}
		return nil
	})
}

func (d *disk) staged(name string) *node {
	own := d.root.kids[folder.OwnDir]
	if own == nil || own.kids["stage"] == nil {
		return nil
	}
	return own.kids["stage"].kids[name]
}
