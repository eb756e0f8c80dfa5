package folder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// An engine is the state of a running folder. Only its event loop touches it;
// workers read the disk and members, and report back by an event.
type engine struct {
	f     *Folder
	cfg   Config
	tree  Tree
	log   *slog.Logger
	store *store
	rep   *replica

	workers sync.WaitGroup
	events  chan func()
	fatal   error

	members map[DeviceID]Member
	paused  bool
	root    rootState
	named   bool // as in Config, until a root is found
	scan    scanState
	peers   peerState
	pull    pullState
	apply   applyState
	settle  settleState
	asked   map[string]*asked
	leftOut map[Path]error // paths that are not synced, and why
	trouble troubles

	committed chan struct{} // closed and made anew at each commit that others must hear of
	received  atomic.Int64  // bytes of content from members
	rate      rateMeter
	quiet     time.Time // until then Status stays as it is
	stale     bool      // Status is not what it should be
	published time.Time // Status, last
}

// newEngine opens the index and loads it.
func newEngine(f *Folder) (*engine, error) {
	st, err := openStore(f.cfg)
	if err != nil {
		return nil, err
	}
	e := &engine{
		f: f, cfg: f.cfg, named: f.cfg.Named, tree: f.cfg.Tree, log: f.cfg.Log, store: st,
		events:    make(chan func(), 64),
		committed: make(chan struct{}),
		asked:     map[string]*asked{},
		leftOut:   map[Path]error{},
	}
	if err := e.load(); err != nil {
		return nil, errors.Join(err, st.abandon())
	}
	return e, nil
}

func (e *engine) load() error {
	v, err := e.store.load()
	if err != nil {
		return err
	}
	e.rep = newReplica(e.store.self, e.cfg.Role, rules{})
	e.rep.load(v)
	e.initScan(v)
	e.initPull()
	e.takeMembers()
	if err := e.initRoot(); err != nil {
		return err
	}
	return e.initSettle()
}

// run is the event loop. It returns when every worker has ended.
func (e *engine) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer e.end(cancel)
	if now := time.Now(); e.rep.fresh {
		e.scan.after = now.Add(freshWait)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for e.fatal == nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case ev := <-e.events:
			ev()
		case call := <-e.f.calls:
			e.called(call)
		case <-e.f.wake:
			e.takeMembers()
		case <-timer.C:
		}
		for i := 0; i < 256 && e.fatal == nil; i++ { // what came meanwhile goes into the same commit
			select {
			case ev := <-e.events:
				ev()
				continue
			case call := <-e.f.calls:
				e.called(call)
				continue
			default:
			}
			break
		}
		e.step(ctx)
		timer.Reset(time.Until(e.nextStep()))
	}
	return e.fatal
}

func (e *engine) called(call func(*engine)) {
	select {
	case <-e.f.wake: // who set members expects the next call to know them
		e.takeMembers()
	default:
	}
	call(e)
}

func (e *engine) end(cancel context.CancelFunc) {
	cancel()
	e.unlink()
	e.refuseScans(errReconnect)
	done := make(chan struct{})
	go func() {
		e.workers.Wait()
		close(done)
	}()
	for {
		select {
		case <-e.events: // what a worker still reports is found again by the next scan
		case <-done:
			if err := e.store.Close(); err != nil {
				e.log.Warn("close index", "error", err)
			}
			return
		}
	}
}

// step does everything that is due, and makes it durable.
func (e *engine) step(ctx context.Context) {
	now := time.Now()
	if e.working(ctx, now) {
		e.stepScan(ctx, now)
		e.endWhole(now)
		e.commit()
		e.stepPull(ctx, now)
		e.stepApply(ctx, now)
		e.stepSettle(ctx, now)
	} else {
		e.endWhole(now)
	}
	e.commit()
	e.publish(now)
}

// working is false while nothing may be read from or written to the disk.
func (e *engine) working(ctx context.Context, now time.Time) bool {
	return e.fatal == nil && !e.paused && e.rootReady(ctx, now)
}

// nextStep is when step has something to do that no event brings. It must not
// lie in the past for long: the loop would spin.
func (e *engine) nextStep() time.Time {
	next := time.Now().Add(time.Hour)
	times := []time.Time{e.nextRoot(), e.rate.next(), e.nextPublish()}
	if e.root.ok && !e.paused {
		times = append(times, e.nextScan(), e.nextPull(), e.nextApply(), e.nextSettle())
	}
	for _, at := range times {
		if !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	return next
}

// work runs f outside of the event loop; what it returns runs on it.
func (e *engine) work(ctx context.Context, f func(context.Context) func()) {
	e.workers.Go(func() { e.report(ctx, f(ctx)) })
}

func (e *engine) report(ctx context.Context, ev func()) {
	select {
	case e.events <- ev:
	case <-ctx.Done():
	}
}

// commit makes what the replica decided durable, and only then lets others
// hear of it.
func (e *engine) commit() {
	if e.fatal != nil {
		return
	}
	c, any := e.rep.changes()
	if !any {
		return
	}
	err := e.store.write(func() error {
		if err := e.store.save(c); err != nil {
			return err
		}
		return e.saveLooks()
	})
	if err != nil {
		e.fail(fmt.Errorf("keep the index: %w", err))
		return
	}
	for _, r := range c.Rows {
		e.remember(r)
	}
	close(e.committed)
	e.committed = make(chan struct{})
}

// fail ends the loop: without a durable index nothing may be told or written.
func (e *engine) fail(err error) {
	if e.fatal == nil {
		e.fatal = err
	}
}

func (e *engine) takeMembers() {
	e.f.mu.Lock()
	list := append([]Member(nil), e.f.members...)
	paused := e.f.paused
	e.f.mu.Unlock()
	e.members = map[DeviceID]Member{}
	for _, m := range list {
		e.members[m.Device] = m
	}
	e.rep.members(list)
	e.dropRemotes()
	close(e.committed) // feeds look again whether they may go on
	e.committed = make(chan struct{})
	if e.paused && !paused {
		e.scanAll(time.Now())
	}
	e.paused = paused
}
