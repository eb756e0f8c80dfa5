package folder

import (
	"context"
	"errors"
	"time"
)

// sighted compares what was seen with the index and finds out what must be
// read.
func (e *engine) sighted(sv *survey, at sighting, now time.Time) {
	s := &e.scan
	p := at.path
	sv.seen[p] = struct{}{}
	if at.err != nil {
		sv.blind = append(sv.blind, p)
		e.leaveOut(p, at.err)
		if s.owed[p] {
			e.look(p, now.Add(unreadableFor))
		}
		return
	}
	delete(e.leftOut, p)
	if at.stat.Kind == Dir && (p == "" || e.below(sv, p)) {
		sv.listed = append(sv.listed, p)
	}
	if p == "" {
		return
	}
	if e.apply.busy[p] {
		e.look(p, now.Add(quietTime))
		return
	}
	row, known := e.rep.row(p)
	switch {
	case e.left(row):
		return
	case at.stat.Kind == Nothing:
		e.vanished(sv, p, row, now)
		return
	case !known && s.ignore.hides(p, at.stat.Kind == Dir):
		sv.hidden++
		return
	}
	s.absent.drop(p)
	e.settleAbsence(p)
	if at.name == "" {
		_, at.name = p.Split()
		if row.DiskName != "" {
			at.name = row.DiskName
		}
	}
	if row.Seen.Kind == Dir && at.stat.Kind != Dir {
		e.buried(sv, p, now)
	}
	same := row.Seen.Kind == at.stat.Kind && row.Seen.Bits == at.stat.Bits && (at.stat.Kind == Dir || sameFile(row.Stat, at.stat))
	if same && !sv.force && !s.owed[p] && !row.Frozen {
		delete(s.growing, p)
		return
	}
	e.differs(sv, at, row, now)
}

// buried is called where something took the place of a directory: what was in
// it is gone beyond doubt, and must be told before what is there now, which
// would make way for it otherwise.
func (e *engine) buried(sv *survey, dir Path, now time.Time) {
	for r := range e.rep.below(dir) {
		if r.Seen.Kind != Nothing && !r.Frozen && !e.apply.busy[r.Path] {
			e.scan.absent.drop(r.Path)
			e.settleAbsence(r.Path)
			e.find(hashJob{path: r.Path, name: r.DiskName, was: r.Stat, sv: sv}, Seen{}, now)
		}
	}
}

// below is true where a directory was walked as a root of its own; those that
// are inside of another root are compared with it.
func (e *engine) below(sv *survey, p Path) bool {
	if sv.whole {
		return false
	}
	for _, r := range sv.roots {
		if r == p {
			return true
		}
	}
	return false
}

// differs takes what is known at once and queues what must be read.
func (e *engine) differs(sv *survey, at sighting, row Row, now time.Time) {
	s := &e.scan
	p := at.path
	if row.Seen.Kind == File && !sv.force && !row.Frozen {
		sv.changed++
	}
	job := hashJob{path: p, name: at.name, stat: at.stat, was: row.Stat, sv: sv}
	switch at.stat.Kind {
	case Dir:
		e.find(job, Seen{Value: Value{Kind: Dir}, Bits: at.stat.Bits}, now)
		return
	case File:
		if v, ok := e.knownContent(at.stat, row); ok {
			e.find(job, Seen{Value: v, Bits: at.stat.Bits}, now)
			return
		}
		if wait := e.restless(at, row, now); wait > 0 && !sv.force {
			if _, again := s.growing[p]; !again {
				sv.tooNew = true
			}
			s.growing[p] = growth{at.stat, max(wait, s.growing[p].delay), now.Add(wait)}
			e.look(p, now.Add(min(wait, restTime)))
			return
		}
	}
	sv.open++
	s.queue = append(s.queue, job)
}

// knownContent finds the content of a file that was only moved with its
// directory, or that an older index knew.
func (e *engine) knownContent(st Stat, row Row) (Value, bool) {
	if row.Seen.Kind == File && sameFile(row.Stat, st) {
		return row.Seen.Value, true
	}
	k := inode{st.Dev, st.Ino}
	if p, ok := e.scan.inodes[k]; ok {
		if r, ok := e.rep.row(p); ok && r.Seen.Kind == File && sameFile(r.Stat, st) {
			return r.Seen.Value, true
		}
	}
	if r, ok := e.scan.known[k]; ok && sameFile(r.Stat, st) {
		return r.Seen.Value, true
	}
	return Value{}, false
}

// restless tells how long a file should still be left alone before it is read.
func (e *engine) restless(at sighting, row Row, now time.Time) time.Duration {
	old := age(now, at.stat)
	if at.stat.Size == 0 && row.Seen.Kind == File && row.Seen.Size > 0 && old >= 0 && old < emptiedTime {
		return emptiedTime - old
	}
	g, again := e.scan.growing[at.path]
	switch {
	case again && sameFile(g.stat, at.stat):
		return 0
	case again && g.delay >= growAtMost:
		return 0 // reading it tells whether it changes meanwhile
	case again:
		return min(2*g.delay, growAtMost)
	case old >= 0 && old < quietTime:
		return quietTime - old
	}
	return 0
}

// find keeps a finding until it is told to the replica.
func (e *engine) find(j hashJob, seen Seen, now time.Time) {
	f := finding{observation{Path: j.path, Seen: seen, Stat: j.stat, DiskName: j.name}, j.was}
	if j.sv != nil && j.sv.hold {
		j.sv.found = append(j.sv.found, f)
		return
	}
	s := &e.scan
	if len(s.found) == 0 {
		s.foundAt = now
	}
	s.found = append(s.found, f)
}

// vanished is called where a look at a path found nothing.
func (e *engine) vanished(sv *survey, p Path, row Row, now time.Time) {
	switch {
	case sv.force, e.scan.owed[p] && row.Seen.Kind == Nothing:
		e.find(hashJob{path: p, name: row.DiskName, was: row.Stat}, Seen{}, now)
		return
	case row.Path == "":
		return
	case row.Seen.Kind != Nothing || row.Frozen:
		e.absence(sv, row, now)
	}
	e.missing(sv, row.Path, now)
}

// left is true for a row that is left out of scans.
func (e *engine) left(r Row) bool { return r.Frozen && !e.scan.thawed[r.Path] }

// absence begins to count.
func (e *engine) absence(sv *survey, r Row, now time.Time) {
	s := &e.scan
	if r.Frozen { // what is gone since it was ignored is fetched again
		e.find(hashJob{path: r.Path, name: r.DiskName, was: r.Stat}, Seen{}, now)
		return
	}
	if _, ok := s.gone[r.Path]; ok || s.absent.has(r.Path) {
		return
	}
	if r.Seen.Kind == File {
		sv.changed++
	}
	s.absent.set(r.Path, now.Add(absenceTime))
	if sv.whole {
		s.absentOf[r.Path] = sv
		sv.open++
	}
}

// settleAbsence ends a scan's wait for a path.
func (e *engine) settleAbsence(p Path) {
	delete(e.scan.gone, p)
	if sv := e.scan.absentOf[p]; sv != nil {
		sv.open--
		delete(e.scan.absentOf, p)
	}
}

func (e *engine) confirmAbsent(ctx context.Context, now time.Time) {
	s := &e.scan
	if s.confirming {
		return
	}
	due := s.absent.due(now, s.absent.len())
	if len(due) == 0 {
		return
	}
	s.confirming = true
	expect := e.root.is
	e.work(ctx, func(ctx context.Context) func() {
		gone, err := confirm(ctx, e.tree, expect, due)
		return func() { e.confirmed(due, gone, err) }
	})
}

func (e *engine) confirmed(asked, gone []Path, err error) {
	now := time.Now()
	s := &e.scan
	s.confirming = false
	if err != nil {
		gone = nil
		if errors.Is(err, errRoot) {
			e.lostRoot(now, err)
		}
	}
	for _, p := range gone {
		if r, ok := e.rep.row(p); ok && r.Seen.Kind != Nothing && !e.apply.busy[p] {
			s.gone[p] = goneFile{r.Stat, now}
		}
	}
	for _, p := range asked {
		if _, ok := s.gone[p]; !ok {
			e.settleAbsence(p)
		}
	}
}

// tellGone tells the replica what is gone, once everything that was being read
// is told: it may be where the content went.
func (e *engine) tellGone(now time.Time) {
	s := &e.scan
	reading := s.running != nil || s.confirming || len(s.queue) > 0 || s.hashing > 0 || len(s.found) > 0
	var all, alone []finding
	for p, g := range s.gone {
		if reading && (s.whole != nil || now.Sub(g.since) < movedAtMost) {
			return
		}
		r, _ := e.rep.row(p)
		all = append(all, finding{observation{Path: p, DiskName: r.DiskName}, g.was})
	}
	for _, f := range all {
		if sv := s.absentOf[f.Path]; sv != nil && sv.hold {
			sv.found = append(sv.found, f)
		} else {
			alone = append(alone, f)
		}
		e.settleAbsence(f.Path)
	}
	e.tell(alone, now)
}

// tellFound hands over findings, many at once.
func (e *engine) tellFound(now time.Time) {
	s := &e.scan
	busy := len(s.queue) > 0 || s.hashing > 0 || s.running != nil
	if len(s.found) == 0 || busy && len(s.found) < findingsAtOnce && now.Sub(s.foundAt) < findingsTime {
		return
	}
	found := s.found
	s.found = nil
	e.tell(found, now)
}

// tell hands findings to the replica, which makes dots of them. A row that
// changed since is looked at again instead.
func (e *engine) tell(found []finding, now time.Time) {
	if len(found) == 0 {
		return
	}
	if err := checkRoot(e.tree, e.root.is); err != nil {
		e.lostRoot(now, err)
		return
	}
	obs := make([]observation, 0, len(found))
	for _, f := range found {
		r, _ := e.rep.row(f.Path)
		if e.apply.busy[f.Path] || r.Stat != f.was {
			e.look(f.Path, now.Add(quietTime))
			continue
		}
		delete(e.scan.growing, f.Path)
		delete(e.scan.thawed, f.Path)
		delete(e.scan.owed, f.Path)
		obs = append(obs, f.observation)
		if f.Seen.Kind == File {
			if old := age(now, f.Stat); old < youngTime {
				e.scan.young.set(f.Path, now.Add(youngTime-max(0, old)))
			}
		}
	}
	got := e.rep.observe(now, obs)
	e.log.Debug("scanned", "paths", len(obs), "written", got.Written, "held", got.Held)
	e.rep.again()
}
