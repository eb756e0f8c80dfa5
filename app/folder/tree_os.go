package folder

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Names below [OwnDir].
const (
	markerName = "folder"
	stageDir   = "stage"
	trashDir   = "trash"
)

// maxMarker bounds the marker file.
const maxMarker = 4096

// diskTree is the [Tree] of a real disk.
type diskTree struct {
	dir  string // absolute
	poll time.Duration

	mu    sync.RWMutex // held for reading while a method works below root
	root  *os.Root     // nil where there is none
	folds bool         // names that differ in case only are the same, or may be

	trash trashNames
}

// OpenTree opens the tree below the existing directory dir, and drops what
// nobody touched in its stage for 24 h. It makes nothing on disk; see Mark.
func OpenTree(dir string) (Tree, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open folder %s: %w", dir, err)
	}
	t := &diskTree{dir: abs, poll: watchPoll}
	if err := t.reopen(); err != nil {
		return nil, err
	}
	root, err := t.hold()
	if err != nil {
		return nil, err
	}
	defer t.mu.RUnlock()
	sweepStage(root, time.Now().Add(-stageAge))
	return t, nil
}

// hold returns the root for as long as the caller works in it, and then must
// unlock t.mu for reading.
func (t *diskTree) hold() (*dirAt, error) {
	t.mu.RLock()
	if t.root == nil {
		t.mu.RUnlock()
		return nil, fmt.Errorf("%w: %s", ErrNoRoot, t.dir)
	}
	return &dirAt{Root: t.root, top: t.root, rel: ".", folds: t.folds}, nil
}

// Root implements [Tree].
func (t *diskTree) Root() (RootID, error) {
	if err := t.reopen(); err != nil {
		return RootID{}, err
	}
	root, err := t.hold()
	if err != nil {
		return RootID{}, err
	}
	defer t.mu.RUnlock()
	info, err := root.Lstat(".")
	if err != nil {
		return RootID{}, fmt.Errorf("look at folder %s: %w", t.dir, bare(err))
	}
	st := statOf(info)
	id := RootID{Dev: st.Dev, Ino: st.Ino}
	id.Marker, err = readMarker(root)
	return id, err
}

// reopen makes the root what is under its name now.
func (t *diskTree) reopen() error {
	info, err := os.Stat(t.dir)
	if err == nil && !info.IsDir() {
		err = errors.New("not a directory")
	}
	if err != nil {
		t.use(nil)
		return fmt.Errorf("%w: %s: %w", ErrNoRoot, t.dir, bare(err))
	}
	if t.holds(info) {
		return nil
	}
	root, err := os.OpenRoot(t.dir)
	if err != nil {
		return fmt.Errorf("open folder %s: %w", t.dir, bare(err))
	}
	t.use(root)
	return nil
}

func (t *diskTree) holds(info fs.FileInfo) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.root == nil {
		return false
	}
	held, err := t.root.Lstat(".")
	return err == nil && os.SameFile(held, info)
}

func (t *diskTree) use(root *os.Root) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.root != nil {
		t.root.Close()
	}
	t.root = root
	t.folds = root != nil && foldsCase(root)
}

// foldsCase tells whether a disk may take names that differ in case for the
// same, which it shows in the name of our own directory. Before Mark it is not
// known, and each name found is compared with its directory's list.
func foldsCase(root *os.Root) bool {
	own, err := root.Lstat(OwnDir)
	if err != nil {
		return true
	}
	upper, err := root.Lstat(".FOLDPOST")
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	return err != nil || os.SameFile(own, upper)
}

func readMarker(root *dirAt) (string, error) {
	own, err := root.child(OwnDir)
	if errors.Is(err, ErrGone) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read marker: %w", err)
	}
	defer own.Close()
	f, err := own.openFile(markerName)
	if errors.Is(err, ErrGone) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read marker: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxMarker+1))
	if err == nil && len(b) > maxMarker {
		err = fmt.Errorf("longer than %d bytes", maxMarker)
	}
	if err != nil {
		return "", fmt.Errorf("read marker: %w", bare(err))
	}
	return string(b), nil
}

// Mark implements [Tree].
func (t *diskTree) Mark(marker string) error {
	if len(marker) > maxMarker {
		return fmt.Errorf("mark folder %s: marker of %d bytes", t.dir, len(marker))
	}
	if err := t.mark(marker); err != nil {
		return fmt.Errorf("mark folder %s: %w", t.dir, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.root != nil {
		t.folds = foldsCase(t.root)
	}
	return nil
}

func (t *diskTree) mark(marker string) error {
	root, err := t.hold()
	if err != nil {
		return err
	}
	defer t.mu.RUnlock()
	own, err := root.makeChild(OwnDir)
	if err != nil {
		return err
	}
	defer own.Close()
	if err := root.Chmod(OwnDir, 0o700); err != nil { // it may have been made by somebody else
		return sysErr(err)
	}
	for _, name := range []string{stageDir, trashDir} {
		sub, err := own.makeChild(name)
		if err != nil {
			return err
		}
		sub.Close()
	}
	if err := own.writeFile(markerName, marker); err != nil {
		return err
	}
	return errors.Join(own.sync(), root.sync())
}

// Free implements [Tree].
func (t *diskTree) Free() (int64, error) {
	root, err := t.hold()
	if err != nil {
		return 0, err
	}
	defer t.mu.RUnlock()
	n, err := freeBytes(root)
	if err != nil {
		return 0, fmt.Errorf("ask for free space of %s: %w", t.dir, bare(err))
	}
	return n, nil
}

// Close implements [Tree].
func (t *diskTree) Close() error {
	t.use(nil)
	return nil
}

// sysErr gives an error of the system one of this package's meanings, without
// the call and path that it carries: callers say that better.
func sysErr(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrGone):
		return ErrGone
	case isFull(err):
		return fmt.Errorf("%w (%w)", ErrNoSpace, bare(err))
	}
	return bare(err)
}

// bare takes an error out of what the os package wraps around it.
func bare(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	var call *os.SyscallError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	case errors.As(err, &call):
		return call.Err
	}
	return err
}
