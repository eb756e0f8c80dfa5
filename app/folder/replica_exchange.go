package folder

import (
	"cmp"
	"fmt"
	"slices"
)

// A member is a device whose rows count, or only serve to find content.
type member struct {
	memberHead
	role    Role // 0 until members says that it is one
	pending map[*node]bool
	needs   int64 // bytes of our rows that it has not confirmed
	anew    bool  // its feed must be taken from the beginning
}

func (r *replica) device(d DeviceID) *member {
	m, ok := r.devices[d]
	if !ok {
		m = &member{memberHead: memberHead{Device: d}, pending: map[*node]bool{}, needs: r.needsAfter(0)}
		r.devices[d] = m
	}
	return m
}

// members says who counts. What others announced is forgotten.
func (r *replica) members(ms []Member) {
	roles := map[DeviceID]Role{}
	for _, m := range ms {
		roles[m.Device] = m.Role
		if old, ok := r.devices[m.Device]; ok && old.role == m.Role {
			continue
		}
		d := r.device(m.Device)
		d.role = m.Role
		for n := range d.pending {
			r.touch(n)
		}
		r.markHead(m.Device)
	}
	for d, m := range r.devices {
		if roles[d] == 0 {
			for _, n := range m.nodes() {
				r.dropPending(n, func(p pendingRow) bool { return p.Device == d })
			}
			delete(r.devices, d)
			r.markHead(d)
		}
	}
	slices.SortFunc(r.work, byPath) // maps have no order, answers must
	r.settle()
}

func (m *member) nodes() []*node {
	ns := make([]*node, 0, len(m.pending))
	for n := range m.pending {
		ns = append(ns, n)
	}
	slices.SortFunc(ns, byPath)
	return ns
}

// counted tells whether an announced row is joined into Target: only members
// with write right may say what there is.
func (r *replica) counted(p pendingRow) bool {
	m := r.devices[p.Device]
	return m != nil && (m.role == ReadWrite || r.off.relayAny)
}

// cursor is how far a member's rows are stored: where a feed of them begins.
func (r *replica) cursor(d DeviceID) Cursor {
	if m, ok := r.devices[d]; ok {
		m.anew = false
		return m.Cursor
	}
	return Cursor{}
}

// receive stores what a member announced. It fails with ErrNotMember,
// ErrRefused, errReconnect, all of which end the feed, or errFresh. Nothing of a refused batch is
// stored.
func (r *replica) receive(d DeviceID, b Batch) error {
	m, ok := r.devices[d]
	if !ok || m.role == 0 {
		return ErrNotMember
	}
	if m.anew {
		return errReconnect
	}
	if err := checkBatch(b); err != nil {
		return fmt.Errorf("%w: rows of %x: %w", ErrRefused, d[:4], err)
	}
	if r.knowsMore(m, b) {
		return errFresh
	}
	if len(m.pending) > maxPending {
		return fmt.Errorf("%w: device %x announces more than %d paths", ErrRefused, d[:4], maxPending)
	}
	for _, rec := range b.Replicas {
		if len(r.records) < maxRecords || rec.ID == b.Replica {
			r.learn(rec)
		}
	}
	if b.Replica == r.self.ID || r.records[b.Replica].Device != d {
		return fmt.Errorf("%w: rows of replica %x are not of device %x", ErrRefused, b.Replica, d[:4])
	}
	before := m.memberHead
	if m.Cursor.Replica != b.Replica {
		m.Cursor, m.Based, m.Whole = Cursor{Replica: b.Replica}, 0, false
	}
	for _, a := range b.Rows {
		if a.Seq > m.Cursor.Seq {
			m.Cursor.Seq = a.Seq
			if CheckPath(a.Path) == nil { // else this system can not hold it
				r.store(m, a)
			}
		}
	}
	if b.Head != nil {
		r.storeHead(m, *b.Head)
	}
	if m.memberHead != before {
		r.markHead(d)
	}
	r.settle()
	return nil
}

// knowsMore tells whether a writer has heard of writes or rows of ours that
// our index does not have.
func (r *replica) knowsMore(m *member, b Batch) bool {
	if r.off.noDetect || m.role != ReadWrite {
		return false
	}
	if b.Head != nil && slices.ContainsFunc(b.Head.Stored, func(a Ack) bool { return a.R == r.self.ID && a.Seq > r.seq }) {
		return true
	}
	return slices.ContainsFunc(b.Rows, func(a Announced) bool {
		i, ok := a.Entry.V.find(r.self.ID)
		return ok && a.Entry.V[i].N > r.lastN
	})
}

func (r *replica) store(m *member, a Announced) {
	_, known := r.nodes[a.Path]
	if r.off.ignoreUnborn && !known && !a.Entry.Live() {
		return
	}
	n := r.node(a.Path)
	r.dropPending(n, func(p pendingRow) bool { return p.Device == m.Device && p.Replica == m.Cursor.Replica })
	if a.Withdrawn || r.off.join(n.row.Entry, a.Entry).Equal(n.row.Entry) {
		r.touch(n)
		return
	}
	_, dir := a.Entry.dir()
	r.freezeIgnored(n, dir)
	p := pendingRow{pendingKey: pendingKey{m.Device, m.Cursor.Replica, a.Path}, Entry: a.Entry, Seq: a.Seq}
	n.pending = append(n.pending, p)
	m.pending[n] = true
	r.markPending(p, n)
	r.joinTombstones(n)
	r.touch(n)
}

// dropCovered forgets announced rows that Base has come to cover.
func (r *replica) dropCovered(n *node) {
	r.dropPending(n, func(p pendingRow) bool {
		return r.off.join(n.row.Entry, p.Entry).Equal(n.row.Entry)
	})
}

func (r *replica) dropPending(n *node, drop func(pendingRow) bool) {
	var dropped []pendingRow
	n.pending = slices.DeleteFunc(n.pending, func(p pendingRow) bool {
		if drop(p) {
			dropped = append(dropped, p)
			return true
		}
		return false
	})
	for _, p := range dropped {
		r.markPending(p, n)
		if m := r.devices[p.Device]; m != nil {
			r.markHead(p.Device)
			if !slices.ContainsFunc(n.pending, func(q pendingRow) bool { return q.Device == p.Device }) {
				delete(m.pending, n)
			}
		}
		r.touch(n)
	}
	if len(n.pending) == 0 {
		n.pending = nil
	}
}

// storeHead ends a run of rows. With the first whole run of a new replica the
// rows of the one before go, but for tombstones: those stay true.
func (r *replica) storeHead(m *member, h Head) {
	m.Cursor.Seq = max(m.Cursor.Seq, h.Seq)
	m.Held, m.Busy = h.Held, h.Busy
	m.Stored = ackOf(h.Stored, r.self.ID, r.seq)
	r.confirmed(m, ackOf(h.Based, r.self.ID, r.seq))
	if m.Whole || h.Busy {
		return
	}
	m.Whole = true
	for _, n := range m.nodes() {
		r.dropPending(n, func(p pendingRow) bool {
			return p.Device == m.Device && p.Replica != m.Cursor.Replica && p.Entry.Live()
		})
	}
}

func ackOf(acks []Ack, id ReplicaID, most uint64) uint64 {
	for _, a := range acks {
		if a.R == id {
			return min(a.Seq, most)
		}
	}
	return 0
}

// noteBased finds members all of whose rows are in Base by now.
func (r *replica) noteBased() {
	for d := range r.dirty.heads {
		m := r.devices[d]
		if m == nil || m.Based == m.Cursor.Seq {
			continue
		}
		open := false
		for n := range m.pending {
			open = !n.row.Frozen && m.role == ReadWrite && slices.ContainsFunc(n.pending, func(p pendingRow) bool {
				return p.Device == d && p.Replica == m.Cursor.Replica
			})
			if open {
				break
			}
		}
		if !open {
			m.Based = m.Cursor.Seq
		}
	}
}

// maxBatchRows and maxBatchBytes keep a batch within the frame of a feed.
const (
	maxBatchRows    = 256
	maxBatchBytes   = 512 << 10
	maxBatchRecords = 64
)

// feed returns the rows after a cursor, oldest first; Head is set on the last
// batch. It may be called only when changes has nothing that is not written.
func (r *replica) feed(after Cursor, limit int) Batch {
	if after.Replica != r.self.ID || after.Seq > r.seq {
		after.Seq = 0
	}
	b := Batch{Replica: r.self.ID, Replicas: []ReplicaRecord{r.self}}
	sent := map[ReplicaID]bool{r.self.ID: true}
	size := 0
	for _, l := range r.after(after.Seq) {
		if l.n.row.Seq != l.seq {
			continue
		}
		a := r.announce(l.n)
		recs := r.recordsOf(a.Entry, sent)
		size += sizeOf(a)
		if len(b.Rows) > 0 && (len(b.Rows) >= min(limit, maxBatchRows) || size > maxBatchBytes || len(b.Replicas)+len(recs) > maxBatchRecords) {
			return b
		}
		for _, rec := range recs {
			sent[rec.ID] = true
		}
		b.Replicas = append(b.Replicas, recs...)
		b.Rows = append(b.Rows, a)
	}
	h := r.head()
	b.Head = &h
	return b
}

func (r *replica) announce(n *node) Announced {
	if !n.told {
		return Announced{Path: n.row.Path, Seq: n.row.Seq, Withdrawn: true}
	}
	return Announced{Path: n.row.Path, Entry: n.row.Entry, Seq: n.row.Seq}
}

// recordsOf returns the records that an entry's versions need and that were
// not sent in this batch.
func (r *replica) recordsOf(e Entry, sent map[ReplicaID]bool) []ReplicaRecord {
	var recs []ReplicaRecord
	for _, v := range e.S {
		rec, ok := r.records[v.Dot.R]
		if ok && !sent[rec.ID] && !slices.Contains(recs, rec) {
			recs = append(recs, rec)
		}
	}
	return recs
}

// sizeOf is more than the bytes that a row has on the wire.
func sizeOf(a Announced) int {
	n := 64 + len(a.Path) + 24*len(a.Entry.V) + 24*len(a.Entry.W)
	for _, v := range a.Entry.S {
		n += 128 + len(v.Target) + 24*len(v.Prev)
	}
	return n
}

// head says how far this replica has come.
func (r *replica) head() Head {
	h := Head{Replica: r.self.ID, Seq: r.seq, Held: r.holds(), Busy: r.fresh}
	for _, m := range r.devices {
		if m.Cursor.Seq > 0 {
			h.Stored = append(h.Stored, Ack{m.Cursor.Replica, m.Cursor.Seq})
		}
		if m.Based > 0 {
			h.Based = append(h.Based, Ack{m.Cursor.Replica, m.Based})
		}
	}
	byID := func(a, b Ack) int {
		return cmp.Or(slices.Compare(a.R[:], b.R[:]), cmp.Compare(a.Seq, b.Seq))
	}
	slices.SortFunc(h.Stored, byID)
	slices.SortFunc(h.Based, byID)
	h.Stored, h.Based = h.Stored[:min(len(h.Stored), 64)], h.Based[:min(len(h.Based), 64)]
	return h
}
