package foldertest

import (
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"foldpost/app/folder"
)

// Put implements [folder.Tree].
func (t *Tree) Put(p folder.Path, old folder.Stat, stage string) (st folder.Stat, kept *folder.Kept, err error) {
	err = t.do("Put", p, true, func(d *disk) error {
		if err := checkStageName(stage); err != nil {
			return err
		}
		dir, err := d.own("stage")
		if err != nil {
			return err
		}
		n := dir.kids[stage]
		if folder.CheckPath(p) == nil && n == nil {
			return errStage(stage)
		}
		st, kept, err = d.place(p, old, place{dir, stage, n})
		return err
	})
	return st, kept, err
}

// PutLink implements [folder.Tree].
func (t *Tree) PutLink(p folder.Path, old folder.Stat, target string) (st folder.Stat, kept *folder.Kept, err error) {
	err = t.do("PutLink", p, true, func(d *disk) error {
		if err := folder.CheckTarget(p, target); err != nil {
			return fmt.Errorf("%w: %w", folder.ErrLeftOut, err)
		}
		if _, err := d.own("stage"); err != nil {
			return err
		}
		n := d.newNode(folder.Link, 0o777)
		n.target = target
		st, kept, err = d.place(p, old, place{node: n})
		return err
	})
	return st, kept, err
}

// place gives p a node, which leaves the stage if it was there.
func (d *disk) place(p folder.Path, old folder.Stat, from place) (folder.Stat, *folder.Kept, error) {
	at, err := d.find(p, old)
	if err != nil {
		return folder.Stat{}, nil, err
	}
	var kept *folder.Kept
	switch old.Kind {
	case folder.Dir:
		if len(at.kids) > 0 {
			return folder.Stat{}, nil, folder.ErrNotEmpty
		}
		d.name(slot{at.dir, at.name, nil})
	case folder.File, folder.Link:
		if kept, err = d.keep(p, at, false); err != nil {
			return folder.Stat{}, nil, err
		}
	}
	slots := []slot{{at.dir, at.name, from.node}}
	if from.dir != nil {
		slots = append(slots, slot{from.dir, from.name, nil})
	}
	d.name(slots...)
	if kept != nil {
		d.settle(kept)
	}
	d.changed(p)
	return d.stat(from.node), kept, nil
}

// Remove implements [folder.Tree].
func (t *Tree) Remove(p folder.Path, old folder.Stat) (kept *folder.Kept, err error) {
	err = t.do("Remove", p, true, func(d *disk) error {
		if old.Kind != folder.File && old.Kind != folder.Link && folder.CheckPath(p) == nil {
			return folder.ErrChanged
		}
		at, err := d.find(p, old)
		if err != nil {
			return err
		}
		if kept, err = d.keep(p, at, true); err != nil {
			return err
		}
		d.settle(kept)
		d.changed(p)
		return nil
	})
	return kept, err
}

const trashTime = "20060102T150405Z"

// keep gives what is at a place a name in the trash: a second one, or in the
// same step its only one. A file with other names is copied.
func (d *disk) keep(p folder.Path, at place, move bool) (*folder.Kept, error) {
	trash, err := d.own("trash")
	if err != nil {
		return nil, err
	}
	n := at.node
	if n.links > 1 && n.kind == folder.File {
		n = d.newNode(folder.File, n.bits)
		if !d.setData(n, at.data) {
			return nil, ErrFull
		}
		n.mtime = at.mtime
	}
	now := time.Now().UTC().Truncate(time.Second)
	for i := range 999 {
		stamp := now.Format(trashTime)
		if i > 0 {
			stamp += "-" + strconv.Itoa(i)
		}
		name := folder.Path(stamp).Join(string(p))
		dir, base := d.trashPlace(trash, name)
		if dir == nil || dir.kids[base] != nil {
			continue
		}
		slots := []slot{{dir, base, n}}
		if move {
			slots = append(slots, slot{at.dir, at.name, nil})
		}
		d.name(slots...)
		return &folder.Kept{Path: p, Name: string(name), At: now.Add(time.Duration(i) * time.Millisecond)}, nil
	}
	return nil, errors.New("too many versions in one second")
}

func (d *disk) trashPlace(trash *node, name folder.Path) (*node, string) {
	dir := trash
	parent, base := name.Split()
	d.trashDirs[trash] = true
	for part := range strings.SplitSeq(string(parent), "/") {
		if dir = d.makeDir(dir, part, 0o700); dir == nil {
			return nil, ""
		}
		d.trashDirs[dir] = true
	}
	return dir, base
}

func (d *disk) settle(k *folder.Kept) {
	if n := d.kept(k.Name); n != nil {
		k.Stat = d.stat(n)
	}
}

// kept finds an old version.
func (d *disk) kept(name string) *node {
	stamp, p, _ := strings.Cut(name, "/")
	if _, ok := parseStamp(stamp); !ok || p == "" || folder.CheckPath(folder.Path(p)) != nil {
		return nil
	}
	at := d.root
	for part := range strings.SplitSeq(folder.OwnDir+"/trash/"+name, "/") {
		if at = at.kids[part]; at == nil {
			return nil
		}
	}
	return at
}

func parseStamp(stamp string) (time.Time, bool) {
	sec, number, more := strings.Cut(stamp, "-")
	at, err := time.Parse(trashTime, sec)
	if err != nil || !more {
		return at, err == nil
	}
	n, err := strconv.Atoi(number)
	return at.Add(time.Duration(n) * time.Millisecond), err == nil
}

// Trash implements [folder.Tree].
func (t *Tree) Trash() iter.Seq2[folder.Kept, error] {
	return func(yield func(folder.Kept, error) bool) {
		var all []folder.Kept
		err := t.do("Trash", "", false, func(d *disk) error {
			own := d.root.kids[folder.OwnDir]
			if own == nil || own.kids["trash"] == nil {
				return nil
			}
			trash := own.kids["trash"]
			for _, stamp := range sortedNames(trash) {
				if at, ok := parseStamp(stamp); ok {
					all = d.allKept(all, trash.kids[stamp], stamp, "", at)
				}
			}
			return nil
		})
		for _, k := range all {
			if !yield(k, nil) {
				return
			}
		}
		if err != nil {
			yield(folder.Kept{}, err)
		}
	}
}

func (d *disk) allKept(all []folder.Kept, dir *node, stamp string, p folder.Path, at time.Time) []folder.Kept {
	for _, name := range sortedNames(dir) {
		kid, q := dir.kids[name], p.Join(name)
		if kid.kind == folder.Dir {
			all = d.allKept(all, kid, stamp, q, at)
			continue
		}
		all = append(all, folder.Kept{Path: q, Name: stamp + "/" + string(q), At: at, Stat: d.stat(kid)})
	}
	return all
}

// OpenKept implements [folder.Tree].
func (t *Tree) OpenKept(name string) (c folder.Content, err error) {
	err = t.do("OpenKept", folder.Path(name), false, func(d *disk) error {
		n := d.kept(name)
		switch {
		case n == nil:
			return folder.ErrGone
		case n.kind != folder.File:
			return folder.ErrChanged
		}
		c = &file{t, d, n, folder.Path(name)}
		return nil
	})
	return c, err
}

// StatKept implements [folder.Tree].
func (t *Tree) StatKept(name string) (st folder.Stat, err error) {
	err = t.do("StatKept", folder.Path(name), false, func(d *disk) error {
		n := d.kept(name)
		if n == nil {
			return folder.ErrGone
		}
		st = d.stat(n)
		return nil
	})
	return st, err
}

// Expire implements [folder.Tree].
func (t *Tree) Expire(before time.Time) error {
	return t.do("Expire", "", true, func(d *disk) error {
		own := d.root.kids[folder.OwnDir]
		if own == nil || own.kids["trash"] == nil {
			return nil
		}
		trash := own.kids["trash"]
		for _, stamp := range sortedNames(trash) {
			if at, ok := parseStamp(stamp); ok && at.Before(before) {
				d.name(slot{trash, stamp, nil})
			}
		}
		return nil
	})
}
