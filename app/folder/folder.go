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
	"fmt"
	"log/slog"
	"maps"
	"slices"
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
	// Named: a person just said that this is the folder's directory. If it is
	// another one than before, and was marked as this folder's, it is compared
	// like one that is joined: nothing is deleted for it.
	Named bool
	Log   *slog.Logger
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

	mu      sync.Mutex
	members []Member
	paused  bool
	status  Status
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
	for {
		e, err := newEngine(f)
		if err == nil {
			err = e.run(ctx)
		}
		switch {
		case errors.Is(err, errFresh):
			continue // the index is empty now
		case ctx.Err() != nil:
			return ctx.Err()
		}
		f.mu.Lock()
		f.status.State = StateStopped
		f.status.Problem = fmt.Sprintf("The folder's index can not be used: %v.", err)
		f.mu.Unlock()
		f.cfg.Changed()
		if e == nil {
			return err
		}
		f.cfg.Log.Error("the index failed", "error", err)
		select { // a full disk gets room again
		case <-time.After(indexRetry):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// indexRetry is when an index that failed while it was in use is opened again.
const indexRetry = 30 * time.Second

// SetMembers says whom the folder is served to and taken from. Who is not
// among them is refused at once, also in the middle of a transfer.
func (f *Folder) SetMembers(ms []Member) {
	f.mu.Lock()
	f.members = append([]Member(nil), ms...)
	f.mu.Unlock()
	f.nudge()
}

// Status returns what was so at the last event.
func (f *Folder) Status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status
}

// Conflicts lists the paths that have copies beside them.
func (f *Folder) Conflicts(ctx context.Context) (cs []Conflict, err error) {
	err = f.call(ctx, func(e *engine) { cs = e.rep.conflicts() })
	return cs, err
}

// LeftOut lists paths that are not synced, at most a thousand, and why.
func (f *Folder) LeftOut(ctx context.Context) ([]Left, error) {
	var ls []Left
	err := f.call(ctx, func(e *engine) {
		for _, p := range slices.Sorted(maps.Keys(e.leftOut)) {
			if len(ls) < 1000 {
				ls = append(ls, Left{p, e.leftOut[p].Error()})
			}
		}
	})
	return ls, err
}

// Answer takes a person's choice. It fails when the question is not open any
// more or does not have the choice.
func (f *Folder) Answer(question, choice string) error {
	if !slices.ContainsFunc(f.Status().Questions, func(q Question) bool { return q.ID == question }) {
		return fmt.Errorf("answer question %q: it is not open", question)
	}
	var err error
	return errors.Join(f.call(context.Background(), func(e *engine) { err = e.answer(question, choice) }), err)
}

// Pause stops scanning, applying and serving contents until Pause(false). Rows
// of members are still taken.
func (f *Folder) Pause(on bool) {
	f.mu.Lock()
	f.paused = on
	f.mu.Unlock()
	f.nudge()
}

// Rescan compares the whole tree with the index and returns when what it found
// is committed, or the reason why it was not.
func (f *Folder) Rescan(ctx context.Context) error {
	for {
		if err := f.rescan(ctx); !errors.Is(err, errReconnect) {
			return err
		}
	}
}

func (f *Folder) rescan(ctx context.Context) error {
	done := make(chan error, 1)
	if err := f.call(ctx, func(e *engine) {
		e.scan.waiters = append(e.scan.waiters, done)
		e.scanAll(time.Now())
	}); err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-f.ended:
		return ErrEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *Folder) nudge() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}
