package folder

import (
	"time"
)

// An ID names a folder: SHA-256("foldpost-folder/1" ‖ creator's ed25519 public
// key ‖ 16 random bytes).
type ID [32]byte

// A DeviceID names a device: its peer id.
type DeviceID [32]byte

// A ReplicaID names one incarnation of one device's index of one folder: 8
// random bytes, new whenever the index is new. The vector of a conflict copy's
// birth uses hashes as ids of the same kind.
type ReplicaID [8]byte

// A Path is relative to the folder's root: NFC, components separated by '/',
// no leading '/'; "" is the root itself.
type Path string

// A Hash is the BLAKE3-256 of a whole file, or of a symlink's target.
type Hash [32]byte

// A Prefix is the first 8 bytes of a Hash.
type Prefix [8]byte

// A Kind is what a path holds. The zero Kind is nothing.
type Kind uint8

// The kinds of versions. Everything else (devices, sockets, pipes) is left out.
const (
	Nothing Kind = iota
	File
	Link
	Dir
)

// A Dot names one write: the n-th of a replica, where n = max(last+1, unix
// time in µs), so that numbers are not used again after an index is lost.
type Dot struct {
	R ReplicaID `wire:"1"`
	N uint64    `wire:"2"`
}

// A Vector is the set of writes that an entry covers: for each replica the
// highest number, ordered by replica. It is never changed in place.
type Vector []Dot

// A Version is one value that a write gave to a path.
type Version struct {
	Dot     Dot    `wire:"1"`
	Kind    Kind   `wire:"2"`
	Size    int64  `wire:"3"` // bytes of a file; of a link's target
	Content Hash   `wire:"4"` // zero for directories
	Target  string `wire:"5"` // of a link, as read from disk
	MTime   int64  `wire:"6"` // unix ns; orders names only
	Prev    []Dot  `wire:"7,max=4"`
	Found   bool   `wire:"8"` // by the first scan of a fresh index
}

// A Mode is a register of its own beside the versions: the larger (Rank, R,
// Bits) wins. Rank 0 means that no user set it.
type Mode struct {
	Rank uint64    `wire:"1"`
	R    ReplicaID `wire:"2"`
	Bits uint32    `wire:"3"` // 0777
}

// An Entry is what is known of a path: a multi-value register. V covers every
// dot in S. S is ordered by dot; S empty is a tombstone. W are contents that
// users ended, the 4 newest, newest last.
type Entry struct {
	V Vector    `wire:"1,max=64"`
	S []Version `wire:"2,max=16"`
	M Mode      `wire:"3"`
	W []Ended   `wire:"4,max=4"`
}

// Ended is a content that a user's write replaced. At is the number of that
// write's dot: it makes "the newest" the same on every replica.
type Ended struct {
	Content Prefix `wire:"1"`
	At      uint64 `wire:"2"`
}

// A Value is what a disk holds at a path, as far as versions care.
type Value struct {
	Kind    Kind   `wire:"1"`
	Size    int64  `wire:"2"`
	Content Hash   `wire:"3"`
	Target  string `wire:"4"`
}

// A Stat identifies the state of a path on disk. Two equal Stats of the same
// path mean that nothing was written in between, as far as a file system can
// tell.
type Stat struct {
	Kind  Kind   `wire:"1"` // Nothing: there is nothing; also what is left out has its own error
	Size  int64  `wire:"2"`
	MTime int64  `wire:"3"` // unix ns
	CTime int64  `wire:"4"` // unix ns
	Birth int64  `wire:"5"` // unix ns, 0 where unknown
	Dev   uint64 `wire:"6"`
	Ino   uint64 `wire:"7"`
	Bits  uint32 `wire:"8"` // 0777
	NLink uint32 `wire:"9"`
}

// Seen is what a replica last put or found on disk at a path. It may differ
// from the entry: implied directories, displaced files.
type Seen struct {
	Value `wire:"1"`
	Bits  uint32 `wire:"2"`
}

// A Row is one path in a replica's index.
type Row struct {
	Path     Path
	Entry    Entry  `wire:"1"` // Base: what a person at this disk could have seen
	Seen     Seen   `wire:"2"`
	DiskName string `wire:"3"` // last component as listed; differs from Path in normalization only
	Stat     Stat   `wire:"4"` // of Seen
	Seq      uint64 `wire:"5"` // of the replica's last change to the row that others must hear
	Frozen   bool   `wire:"6"` // ignored: neither scanned nor applied
}

// A ReplicaRecord says who a replica is. It never changes, and is sent before
// the id is first used, so that conflict copies have the same names everywhere.
type ReplicaRecord struct {
	ID     ReplicaID `wire:"1"`
	Device DeviceID  `wire:"2"`
	Label  string    `wire:"3"`
}

// A Role is what a member may do with a folder.
type Role uint8

// The roles. Entries are taken from members with ReadWrite only; content from
// anybody, by its hash.
const (
	ReadWrite Role = iota + 1
	ReadOnly
)

// A Member is a device that the user added to a folder.
type Member struct {
	Device  DeviceID
	Name    string
	Role    Role
	Invited bool // has not said yes: there is no replica of it to wait for
}

// now in µs is the floor of dots; the engine passes it in so that decisions
// stay pure.
func micros(t time.Time) uint64 { return uint64(max(0, t.UnixMicro())) }
