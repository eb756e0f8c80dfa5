package folder

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"
)

// How long a path must be left alone before it is read.
const (
	quietTime    = 100 * time.Millisecond
	quietAtMost  = time.Second            // of a path that never rests
	restTime     = 500 * time.Millisecond // without a change, after which a growing file rests
	growAtMost   = 30 * time.Second       // between looks at a file that grows
	emptiedTime  = 2 * time.Second        // programs empty a file before they write it anew
	absenceTime  = time.Second            // programs rename a file away before its new content comes
	youngTime    = 2 * time.Second        // some clocks of file systems tick that slowly
	scanInterval = 4 * time.Hour
	movedAtMost  = time.Minute // deletions wait so long for files that are read, which may be where the content went
)

// What is looked at or told at once.
const (
	looksAtOnce    = 2000
	findingsAtOnce = 1000
	findingsTime   = 200 * time.Millisecond
	holdFrom       = 50 // more changes of a whole scan are judged together
)

// scanState is what the engine knows of the disk beyond the index.
type scanState struct {
	dirty      agenda[Path]       // to be looked at, and when
	since      map[Path]time.Time // when a path began to be dirty
	growing    map[Path]growth
	absent     agenda[Path]      // seen to be gone, and when that counts
	absentOf   map[Path]*survey  // whole scans that wait for it
	gone       map[Path]goneFile // confirmed
	young      agenda[Path]      // read when it was younger than youngTime: read again
	inodes     map[inode]Path
	known      map[inode]Row // of the index before this one
	running    *survey
	whole      *survey // the last whole scan, until all its findings are told
	confirming bool
	queue      []hashJob
	hashing    int
	found      []finding
	foundAt    time.Time
	at         time.Time     // of the next whole scan
	after      time.Time     // a fresh index waits until then for a writer's rows
	first      bool          // no whole scan has ended yet
	intents    bool          // what an unfinished batch was about to do was looked at
	thawed     map[Path]bool // not ignored any more; each must be observed
	owed       map[Path]bool // given back as changed on disk; each must be observed
	waiters    []chan<- error
	waiting    []chan<- error // for the scan that runs
	watch      context.CancelFunc
	ignore     ignoreState
}

type inode struct{ dev, ino uint64 }

// growth is the last look at a file that does not rest.
type growth struct {
	stat  Stat
	delay time.Duration // doubles with each look
	until time.Time     // of the next look if it does not rest before
}

// goneFile is a confirmed absence. It is void when the row changed since.
type goneFile struct {
	was   Stat
	since time.Time
}

// A finding is an observation that the row was then.
type finding struct {
	observation
	was Stat
}

func (e *engine) initScan(v saved) {
	s := &e.scan
	s.since, s.growing = map[Path]time.Time{}, map[Path]growth{}
	s.absentOf, s.gone = map[Path]*survey{}, map[Path]goneFile{}
	s.inodes, s.thawed, s.owed = make(map[inode]Path, len(v.Rows)), map[Path]bool{}, map[Path]bool{}
	s.first = true
	for _, r := range v.Rows {
		e.remember(r)
	}
	s.known = map[inode]Row{}
	if v.Fresh {
		if err := e.store.known(func(r Row) {
			if r.Seen.Kind == File {
				s.known[inode{r.Stat.Dev, r.Stat.Ino}] = r
			}
		}); err != nil {
			e.log.Warn("read what the last index knew", "error", err)
		}
	}
}

func (e *engine) remember(r Row) {
	if r.Seen.Kind == File && r.Stat.Ino != 0 {
		e.scan.inodes[inode{r.Stat.Dev, r.Stat.Ino}] = r.Path
	}
}

// notice says that something may have happened at a path; "" is everywhere.
func (e *engine) notice(p Path, now time.Time) {
	s := &e.scan
	if p == "" || p == ignoreFile {
		e.scanAll(now.Add(quietTime))
		return
	}
	since, ok := s.since[p]
	if !ok {
		since = now
		s.since[p] = now
	}
	at := now.Add(quietTime)
	if last := since.Add(quietAtMost); at.After(last) {
		at = last
	}
	if g, ok := s.growing[p]; ok {
		if at = now.Add(restTime); at.After(g.until) {
			at = g.until
		}
	}
	s.dirty.set(p, at)
}

// look has a path looked at no earlier than at.
func (e *engine) look(p Path, at time.Time) { e.scan.dirty.set(p, at) }

// scanAll has everything looked at no later than at.
func (e *engine) scanAll(at time.Time) {
	if e.scan.at.IsZero() || at.Before(e.scan.at) {
		e.scan.at = at
	}
}

func (e *engine) stepScan(ctx context.Context, now time.Time) {
	s := &e.scan
	if e.waitsForWriter(now) {
		return
	}
	if s.running == nil {
		switch {
		case !s.at.After(now) && s.whole == nil:
			e.startWhole(ctx, now)
		case !s.first:
			if paths := s.dirty.due(now, looksAtOnce); len(paths) > 0 {
				e.startSurvey(ctx, &survey{roots: paths})
			}
		}
	}
	e.confirmAbsent(ctx, now)
	for _, p := range s.young.due(now, looksAtOnce) {
		if r, ok := e.rep.row(p); ok && r.Seen.Kind == File && !r.Frozen {
			s.queue = append(s.queue, hashJob{path: p, name: r.DiskName, stat: r.Stat, was: r.Stat, again: true})
		}
	}
	e.startHashing(ctx)
	e.tellFound(now)
	e.tellGone(now)
}

// nextScan is when stepScan has something to do that no event brings.
func (e *engine) nextScan() time.Time {
	s := &e.scan
	var next time.Time
	soonest := func(at time.Time, ok bool) {
		if ok && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	if !s.after.IsZero() {
		return s.after
	}
	if s.running == nil {
		soonest(s.at, s.whole == nil)
		if !s.first {
			soonest(s.dirty.next())
		}
	}
	if !s.confirming {
		soonest(s.absent.next())
	}
	soonest(s.young.next())
	soonest(s.foundAt.Add(findingsTime), len(s.found) > 0)
	return next
}

// startWhole begins a scan of everything. What an unfinished batch was about to
// do is looked at first, so that it is not taken for a person's work.
func (e *engine) startWhole(ctx context.Context, now time.Time) {
	s := &e.scan
	if s.first {
		if ps := e.rep.intentPaths(); len(ps) > 0 && !s.intents {
			s.intents = true
			e.startSurvey(ctx, &survey{roots: ps, force: true})
			return
		}
	}
	s.at = now.Add(scanInterval + rand.N(scanInterval/8))
	s.waiting = append(s.waiting, s.waiters...)
	s.waiters = nil
	sv := &survey{roots: []Path{""}, whole: true, hold: !e.rep.fresh}
	s.whole = sv
	e.startSurvey(ctx, sv)
}

func (e *engine) startSurvey(ctx context.Context, sv *survey) {
	s := &e.scan
	s.running = sv
	slices.Sort(sv.roots)
	sv.owed = map[Path]bool{}
	for _, p := range sv.roots {
		delete(s.since, p)
		if s.owed[p] {
			sv.owed[p] = true
		}
	}
	sv.expect, sv.seen = e.root.is, map[Path]struct{}{}
	sv.skip = e.skipped
	e.work(ctx, func(ctx context.Context) func() {
		if sv.whole {
			if err := e.readRules(ctx); err != nil {
				return func() { e.surveyed(sv, err) }
			}
		}
		if sv.force {
			// What an unfinished batch put in place is taken over as ours,
			// so it must not vanish any more.
			if err := e.tree.Sync(nil, withParents(sv.roots)); err != nil {
				return func() { e.surveyed(sv, err) }
			}
		}
		err := sv.walk(ctx, e.tree, func(piece []sighting) {
			e.report(ctx, func() { e.sightedAll(sv, piece) })
		})
		return func() { e.surveyed(sv, err) }
	})
}

// withParents are the names and bits that a batch on these paths changes.
func withParents(ps []Path) []Path {
	all := slices.Clone(ps)
	for _, p := range ps {
		dir, _ := p.Split()
		all = append(all, dir)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (e *engine) sightedAll(sv *survey, piece []sighting) {
	now := time.Now()
	for _, s := range piece {
		e.sighted(sv, s, now)
	}
}

// surveyed ends a walk: what the index has below and nobody saw is absent.
func (e *engine) surveyed(sv *survey, err error) {
	now := time.Now()
	e.scan.running = nil
	sv.ended, sv.err = true, err
	if errors.Is(err, ErrNoRoot) {
		err = errors.Join(errRoot, err)
		sv.err = err
	}
	if errors.Is(err, errRoot) {
		e.lostRoot(now, err)
	}
	if err != nil && sv.force {
		e.scan.intents = false
		e.scanAll(now)
		e.scan.at = now.Add(rootTries)
	}
	if err == nil {
		for _, dir := range sv.listed {
			e.missing(sv, dir, now)
		}
	}
	if sv.whole {
		e.forgetLeftOut(sv)
		sv.hold = sv.hold && (err != nil || sv.changed > holdFrom || sv.changed >= e.rep.status().Files)
		if !sv.hold {
			e.scan.found = append(e.scan.found, sv.found...)
			sv.found = nil
		}
		if err == nil {
			e.askRules(sv.hidden, now)
		}
	}
	sv.seen, sv.blind = nil, nil
}

func (e *engine) forgetLeftOut(sv *survey) {
	for p := range e.leftOut {
		if _, ok := sv.seen[p]; !ok && !belowAny(p, sv.blind) {
			delete(e.leftOut, p)
		}
	}
}

func (e *engine) missing(sv *survey, dir Path, now time.Time) {
	for r := range e.rep.below(dir) {
		if r.Seen.Kind == Nothing && !e.scan.thawed[r.Path] || e.left(r) {
			continue
		}
		if _, ok := sv.seen[r.Path]; !ok && !belowAny(r.Path, sv.blind) {
			e.absence(sv, r, now)
		}
	}
}

func belowAny(p Path, dirs []Path) bool {
	for _, d := range dirs {
		if p.Below(d) {
			return true
		}
	}
	return false
}

// endWhole tells who waits for a whole scan that it is complete and durable.
func (e *engine) endWhole(now time.Time) {
	s := &e.scan
	sv := s.whole
	if sv == nil || !sv.ended || sv.open > 0 && sv.err == nil {
		return
	}
	if sv.err == nil && len(sv.found) > 0 {
		e.tell(sv.found, now)
		sv.found = nil
	}
	s.whole = nil
	if sv.err == nil {
		s.first = false
		e.trouble.clear("scan")
		e.rep.scanned()
		e.forgetInodes()
	} else if !errors.Is(sv.err, errRoot) {
		e.trouble.set("scan", "The folder could not be read: "+sv.err.Error()+".")
		s.at = now.Add(time.Minute)
	}
	if sv.err == nil && len(s.waiting) > 0 {
		found := s.found
		s.found = nil
		e.tell(found, now)
		if sv.tooNew { // who waits has just written it: one more look reads it
			s.waiters = append(s.waiters, s.waiting...)
			s.waiting = nil
			s.at = now.Add(quietTime)
		}
	}
	e.commit()
	if len(s.waiting) > 0 {
		e.quiet = time.Time{}
		e.publish(now) // Status counts it when they hear of it
	}
	for _, w := range s.waiting {
		w <- sv.err
	}
	s.waiting = nil
}

// refuseScans tells who waits for a whole scan that there can be none now.
func (e *engine) refuseScans(why error) {
	for _, w := range append(e.scan.waiters, e.scan.waiting...) {
		w <- why
	}
	e.scan.waiters, e.scan.waiting = nil, nil
}

func (e *engine) forgetInodes() {
	s := &e.scan
	for k, p := range s.inodes {
		if r, ok := e.rep.row(p); !ok || r.Stat.Dev != k.dev || r.Stat.Ino != k.ino {
			delete(s.inodes, k)
		}
	}
	if len(s.known) > 0 {
		s.known = nil
		if err := e.store.write(e.store.forgetKnown); err != nil {
			e.fail(err)
		}
	}
}

// settled is true while the index tells what is on the disk, as far as known.
func (s *scanState) settled(leftOut map[Path]error) bool {
	for p := range s.dirty.at {
		if _, ok := leftOut[p]; !ok { // what can not be read is only looked at again
			return false
		}
	}
	return !s.first && s.running == nil && s.whole == nil && !s.confirming &&
		s.absent.len() == 0 && len(s.gone) == 0 && len(s.queue) == 0 && s.hashing == 0 && len(s.found) == 0
}
