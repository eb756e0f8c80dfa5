package folder

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"time"
)

// Errors of a resolution that a caller decides on; ErrGone and ErrChanged are
// among them as well.
var (
	// ErrReadOnly: this device only receives.
	ErrReadOnly = errors.New("the folder is only received here")
	// ErrNotHere: one of the versions is known, but has not come to this disk yet.
	ErrNotHere = errors.New("one of the versions is not here yet")
)

// KeepHere ends the conflict at p with what is there: its copies go to the
// trash. It fails with ErrGone where there is no conflict, and with ErrChanged
// where somebody was faster; what was done until then stays.
//
// In all three ways of are the versions that the person saw. If there are any,
// and by now others, nothing is done: ErrChanged.
//
// All three ways are a person's edits: the next look at the paths makes dots
// of them, and Status tells it afterwards.
func (f *Folder) KeepHere(ctx context.Context, p Path, of ...Side) error {
	return f.resolve(ctx, p, of, func(r *resolution) error { return r.dropCopies() })
}

// KeepCopy ends the conflict at p with what one of its copies holds. What was
// at p, and all copies, go to the trash.
func (f *Folder) KeepCopy(ctx context.Context, p, at Path, of ...Side) error {
	return f.resolve(ctx, p, of, func(r *resolution) error {
		i := slices.IndexFunc(r.copies, func(c Row) bool { return c.Path == at })
		if i < 0 {
			return fmt.Errorf("%q is no copy of it: %w", at, ErrGone)
		}
		old, bits := r.at.Stat, r.copies[i].Stat.Bits
		switch r.at.Seen.Kind {
		case File:
			bits = old.Bits
		case Nothing:
			old = Stat{}
		}
		if err := r.put(ctx, r.copies[i], p, old, bits); err != nil {
			return err
		}
		return r.dropCopies()
	})
}

// KeepBoth ends the conflict at p with all versions: each copy becomes a file
// with a name of its own.
func (f *Folder) KeepBoth(ctx context.Context, p Path, of ...Side) error {
	return f.resolve(ctx, p, of, func(r *resolution) error {
		for _, c := range r.copies {
			if err := r.rename(ctx, c); err != nil {
				return err
			}
		}
		return r.dropCopies()
	})
}

// A resolution is a conflict while it is being ended. Nothing is applied to its
// paths meanwhile.
type resolution struct {
	tree    Tree
	root    RootID
	at      Row
	copies  []Row
	labels  []string // of those who wrote the copies
	touched []Path
	kept    []Kept
}

func (f *Folder) resolve(ctx context.Context, p Path, of []Side, act func(*resolution) error) error {
	var r *resolution
	var err error
	if e := f.call(ctx, func(e *engine) { r, err = e.claim(p, of) }); e != nil || err != nil {
		return fmt.Errorf("resolve %q: %w", p, errors.Join(e, err))
	}
	if err = checkRoot(r.tree, r.root); err == nil {
		err = act(r)
	}
	err = errors.Join(err, f.call(context.WithoutCancel(ctx), func(e *engine) { e.unclaim(r) }))
	if err != nil {
		return fmt.Errorf("resolve %q: %w", p, err)
	}
	return nil
}

// claim keeps the engine off the paths of a conflict until unclaim.
func (e *engine) claim(p Path, of []Side) (*resolution, error) {
	n := e.rep.nodes[p]
	if n == nil {
		return nil, ErrGone
	}
	c, ok := e.rep.conflict(n)
	switch {
	case !ok:
		return nil, ErrGone
	case e.cfg.Role == ReadOnly:
		return nil, ErrReadOnly
	case !e.root.ok:
		return nil, ErrNoRoot
	case c.Sides[0].Kind != Dir && c.Sides[0].Kind != Nothing && n.row.Seen.Kind == Nothing:
		return nil, ErrNotHere // to keep it would leave nothing here
	case len(of) > 0 && !slices.EqualFunc(of, c.Sides, sameSide):
		return nil, ErrChanged
	}
	r := &resolution{tree: e.tree, root: e.root.is, at: n.row}
	for i, q := range c.Copies {
		at := e.rep.nodes[q]
		if at.row.Seen.Kind != File && at.row.Seen.Kind != Link {
			return nil, ErrNotHere
		}
		r.copies = append(r.copies, at.row)
		label := c.Sides[i+1].Label
		if label == "" {
			label = birthLabel
		}
		r.labels = append(r.labels, label)
	}
	for _, q := range append([]Path{p}, c.Copies...) {
		if e.rep.nodes[q].started {
			return nil, ErrChanged // a batch is being written
		}
		r.touched = append(r.touched, q)
	}
	for _, q := range r.touched {
		e.rep.claim(q)
	}
	return r, nil
}

// sameSide tells whether two sides are the same version, as far as a person
// could see it.
func sameSide(a, b Side) bool { return a.Path == b.Path && a.Size == b.Size && a.MTime == b.MTime }

// unclaim has everything that was claimed or made looked at: no op is offered
// there before that.
func (e *engine) unclaim(r *resolution) {
	now := time.Now()
	for _, k := range r.kept {
		e.lookAgain(k, now)
	}
	for _, p := range r.touched {
		e.scan.owed[p] = true
		e.look(p, now)
	}
}

// claim makes the path wait for an observation, which the guard lets through.
func (r *replica) claim(p Path) {
	n := r.node(p)
	r.takeBack(n)
	n.recheck, n.decided = true, true
}

// keep notes what went to the trash.
func (r *resolution) keep(k *Kept) {
	if k != nil {
		r.kept = append(r.kept, *k)
	}
}

// dropCopies moves the copies into the trash. What took their place is durable
// before.
func (r *resolution) dropCopies() error {
	if err := r.sync(); err != nil {
		return err
	}
	for _, c := range r.copies {
		k, err := r.tree.Remove(c.Path, c.Stat)
		if err != nil {
			return err
		}
		r.keep(k)
	}
	return r.sync()
}

func (r *resolution) sync() error {
	var dirs []Path
	for _, p := range r.touched {
		dir, _ := p.Split()
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	return r.tree.Sync(nil, slices.Compact(dirs))
}

// put gives a path, where old is now, what a copy holds.
func (r *resolution) put(ctx context.Context, c Row, to Path, old Stat, bits uint32) error {
	if c.Seen.Kind == Link {
		target, err := r.tree.Readlink(c.Path)
		if err != nil {
			return err
		}
		_, k, err := r.tree.PutLink(to, old, target)
		r.keep(k)
		return err
	}
	from, err := r.tree.Open(c.Path)
	if err != nil {
		return err
	}
	defer from.Close()
	stage := stageOf(to, hashLink(string(c.Path)))
	got, err := stageCopy(ctx, r.tree, stage, from, c.Stat.MTime, bits)
	if err == nil && got != c.Seen.Content {
		err = ErrChanged
	}
	if err != nil {
		discard(r.tree, []string{stage})
		return err
	}
	_, k, err := r.tree.Put(to, old, stage)
	r.keep(k)
	return err
}

// maxOwnNames is how many names are tried for what is kept beside the path.
const maxOwnNames = 100

// rename gives a copy a name of its own, which nothing has.
func (r *resolution) rename(ctx context.Context, c Row) error {
	label := r.labels[slices.IndexFunc(r.copies, func(o Row) bool { return o.Path == c.Path })]
	for i := range maxOwnNames {
		to := ownPath(c.Path, r.at.Path, label, i+1)
		if _, err := r.tree.Stat(to); !errors.Is(err, ErrGone) {
			continue
		}
		err := r.put(ctx, c, to, Stat{}, c.Stat.Bits)
		if _, taken := r.tree.Stat(to); errors.Is(err, ErrChanged) && taken == nil {
			continue
		}
		if err == nil {
			r.touched = append(r.touched, to)
		}
		return err
	}
	return fmt.Errorf("find a name for %q: %d are taken", c.Path, maxOwnNames)
}

// ownPath is the n-th name for what a device wrote at p, in the directory of
// its copy.
func ownPath(of, p Path, label string, n int) Path {
	dir, _ := path.Split(string(of))
	stem, ext := splitExt(path.Base(string(p)))
	mark := " (" + label
	if n > 1 {
		mark += " " + strconv.Itoa(n)
	}
	mark += ")" + ext
	if room := min(MaxName, MaxPath-len(dir)) - len(mark); len(stem) > room {
		stem = cutTo(stem, max(room, 0))
	}
	return Path(dir + stem + mark)
}
