package folder

import (
	"slices"
	"time"
)

// A verdict is what can be done at a path now.
type verdict uint8

const (
	nothing verdict = iota // Base, Target and disk agree, or it is not our turn
	wait                   // something else must be done first
	adopt                  // the disk shows Target already: only Base is behind
	ready                  // an op
)

// Permissions of what no user gave any.
const (
	defaultFileBits = 0o644
	defaultDirBits  = 0o755
)

// plan decides what brings a path closer to Target.
func (r *replica) plan(n *node) (op, verdict) {
	if n.row.Frozen || n.offer != 0 || n.recheck || n.stuck || n.waits || n.parent == nil {
		return op{}, nothing
	}
	t, seen := n.targetEntry(), n.row.Seen
	v := View(t, n.liveBelow > 0)
	o := op{
		Path: n.row.Path, DiskName: n.row.DiskName, Expect: seen, Stat: n.row.Stat,
		Want: v, Bits: bitsOf(t, v), Target: t,
	}
	same := v.is(seen.Value)
	if same && v.Kind != Nothing && v.Kind != Link && t.M.Rank > 0 && t.M.Bits != seen.Bits && !r.ownChange(n, v) {
		o.Kind = opChmod
		return o, r.whenCopied(n, ready)
	}
	switch {
	case same && n.target == nil, r.ownChange(n, v), len(t.S) > maxVersions, len(t.V) > maxReplicas:
		return op{}, nothing
	case same:
		return o, r.whenCopied(n, adopt)
	}
	return r.planChange(n, o)
}

// planChange decides how the disk comes to show something else.
func (r *replica) planChange(n *node, o op) (op, verdict) {
	seen := o.Expect.Kind
	switch o.Want.Kind {
	case Nothing:
		if seen != Dir {
			o.Kind = opRemove
			break
		}
		if n.onDisk > n.leftOut {
			return op{}, wait
		}
		if n.leftOut > 0 { // what is ignored keeps its directory
			if n.target == nil {
				return op{}, nothing
			}
			return o, r.whenCopied(n, adopt)
		}
		o.Kind = opRmdir
	case Dir:
		o.Kind = opMkdir
	default:
		o.Kind = opPut
		if o.Want.Kind == Link {
			o.Kind = opLink
		}
		if seen == Dir && n.onDisk > 0 {
			return op{}, wait
		}
	}
	if n.parent.row.Seen.Kind != Dir {
		return op{}, wait
	}
	return o, r.whenCopied(n, ready)
}

// whenCopied holds everything at a path back until its losers are kept: a
// joined entry says that a person here could have seen all of it.
func (r *replica) whenCopied(n *node, v verdict) verdict {
	if n.copiesBased() || r.off.early {
		return v
	}
	return wait
}

// ownChange tells whether a difference is a local change on a member without
// write right. It stays until the members change the path.
func (r *replica) ownChange(n *node, v Version) bool {
	return r.role == ReadOnly && n.target == nil && n.row.Seen.Kind != Dir && v.Kind != Dir
}

func bitsOf(e Entry, v Version) uint32 {
	switch {
	case e.M.Rank > 0:
		return e.M.Bits
	case v.Kind == Dir:
		return defaultDirBits
	}
	return defaultFileBits
}

func (r *replica) enqueue(n *node) {
	if !n.candidate {
		n.candidate = true
		r.queue = append(r.queue, n)
	}
}

// ops hands out what may be done to the disk now, at most limit, things made
// before things removed. Each must come back by done, changedOnDisk or later,
// or be missing from what started returns.
func (r *replica) ops(now time.Time, limit int) []op {
	r.settle()
	r.guard.now = now
	if r.fresh || r.holds() {
		return nil
	}
	var out []op
	for len(r.queue) > 0 && len(out) < limit {
		n := r.queue[0]
		r.queue = r.queue[1:]
		n.candidate = false
		o, v := r.plan(n)
		switch {
		case v == adopt:
			r.commit(now, n, o.Target)
			r.settle()
		case v == ready && (o.Kind == opRemove || o.Kind == opRmdir):
			n.candidate = true
			r.removals = append(r.removals, n)
		case v == ready:
			out = append(out, r.hand(n, o))
		}
		r.prune(n)
	}
	if len(r.queue) == 0 {
		out = r.opsRemoving(out, limit)
	}
	return out
}

// opsRemoving leaves alone what is just being copied from.
func (r *replica) opsRemoving(out []op, limit int) []op {
	again := r.removals
	r.removals = nil
	for i, n := range again {
		if len(out) >= limit {
			r.removals = append(r.removals, again[i:]...)
			break
		}
		o, v := r.plan(n)
		switch {
		case v == ready && o.Kind == opRemove && r.taking[o.Expect.Content] > 0:
			r.removals = append(r.removals, n)
		case v == ready && (o.Kind == opRemove || o.Kind == opRmdir):
			n.candidate = false
			out = append(out, r.hand(n, o))
		default:
			n.candidate = false
			if v != nothing {
				r.enqueue(n)
			}
			r.prune(n)
		}
	}
	return out
}

// hand marks an op as handed out, with where its content is.
func (r *replica) hand(n *node, o op) op {
	r.tokens++
	o.token = r.tokens
	n.offer = o.token
	if o.Kind == opPut {
		for _, p := range r.holding(o.Want.Content) {
			if p != o.Path {
				o.Here = append(o.Here, p)
			}
		}
		o.Members = sourcesOf(n, o.Want, 0)
		h := o.Want.Content
		r.taking[h]++
		n.takes = &h
	}
	return o
}

// sourcesOf returns who announced a version, here or where it is a copy from.
func sourcesOf(n *node, v Version, depth int) []contentSource {
	var s []contentSource
	for _, p := range n.pending {
		if slices.ContainsFunc(p.Entry.S, v.SameAs) {
			s = append(s, contentSource{p.Device, n.row.Path})
		}
	}
	if depth < 8 {
		for _, b := range n.births {
			if b.entry.S[0].SameAs(v) {
				s = append(s, sourcesOf(b.from, v, depth+1)...)
			}
		}
	}
	return s
}

// release ends an op without a result.
func (r *replica) release(n *node) {
	if h := n.takes; h != nil {
		n.takes = nil
		if r.taking[*h]--; r.taking[*h] <= 0 {
			delete(r.taking, *h)
		}
	}
	if n.started {
		r.forgetIntent(n.row.Path)
	}
	n.offer, n.started = 0, false
}

// takeBack makes an op that was handed out stale.
func (r *replica) takeBack(n *node) {
	if n.offer != 0 {
		r.release(n)
		r.enqueue(n)
	}
}

// current returns the node of an op that is still handed out.
func (r *replica) current(o op) (*node, bool) {
	n, ok := r.nodes[o.Path]
	return n, ok && n.offer == o.token && o.token != 0
}

// started writes down what is about to happen to the disk, to be durable
// before it does, and returns the ops that are not stale.
func (r *replica) started(ops []op) []op {
	valid := make([]op, 0, len(ops))
	for _, o := range ops {
		n, ok := r.current(o)
		if !ok {
			continue
		}
		n.started = true
		r.setIntent(intent{Path: o.Path, Target: o.Target, DiskName: o.DiskName, Inode: o.Inode})
		valid = append(valid, o)
	}
	return valid
}

// done takes what an op left on disk. It returns false where a finding came
// in between: the path must be scanned. What the disk did not take as wanted
// is tried again only after again. A file that is not there stays wanted; for
// the rest (a directory that is not empty, a link that the disk refuses) Base
// becomes Target all the same: there is nothing to be had from others.
func (r *replica) done(o op, got result) bool {
	n, ok := r.current(o)
	if !ok {
		return false
	}
	taken := o.Want.is(got.Seen.Value) && (o.Kind != opChmod || got.Seen.Bits == o.Bits)
	if o.Kind == opPut && !taken {
		r.later(o)
		return true
	}
	if o.Expect.Kind == File && n.count.harm != harmless {
		r.guard.there.note(r.guard.now, o.Path, n.count.harm)
	}
	r.release(n)
	r.setSeen(n, got)
	r.commit(r.guard.now, n, o.Target)
	r.settle()
	if !taken {
		n.stuck = true
		r.wait(n)
		r.note(n)
	}
	return true
}

// changedOnDisk gives an op back because the disk has not what Expect says.
// Nothing is offered at the path until it was observed.
func (r *replica) changedOnDisk(o op) {
	if n, ok := r.current(o); ok {
		r.release(n)
		n.recheck = true
	}
}

// later gives an op back that can not be done now, until again.
func (r *replica) later(o op) {
	if n, ok := r.current(o); ok {
		r.release(n)
		n.waits = true
		r.wait(n)
		if o.Kind == opPut {
			r.passOver(n, o.Want.Dot)
			r.settle()
		}
	}
}

func (r *replica) wait(n *node) {
	if !n.listed {
		n.listed = true
		r.waiting = append(r.waiting, n)
	}
}

// again offers anew what later gave back and what the disk did not take.
func (r *replica) again() {
	for _, n := range r.waiting {
		n.listed, n.waits, n.stuck = false, false, false
		for i := range n.pending {
			n.pending[i].passed = false
		}
		r.touch(n)
	}
	r.waiting = nil
	r.settle()
}

// commit makes Target, or what it was when an op was handed out, part of Base.
func (r *replica) commit(now time.Time, n *node, t Entry) {
	e := r.off.join(n.row.Entry, t)
	if r.off.birthOwn {
		e = r.stampBirths(now, n, e)
	}
	if r.off.bump && len(e.S) > 1 {
		e = r.over(now, e, View(e, n.liveBelow > 0).value(), e.S[0].MTime)
	}
	r.setBase(n, e)
}

// stampBirths is what rules.birthOwn does.
func (r *replica) stampBirths(now time.Time, n *node, e Entry) Entry {
	e.S = slices.Clone(e.S)
	for i, v := range e.S {
		if slices.ContainsFunc(n.births, func(b wantedCopy) bool { return b.dot == v.Dot }) {
			e.S[i].Dot = r.newDot(now)
			e.V = e.V.With(e.S[i].Dot)
		}
	}
	slices.SortFunc(e.S, func(a, b Version) int { return compareDots(a.Dot, b.Dot) })
	return e
}
