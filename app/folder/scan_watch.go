package folder

import (
	"context"
	"time"
)

// startWatch begins to hear of changes, also of what was ignored before.
func (e *engine) startWatch(ctx context.Context) {
	e.stopWatch()
	if !e.scan.ignore.loaded || !e.root.ok {
		return // the first scan reads the rules
	}
	e.trouble.clear("watch")
	ctx, cancel := context.WithCancel(ctx)
	e.scan.watch = cancel
	skip := func(dir Path) bool { return e.skipped(dir, true) }
	e.workers.Go(func() {
		for p, err := range e.tree.Watch(ctx, skip) {
			e.report(ctx, func() { e.heard(p, err) })
		}
	})
}

func (e *engine) stopWatch() {
	if e.scan.watch != nil {
		e.scan.watch()
		e.scan.watch = nil
	}
}

func (e *engine) heard(p Path, err error) {
	if err != nil {
		e.log.Debug("watch", "error", err)
		e.trouble.set("watch", err.Error())
		return
	}
	e.notice(p, time.Now())
}
