package folder

import (
	"context"
	"errors"
	"slices"
	"time"
)

// A batch is applied when it is full, when its first op is old, or when nothing
// more is on its way.
const (
	batchAtMost = 1024
	batchTime   = 200 * time.Millisecond
	syncRetry   = 5 * time.Second
)

// applyState is the batch that is being applied.
type applyState struct {
	running bool
	busy    map[Path]bool // paths whose disk and row differ for the moment
}

// An outcome is what came of an op.
type outcome struct {
	op   op
	stat Stat
	kept *Kept
	err  error
}

func (e *engine) stepApply(ctx context.Context, now time.Time) {
	p := &e.pull
	more := p.running > 0 // what waits in the queue then waits for this batch
	if e.apply.running || len(p.ready) == 0 || more && len(p.ready) < batchAtMost && now.Sub(p.readyAt) < batchTime {
		return
	}
	n := min(len(p.ready), batchAtMost)
	ops := slices.Clone(p.ready[:n])
	p.ready = append([]op(nil), p.ready[n:]...)
	p.readyAt = now
	slices.SortStableFunc(ops, func(a, b op) int { return removalLast(a) - removalLast(b) })
	e.apply.running = true
	expect := e.root.is
	e.work(ctx, func(ctx context.Context) func() {
		err := checkRoot(e.tree, expect)
		if err == nil {
			err = e.tree.Sync(stagesOf(ops), nil)
		}
		return func() { e.staged(ctx, ops, err) }
	})
}

// removalLast puts deletions after creations: a moved file is there twice for a
// moment, never not at all. Deeper paths go first.
func removalLast(o op) int {
	switch o.Kind {
	case opRemove:
		return 1
	case opRmdir:
		return 2
	}
	return 0
}

func stagesOf(ops []op) []string {
	var names []string
	for _, o := range ops {
		if o.Kind == opPut {
			names = append(names, stageOf(o.Path, o.Want.Content))
		}
	}
	return names
}

func (e *engine) nextApply() time.Time {
	if e.apply.running || len(e.pull.ready) == 0 {
		return time.Time{}
	}
	return e.pull.readyAt.Add(batchTime)
}

// staged makes the intents durable, and only then lets the disk be changed.
func (e *engine) staged(ctx context.Context, ops []op, err error) {
	now := time.Now()
	if err != nil {
		e.apply.running = false
		e.failedBatch(ops, err, now)
		return
	}
	valid := e.rep.started(ops)
	stale := slices.DeleteFunc(slices.Clone(ops), func(o op) bool {
		return slices.ContainsFunc(valid, func(v op) bool { return v.Path == o.Path })
	})
	for _, o := range stale {
		e.finished(o)
	}
	for _, o := range valid {
		e.apply.busy[o.Path] = true
		if o.Path == ignoreFile && o.Kind != opChmod {
			e.rulesFromMember(o)
		}
	}
	if e.commit(); e.fatal != nil {
		return
	}
	expect := e.root.is
	e.work(ctx, func(ctx context.Context) func() {
		discard(e.tree, stagesOf(stale))
		if err := checkRoot(e.tree, expect); err != nil {
			return func() { e.unapplied(valid, err) }
		}
		outs, names := applyAll(ctx, e.tree, valid)
		if !e.keepNames(ctx, names) {
			return func() {} // the intents stay
		}
		return func() { e.applied(outs) }
	})
}

// keepNames makes names durable, however long it takes: until then the index
// must not say that they are there, and the intents must stay.
func (e *engine) keepNames(ctx context.Context, names []Path) bool {
	for {
		err := e.tree.Sync(nil, names)
		if err == nil {
			return true
		}
		e.report(ctx, func() { e.cannotWrite(names[0], err, time.Now()) })
		select {
		case <-time.After(syncRetry):
		case <-ctx.Done():
			return false
		}
	}
}

// discard drops stage files that nobody wants any more.
func discard(t Tree, stages []string) {
	for _, name := range stages {
		if st, err := t.Stage(name); err == nil {
			_ = st.Discard()
		}
	}
}

func (e *engine) failedBatch(ops []op, err error, now time.Time) {
	switch {
	case errors.Is(err, errRoot):
		e.lostRoot(now, err)
	case errors.Is(err, ErrNoSpace):
		e.full(now)
	default:
		e.cannotWrite(ops[0].Path, err, now)
	}
	for _, o := range ops {
		e.giveBack(o)
	}
}

// applyAll changes the disk and returns which names, and which files' bits,
// must be made durable.
func applyAll(ctx context.Context, t Tree, ops []op) ([]outcome, []Path) {
	outs := make([]outcome, len(ops))
	var names []Path
	for i, o := range ops {
		out := &outs[i]
		out.op = o
		out.stat, out.kept, out.err = applyOne(t, o)
		if out.err != nil {
			out.check(ctx, t)
		}
		dir, _ := o.Path.Split()
		names = append(names, dir)
		if o.Kind == opChmod {
			names = append(names, o.Path)
		}
	}
	slices.Sort(names)
	return outs, slices.Compact(names)
}

// check finds out whether an op that failed was done all the same: then the
// disk's fault must not make a person's edit of it.
func (out *outcome) check(ctx context.Context, t Tree) {
	for _, known := range []error{ErrChanged, ErrGone, ErrNotEmpty, ErrLeftOut} {
		if errors.Is(out.err, known) {
			return
		}
	}
	o := out.op
	st, err := t.Stat(o.Path)
	switch o.Kind {
	case opRemove, opRmdir:
		if errors.Is(err, ErrGone) {
			out.err = nil
		}
		return
	case opChmod:
		if err == nil && st.Bits == o.Bits {
			out.stat, out.err = st, nil
		}
		return
	}
	if err != nil || st.Kind != o.Want.Kind || st.Kind != Dir && sameFile(st, o.Stat) {
		return
	}
	if st.Kind != Dir {
		r := read(ctx, t, hashJob{path: o.Path, stat: st})
		if r.err != nil || r.seen.Content != o.Want.Content {
			return
		}
	}
	out.stat, out.err = st, nil
}

func applyOne(t Tree, o op) (Stat, *Kept, error) {
	old := o.Stat
	if o.Expect.Kind == Nothing {
		old = Stat{}
	}
	switch o.Kind {
	case opPut:
		return t.Put(o.Path, old, stageOf(o.Path, o.Want.Content))
	case opLink:
		return t.PutLink(o.Path, old, o.Want.Target)
	case opMkdir:
		var kept *Kept
		if old.Kind == File || old.Kind == Link {
			var err error
			if kept, err = t.Remove(o.Path, old); err != nil {
				return Stat{}, nil, err
			}
		}
		st, err := t.Mkdir(o.Path, o.Bits)
		return st, kept, err
	case opChmod:
		st, err := t.Chmod(o.Path, old, o.Bits)
		return st, nil, err
	case opRemove:
		kept, err := t.Remove(o.Path, old)
		return Stat{}, kept, err
	case opRmdir:
		return Stat{}, nil, t.Rmdir(o.Path)
	}
	panic("unknown kind of op")
}

// unapplied gives back a batch of which nothing was done.
func (e *engine) unapplied(ops []op, err error) {
	e.apply.running = false
	for _, o := range ops {
		delete(e.apply.busy, o.Path)
	}
	e.failedBatch(ops, err, time.Now())
}

// applied tells the replica what is on disk now.
func (e *engine) applied(outs []outcome) {
	now := time.Now()
	e.apply.running = false
	for _, out := range outs {
		delete(e.apply.busy, out.op.Path)
	}
	for _, out := range outs {
		e.outcome(out, now)
	}
	e.commit()
}

func (e *engine) outcome(out outcome, now time.Time) {
	o := out.op
	e.log.Debug("applied", "path", o.Path, "kind", o.Kind, "expect", o.Expect.Kind, "want", o.Want.Kind, "error", out.err)
	if out.kept != nil {
		e.lookAgain(*out.kept, now)
	}
	switch {
	case out.err == nil:
		e.finished(o)
		if !e.rep.done(o, resultOf(out)) {
			e.look(o.Path, now)
		}
		if o.Path == ignoreFile {
			e.scanAll(now)
		}
	case errors.Is(out.err, ErrNotEmpty), errors.Is(out.err, ErrLeftOut):
		// Base has it all the same: what is in the directory keeps it, and a
		// link that leads out of the folder is known but not made.
		e.finished(o)
		if !e.rep.done(o, result{Seen: o.Expect, Stat: o.Stat, DiskName: o.DiskName}) || o.Kind == opRmdir {
			e.look(o.Path, now)
		} else {
			e.leaveOut(o.Path, out.err)
		}
	case errors.Is(out.err, ErrChanged):
		e.finished(o)
		e.rep.changedOnDisk(o)
		e.scan.owed[o.Path] = true
		e.look(o.Path, now)
	case errors.Is(out.err, ErrGone): // the directory it belongs in
		dir, _ := o.Path.Split()
		if dir != "" {
			e.look(dir, now)
		}
		e.retryAt(now.Add(2 * absenceTime))
		e.giveBack(o)
	case errors.Is(out.err, ErrNoSpace):
		e.full(now)
		e.giveBack(o)
	default:
		e.log.Debug("write", "path", o.Path, "error", out.err)
		e.cannotWrite(o.Path, out.err, now)
		e.giveBack(o)
	}
}

func resultOf(out outcome) result {
	o := out.op
	r := result{Stat: out.stat, DiskName: o.DiskName}
	switch o.Kind {
	case opPut, opLink:
		r.Seen = Seen{Value: Value{Kind: o.Want.Kind, Size: o.Want.Size, Content: o.Want.Content, Target: o.Want.Target}}
	case opMkdir:
		r.Seen = Seen{Value: Value{Kind: Dir}}
	case opChmod:
		r.Seen = o.Expect
	case opRemove, opRmdir:
		return r
	}
	r.Seen.Bits = out.stat.Bits // what a file system without modes has is no change
	return r
}
