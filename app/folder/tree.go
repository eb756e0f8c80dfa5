package folder

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

// Errors of a [Tree] that a caller decides on.
var (
	// ErrChanged: what is on disk is not what the caller saw. Scan it.
	ErrChanged = errors.New("changed on disk")
	// ErrNoRoot: the root is not there. That says nothing about its paths.
	ErrNoRoot = errors.New("folder is not there")
	// ErrGone: there is nothing (any more) at the path, or a parent is not a
	// real directory.
	ErrGone = errors.New("not there")
	// ErrLeftOut: what is there is never synced: a device, socket or pipe, a
	// name that is not UTF-8 or not allowed, the program's own folder.
	ErrLeftOut = errors.New("left out")
	// ErrNotEmpty: a directory to be removed still holds something.
	ErrNotEmpty = errors.New("directory is not empty")
	// ErrNoSpace: the disk or quota is full.
	ErrNoSpace = errors.New("no space left")
)

// OwnDir is the program's folder inside each shared folder: stage and trash,
// mode 0700, never synced or served.
const OwnDir = ".foldpost"

// A Listed is one name in a directory.
type Listed struct {
	Name string // exactly as the disk has it
	Path Path   // NFC of it, below the directory; "" where the name is not allowed
	Stat Stat
	Err  error // ErrLeftOut and why; then Stat is empty
}

// A RootID tells a folder's root from another one mounted in its place.
type RootID struct {
	Dev, Ino uint64
	Marker   string // content of .foldpost/folder, "" where missing
}

// A Kept is an old version in the trash, for restoring and for the second
// look: an editor may still write into the inode that was replaced.
type Kept struct {
	Path Path      // where it was
	Name string    // in the trash
	At   time.Time // when it was replaced or deleted
	// Stat, where a method returns it, is what was verified: StatKept gives
	// the same as long as nobody wrote into the file since. Trash itself
	// remembers no such thing and tells the state of now.
	Stat Stat
}

// A Tree is a directory tree on disk below one root. No method follows a
// symlink or leaves the root; each parent of a path must be a real directory.
// Methods may be called at the same time for different paths. Durable only
// after Sync. Errors wrap one of the above or what the system said; none of
// them but ErrGone and ErrLeftOut says anything about what is at a path.
type Tree interface {
	// Root looks at what is now under the root's name, and fails with
	// ErrNoRoot. Whatever it finds is what all methods work on from then on
	// (a drive may be mounted after the program's start), so ask before each
	// scan and batch, do nothing to a root that is not the expected one, and
	// ask again before a scan's absences are believed.
	Root() (RootID, error)
	// Mark writes the marker that RootID tells, creating .foldpost (0700).
	// Without it nothing can be staged or kept, so nothing is ever replaced
	// in a root that was not marked.
	Mark(marker string) error
	// List returns a directory's names in byte order, without .foldpost at
	// the root. One of two names with the same NFC form is left out, so
	// each Path is there once. It is complete or fails.
	List(ctx context.Context, dir Path) ([]Listed, error)
	// Stat fails with ErrGone or ErrLeftOut. It confirms an absence by
	// listing the parent where names may be folded, and finds a name in
	// another normalization.
	Stat(p Path) (Stat, error)
	// Open opens a regular file without following links.
	Open(p Path) (Content, error)
	Readlink(p Path) (string, error)

	// Stage opens a temporary file of .foldpost/stage by a name that stays
	// the same for the same wanted content, 0600; what an interrupted
	// transfer left in it is still there. Names are 1 to 128 characters of
	// 0-9, a-f. What nobody touched for 24 h is dropped when a tree is
	// opened.
	Stage(name string) (Staged, error)
	// Put renames the stage file, sealed and closed, to p. What is at p must
	// still be old in kind, size, mtime, ctime, device and inode (old.Kind
	// Nothing: nothing may be there), else ErrChanged and p is as it was.
	// Old content is linked into the trash first, so the path never
	// vanishes, and what is kept there is returned. An empty directory is
	// removed first: then the path is missing for a moment. A Stat that is
	// not the one on disk any more is returned when p was written right
	// afterwards. ErrLeftOut also where the disk takes another name for p;
	// an error that is fs.ErrNotExist means the stage file.
	Put(p Path, old Stat, stage string) (Stat, *Kept, error)
	// PutLink makes a symlink in the same way. Unsafe targets (absolute,
	// leaving the root, into .foldpost) are refused with ErrLeftOut.
	PutLink(p Path, old Stat, target string) (Stat, *Kept, error)
	// Mkdir makes a directory, or gives an existing one its bits. ErrChanged
	// where something else is.
	Mkdir(p Path, bits uint32) (Stat, error)
	// Chmod sets the bits of a file or directory whose Stat is still old;
	// of a directory only kind, device, inode and bits count.
	Chmod(p Path, old Stat, bits uint32) (Stat, error)
	// Remove moves a file or link into the trash if it is still old.
	Remove(p Path, old Stat) (*Kept, error)
	// Rmdir removes an empty directory: ErrNotEmpty otherwise.
	Rmdir(p Path) error
	// Sync makes the content of stage files durable, then the names in the
	// directories paths (and in the trash), or the bits of the files paths.
	// Call it with the stage files before the first Put, with the parents
	// afterwards. A path that is gone is no error.
	Sync(stages []string, paths []Path) error

	// Watch yields paths where something may have changed, "" for "look
	// everywhere", until ctx is done. An error, a complete sentence or two
	// for a person, says why it sees less than everything; it goes on then,
	// with "" every minute. Directories that skip tells are not watched; it
	// is called from other goroutines. A loss of events yields "".
	Watch(ctx context.Context, skip func(dir Path) bool) iter.Seq2[Path, error]
	// Free returns the bytes available on the volume.
	Free() (int64, error)

	Trash() iter.Seq2[Kept, error]
	// OpenKept reads an old version; StatKept tells whether somebody wrote
	// into it since.
	OpenKept(name string) (Content, error)
	StatKept(name string) (Stat, error)
	// Expire forgets what was kept before t.
	Expire(t time.Time) error
	Close() error
}

// Content is an open file. Stat tells of the open file, not of its path.
type Content interface {
	io.ReaderAt
	io.Closer
	Stat() (Stat, error)
}

// A Staged file is being filled. WriteAt and ReadAt work on the temporary
// file; Seal gives it mtime (unix ns) and bits through its descriptor.
type Staged interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Stat tells the inode that the file keeps when Put gives it its path.
	Stat() (Stat, error)
	Truncate(size int64) error
	Seal(mtime int64, bits uint32) error
	// Discard closes and deletes it.
	Discard() error
}
