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
	decided     bool   // a person ends versions here: no question about what is found next
	allowed     bool   // a person said that this may go
	dirty       bool
	tooDeep     bool // a loser can not be kept: nothing is done here
	baseChanged bool
	logBytes    int64
	listAt      int  // place in byContent
	told        bool // members were told that it can be served
	stored      bool // the store has a row
}

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
		r.unlist(old.Content, n)
	}
	if got.Seen.Kind == File {
		n.listAt = len(r.byContent[got.Seen.Content])
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

// unlist takes a node out of byContent. Many files may have one content: the
// last takes its place.
func (r *replica) unlist(h Hash, n *node) {
	ns := r.byContent[h]
	last := ns[len(ns)-1]
	ns[n.listAt], last.listAt = last, n.listAt
	if ns = ns[:len(ns)-1]; len(ns) == 0 {
		delete(r.byContent, h)
	} else {
		r.byContent[h] = ns
	}
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
