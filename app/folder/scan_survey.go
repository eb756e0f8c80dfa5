package folder

import (
	"context"
	"errors"
	"slices"
	"time"
)

// A survey is one look at paths and everything below those that are
// directories. The event loop owns it; its worker only reads roots, owed, skip
// and expect.
type survey struct {
	roots  []Path        // sorted
	owed   map[Path]bool // roots that must be told of even if there is nothing
	expect RootID
	skip   func(p Path, dir bool) bool
	whole  bool // the root is among the roots
	force  bool // an intent names the paths: what is there is told even if it is known

	listed  []Path // roots that are directories
	seen    map[Path]struct{}
	blind   []Path // what is below could not be read, and counts for nothing
	hidden  int    // paths that only another member's rules let in
	open    int    // findings that are not finished
	ended   bool   // the disk has been walked
	hold    bool   // all findings are judged together, at the end
	found   []finding
	changed int  // files that would be deleted or overwritten at the others
	tooNew  bool // a file was left alone because it was written just now
	err     error
}

// A sighting is what a directory entry or a look at a path tells.
type sighting struct {
	path Path
	name string // last component as the disk has it; "" where it was not listed
	stat Stat   // Kind Nothing: there is nothing
	err  error  // ErrLeftOut and why, or why it can not be read
}

// errRoot: the root is missing or another directory than the expected one.
var errRoot = errors.New("not the folder's directory")

// checkRoot also makes the tree work on what is mounted now.
func checkRoot(t Tree, expect RootID) error {
	id, err := t.Root()
	if err != nil {
		return errors.Join(errRoot, err)
	}
	if id != expect {
		return errRoot
	}
	return nil
}

// sightings are reported in pieces, so that a large folder is worked on while
// it is walked.
const sightingsAtOnce = 512

// walk reads the disk and hands over what it sees. It fails where nothing that
// it saw may count.
func (sv *survey) walk(ctx context.Context, t Tree, report func([]sighting)) error {
	if err := checkRoot(t, sv.expect); err != nil {
		return err
	}
	var piece []sighting
	tell := func(s sighting) {
		if piece = append(piece, s); len(piece) >= sightingsAtOnce {
			report(piece)
			piece = nil
		}
	}
	var dirs []Path
	for _, p := range sv.roots {
		if n := len(dirs); n > 0 && p.Below(dirs[n-1]) && !sv.owed[p] {
			continue // seen on the way
		}
		if s := lookAt(t, p); !sv.skips(s) {
			tell(s)
			if s.err == nil && s.stat.Kind == Dir {
				dirs = append(dirs, p)
			}
		}
	}
	for len(dirs) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		dir := dirs[len(dirs)-1]
		dirs = dirs[:len(dirs)-1]
		names, err := t.List(ctx, dir)
		if err != nil {
			tell(sighting{path: dir, stat: Stat{Kind: Dir}, err: err})
			continue
		}
		for _, l := range names {
			s := sighting{path: l.Path, name: l.Name, stat: l.Stat, err: l.Err}
			if l.Path == "" {
				s.path = dir.Join(l.Name)
			}
			if sv.skips(s) {
				continue
			}
			tell(s)
			if s.err == nil && s.stat.Kind == Dir {
				dirs = append(dirs, s.path)
			}
		}
	}
	report(piece)
	return checkRoot(t, sv.expect)
}

func (sv *survey) skips(s sighting) bool {
	return s.path != "" && sv.skip(s.path, s.stat.Kind == Dir)
}

func lookAt(t Tree, p Path) sighting {
	if p == "" {
		return sighting{stat: Stat{Kind: Dir}}
	}
	st, err := t.Stat(p)
	if errors.Is(err, ErrGone) {
		return sighting{path: p}
	}
	return sighting{path: p, stat: st, err: err}
}

// confirm lists the parents of paths that seemed to be gone, each once, and
// returns those that are.
func confirm(ctx context.Context, t Tree, expect RootID, paths []Path) ([]Path, error) {
	if err := checkRoot(t, expect); err != nil {
		return nil, err
	}
	byDir := map[Path][]Path{}
	for _, p := range paths {
		dir, _ := p.Split()
		byDir[dir] = append(byDir[dir], p)
	}
	var gone []Path
	for dir, ps := range byDir {
		here, err := namesIn(ctx, t, dir)
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			continue // an unreadable parent counts for nothing
		}
		for _, p := range ps {
			if _, ok := here[p]; !ok {
				gone = append(gone, p)
			}
		}
	}
	slices.Sort(gone)
	return gone, checkRoot(t, expect)
}

// namesIn lists a directory. It is empty where the directory itself is gone,
// which its own parents' lists must confirm.
func namesIn(ctx context.Context, t Tree, dir Path) (map[Path]struct{}, error) {
	names, err := t.List(ctx, dir)
	if errors.Is(err, ErrGone) && dir != "" {
		up, _ := dir.Split()
		here, err := namesIn(ctx, t, up)
		if err != nil {
			return nil, err
		}
		if _, ok := here[dir]; !ok {
			return nil, nil
		}
		st, err := t.Stat(dir)
		if err == nil && st.Kind != Dir || errors.Is(err, ErrLeftOut) {
			return nil, nil // something else took the directory's place
		}
		return nil, errors.Join(err, ErrChanged)
	}
	if err != nil {
		return nil, err
	}
	here := make(map[Path]struct{}, len(names))
	for _, l := range names {
		if l.Path != "" {
			here[l.Path] = struct{}{}
		} else {
			here[dir.Join(l.Name)] = struct{}{}
		}
	}
	return here, nil
}

// age is how long ago something was last written, as the file's times tell;
// negative where its clock is ahead of ours.
func age(now time.Time, st Stat) time.Duration {
	return time.Duration(now.UnixNano() - max(st.MTime, st.CTime))
}
