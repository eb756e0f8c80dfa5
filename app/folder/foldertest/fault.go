package foldertest

import (
	"errors"
	"slices"
	"syscall"

	"foldpost/app/folder"
)

// What disks say. Full is what a [folder.Tree] makes of ENOSPC.
var (
	ErrIO         = error(syscall.EIO)
	ErrPermission = error(syscall.EACCES)
	ErrFull       = errors.Join(folder.ErrNoSpace, syscall.ENOSPC)
	errReadOnly   = error(syscall.EROFS)
)

// ErrShort makes a Read return half of what was asked for and io.EOF, as when
// the file is cut at this moment.
var ErrShort = errors.New("short read")

// A Fault is one thing that goes wrong, or happens, at a certain operation.
type Fault struct {
	// Op is the name of a [folder.Tree]'s method, or Read for reading an open
	// file, Write, Truncate and Seal for a staged one.
	Op    string
	Path  folder.Path // "": any; stage files have their stage name
	After int         // so many such operations go well before
	Times int         // how often it happens; 0: once
	Do    func()      // run before the operation, without any lock
	Err   error       // nil: the operation goes on
}

// Inject orders a fault.
func (t *Tree) Inject(f Fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f.Times = max(1, f.Times)
	t.faults = append(t.faults, &f)
}

// Heal forgets all faults.
func (t *Tree) Heal() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = nil
}

// fault runs and returns the first fault that is due.
func (t *Tree) fault(op string, p folder.Path) error {
	f := t.due(op, p)
	if f == nil {
		return nil
	}
	if f.Do != nil {
		f.Do()
	}
	return f.Err
}

func (t *Tree) due(op string, p folder.Path) *Fault {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, f := range t.faults {
		if f.Op != op || f.Path != "" && f.Path != p {
			continue
		}
		if f.After > 0 {
			f.After--
			continue
		}
		if f.Times--; f.Times == 0 {
			t.faults = slices.Delete(t.faults, i, i+1)
		}
		return f
	}
	return nil
}
