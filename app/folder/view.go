package folder

import (
	"bytes"
	"cmp"
	"slices"
)

// SameAs tells whether two versions are equal for people: kind and content.
func (v Version) SameAs(o Version) bool { return v.Kind == o.Kind && v.Content == o.Content }

// is tells whether a disk that has the value shows the version.
func (v Version) is(d Value) bool { return v.Kind == d.Kind && v.Content == d.Content }

// value is what a disk has that shows the version.
func (v Version) value() Value {
	return Value{Kind: v.Kind, Size: v.Size, Content: v.Content, Target: v.Target}
}

// compareVersions orders the versions of an entry, the shown one first.
func compareVersions(a, b Version) int {
	dir := func(v Version) int {
		if v.Kind == Dir {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(dir(a), dir(b)),
		cmp.Compare(b.MTime, a.MTime),
		bytes.Compare(b.Content[:], a.Content[:]),
		compareDots(b.Dot, a.Dot),
		cmp.Compare(b.Kind, a.Kind), // from here on only where one dot means two versions
		cmp.Compare(b.Size, a.Size),
		cmp.Compare(b.Target, a.Target),
	)
}

// View returns what a disk shows for an entry: a directory if a version is one
// or anything below the path is live, else the first version, else a Version
// of Kind Nothing. A directory that is only implied has no dot.
func View(e Entry, liveBelow bool) Version {
	if liveBelow {
		if d, ok := e.dir(); ok {
			return d
		}
		return Version{Kind: Dir}
	}
	if len(e.S) == 0 {
		return Version{}
	}
	return slices.MinFunc(e.S, compareVersions)
}

// Losers returns the versions that the view does not show and that are kept
// beside it, in their order.
func Losers(e Entry, liveBelow bool) []Version {
	if len(e.S) == 0 || len(e.S) == 1 && (!liveBelow || e.S[0].Kind == Dir) {
		return nil
	}
	shown := View(e, liveBelow)
	var lost []Version
	for _, v := range e.S {
		if v.Kind != Dir && !v.SameAs(shown) {
			lost = append(lost, v)
		}
	}
	slices.SortFunc(lost, compareVersions)
	return lost
}
