package folder

import (
	"context"
	"errors"
	"time"
)

// Files are read by a few workers, small ones many at a time.
const (
	hashWorkers   = 3
	filesPerRead  = 64
	bytesPerRead  = 8 << 20
	unreadableFor = time.Minute // until a file that could not be read is tried again
)

// A hashJob is a file or link to be read.
type hashJob struct {
	path  Path
	name  string
	stat  Stat // as sighted
	was   Stat // the row's, then
	sv    *survey
	again bool // only to see whether a young file changed unnoticed
}

// A reading is what came of a hashJob.
type reading struct {
	job  hashJob
	seen Seen
	err  error
}

func (e *engine) startHashing(ctx context.Context) {
	s := &e.scan
	for s.hashing < hashWorkers && len(s.queue) > 0 {
		n, size := 0, int64(0)
		for n < len(s.queue) && n < filesPerRead && (n == 0 || size+s.queue[n].stat.Size <= bytesPerRead) {
			size += s.queue[n].stat.Size
			n++
		}
		jobs := s.queue[:n:n]
		s.queue = s.queue[n:]
		s.hashing++
		e.work(ctx, func(ctx context.Context) func() {
			rs := make([]reading, len(jobs))
			for i, j := range jobs {
				rs[i] = read(ctx, e.tree, j)
			}
			return func() { e.readings(rs) }
		})
	}
	if len(s.queue) == 0 {
		s.queue = nil // its memory goes
	}
}

func read(ctx context.Context, t Tree, j hashJob) reading {
	r := reading{job: j, seen: Seen{Value: Value{Kind: j.stat.Kind, Size: j.stat.Size}, Bits: j.stat.Bits}}
	if j.stat.Kind == File {
		r.seen.Content, r.err = hashFile(ctx, t, j.path, j.stat)
		return r
	}
	target, err := t.Readlink(j.path)
	if err == nil {
		var st Stat
		if st, err = t.Stat(j.path); err == nil && !sameFile(st, j.stat) {
			err = ErrChanged
		}
	}
	if err == nil {
		if unsafe := CheckTarget(j.path, target); unsafe != nil {
			err = errors.Join(ErrLeftOut, unsafe)
		}
	}
	r.seen.Target, r.seen.Size, r.seen.Content, r.err = target, int64(len(target)), hashLink(target), err
	return r
}

func (e *engine) readings(rs []reading) {
	now := time.Now()
	e.scan.hashing--
	for _, r := range rs {
		if sv := r.job.sv; sv != nil {
			sv.open--
		}
		e.read(r, now)
	}
}

func (e *engine) read(r reading, now time.Time) {
	p := r.job.path
	row, _ := e.rep.row(p)
	switch {
	case r.job.again && (r.err != nil || r.seen.Content == row.Seen.Content):
		if r.err != nil {
			e.look(p, now)
		}
	case errors.Is(r.err, ErrChanged):
		g := e.scan.growing[p]
		g.delay = min(max(2*g.delay, quietTime), growAtMost)
		e.scan.growing[p] = growth{delay: g.delay, until: now.Add(g.delay)}
		e.look(p, now.Add(min(g.delay, restTime)))
	case errors.Is(r.err, ErrGone):
		e.look(p, now)
	case r.err != nil:
		e.leaveOut(p, r.err)
		if !errors.Is(r.err, ErrLeftOut) {
			e.look(p, now.Add(unreadableFor))
		}
	default:
		e.find(r.job, r.seen, now)
	}
}

// leaveOut notes why a path is not synced.
func (e *engine) leaveOut(p Path, why error) {
	if _, ok := e.leftOut[p]; !ok {
		e.log.Debug("left out", "path", p, "reason", why)
	}
	e.leftOut[p] = why
}
