package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// stageAge is how long a staged file that nobody touches is kept for resuming.
const stageAge = 24 * time.Hour

// maxStageName is enough for two hashes.
const maxStageName = 128

func checkStageName(name string) error {
	if name == "" || len(name) > maxStageName {
		return fmt.Errorf("stage name of %d characters", len(name))
	}
	for _, c := range []byte(name) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return fmt.Errorf("stage name with %q", c)
		}
	}
	return nil
}

// A stagedFile is a temporary file of a real disk.
type stagedFile struct {
	*os.File
	tree *diskTree
	name string
}

// Stage implements [Tree].
func (t *diskTree) Stage(name string) (Staged, error) {
	if err := checkStageName(name); err != nil {
		return nil, err
	}
	f, err := t.openStage(name)
	if err != nil {
		return nil, fmt.Errorf("open stage %s: %w", name, err)
	}
	return &stagedFile{f, t, name}, nil
}

func (t *diskTree) openStage(name string) (*os.File, error) {
	root, err := t.hold()
	if err != nil {
		return nil, err
	}
	defer t.mu.RUnlock()
	stage, err := root.stage()
	if err != nil {
		return nil, err
	}
	defer stage.Close()
	if err := stage.clearStage(name); err != nil {
		return nil, err
	}
	f, err := stage.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	return f, sysErr(err)
}

// stage opens the directory of staged files, which Mark made; it is made
// again where somebody tidied up, but never in a root without OwnDir.
func (d *dirAt) stage() (*dirAt, error) { return d.own(stageDir) }

func (d *dirAt) own(name string) (*dirAt, error) {
	own, err := d.child(OwnDir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", OwnDir, notMarked(err))
	}
	defer own.Close()
	return own.makeChild(name)
}

// notMarked keeps a missing OwnDir from being read as a missing path.
func notMarked(err error) error {
	if errors.Is(err, ErrGone) {
		return errors.New("folder is not marked")
	}
	return err
}

// clearStage makes sure that writing to a stage file writes nowhere else: a
// crash may have left a second name of a file that is in use.
func (d *dirAt) clearStage(name string) error {
	info, err := d.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return sysErr(err)
	}
	if st := statOf(info); st.Kind != File || st.NLink != 1 {
		return sysErr(d.Remove(name))
	} else if st.Bits&0o600 != 0o600 {
		return sysErr(d.Chmod(name, 0o600))
	}
	return nil
}

// Stat implements [Staged].
func (s *stagedFile) Stat() (Stat, error) {
	info, err := s.File.Stat()
	if err != nil {
		return Stat{}, fmt.Errorf("look at stage %s: %w", s.name, bare(err))
	}
	return statOf(info), nil
}

// WriteAt implements [Staged].
func (s *stagedFile) WriteAt(b []byte, off int64) (int, error) {
	n, err := s.File.WriteAt(b, off)
	if err != nil {
		err = fmt.Errorf("write stage %s: %w", s.name, sysErr(err))
	}
	return n, err
}

// Truncate implements [Staged].
func (s *stagedFile) Truncate(size int64) error {
	if err := s.File.Truncate(size); err != nil {
		return fmt.Errorf("truncate stage %s: %w", s.name, sysErr(err))
	}
	return nil
}

// Seal implements [Staged].
func (s *stagedFile) Seal(mtime int64, bits uint32) error {
	if err := s.seal(mtime, bits); err != nil {
		return fmt.Errorf("seal stage %s: %w", s.name, sysErr(err))
	}
	return nil
}

func (s *stagedFile) seal(mtime int64, bits uint32) error {
	stage, done, err := s.dir()
	if err != nil {
		return err
	}
	defer done()
	if err := s.File.Chmod(fs.FileMode(bits & 0o777)); err != nil {
		return err
	}
	return stage.setMTime(s.name, s.File, mtime)
}

// dir opens the stage until done is called.
func (s *stagedFile) dir() (stage *dirAt, done func(), err error) {
	root, err := s.tree.hold()
	if err != nil {
		return nil, nil, err
	}
	stage, err = root.stage()
	if err != nil {
		s.tree.mu.RUnlock()
		return nil, nil, err
	}
	return stage, func() {
		stage.Close()
		s.tree.mu.RUnlock()
	}, nil
}

// Discard implements [Staged].
func (s *stagedFile) Discard() error {
	s.File.Close() // it is thrown away: what it could not write does not matter
	stage, done, err := s.dir()
	if err != nil {
		return fmt.Errorf("discard stage %s: %w", s.name, err)
	}
	defer done()
	if err := stage.Remove(s.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("discard stage %s: %w", s.name, sysErr(err))
	}
	return nil
}

// sweepStage drops what was last touched before t. Sealing gives a file any
// mtime, so the time of its last change of any kind counts. What can not be
// dropped is there the next time.
func sweepStage(root *dirAt, t time.Time) {
	own, err := root.child(OwnDir)
	if err != nil {
		return
	}
	defer own.Close()
	stage, err := own.child(stageDir)
	if err != nil {
		return
	}
	defer stage.Close()
	names, err := stage.names()
	if err != nil {
		return
	}
	for _, name := range names {
		info, err := stage.Lstat(name)
		if err != nil {
			continue
		}
		st := statOf(info)
		if max(st.CTime, st.Birth) < t.UnixNano() && st.Kind != Dir {
			stage.Remove(name)
		}
	}
}
