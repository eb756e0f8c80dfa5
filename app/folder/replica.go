package folder

import (
	"errors"
	"time"
)

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
	Announces   bool // new dots or seq: others must be told after the commit
	empty       bool
}

// A guardKind says which way a held change goes.
type guardKind uint8

const (
	guardHere  guardKind = iota + 1 // a scan found it: others would lose files
	guardThere                      // a member made it: this disk would lose files
)

// A held change is a question to a person.
type heldChange struct {
	Kind        guardKind
	Deleted     int // files
	Overwritten int
	Of          int // files before
	Sample      []Path
}

var _ = time.Time{}

/* The methods, in the order in which an engine uses them:

newReplica(self ReplicaRecord, role Role, off rules) *replica
(*replica) load(s saved)
(*replica) members(ms []Member)                             who counts; a removed member's pending rows go
(*replica) observe(now time.Time, obs []observation) observed
(*replica) scanned()                                        the first scan of a fresh index ended
(*replica) row(p Path) (Row, bool)                          what the index has; rows(yield) for all, below(dir) for a subtree
(*replica) below(dir Path) iter.Seq[Row]                    rows strictly below dir whose Seen is not Nothing or whose Base is live
(*replica) receive(d DeviceID, b Batch) error               ErrRefused, ErrNotMember, errFresh
(*replica) cursor(d DeviceID) Cursor
(*replica) ops(now time.Time, limit int) []op               hands ops out; each must come back by exactly one of:
(*replica) started(ops []op) []op                             writes intents; drops (takes back) those that are stale
(*replica) done(o op, got result) bool                        Base = Target; false: the path changed meanwhile, scan it
(*replica) changedOnDisk(o op)                                ErrChanged: nothing is offered there until it is observed
(*replica) later(o op)                                        not now; offered again after again()
(*replica) again()
(*replica) changes() (changeSet, bool)                      false: nothing to write
(*replica) feed(after Cursor, limit int) Batch              only committed rows; Head set when it is the last; call it only with nothing in changes()
(*replica) head() Head
(*replica) freeze(ps []Path), thaw(ps []Path)
(*replica) holding(h Hash) []Path                           live files here with that content
(*replica) offers(p Path, h Hash) bool                      Base(p) lists the content as live: it may be served
(*replica) keptPath(p Path, content Hash) Path              rule 16: where an edit of a trashed file goes
(*replica) held() []heldChange
(*replica) answer(now time.Time, k guardKind, yes bool)
(*replica) intents() []intent                               after load: scan these paths first
(*replica) status() replicaStatus, conflicts() []Conflict
*/
