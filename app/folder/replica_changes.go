package folder

import (
	"cmp"
	"maps"
	"slices"
)

// dirty is what differs from the store.
type dirty struct {
	rows      []*node
	pending   map[pendingKey]*node
	records   []ReplicaRecord
	heads     map[DeviceID]bool
	intents   map[Path]bool
	meta      bool
	announces bool
}

func (r *replica) markRow(n *node) {
	if !n.dirty {
		n.dirty = true
		r.dirty.rows = append(r.dirty.rows, n)
	}
}

func (r *replica) markPending(p pendingRow, n *node) {
	if r.dirty.pending == nil {
		r.dirty.pending = map[pendingKey]*node{}
	}
	r.dirty.pending[p.pendingKey] = n
}

func (r *replica) markHead(d DeviceID) {
	if r.dirty.heads == nil {
		r.dirty.heads = map[DeviceID]bool{}
	}
	r.dirty.heads[d] = true
}

func (r *replica) setIntent(in intent) {
	r.intents[in.Path] = in
	r.markIntent(in.Path)
}

func (r *replica) forgetIntent(p Path) {
	if _, ok := r.intents[p]; ok {
		delete(r.intents, p)
		r.markIntent(p)
	}
}

func (r *replica) markIntent(p Path) {
	if r.dirty.intents == nil {
		r.dirty.intents = map[Path]bool{}
	}
	r.dirty.intents[p] = true
}

// changes returns what the store must write, and false when that is nothing.
// Rows that members must hear of get their seq here.
func (r *replica) changes() (changeSet, bool) {
	r.settle()
	r.noteBased()
	d := r.dirty
	r.dirty = dirty{}
	cs := changeSet{Records: d.records, Announces: d.announces}
	for _, n := range d.rows {
		if r.announceable(n) {
			r.enterLog(n)
			cs.Announces = true
		}
		n.dirty, n.baseChanged = false, false
		switch {
		case !n.row.zero():
			n.stored = true
			cs.Rows = append(cs.Rows, n.row)
		case n.stored:
			n.stored = false
			cs.DropRows = append(cs.DropRows, n.row.Path)
		}
		r.prune(n)
	}
	r.compactLog()
	cs.addPending(d)
	r.addHeads(&cs, d)
	for _, p := range sortedKeys(d.intents) {
		if in, ok := r.intents[p]; ok {
			cs.Intents = append(cs.Intents, in)
		} else {
			cs.DropIntents = append(cs.DropIntents, p)
		}
	}
	cs.Seq, cs.LastN, cs.Fresh = r.seq, r.lastN, r.fresh
	return cs, d.meta || !cs.nothing()
}

// enterLog gives a row the next seq, and counts it as not confirmed.
func (r *replica) enterLog(n *node) {
	old, bytes := n.row.Seq, r.bytesOf(n)
	r.seq = r.nextSeq()
	for _, m := range r.devices {
		if old > m.Has {
			m.needs -= n.logBytes
		}
		m.needs += bytes
	}
	n.row.Seq, n.logBytes = r.seq, bytes
	r.log = append(r.log, logged{r.seq, n})
}

// bytesOf is what a member needs that has not confirmed a row.
func (r *replica) bytesOf(n *node) int64 {
	if !n.told {
		return 0
	}
	return View(n.row.Entry, n.liveBelow > 0).Size
}

// confirmed notes which of our rows a member has.
func (r *replica) confirmed(m *member, has uint64) {
	if has < m.Has { // it began anew
		m.Has, m.needs = 0, r.needsAfter(0)
	}
	for _, l := range r.after(m.Has) {
		if l.seq > has {
			break
		}
		if l.n.row.Seq == l.seq {
			m.needs -= l.n.logBytes
		}
	}
	m.Has = has
}

// needsAfter sums up the rows behind a seq.
func (r *replica) needsAfter(seq uint64) int64 {
	var sum int64
	for _, l := range r.after(seq) {
		if l.n.row.Seq == l.seq {
			sum += l.n.logBytes
		}
	}
	return sum
}

// nextSeq is later than all that a restored index forgot, else members would
// not hear of the rows that get those numbers again.
func (r *replica) nextSeq() uint64 {
	if r.off.noFloor {
		return r.seq + 1
	}
	return max(r.seq+1, micros(r.guard.now))
}

func (cs *changeSet) nothing() bool {
	return len(cs.Rows)+len(cs.DropRows)+len(cs.Pending)+len(cs.DropPending)+len(cs.Records)+
		len(cs.Heads)+len(cs.DropHeads)+len(cs.Intents)+len(cs.DropIntents) == 0 && !cs.Announces
}

func (cs *changeSet) addPending(d dirty) {
	keys := slices.SortedFunc(maps.Keys(d.pending), comparePendingKeys)
	for _, k := range keys {
		n := d.pending[k]
		i := slices.IndexFunc(n.pending, func(p pendingRow) bool { return p.pendingKey == k })
		if i < 0 {
			cs.DropPending = append(cs.DropPending, k)
		} else {
			cs.Pending = append(cs.Pending, n.pending[i])
		}
	}
}

func comparePendingKeys(a, b pendingKey) int {
	return cmp.Or(cmp.Compare(a.Path, b.Path), slices.Compare(a.Device[:], b.Device[:]), slices.Compare(a.Replica[:], b.Replica[:]))
}

func (r *replica) addHeads(cs *changeSet, d dirty) {
	for _, id := range slices.SortedFunc(maps.Keys(d.heads), func(a, b DeviceID) int { return slices.Compare(a[:], b[:]) }) {
		if m, ok := r.devices[id]; ok {
			cs.Heads = append(cs.Heads, m.memberHead)
		} else {
			cs.DropHeads = append(cs.DropHeads, id)
		}
	}
}

// announceable tells whether members must hear of a changed row, and notes
// what they then know.
func (r *replica) announceable(n *node) bool {
	if n.row.Entry.zero() {
		return false
	}
	can := r.servable(n)
	changed := n.baseChanged || can != n.told
	n.told = can
	return changed
}

// servable tells whether what Base says can be had here. Losers are at their
// copies or were ended there; links travel in the entry.
func (r *replica) servable(n *node) bool {
	e := n.row.Entry
	if len(e.V) > maxReplicas || len(e.S) > maxVersions || len(n.row.Path) > MaxPath {
		return false // members would refuse all that we say
	}
	if !e.Live() || r.off.noWithdraw || n.row.Seen.Kind == Dir {
		return true
	}
	if _, ok := e.dir(); ok {
		return true
	}
	first := View(e, false)
	return first.Kind == Link || first.is(n.row.Seen.Value)
}

// A logged row is where a row stands in the feed; it is superseded when the
// row has another seq.
type logged struct {
	seq uint64
	n   *node
}

func (r *replica) sortLog() {
	slices.SortFunc(r.log, func(a, b logged) int { return cmp.Compare(a.seq, b.seq) })
}

// compactLog drops superseded places once they are most of the log.
func (r *replica) compactLog() {
	if len(r.log) > 2*len(r.nodes)+1024 {
		r.log = slices.DeleteFunc(r.log, func(l logged) bool { return l.n.row.Seq != l.seq })
	}
}

// after returns the log behind a seq.
func (r *replica) after(seq uint64) []logged {
	i, _ := slices.BinarySearchFunc(r.log, seq+1, func(l logged, s uint64) int { return cmp.Compare(l.seq, s) })
	return r.log[i:]
}
