package folder

import (
	"context"
	"io"
	"iter"
)

// An Announced row is what one replica tells another of a path. Withdrawn says
// that the row can not be served any more: what was announced of the path by
// this replica is void.
type Announced struct {
	Path      Path   `wire:"1"`
	Entry     Entry  `wire:"2"`
	Seq       uint64 `wire:"3"`
	Withdrawn bool   `wire:"4"`
}

// An Ack is how far a replica has come with another's rows.
type Ack struct {
	R   ReplicaID `wire:"1"`
	Seq uint64    `wire:"2"`
}

// A Head ends a run of rows: everything of Replica up to Seq has been sent.
type Head struct {
	Replica ReplicaID `wire:"1"`
	Seq     uint64    `wire:"2"`
	Stored  []Ack     `wire:"3,max=64"` // rows of others that are in Base or pending, on disk
	Based   []Ack     `wire:"4,max=64"` // rows of others that are in Base, on disk
	Held    bool      `wire:"5"`        // the guard holds changes until a person answers
	Busy    bool      `wire:"6"`        // scanning for the first time: rows are still to come
}

// A Batch is one frame of a feed. Replica is whose rows these are. Replicas
// come before the rows that use them. Head is set on the last batch of a run and on its own when only
// acknowledgements changed.
type Batch struct {
	Replicas []ReplicaRecord `wire:"1,max=64"`
	Rows     []Announced     `wire:"2,max=256"`
	Head     *Head           `wire:"3"`
	Replica  ReplicaID       `wire:"4"`
}

// A Cursor is how far a feed has been taken: the rows of Replica up to Seq are
// stored durably. The zero Cursor asks for everything.
type Cursor struct {
	Replica ReplicaID `wire:"1"`
	Seq     uint64    `wire:"2"`
}

// A Want names content that another replica announced at a path.
type Want struct {
	Path    Path  `wire:"1"`
	Content Hash  `wire:"2"`
	Offset  int64 `wire:"3"` // bytes that are here already
}

// A Remote is another device's replica of the same folder, as far as it lets
// us in. Since and Read may be called at the same time, Read from many
// goroutines.
type Remote interface {
	Device() DeviceID
	// Since yields batches of the rows after the cursor, oldest first, and
	// then waits for more until ctx is done or the link is lost, which is
	// its last error. Rows of another replica than the cursor's start from
	// the beginning.
	Since(ctx context.Context, after Cursor) iter.Seq2[Batch, error]
	// Read opens the content from the wanted offset on. It fails with
	// ErrGone where the replica has it no more.
	Read(ctx context.Context, w Want) (io.ReadCloser, error)
}
