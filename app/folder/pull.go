package folder

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
)

// How much is wanted at once, and when what failed is tried again.
const (
	opsAtOnce     = 4096
	fetchesAtMost = 24 // so that round trips to a member far away overlap; a link has 128 streams
	largeAtMost   = 8
	smallTogether = 4 << 20 // bytes of more fetches than largeAtMost
	fullRetry     = 20 * time.Second
	missingRetry  = 10 * time.Second // members tell of new rows at once; this is for content that a reader could not get
)

// DiskReserve is how many bytes of a disk syncing leaves free.
const DiskReserve = 64 << 20

// pullState is what the replica handed out and has not got back.
type pullState struct {
	out      int           // ops handed out
	queue    []op          // wait for a fetch
	fetching map[Hash]op   // contents on their way or waiting for their batch
	same     map[Hash][]op // wait for those
	running  int
	bytes    int64 // of the contents on their way
	fetches  map[*fetch]bool
	ready    []op
	readyAt  time.Time // since when something is ready
	retry    time.Time // when ops that came back are offered again
	missing  bool      // some came back because nobody had the content
	free     int64
	freeAt   time.Time
}

func (e *engine) initPull() {
	e.pull.fetching, e.pull.same, e.pull.fetches = map[Hash]op{}, map[Hash][]op{}, map[*fetch]bool{}
	e.apply.busy = map[Path]bool{}
}

// retryPull offers again what could not be done.
func (e *engine) retryPull() {
	e.trouble.clear("write")
	e.trouble.clear("space")
	e.rep.again()
	e.pull.retry, e.pull.missing = time.Time{}, false
}

func (e *engine) retryAt(at time.Time) {
	if p := &e.pull; p.retry.IsZero() || at.Before(p.retry) {
		p.retry = at
	}
}

func (e *engine) nextPull() time.Time { return e.pull.retry }

func (e *engine) stepPull(ctx context.Context, now time.Time) {
	p := &e.pull
	if !p.retry.IsZero() && !p.retry.After(now) {
		e.retryPull()
	}
	if e.scan.first && !e.rep.fresh {
		return // what happened here meanwhile is not known yet
	}
	for p.out < opsAtOnce {
		ops := e.rep.ops(now, opsAtOnce-p.out)
		if len(ops) == 0 {
			break
		}
		p.out += len(ops)
		for _, o := range ops {
			if o.Kind == opPut {
				p.queue = append(p.queue, o)
			} else {
				e.readied(o, now)
			}
		}
		e.startFetches(ctx, now)
	}
	e.startFetches(ctx, now)
}

func (e *engine) readied(o op, now time.Time) {
	if len(e.pull.ready) == 0 {
		e.pull.readyAt = now
	}
	e.pull.ready = append(e.pull.ready, o)
}

// startFetches begins with what is wanted, each content once: a second path
// copies it from the first.
func (e *engine) startFetches(ctx context.Context, now time.Time) {
	p := &e.pull
	for len(p.queue) > 0 && p.running < fetchesAtMost {
		o := p.queue[0]
		if p.running >= largeAtMost && p.bytes+o.Want.Size > smallTogether {
			break
		}
		p.queue = p.queue[1:]
		if _, ok := p.fetching[o.Want.Content]; ok && len(e.rep.holding(o.Want.Content)) == 0 {
			p.same[o.Want.Content] = append(p.same[o.Want.Content], o)
			continue
		}
		e.startFetch(ctx, o, now)
	}
	if len(p.queue) == 0 {
		p.queue = nil // its memory goes
	}
}

func (e *engine) startFetch(ctx context.Context, o op, now time.Time) {
	f := e.fetchOf(o)
	switch {
	case len(f.here) == 0 && len(f.from) == 0 && f.size > 0:
		e.giveBack(o)
		return
	case !e.fits(o.Want.Size, now):
		e.full(now)
		e.giveBack(o)
		return
	}
	e.pull.running++
	e.pull.bytes += o.Want.Size
	e.pull.fetching[o.Want.Content] = o
	e.pull.fetches[f] = true
	f.began = now
	e.work(ctx, func(ctx context.Context) func() {
		err := f.run(ctx, e.tree)
		return func() {
			delete(e.pull.fetches, f)
			o.Inode = f.inode
			e.fetched(o, err)
		}
	})
}

// fetchOf says where a content may be had: from files here, from who announced
// it, and from other members at the paths where those have it.
func (e *engine) fetchOf(o op) *fetch {
	f := &fetch{
		path: o.Path, content: o.Want.Content, size: o.Want.Size, mtime: o.Want.MTime, bits: o.Bits,
		here: o.Here, received: &e.received,
	}
	for _, q := range e.rep.holding(o.Want.Content) {
		if !slices.Contains(f.here, q) {
			f.here = append(f.here, q)
		}
	}
	told := map[DeviceID]bool{}
	for _, m := range o.Members {
		told[m.Device] = true
		for _, c := range e.peers.remotes[m.Device] {
			f.from = append(f.from, source{c.remote, m.Path})
		}
	}
	for d, cs := range e.peers.remotes {
		if !told[d] { // it may have what is in Base here, and is missing on disk
			for _, c := range cs {
				f.from = append(f.from, source{c.remote, o.Path})
			}
		}
	}
	return f
}

func (e *engine) fetched(o op, err error) {
	now := time.Now()
	e.pull.running--
	e.pull.bytes -= o.Want.Size
	switch {
	case err == nil:
		e.readied(o, now)
		return
	case errors.Is(err, ErrNoSpace):
		e.full(now)
	case errors.Is(err, errNobody):
		e.log.Debug("fetch", "path", o.Path, "error", err)
		e.pull.missing = true
		e.retryAt(now.Add(missingRetry))
	default:
		e.log.Debug("fetch", "path", o.Path, "error", err)
		e.cannotWrite(o.Path, err, now)
	}
	e.giveBack(o)
}

// fits asks the disk at most once a second.
func (e *engine) fits(size int64, now time.Time) bool {
	p := &e.pull
	if now.Sub(p.freeAt) > time.Second {
		free, err := e.tree.Free()
		if err != nil {
			return true // writing will tell
		}
		p.free, p.freeAt = free, now
	}
	if p.free < size+DiskReserve {
		return false
	}
	p.free -= size
	return true
}

func (e *engine) full(now time.Time) {
	e.trouble.set("space", "The disk is full. What fits is still fetched; free some space ("+
		humanize.IBytes(uint64(max(0, e.rep.status().NeedBytes)))+" are needed), and the rest follows.")
	e.retryAt(now.Add(fullRetry))
}

// giveBack returns an op that can not be done now.
func (e *engine) giveBack(o op) {
	e.finished(o)
	e.rep.later(o)
}

// finished ends what the engine keeps of an op.
func (e *engine) finished(o op) {
	e.pull.out--
	if o.Kind == opPut && e.pull.fetching[o.Want.Content].Path == o.Path {
		delete(e.pull.fetching, o.Want.Content)
		e.pull.queue = append(e.pull.queue, e.pull.same[o.Want.Content]...)
		delete(e.pull.same, o.Want.Content)
	}
}

func (e *engine) cannotWrite(p Path, err error, now time.Time) {
	e.trouble.set("write", "A file could not be written: "+string(p)+": "+err.Error()+".")
	e.retryAt(now.Add(fullRetry))
}
