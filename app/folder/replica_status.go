package folder

import (
	"cmp"
	"slices"
)

// A count is what a path adds to counts.
type count struct {
	file  bool
	bytes int64
	need  bool
	size  int64 // of what is needed
	harm  harm
}

// counts are sums over all paths.
type counts struct {
	files, needFiles    int
	bytes, needBytes    int64
	deletes, overwrites int // files that Target takes from this disk for good
}

func (c *counts) add(k count, by int) {
	if k.file {
		c.files += by
		c.bytes += int64(by) * k.bytes
	}
	if k.need {
		c.needFiles += by
		c.needBytes += int64(by) * k.size
	}
	switch k.harm {
	case harmDelete:
		c.deletes += by
	case harmOverwrite:
		c.overwrites += by
	}
}

// show notes what Target shows at a path. Whether a content is shown anywhere
// decides about the harm at all files that have it.
func (r *replica) show(n *node, v Version) {
	was := n.shown
	n.shown = v
	if was.Kind == v.Kind && was.Content == v.Content {
		r.recount(n)
		return
	}
	if was.Kind == File {
		r.views[was.Content]--
		if r.views[was.Content] == 0 {
			delete(r.views, was.Content)
			r.recountAll(was.Content)
		}
	}
	if v.Kind == File {
		r.views[v.Content]++
		if r.views[v.Content] == 1 {
			r.recountAll(v.Content)
		}
	}
	r.recount(n)
}

func (r *replica) recountAll(h Hash) {
	for _, n := range r.byContent[h] {
		r.recount(n)
	}
}

func (r *replica) recount(n *node) {
	var k count
	seen := n.row.Seen
	differs := !n.row.Frozen && !n.shown.is(seen.Value) && !r.ownChange(n, n.shown)
	if seen.Kind == File && !n.row.Frozen {
		k.file, k.bytes = true, seen.Size
		if differs && !n.allowed && r.views[seen.Content] == 0 {
			k.harm = harmOverwrite
			if n.shown.Kind == Nothing {
				k.harm = harmDelete
			}
		}
	}
	if !differs {
		n.allowed = false
	}
	if differs && n.shown.Kind == File {
		k.need, k.size = true, n.shown.Size
	}
	r.counts.add(n.count, -1)
	r.counts.add(k, 1)
	n.count = k
}

// A memberProgress is how far a member has come with our rows.
type memberProgress struct {
	Device    DeviceID
	HasAll    bool // of what was announced
	NeedBytes int64
	Held      bool
	Busy      bool
}

// A replicaStatus counts regular files.
type replicaStatus struct {
	Files, NeedFiles int
	Bytes, NeedBytes int64
	Conflicts        int
	Open             bool // Base or disk differ from Target somewhere
	Members          []memberProgress
}

func (r *replica) status() replicaStatus {
	s := replicaStatus{
		Files: r.counts.files, Bytes: r.counts.bytes,
		NeedFiles: r.counts.needFiles, NeedBytes: r.counts.needBytes,
		Conflicts: r.inConflict(), Open: len(r.open) > 0,
	}
	for _, m := range r.devices {
		s.Members = append(s.Members, memberProgress{
			Device: m.Device, HasAll: m.Has >= r.seq, NeedBytes: m.needs, Held: m.Held, Busy: m.Busy,
		})
	}
	slices.SortFunc(s.Members, func(a, b memberProgress) int { return slices.Compare(a.Device[:], b.Device[:]) })
	return s
}

// inConflict counts the paths that have live copies.
func (r *replica) inConflict() int {
	sum := 0
	for n := range r.conflicted {
		if slices.ContainsFunc(n.copies, func(w wantedCopy) bool { return w.at.live }) {
			sum++
		}
	}
	return sum
}

// conflicts lists the paths that have live copies.
func (r *replica) conflicts() []Conflict {
	var cs []Conflict
	for n := range r.conflicted {
		if c, ok := r.conflict(n); ok {
			cs = append(cs, c)
		}
	}
	slices.SortFunc(cs, func(a, b Conflict) int { return cmp.Compare(a.Path, b.Path) })
	return cs
}

func (r *replica) conflict(n *node) (Conflict, bool) {
	e := n.row.Entry
	if !e.Live() {
		e = n.targetEntry()
	}
	c := Conflict{Path: n.row.Path}
	shown := View(e, n.liveBelow > 0)
	c.Sides = append(c.Sides, r.side(n.row.Path, shown, shown.Dot))
	copies := slices.Clone(n.copies)
	slices.SortFunc(copies, func(a, b wantedCopy) int { return byPath(a.at, b.at) })
	for _, w := range copies {
		if w.at.live {
			c.Copies = append(c.Copies, w.at.row.Path)
			c.Sides = append(c.Sides, r.side(w.at.row.Path, w.entry.S[0], w.loser))
		}
	}
	return c, len(c.Copies) > 0
}

// side describes a version that a dot gave.
func (r *replica) side(p Path, v Version, d Dot) Side {
	rec := r.records[d.R]
	return Side{Path: p, Device: rec.Device, Label: rec.Label, Kind: v.Kind, Size: v.Size, MTime: v.MTime}
}
