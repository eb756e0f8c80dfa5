package folder

import (
	"maps"
	"slices"
	"time"
)

// When many files go at once a person is asked.
const (
	guardSpan      = time.Hour
	guardFiles     = 50 // deleted or overwritten; or
	guardShare     = 5  // one file in so many, if that is more
	guardDeletions = 2000
	guardSample    = 5 // paths shown
)

// A harm is what a change does to a file whose content lives on nowhere else.
type harm uint8

const (
	harmless harm = iota
	harmDelete
	harmOverwrite
)

// A guardKind says which way a held change goes.
type guardKind uint8

const (
	guardHere  guardKind = iota + 1 // a scan found it: others would lose files
	guardThere                      // a member made it: this disk would lose files
)

// A heldChange is a question to a person.
type heldChange struct {
	Kind        guardKind
	Deleted     int // files, with those of the last hour
	Overwritten int
	Of          int // files before
	Told        int // of them, before it was too many: not held any more
	Sample      []Path
}

// A guard holds changes back that take many files.
type guard struct {
	files int                  // guardFiles
	now   time.Time            // of the last ops or findings
	scan  map[Path]observation // held findings
	here  guardWindow
	there guardWindow
}

func newGuard() guard {
	return guard{files: guardFiles, scan: map[Path]observation{}, here: guardWindow{}, there: guardWindow{}}
}

// A guardWindow is what went in the last hour.
type guardWindow map[Path]guardEvent

type guardEvent struct {
	at   time.Time
	harm harm
}

func (w guardWindow) note(now time.Time, p Path, h harm) { w[p] = guardEvent{now, h} }

// counted forgets what is older than an hour and counts the rest.
func (w guardWindow) counted(now time.Time) (c heldChange) {
	maps.DeleteFunc(w, func(_ Path, e guardEvent) bool { return now.Sub(e.at) >= guardSpan })
	for _, e := range w {
		if e.harm == harmDelete {
			c.Deleted++
		} else {
			c.Overwritten++
		}
	}
	return c
}

// trips tells whether a person must be asked, where so many files are free.
func (c heldChange) trips(files int) bool {
	return c.Deleted+c.Overwritten > max(files, c.Of/guardShare) ||
		c.Deleted > guardDeletions ||
		c.Deleted >= 2 && c.Deleted >= c.Of
}

// guardScan returns the findings that may be taken, and nil if they are held.
func (r *replica) guardScan(now time.Time, obs []observation) []observation {
	if r.off.noGuard || r.role == ReadOnly {
		return obs
	}
	if len(r.guard.scan) > 0 {
		for _, o := range obs {
			r.guard.scan[o.Path] = o
		}
		obs = r.heldScan()
	}
	harms := r.scanHarms(obs)
	if len(harms) > 0 && r.scanChange(now, harms).trips(r.guard.files) {
		for _, o := range obs {
			r.guard.scan[o.Path] = o
		}
		return nil
	}
	for p, h := range harms {
		r.guard.here.note(now, p, h)
	}
	clear(r.guard.scan)
	return obs
}

func (r *replica) heldScan() []observation {
	obs := make([]observation, 0, len(r.guard.scan))
	for _, p := range sortedKeys(r.guard.scan) {
		obs = append(obs, r.guard.scan[p])
	}
	return obs
}

func (r *replica) scanChange(now time.Time, harms map[Path]harm) heldChange {
	c := r.guard.here.counted(now)
	c.Of, c.Told = r.counts.files+c.Deleted, c.Deleted+c.Overwritten
	for p, h := range harms {
		if _, again := r.guard.here[p]; again {
			continue
		}
		if h == harmDelete {
			c.Deleted++
		} else {
			c.Overwritten++
		}
	}
	return c
}

// scanHarms returns the files that findings delete or overwrite, less those
// whose content is found elsewhere.
func (r *replica) scanHarms(obs []observation) map[Path]harm {
	gone := map[Hash]int{} // paths that do not have the content any more
	come := map[Hash]bool{}
	for _, o := range obs {
		if o.Seen.Kind == File {
			come[o.Seen.Content] = true
		}
		if n := r.harmed(o); n != nil && n.shown.is(n.row.Seen.Value) {
			gone[n.row.Seen.Content]++
		}
	}
	harms := map[Path]harm{}
	for _, o := range obs {
		n := r.harmed(o)
		if n == nil || come[n.row.Seen.Content] || r.views[n.row.Seen.Content] > gone[n.row.Seen.Content] {
			continue
		}
		harms[o.Path] = harmOverwrite
		if o.Seen.Kind == Nothing {
			harms[o.Path] = harmDelete
		}
	}
	return harms
}

// harmed returns the node of a file that a finding would end.
func (r *replica) harmed(o observation) *node {
	n := r.nodes[o.Path]
	if n == nil || n.decided || n.row.Frozen || n.row.Seen.Kind != File || n.row.Seen.Value == o.Seen.Value || !n.row.Entry.Live() {
		return nil
	}
	if in, named := r.intents[o.Path]; named && in.mayHaveMade(o) && shows(in.Target, o.Seen.Value, n.liveBelow > 0) {
		return nil
	}
	return n
}

// held returns the questions that are open.
func (r *replica) held() []heldChange {
	var hs []heldChange
	if len(r.guard.scan) > 0 {
		harms := r.scanHarms(r.heldScan())
		h := r.scanChange(r.guard.now, harms)
		h.Kind = guardHere
		h.Sample = sortedKeys(harms)
		h.Sample = h.Sample[:min(len(h.Sample), guardSample)]
		hs = append(hs, h)
	}
	if h := r.heldThere(); h.trips(r.guard.files) && !r.off.noGuard && r.counts.deletes+r.counts.overwrites > 0 {
		for p, n := range r.nodes {
			if n.count.harm != harmless {
				h.Sample = append(h.Sample, p)
			}
		}
		slices.Sort(h.Sample)
		h.Sample = h.Sample[:min(len(h.Sample), guardSample)]
		hs = append(hs, h)
	}
	return hs
}

// heldThere counts what the members' changes would take from this disk.
func (r *replica) heldThere() heldChange {
	h := r.guard.there.counted(r.guard.now)
	h.Kind = guardThere
	h.Of, h.Told = r.counts.files+h.Deleted, h.Deleted+h.Overwritten
	h.Deleted += r.counts.deletes
	h.Overwritten += r.counts.overwrites
	return h
}

// holds tells whether a question is open, cheaply.
func (r *replica) holds() bool {
	return len(r.guard.scan) > 0 ||
		!r.off.noGuard && r.counts.deletes+r.counts.overwrites > 0 && r.heldThere().trips(r.guard.files)
}

// answer takes a person's decision. Yes lets what is held now happen. No to a
// scan's question brings the files back; no to a member's change writes what
// is here on top of it, so that the others get it back.
func (r *replica) answer(now time.Time, k guardKind, yes bool) {
	switch {
	case k == guardHere:
		r.answerScan(now, yes)
	case yes:
		r.allow()
	default:
		r.refuse(now)
	}
	r.settle()
}

func (r *replica) answerScan(now time.Time, yes bool) {
	obs := r.heldScan()
	harms := r.scanHarms(obs)
	clear(r.guard.scan)
	clear(r.guard.here)
	for _, o := range obs {
		if _, harmed := harms[o.Path]; harmed && !yes {
			n := r.node(o.Path)
			n.recheck = false
			r.setSeen(n, result{Seen: o.Seen, Stat: o.Stat, DiskName: o.DiskName})
			continue
		}
		r.find(now, o)
	}
}

func (r *replica) allow() {
	clear(r.guard.there)
	for _, n := range r.nodes {
		if n.count.harm != harmless {
			n.allowed = true
			r.recount(n)
		}
	}
}

func (r *replica) refuse(now time.Time) {
	var ns []*node
	for _, n := range r.nodes {
		if n.count.harm != harmless {
			ns = append(ns, n)
		}
	}
	slices.SortFunc(ns, byPath)
	for _, n := range ns {
		if !n.started {
			r.takeBack(n)
		}
		r.setBase(n, r.over(now, n.targetEntry(), n.row.Seen.Value, n.row.Stat.MTime))
	}
}
