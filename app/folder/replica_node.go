package folder

import (
	"cmp"
	"maps"
	"path"
	"slices"
)

// A node is a path with what is derived from its row, the members' rows and
// the copies that other paths want here.
type node struct {
	row     Row
	pending []pendingRow
	births  []wantedCopy // copies of other paths' losers
	copies  []wantedCopy // where this path's losers are kept

	parent, child, next, prev *node // the tree, siblings in no order

	target    *Entry // nil: equals Base
	live      bool   // Target has a version
	liveBelow int    // nodes strictly below that are live
	onDisk    int    // nodes strictly below that are on disk
	leftOut   int    // those of them that are frozen
	shown     Version
	count     count

	offer       uint64 // token of the op that is handed out
	started     bool   // its intent is written
	takes       *Hash  // content of a put that is counted in taking
	queued      bool   // in work
	candidate   bool   // in queue or removals
	waits       bool   // given back by later
	listed      bool   // in waiting
	recheck     bool   // disk may not be what Seen says: observe first
	stuck       bool   // the disk does not take what Target shows
	thawing     bool   // not ignored any more, but not observed yet
	allowed     bool   // a person said that this may go
	dirty       bool
	tooDeep     bool // a loser can not be kept: nothing is done here
	baseChanged bool
	logBytes    int64
	told        bool // members were told that it can be served
	stored      bool // the store has a row
}

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

func (n *node) targetEntry() Entry {
	if n.target == nil {
		return n.row.Entry
	}
	return *n.target
}

// node returns the node of a path, with all its parents.
func (r *replica) node(p Path) *node {
	if n, ok := r.nodes[p]; ok {
		return n
	}
	n := &node{row: Row{Path: p}, told: true}
	r.nodes[p] = n
	if p == "" {
		return n
	}
	n.parent = r.node(parentOf(p))
	n.next = n.parent.child
	if n.next != nil {
		n.next.prev = n
	}
	n.parent.child = n
	return n
}

func parentOf(p Path) Path {
	dir, _ := path.Split(string(p))
	if dir == "" {
		return ""
	}
	return Path(dir[:len(dir)-1])
}

// walk yields the rows strictly below, parents first.
func (n *node) walk(yield func(Row) bool) bool {
	for c := n.child; c != nil; c = c.next {
		if !c.row.zero() && !yield(c.row) || !c.walk(yield) {
			return false
		}
	}
	return true
}

// prune forgets a node that holds nothing any more, and its parents if they
// do not either.
func (r *replica) prune(n *node) {
	for n.parent != nil && n.child == nil && n.row.zero() && len(n.pending)+len(n.births)+len(n.copies) == 0 &&
		!n.queued && !n.candidate && !n.listed && !n.dirty && n.offer == 0 && !n.thawing {
		if _, named := r.intents[n.row.Path]; named {
			return
		}
		switch {
		case n.prev != nil:
			n.prev.next = n.next
		default:
			n.parent.child = n.next
		}
		if n.next != nil {
			n.next.prev = n.prev
		}
		delete(r.nodes, n.row.Path)
		n = n.parent
	}
}

// zero tells whether the row says nothing.
func (row Row) zero() bool {
	return row.Entry.zero() && row.Seen.Kind == Nothing && !row.Frozen
}

func (r *replica) loadRow(row Row) {
	n := r.node(row.Path)
	n.row.Entry, n.row.Seq, n.row.Frozen = row.Entry, row.Seq, row.Frozen
	r.setSeen(n, result{Seen: row.Seen, Stat: row.Stat, DiskName: row.DiskName})
	n.dirty, n.stored = false, true
	n.told = r.servable(n)
	n.logBytes = r.bytesOf(n)
	if row.Seq > 0 {
		r.log = append(r.log, logged{row.Seq, n})
	}
	r.touch(n)
}

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

// joined computes Target.
func (r *replica) joined(n *node) Entry {
	t := n.row.Entry
	for _, p := range n.pending {
		if r.counted(p) {
			t = r.off.join(t, p.Entry)
		}
	}
	for _, b := range n.births {
		t = r.off.join(t, b.entry)
	}
	return t
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
			m.Cursor.Seq, m.Based = 0, 0
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

// setBase changes what a person at this disk could have seen.
func (r *replica) setBase(n *node, e Entry) {
	if e.Equal(n.row.Entry) {
		return
	}
	n.row.Entry, n.baseChanged = e, true
	r.markRow(n)
	r.dropCovered(n)
	for _, b := range n.births {
		r.touch(b.from) // it waited for this copy, or has it no more
	}
	r.touch(n)
}

// setSeen notes what was put or found on disk.
func (r *replica) setSeen(n *node, got result) {
	old := n.row.Seen
	if got.DiskName == "" {
		got.DiskName = path.Base(string(n.row.Path))
	}
	if old == got.Seen && n.row.Stat == got.Stat && n.row.DiskName == got.DiskName {
		return
	}
	n.row.Seen, n.row.Stat, n.row.DiskName = got.Seen, got.Stat, got.DiskName
	r.markRow(n)
	if old.Value == got.Seen.Value {
		r.touch(n)
		return
	}
	if old.Kind == File {
		r.byContent[old.Content] = deleteNode(r.byContent[old.Content], n)
		if len(r.byContent[old.Content]) == 0 {
			delete(r.byContent, old.Content)
		}
	}
	if got.Seen.Kind == File {
		r.byContent[got.Seen.Content] = append(r.byContent[got.Seen.Content], n)
	}
	if before, now := old.Kind != Nothing, got.Seen.Kind != Nothing; before != now {
		r.diskChanged(n, now)
	}
	if got.Seen.Kind == Dir {
		for c := n.child; c != nil; c = c.next {
			r.enqueue(c) // it waited for its parent
		}
	}
	r.touch(n)
}

func deleteNode(ns []*node, n *node) []*node {
	i := slices.Index(ns, n)
	last := len(ns) - 1
	ns[i] = ns[last]
	return ns[:last]
}

// diskChanged counts for the parents, which can not go before what is in them.
func (r *replica) diskChanged(n *node, now bool) {
	by := -1
	if now {
		by = 1
	}
	for a := n.parent; a != nil; a = a.parent {
		a.onDisk += by
		if n.row.Frozen {
			a.leftOut += by
		}
		if a.onDisk == a.leftOut {
			r.enqueue(a)
		}
	}
}

// setFrozen changes whether a path is left out.
func (r *replica) setFrozen(n *node, frozen bool) {
	if n.row.Frozen == frozen {
		return
	}
	on := n.row.Seen.Kind != Nothing
	if on {
		r.diskChanged(n, false)
	}
	n.row.Frozen = frozen
	if on {
		r.diskChanged(n, true)
	}
	r.markRow(n)
	r.touch(n)
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func byPath(a, b *node) int { return cmp.Compare(a.row.Path, b.row.Path) }
