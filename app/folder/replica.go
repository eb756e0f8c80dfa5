package folder

import (
	"errors"
	"iter"
	"slices"
	"time"
)

// A replica is all that one device knows of one folder, and every decision
// about it. It has no disk, no clock and no lock; the same calls give the same
// answers. Its owner writes what changes returns before anybody else hears of
// it, and hands each op back.
type replica struct {
	self    ReplicaRecord
	role    Role
	off     rules
	ignored func(p Path, dir bool) bool // nil: nothing is ignored

	nodes   map[Path]*node
	records map[ReplicaID]ReplicaRecord
	devices map[DeviceID]*member
	intents map[Path]intent
	seq     uint64
	lastN   uint64 // number of our last dot
	fresh   bool   // the first scan of a new index has not ended

	work       []*node // to be derived again
	queue      []*node // may have something to do
	removals   []*node // may have something to remove, after all that is made
	waiting    []*node // given back by later
	tokens     uint64
	taking     map[Hash]int     // contents of puts that are handed out
	byContent  map[Hash][]*node // files on disk
	views      map[Hash]int     // paths whose view has the content
	log        []logged         // rows by seq; some are superseded
	counts     counts
	conflicted map[*node]bool // have losers
	open       map[*node]bool // have something to be done, now or later
	guard      guard
	dirty      dirty
}

// newReplica makes a replica that knows nothing. Only tests switch rules off.
func newReplica(self ReplicaRecord, role Role, off rules) *replica {
	self.Label = CleanLabel(self.Label)
	r := &replica{
		self: self, role: role, off: off,
		nodes:      map[Path]*node{},
		records:    map[ReplicaID]ReplicaRecord{},
		devices:    map[DeviceID]*member{},
		intents:    map[Path]intent{},
		taking:     map[Hash]int{},
		byContent:  map[Hash][]*node{},
		views:      map[Hash]int{},
		conflicted: map[*node]bool{},
		open:       map[*node]bool{},
		guard:      newGuard(),
	}
	root := r.node("")
	root.row.Seen.Kind = Dir
	r.learn(self)
	return r
}

// load takes what the store kept. Nobody's rows count before members. Paths named by intents must be observed
// before anything else; nothing is offered there until then.
func (r *replica) load(s saved) {
	r.seq, r.lastN, r.fresh = s.Seq, s.LastN, s.Fresh
	for _, rec := range s.Records {
		if rec.ID != r.self.ID {
			r.records[rec.ID] = rec
		}
	}
	for _, row := range s.Rows {
		r.loadRow(row)
	}
	r.sortLog()
	for _, h := range s.Heads {
		m := r.device(h.Device)
		m.memberHead, m.needs = h, r.needsAfter(h.Has)
	}
	for _, p := range s.Pending {
		n := r.node(p.Path)
		n.pending = append(n.pending, p)
		r.device(p.Device).pending[n] = true
		r.touch(n)
	}
	for _, in := range s.Intents {
		r.intents[in.Path] = in
		n := r.node(in.Path)
		n.recheck = true
		r.touch(n)
	}
	r.settle()
}

// intentPaths are what must be scanned first after a start.
func (r *replica) intentPaths() []Path { return sortedKeys(r.intents) }

// scanned ends the first scan of a fresh index.
func (r *replica) scanned() {
	if r.fresh {
		r.fresh, r.dirty.meta = false, true
	}
}

// row returns what the index has of a path.
func (r *replica) row(p Path) (Row, bool) {
	n, ok := r.nodes[p]
	if !ok || n.row.zero() {
		return Row{}, false
	}
	return n.row, true
}

// below yields the rows strictly below a directory, parents first.
func (r *replica) below(dir Path) iter.Seq[Row] {
	return func(yield func(Row) bool) {
		if n := r.nodes[dir]; n != nil {
			n.walk(yield)
		}
	}
}

// maxHolding is how many files of one content are named: the empty one may be
// everywhere.
const maxHolding = 16

// holding returns files here that have a content, not all where there are
// many.
func (r *replica) holding(h Hash) []Path {
	ns := r.byContent[h]
	ps := make([]Path, 0, min(len(ns), maxHolding))
	for _, n := range ns[:min(len(ns), maxHolding)] {
		ps = append(ps, n.row.Path)
	}
	return ps
}

// offers tells whether Base has the content live at the path: only then may a
// member read it, from wherever it is.
func (r *replica) offers(p Path, h Hash) bool {
	n := r.nodes[p]
	return n != nil && slices.ContainsFunc(n.row.Entry.S, func(v Version) bool {
		return v.Kind == File && v.Content == h
	})
}

// keptPath is where an edit goes that was written into a file of p after sync
// had replaced it.
func (r *replica) keptPath(p Path, content Hash) Path {
	return KeptPath(p, r.self.Label, content)
}

// newDot makes the dot of a write: later than all of ours, also of those that
// a lost index knew.
func (r *replica) newDot(now time.Time) Dot {
	n := r.lastN + 1
	if !r.off.noFloor {
		n = max(n, micros(now))
	}
	r.lastN, r.dirty.meta, r.dirty.announces = n, true, true
	return Dot{R: r.self.ID, N: n}
}

// learn keeps the first record of a replica: records never change.
func (r *replica) learn(rec ReplicaRecord) {
	if _, known := r.records[rec.ID]; known {
		return
	}
	r.records[rec.ID] = rec
	r.dirty.records = append(r.dirty.records, rec)
}

// label names the replica that wrote a version, in file names.
func (r *replica) label(d Dot) string {
	if rec, ok := r.records[d.R]; ok {
		return rec.Label
	}
	return birthLabel
}

// Errors of a replica that the engine acts on.
var (
	// errFresh: what a member sent says that our index was lost, copied or
	// restored. The index must be made anew under a new replica id.
	errFresh = errors.New("a member knows more of this replica than its index does")
)

// An observation is what a finished, quiet, hashed look found at a path.
// Seen.Kind Nothing says that nothing is there, which the caller confirmed.
type observation struct {
	Path     Path
	Seen     Seen
	Stat     Stat // its MTime becomes the version's
	DiskName string
}

// observed tells what came of observations.
type observed struct {
	Written int  // paths that got a dot
	Held    bool // the guard holds all of them until answer
}

// An opKind is what an op does to the disk.
type opKind uint8

const (
	opPut    opKind = iota + 1 // a file in place of what is there
	opLink                     // a symlink in place of what is there
	opMkdir                    // a directory; a file there goes to the trash
	opChmod                    // other bits, same content
	opRemove                   // a file or link goes to the trash
	opRmdir                    // an empty directory goes
)

// A source is where a member announced a content.
type contentSource struct {
	Device DeviceID
	Path   Path
}

// An op is one thing that may be done to the disk now. Where Expect is a
// directory and Kind is opPut or opLink, the empty directory goes first.
type op struct {
	Kind     opKind
	Path     Path
	DiskName string
	Expect   Seen // what must be on disk, with Stat
	Stat     Stat
	Want     Version // what shall be there: content, size, link target, mtime
	Bits     uint32
	Target   Entry           // becomes Base
	Here     []Path          // other live files here with the content
	Members  []contentSource // who announced the content; others may have it too
	Inode    uint64          // of the staged file; 0: not staged, or unknown
	token    uint64
}

// A result is what is at a path after an op.
type result struct {
	Seen     Seen
	Stat     Stat
	DiskName string
}

// An intent names what a batch is about to do to a path, so that after a crash
// a finding there is known to be ours.
type intent struct {
	Path     Path
	Target   Entry  `wire:"1"`
	DiskName string `wire:"2"`
	Inode    uint64 `wire:"3"` // of the staged file, which it keeps at the path; 0: unknown, or no file
}

// mayHaveMade is false for a file that a user wrote and sync did not, though their
// contents are equal: it is a write of its own, which outlives the other one.
func (in intent) mayHaveMade(o observation) bool {
	return in.Inode == 0 || o.Stat.Ino == 0 || o.Seen.Kind != File || o.Stat.Ino == in.Inode
}

// A pendingKey names a row that a member announced and Base does not cover.
type pendingKey struct {
	Device  DeviceID
	Replica ReplicaID
	Path    Path
}

// A pendingRow is such a row.
type pendingRow struct {
	pendingKey
	Entry Entry  `wire:"1"`
	Seq   uint64 `wire:"2"`

	passed bool // over, since its content can not be had now and others' can
}

// A memberHead is how far a member and we have come with each other.
type memberHead struct {
	Device DeviceID
	Cursor Cursor `wire:"1"` // its rows that are stored here
	Based  uint64 `wire:"2"` // its rows that are in Base here
	Whole  bool   `wire:"3"` // a full feed of Cursor.Replica has been stored
	Stored uint64 `wire:"4"` // our rows that it stored
	Has    uint64 `wire:"5"` // our rows that are in its Base
	Held   bool   `wire:"6"` // its guard waits for a person
	Busy   bool   `wire:"7"` // it scans for the first time
}

// saved is a replica as the store keeps it.
type saved struct {
	Rows    []Row
	Pending []pendingRow
	Records []ReplicaRecord
	Intents []intent
	Heads   []memberHead
	Seq     uint64
	LastN   uint64 // number of our last dot
	Fresh   bool   // the first scan has not ended
}

// A changeSet is what the store must write in one transaction. Nothing of it
// may be told to anybody before that is durable.
type changeSet struct {
	Rows        []Row
	DropRows    []Path
	Pending     []pendingRow
	DropPending []pendingKey
	Records     []ReplicaRecord
	Heads       []memberHead
	DropHeads   []DeviceID
	Intents     []intent
	DropIntents []Path
	Seq, LastN  uint64
	Fresh       bool
	Announces   bool // rows that others must hear of after the commit
}
