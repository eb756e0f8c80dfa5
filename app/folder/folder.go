// Package folder keeps one directory tree equal on several devices. It knows
// a disk ([Tree]), other replicas ([Remote]) and an index of its own; it does
// not know networks, people or mail. PROTOCOL.md beside it says what replicas
// tell each other.
//
// Two promises hold at every moment, also across a power cut: each path holds
// its old or its correct new content, and the index describes either the state
// before a step or the one after it. Nothing that a user wrote is ever gone
// before a user who saw it ended it; what sync replaces or deletes is kept in
// the trash besides.
package folder

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"
)

// A Config says what a Folder works on. Tree and the function values must stay
// usable until Run has returned.
type Config struct {
	ID     ID
	Device DeviceID
	Label  string // of a new replica id: the device's name, at most 32 characters are kept
	Role   Role   // ours
	Tree   Tree
	// StorePath is the index: an SQLite file in the state directory, never
	// inside a shared folder.
	StorePath string
	// Machine names the computer (its machine id). An index that was made on
	// another machine is a copy, and gets a new replica id.
	Machine        string
	IgnoreDefaults string // rules before those of .foldpostignore, in the same syntax
	TrashDays      int    // 0: 30
	Log            *slog.Logger
	// Changed is called when Status may have changed, without locks held. It
	// must not block.
	Changed func()
}

// Errors of a [Folder] that a caller decides on.
var (
	// ErrNotMember: the device is not, or no longer, a member of the folder.
	ErrNotMember = errors.New("not a member of the folder")
	// ErrEnded: the folder does not run any more.
	ErrEnded = errors.New("the folder does not run")
	// ErrRefused: a peer sent what no replica may send. Its feed is not taken
	// any further.
	ErrRefused = errors.New("refused")
)

// A Folder keeps one tree equal with its members' replicas. Its methods may be
// called from any goroutine, also before Run; those that need the index wait
// for it.
type Folder struct {
	cfg   Config
	calls chan func(*engine)
	wake  chan struct{} // members or pause changed
	ended chan struct{}

	mu        sync.Mutex
	members   []Member
	paused    bool
	status    Status
	conflicts []Conflict
}

// New makes a Folder that does nothing before Run.
func New(c Config) *Folder {
	if c.TrashDays == 0 {
		c.TrashDays = 30
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Changed == nil {
		c.Changed = func() {}
	}
	return &Folder{
		cfg:    c,
		calls:  make(chan func(*engine)),
		wake:   make(chan struct{}, 1),
		ended:  make(chan struct{}),
		status: Status{State: StateScanning, Role: c.Role},
	}
}

// Run opens the index, scans, watches, pulls and serves until ctx is done, and
// returns when all of it has ended. Another error than ctx's means that it can
// not go on; Status tells it to people. A Folder runs once.
func (f *Folder) Run(ctx context.Context) error {
	defer close(f.ended)
	<-ctx.Done()
	return ctx.Err()
}

// SetMembers says whom the folder is served to and taken from. Who is not
// among them is refused at once, also in the middle of a transfer.
func (f *Folder) SetMembers(ms []Member) {
	f.mu.Lock()
	f.members = append([]Member(nil), ms...)
	f.mu.Unlock()
	f.nudge()
}

// Connect takes the rows of a member that can be reached and reads content
// from it until ctx is done or its feed ends, and returns why.
func (f *Folder) Connect(ctx context.Context, r Remote) error {
	return ErrEnded
}

// Serve returns our replica as a member may see it. Each call on it looks
// again whether the device is a member, and each content whether it is still
// live in the index and unchanged on disk. It fails with ErrNotMember.
func (f *Folder) Serve(d DeviceID) (Remote, error) {
	return nil, ErrNotMember
}

// Status returns what was so at the last event.
func (f *Folder) Status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status
}

// Conflicts lists the paths that have copies beside them.
func (f *Folder) Conflicts() []Conflict {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.conflicts
}

// Answer takes a person's choice. It fails when the question is not open any
// more or does not have the choice.
func (f *Folder) Answer(question, choice string) error {
	return ErrEnded
}

// Pause stops scanning, applying and serving until Pause(false).
func (f *Folder) Pause(on bool) {
	f.mu.Lock()
	f.paused = on
	f.mu.Unlock()
	f.nudge()
}

// Rescan compares the whole tree with the index and returns when what it found
// is committed, or the reason why it was not.
func (f *Folder) Rescan(ctx context.Context) error {
	return ErrEnded
}

// Trash lists what sync replaced or deleted and still keeps, newest first.
func (f *Folder) Trash() ([]Kept, error) {
	return nil, nil
}

// Restore takes the version of p that was replaced or deleted at the given
// time (zero: the newest) out of the trash: into to, or, if that is nil, back
// to its place; what is there now goes to the trash. It fails with ErrGone
// when the trash has no such version.
func (f *Folder) Restore(ctx context.Context, p Path, at time.Time, to io.Writer) error {
	return ErrGone
}

func (f *Folder) nudge() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}
