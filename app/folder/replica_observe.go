package folder

import (
	"slices"
	"time"
)

// observe takes what a scan found. It is the only place where dots are made.
// A batch that the guard holds makes none; answer decides about it.
func (r *replica) observe(now time.Time, obs []observation) observed {
	r.guard.now = now
	if obs = r.guardScan(now, obs); obs == nil {
		return observed{Held: len(r.guard.scan) > 0}
	}
	before := r.lastN
	written := 0
	for _, o := range obs {
		r.find(now, o)
		if r.lastN != before {
			before = r.lastN
			written++
		}
	}
	r.settle()
	return observed{Written: written}
}

// find decides what one finding is: nothing new, our own doing, or a write.
func (r *replica) find(now time.Time, o observation) {
	n := r.node(o.Path)
	defer r.touch(n)
	in, named := r.intents[o.Path]
	if !n.started {
		r.forgetIntent(o.Path)
	}
	n.recheck, n.decided = false, false
	if n.row.Frozen && !n.thawing || r.thawed(n, o) {
		return
	}
	got := result{Seen: o.Seen, Stat: o.Stat, DiskName: o.DiskName}
	if o.Seen.Value == n.row.Seen.Value {
		r.foundBits(now, n, o, in, named)
		r.setSeen(n, got)
		return
	}
	if !n.started {
		r.takeBack(n)
	}
	named = named && !r.off.noAdopt && (r.off.anyInode || in.mayHaveMade(o))
	if !named {
		in = intent{}
	}
	if t, ok := r.ours(n, o.Seen.Value, in, named); ok {
		r.setSeen(n, got)
		r.setBase(n, t)
		return
	}
	if n.started {
		r.release(n) // a user was faster than done
	}
	r.write(now, n, o)
}

// ours tells whether a finding that differs from what was seen is not a
// user's: an intent names it, or nobody here has known the path, and an unseen
// version of Target equals it. The entry is what Base becomes: all of Target
// where its other versions are kept, else only the version that is on disk.
func (r *replica) ours(n *node, disk Value, in intent, named bool) (Entry, bool) {
	base := n.row.Entry
	if !named && !(r.fresh && base.zero()) && !r.off.adoptEqual {
		return Entry{}, false
	}
	below := n.liveBelow > 0
	if named && disk.Kind == Nothing && betweenKinds(n.row.Seen.Kind, View(in.Target, below).Kind) {
		return base, true
	}
	t := r.off.join(n.targetEntry(), in.Target)
	if !r.equalsUnseen(t, base, disk, below) && !(named && shows(in.Target, disk, below)) {
		return Entry{}, false
	}
	if !r.ownCopiesBased(n, t) {
		return Entry{}, false
	}
	switch {
	case shows(t, disk, below) && r.allCopiesBased(n, t):
		return t, true
	case named && shows(in.Target, disk, below):
		return r.off.join(base, in.Target), true
	}
	return r.off.join(base, versionOf(t, base, disk)), true
}

// versionOf returns an entry of nothing but the unseen versions that a disk
// has. A write over it ends them, and nothing that nobody here could see.
func versionOf(t, base Entry, disk Value) Entry {
	var e Entry
	for _, v := range t.S {
		if v.is(disk) && !base.V.Covers(v.Dot) {
			e.V, e.S = e.V.With(v.Dot), append(e.S, v)
		}
	}
	return e
}

// betweenKinds tells whether a batch leaves nothing at a path for a moment: a
// directory and a file do not replace each other in one step.
func betweenKinds(seen, want Kind) bool {
	return seen != Nothing && want != Nothing && (seen == Dir) != (want == Dir)
}

// shows tells whether a disk with the value shows the entry.
func shows(e Entry, disk Value, liveBelow bool) bool { return View(e, liveBelow).is(disk) }

func (r *replica) equalsUnseen(t, base Entry, disk Value, liveBelow bool) bool {
	if disk.Kind == Nothing || disk.Kind == Dir && liveBelow {
		return shows(t, disk, liveBelow)
	}
	return slices.ContainsFunc(t.S, func(v Version) bool { return v.is(disk) && !base.V.Covers(v.Dot) })
}

// ownCopiesBased tells whether each version of Base that t keeps but does not
// show has its copy.
func (r *replica) ownCopiesBased(n *node, t Entry) bool {
	return r.copiesOf(n, t, func(v Version) bool {
		return slices.ContainsFunc(n.row.Entry.S, func(b Version) bool { return b.Dot == v.Dot })
	})
}

func (r *replica) allCopiesBased(n *node, t Entry) bool {
	return r.off.early || r.copiesOf(n, t, func(Version) bool { return true })
}

func (r *replica) copiesOf(n *node, t Entry, which func(Version) bool) bool {
	for _, v := range Losers(t, n.liveBelow > 0) {
		if !which(v) {
			continue
		}
		at := r.nodes[CopyPath(n.row.Path, r.label(v.Dot), v)]
		if at == nil || !at.row.Entry.V.Covers(r.birth(n.row.Path, v).S[0].Dot) {
			return false
		}
	}
	return true
}

// write makes the finding the only version. On a member without write right
// it is only noted.
func (r *replica) write(now time.Time, n *node, o observation) {
	got := result{Seen: o.Seen, Stat: o.Stat, DiskName: o.DiskName}
	base, seen := n.row.Entry, n.row.Seen
	nothingEnded := o.Seen.Kind == Nothing && !base.Live() // an implied directory
	if r.role == ReadOnly || nothingEnded {
		r.setSeen(n, got)
		return
	}
	e := r.over(now, base, o.Seen.Value, o.Stat.MTime)
	if len(e.S) > 0 {
		e.S[0].Found = r.fresh && base.zero()
		kept := seen.Kind == o.Seen.Kind && seen.Bits == o.Seen.Bits
		if !kept && o.Seen.Kind != Link && (e.M.Rank == 0 || e.M.Bits != o.Seen.Bits) {
			e.M = Mode{Rank: e.M.Rank + 1, R: r.self.ID, Bits: o.Seen.Bits}
		}
	}
	r.setSeen(n, got)
	r.setBase(n, e)
}

// over returns a write of a value on top of an entry.
func (r *replica) over(now time.Time, e Entry, disk Value, mtime int64) Entry {
	dot := r.newDot(now)
	w := Entry{V: e.V.With(dot), M: e.M, W: e.W}
	var prev []Dot
	for _, v := range e.S {
		if len(prev) < maxPrev {
			prev = append(prev, v.Dot)
		}
		if v.Kind != Dir && !v.is(disk) {
			w.W = joinEnded(w.W, []Ended{{prefixOf(v.Content), dot.N}})
		}
	}
	if disk.Kind == Nothing {
		return w
	}
	if disk.Kind == Dir {
		mtime = 0 // a directory's changes with each file in it
	}
	w.S = []Version{{
		Dot: dot, Kind: disk.Kind, Size: disk.Size, Content: disk.Content, Target: disk.Target,
		MTime: mtime, Prev: prev,
	}}
	return w
}

// foundBits takes a chmod. Directories that are only implied have no mode.
func (r *replica) foundBits(now time.Time, n *node, o observation, in intent, named bool) {
	e, bits := n.row.Entry, o.Seen.Bits
	if bits == n.row.Seen.Bits || o.Seen.Kind == Link || o.Seen.Kind == Nothing || r.role == ReadOnly || !e.Live() {
		return
	}
	if e.M.Rank > 0 && e.M.Bits == bits {
		return
	}
	if named && !r.off.noAdopt && in.Target.M.Bits == bits {
		if t := r.off.join(e, in.Target); shows(t, o.Seen.Value, n.liveBelow > 0) {
			r.setBase(n, t)
		}
		return
	}
	if r.off.modeVersion {
		w := r.over(now, e, o.Seen.Value, o.Stat.MTime)
		w.M = Mode{Rank: e.M.Rank + 1, R: r.self.ID, Bits: bits}
		r.setBase(n, w)
		return
	}
	dot := r.newDot(now)
	r.setBase(n, Entry{V: e.V.With(dot), S: e.S, M: Mode{Rank: e.M.Rank + 1, R: r.self.ID, Bits: bits}, W: e.W})
}
