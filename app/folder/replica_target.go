package folder

import "slices"

// A wantedCopy ties a loser to its copy.
type wantedCopy struct {
	from, at *node
	loser    Dot
	dot      Dot // of the birth
	entry    Entry
	depth    int // 1 for a copy, 2 for a copy of a copy
}

// maxDepthOfCopies ends what only a liar can make: names of copies whose
// digits are chosen so that they are copies of each other.
const maxDepthOfCopies = 8

// touch puts a node down for being derived again.
func (r *replica) touch(n *node) {
	if !n.queued {
		n.queued = true
		r.work = append(r.work, n)
	}
}

// settle derives everything that depends on touched nodes.
func (r *replica) settle() {
	for len(r.work) > 0 {
		n := r.work[0]
		r.work = r.work[1:]
		n.queued = false
		r.derive(n)
		r.prune(n)
	}
	r.work = nil
}

// joined computes Target. Rows that are passed over count as not heard of yet,
// until there is nothing else to do.
func (r *replica) joined(n *node) Entry {
	if slices.ContainsFunc(n.pending, func(p pendingRow) bool { return p.passed }) {
		if t := r.joinedWith(n, false); !t.Equal(n.row.Entry) {
			return t
		}
	}
	return r.joinedWith(n, true)
}

func (r *replica) joinedWith(n *node, passed bool) Entry {
	t := n.row.Entry
	for _, p := range n.pending {
		if r.counted(p) && (passed || !p.passed) {
			t = r.off.join(t, p.Entry)
		}
	}
	for _, b := range n.births {
		t = r.off.join(t, b.entry)
	}
	return t
}

// passOver goes on at a path without the rows that announce a version whose
// content can not be had now, if other rows remain: else a device that is away
// would keep everybody else's changes of the path from this disk.
func (r *replica) passOver(n *node, d Dot) {
	others := func(p pendingRow) bool { return r.counted(p) && !p.passed && !p.Entry.has(d) }
	if slices.ContainsFunc(n.pending, others) {
		for i, p := range n.pending {
			n.pending[i].passed = p.passed || p.Entry.has(d)
		}
		r.touch(n)
		r.wait(n)
	}
	for _, b := range n.births {
		if b.dot == d {
			r.passOver(b.from, b.loser)
		}
	}
}

// derive computes Target, what it shows, and the copies that it wants.
func (r *replica) derive(n *node) {
	t := r.joined(n)
	if r.orphaned(n, t) {
		r.forget(n)
		t = r.joined(n)
	}
	old := n.targetEntry()
	n.target = nil
	if !t.Equal(n.row.Entry) {
		n.target = &t
	}
	if t.Live() != n.live {
		n.live = t.Live()
		r.liveChanged(n)
	}
	shown := View(t, n.liveBelow > 0)
	if !shown.equal(n.shown) || !t.Equal(old) {
		n.stuck, n.waits = false, false
		if !n.started {
			r.takeBack(n)
		}
	}
	r.show(n, shown)
	r.deriveCopies(n, t)
	r.dropEnded(n)
	r.note(n)
	r.enqueue(n)
}

// note keeps the sets of what a person or another member waits for.
func (r *replica) note(n *node) {
	set := func(s map[*node]bool, in bool) {
		if in {
			s[n] = true
		} else {
			delete(s, n)
		}
	}
	set(r.conflicted, len(n.copies) > 0)
	differs := n.target != nil || !n.shown.is(n.row.Seen.Value) && !r.ownChange(n, n.shown)
	set(r.open, differs && !n.row.Frozen && !n.stuck && n.parent != nil)
}

// orphaned tells whether a member without write right keeps a version in
// Target that it does not have itself, and that no writer announces beside the
// others: it may be nowhere, and nobody may ever say that it was ended.
func (r *replica) orphaned(n *node, t Entry) bool {
	if r.role != ReadOnly || n.target == nil && len(n.pending) == 0 || r.servable(n) {
		return false
	}
	return slices.ContainsFunc(n.row.Entry.S, func(v Version) bool {
		return t.has(v.Dot) && !t.Equal(n.row.Entry) && !slices.ContainsFunc(n.pending, func(p pendingRow) bool {
			return r.counted(p) && p.Entry.has(v.Dot)
		})
	})
}

// forget drops Base, and asks everybody for everything, to hear who still has
// what it said.
func (r *replica) forget(n *node) {
	for _, m := range r.devices {
		if n.row.Seq > m.Has {
			m.needs -= n.logBytes
		}
	}
	n.row.Entry, n.row.Seq, n.logBytes = Entry{}, 0, 0
	r.markRow(n)
	for d, m := range r.devices {
		if m.Cursor.Seq > 0 {
			m.Cursor.Seq, m.Based, m.anew = 0, 0, true
			r.markHead(d)
		}
	}
}

// liveChanged tells the parents, whose view depends on it.
func (r *replica) liveChanged(n *node) {
	by := -1
	if n.live {
		by = 1
	}
	for a := n.parent; a != nil; a = a.parent {
		before := a.liveBelow > 0
		a.liveBelow += by
		if before != (a.liveBelow > 0) {
			r.touch(a)
		}
	}
}

// deriveCopies tells the nodes where losers are kept, and those where they are
// not wanted any more. What is ignored here has no copies made here.
func (r *replica) deriveCopies(n *node, t Entry) {
	var want []wantedCopy
	n.tooDeep = false
	if !n.row.Frozen {
		for _, v := range Losers(t, n.liveBelow > 0) {
			depth := n.depthOf(v)
			if n.tooDeep = depth > maxDepthOfCopies; n.tooDeep {
				break
			}
			at := r.node(CopyPath(n.row.Path, r.label(v.Dot), v))
			e := r.birth(n.row.Path, v)
			want = append(want, wantedCopy{from: n, at: at, loser: v.Dot, dot: e.S[0].Dot, entry: e, depth: depth})
		}
	}
	same := func(a, b wantedCopy) bool { return a.at == b.at && a.dot == b.dot }
	if slices.EqualFunc(want, n.copies, same) {
		return
	}
	for _, c := range n.copies {
		if !slices.ContainsFunc(want, func(w wantedCopy) bool { return same(w, c) }) {
			c.at.births = slices.DeleteFunc(c.at.births, func(b wantedCopy) bool { return same(b, c) && b.from == n })
			r.touch(c.at)
		}
	}
	for _, w := range want {
		if !slices.ContainsFunc(n.copies, func(c wantedCopy) bool { return same(w, c) }) {
			w.at.births = append(w.at.births, w)
			r.freezeIgnored(w.at, false)
			r.touch(w.at)
		}
	}
	n.copies = want
}

// depthOf is that of a version's copy.
func (n *node) depthOf(v Version) int {
	for _, b := range n.births {
		if b.dot == v.Dot {
			return b.depth + 1
		}
	}
	return 1
}

// dropEnded takes losers out of Base whose copy a user edited or deleted: that
// ended them. They would be shown again, from nowhere, when somebody who never
// saw them ends the version that is shown.
func (r *replica) dropEnded(n *node) {
	e := n.row.Entry
	if r.off.keepEnded || len(n.copies) == 0 || len(e.S) == 0 {
		return
	}
	shown := View(e, n.liveBelow > 0)
	ended := func(v Version) bool {
		return v.Kind != Dir && !v.SameAs(shown) && slices.ContainsFunc(n.copies, func(c wantedCopy) bool {
			return c.loser == v.Dot && c.at.row.Entry.V.Covers(c.dot) && !c.at.row.Entry.has(c.dot)
		})
	}
	if slices.ContainsFunc(e.S, ended) {
		e.S = slices.DeleteFunc(slices.Clone(e.S), ended)
		r.setBase(n, e)
	}
}

func (r *replica) birth(p Path, v Version) Entry {
	if r.off.birthDot {
		return Entry{V: Vector{v.Dot}, S: []Version{v}}
	}
	return birth(p, v)
}

// copiesBased tells whether each loser of Target is kept at its copy's path,
// or was ended there by somebody who had it.
func (n *node) copiesBased() bool {
	return !n.tooDeep && !slices.ContainsFunc(n.copies, func(c wantedCopy) bool {
		return !c.at.row.Entry.V.Covers(c.dot)
	})
}
