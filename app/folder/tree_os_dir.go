package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// A dirAt is one real directory on disk, held open: what others do to the path
// that led to it does not change where its methods work. Names given to its
// methods are single components.
type dirAt struct {
	*os.Root
	top   *os.Root // the folder's root, not closed with the directory
	rel   string   // path below top in disk names, "." for it
	folds bool
}

// Close closes the directory unless it is the folder's root.
func (d *dirAt) Close() {
	if d.Root != d.top {
		d.Root.Close()
	}
}

// An onDisk is what a directory holds under a name. Stat.Kind is Nothing where
// it holds nothing.
type onDisk struct {
	name  string // as the disk has it
	info  fs.FileInfo
	clash string // nothing has the name, but the disk takes this one for it
	Stat
}

// free fails with ErrLeftOut where making something of a name that nothing has
// would change what another name has.
func (at onDisk) free() error {
	if at.clash != "" {
		return fmt.Errorf("%w: on this disk it would be the same as %q", ErrLeftOut, at.clash)
	}
	return nil
}

// lookup finds the exact NFC name, in whatever normalization the disk has it.
func (d *dirAt) lookup(name string) (onDisk, error) {
	info, err := d.Lstat(name)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return onDisk{}, sysErr(err)
	case err != nil && plain(name) && !d.folds:
		return onDisk{name: name}, nil
	case err == nil && !d.folds:
		return onDisk{name: name, info: info, Stat: statOf(info)}, nil
	}
	listed, other, err := d.spelled(name)
	switch {
	case err != nil:
		return onDisk{}, err
	case listed == "" && info != nil:
		return onDisk{name: name, clash: other}, nil
	case listed == "":
		return onDisk{name: name}, nil
	}
	if info, err = d.Lstat(listed); errors.Is(err, fs.ErrNotExist) {
		return onDisk{name: name}, nil
	} else if err != nil {
		return onDisk{}, sysErr(err)
	}
	return onDisk{name: listed, info: info, Stat: statOf(info)}, nil
}

// spelled looks for a name's spelling in the directory's list: the name itself
// before another normalization of it. other is one that differs in case.
func (d *dirAt) spelled(name string) (listed, other string, err error) {
	names, err := d.names()
	if err != nil {
		return "", "", err
	}
	slices.Sort(names)
	for _, n := range names {
		switch {
		case n == name:
			return n, "", nil
		case listed == "" && norm.NFC.String(n) == name:
			listed = n
		case other == "" && strings.EqualFold(norm.NFC.String(n), name):
			other = n
		}
	}
	if other == "" {
		other = "another name" // the disk knows more equal letters than we do
	}
	return listed, other, nil
}

func (d *dirAt) names() ([]string, error) {
	f, err := d.Open(".")
	if err != nil {
		return nil, sysErr(err)
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	return names, sysErr(err)
}

// child opens a directory below d; ErrGone where there is none, or something
// else such as a link.
func (d *dirAt) child(name string) (*dirAt, error) {
	at, err := d.lookup(name)
	switch {
	case err != nil:
		return nil, err
	case at.Kind != Dir:
		return nil, ErrGone
	}
	sub, err := d.OpenRoot(at.name)
	if err != nil {
		return nil, sysErr(err)
	}
	info, err := sub.Lstat(".")
	if err == nil && !os.SameFile(info, at.info) { // replaced, perhaps by a link, since we looked
		err = ErrGone
	}
	if err != nil {
		sub.Close()
		return nil, sysErr(err)
	}
	return &dirAt{Root: sub, top: d.top, rel: joinRel(d.rel, at.name), folds: d.folds}, nil
}

// makeChild is child, and makes the directory (0700) where nothing is.
func (d *dirAt) makeChild(name string) (*dirAt, error) {
	sub, err := d.child(name)
	if !errors.Is(err, ErrGone) {
		return sub, err
	}
	if err := d.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, sysErr(err)
	}
	sub, err = d.child(name)
	if errors.Is(err, ErrGone) {
		return nil, fmt.Errorf("%s: %w", joinRel(d.rel, name), errNotDir)
	}
	return sub, err
}

// errNotDir: a file or link is where the program needs a directory of its own.
var errNotDir = errors.New("not a directory")

func joinRel(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}

// down opens a directory of the folder, each component of whose path is a real
// directory now.
func (d *dirAt) down(p Path) (*dirAt, error) {
	if p == "" {
		return d, nil
	}
	if err := CheckPath(p); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLeftOut, err)
	}
	return d.through(string(p))
}

// through is down without a check of the path, for the program's own folder.
func (d *dirAt) through(path string) (*dirAt, error) {
	at := d
	for name := range strings.SplitSeq(path, "/") {
		sub, err := at.child(name)
		if at != d {
			at.Close()
		}
		if err != nil {
			return nil, err
		}
		at = sub
	}
	return at, nil
}

// parent opens the directory that p is in; p must not be the root.
func (d *dirAt) parent(p Path) (*dirAt, string, error) {
	if p == "" {
		return nil, "", fmt.Errorf("%w: the folder itself", ErrLeftOut)
	}
	if err := CheckPath(p); err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrLeftOut, err)
	}
	dir, name := p.Split()
	at, err := d.down(dir)
	return at, name, err
}
