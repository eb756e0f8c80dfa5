package folder

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// A Change is a file or link that changed, as this device learnt it.
type Change struct {
	Path    Path
	Deleted bool
	At      time.Time // when it came into the index
	Device  DeviceID  // that made it; zero where nobody knows any more
	Label   string    // of that device
	Size    int64
}

// Recent lists the latest changes, newest first, at most n. A path is there
// once, with its last.
func (f *Folder) Recent(ctx context.Context, n int) (cs []Change, err error) {
	err = f.call(ctx, func(e *engine) { cs = e.rep.recent(n) })
	return cs, err
}

// recent reads the log from its end. Seqs are not below the clock in µs.
func (r *replica) recent(limit int) []Change {
	var cs []Change
	for i := len(r.log) - 1; i >= 0 && len(cs) < limit; i-- {
		l := r.log[i]
		if l.n.row.Seq != l.seq {
			continue // superseded
		}
		if c, ok := r.change(l.n); ok {
			cs = append(cs, c)
		}
	}
	return cs
}

// change describes the last write of a path. Directories are left out.
func (r *replica) change(n *node) (Change, bool) {
	e := n.row.Entry
	c := Change{Path: n.row.Path, At: seqTime(n.row.Seq)}
	var dot Dot
	if v := View(e, n.liveBelow > 0); v.Kind == Nothing {
		if len(e.W) == 0 || len(e.V) == 0 {
			return Change{}, false // no file was ended here
		}
		c.Deleted = true
		dot = slices.MaxFunc(e.V, func(a, b Dot) int { return cmp.Compare(a.N, b.N) })
	} else {
		if v.Kind == Dir {
			return Change{}, false
		}
		c.Size, dot = v.Size, v.Dot
		for _, b := range n.births {
			if b.dot == v.Dot {
				dot = b.loser
			}
		}
	}
	rec := r.records[dot.R]
	c.Device, c.Label = rec.Device, rec.Label
	return c, true
}

// seqTime is when a row got its seq, which nextSeq keeps near the clock.
func seqTime(seq uint64) time.Time {
	if seq == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(min(seq, 1<<62))).UTC()
}
