package folder

import (
	"context"
	"errors"
	"time"

	"github.com/zeebo/blake3"
)

// An editor that opened a file before it was replaced writes into the old
// inode, which is in the trash now. So that is looked at again: right after the
// rename, and later.
var secondLooks = []time.Duration{0, 2 * time.Second, 60 * time.Second}

// expireEvery is how often old versions are forgotten.
const expireEvery = 12 * time.Hour

// settleState is what still has to be looked at after it was replaced.
type settleState struct {
	due    agenda[string]
	looks  map[string]settling
	keep   []look   // to be stored with the next commit
	drop   []string // the same
	expire time.Time
	expiry expiry
}

type settling struct {
	look
	from time.Time // when it was replaced
	next int       // of secondLooks
}

func (e *engine) initSettle() error {
	e.settle.looks = map[string]settling{}
	ls, err := e.store.looks()
	now := time.Now()
	for _, l := range ls {
		e.settle.looks[l.Name] = settling{look: l, from: now, next: 1}
		e.settle.due.set(l.Name, now)
	}
	e.settle.expire = now.Add(time.Minute)
	return errors.Join(err, e.initRules(), e.loadExpiry())
}

// lookAgain plans the looks at what a batch replaced or deleted.
func (e *engine) lookAgain(k Kept, now time.Time) {
	l := look{Name: k.Name, Path: k.Path, At: k.At.UnixNano(), Stat: k.Stat}
	e.settle.looks[k.Name] = settling{look: l, from: now}
	e.settle.due.set(k.Name, now)
	e.settle.keep = append(e.settle.keep, l)
}

// saveLooks runs inside a transaction of the store.
func (e *engine) saveLooks() error {
	var errs []error
	for _, l := range e.settle.keep {
		errs = append(errs, e.store.putLook(l))
	}
	for _, name := range e.settle.drop {
		errs = append(errs, e.store.dropLook(name))
	}
	e.settle.keep, e.settle.drop = nil, nil
	return errors.Join(errs...)
}

func (e *engine) nextSettle() time.Time {
	if at, ok := e.settle.due.next(); ok && at.Before(e.settle.expire) {
		return at
	}
	return e.settle.expire
}

func (e *engine) stepSettle(ctx context.Context, now time.Time) {
	if !e.settle.expire.After(now) {
		e.settle.expire = now.Add(expireEvery)
		if e.mayExpire(now) {
			e.forgetOld(ctx, now.AddDate(0, 0, -e.cfg.TrashDays))
		}
	}
	names := e.settle.due.due(now, looksAtOnce)
	if len(names) == 0 {
		return
	}
	var ls []settling
	for _, n := range names {
		ls = append(ls, e.settle.looks[n])
	}
	e.work(ctx, func(ctx context.Context) func() {
		var edits []edit
		for _, l := range ls {
			if ed, ok := editOf(ctx, e.tree, l.look); ok {
				edits = append(edits, ed)
			}
		}
		return func() { e.settled(ctx, ls, edits) }
	})
}

func (e *engine) forgetOld(ctx context.Context, before time.Time) {
	e.work(ctx, func(context.Context) func() {
		err := e.tree.Expire(before)
		return func() {
			if err != nil {
				e.log.Debug("forget old versions", "error", err)
			}
		}
	})
}

// An edit was written into a file that had been replaced already.
type edit struct {
	look
	now     Stat
	content Hash
}

func editOf(ctx context.Context, t Tree, l look) (edit, bool) {
	st, err := t.StatKept(l.Name)
	if err != nil || sameFile(st, l.Stat) || st.Kind != File {
		return edit{}, false
	}
	c, err := t.OpenKept(l.Name)
	if err != nil {
		return edit{}, false
	}
	defer c.Close()
	h := blake3.New()
	if _, err := copyAt(ctx, h, c, 0); err != nil {
		return edit{}, false
	}
	return edit{look: l, now: st, content: sumOf(h)}, true
}

func (e *engine) settled(ctx context.Context, ls []settling, edits []edit) {
	s := &e.settle
	now := time.Now()
	for _, l := range ls {
		l.next++
		if l.next == len(secondLooks) {
			delete(s.looks, l.Name)
			s.drop = append(s.drop, l.Name)
			continue
		}
		s.looks[l.Name] = l
		s.due.set(l.Name, l.from.Add(secondLooks[l.next]))
	}
	for _, ed := range edits {
		if l, ok := s.looks[ed.Name]; ok {
			l.Stat = ed.now
			s.looks[ed.Name] = l
			s.keep = append(s.keep, l.look)
		}
		if row, ok := e.rep.row(ed.Path); ok && row.Seen.Kind == File && row.Seen.Content == ed.content {
			continue
		}
		to := e.rep.keptPath(ed.Path, ed.content)
		e.log.Warn("somebody wrote into a file that was being replaced")
		e.log.Debug("kept what was written", "path", ed.Path, "kept", to)
		e.work(ctx, func(ctx context.Context) func() {
			_, err := unkeep(ctx, e.tree, ed.Name, to, Stat{})
			return func() {
				if err != nil && !errors.Is(err, ErrChanged) { // it is there already
					e.cannotWrite(to, err, now)
				}
				e.notice(to, time.Now())
			}
		})
	}
}

// unkeep copies an old version to a path, where old is now. What was there is
// returned.
func unkeep(ctx context.Context, t Tree, name string, to Path, old Stat) (*Kept, error) {
	c, err := t.OpenKept(name)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	was, err := c.Stat()
	if err != nil {
		return nil, err
	}
	stage := stageOf(to, hashLink(name))
	if _, err := stageCopy(ctx, t, stage, c, was.MTime, was.Bits); err != nil {
		return nil, err
	}
	if err := mkdirs(t, to); err != nil {
		return nil, err
	}
	_, kept, err := t.Put(to, old, stage)
	if err != nil {
		return nil, err
	}
	dir, _ := to.Split()
	return kept, t.Sync(nil, []Path{dir})
}

// stageCopy fills a stage file with an open one, durably, and returns the hash
// of what it read.
func stageCopy(ctx context.Context, t Tree, stage string, c Content, mtime int64, bits uint32) (Hash, error) {
	st, err := t.Stage(stage)
	if err != nil {
		return Hash{}, err
	}
	h := blake3.New()
	err = st.Truncate(0)
	if err == nil {
		_, err = copyAt(ctx, &stageWriter{st: st, h: h}, c, 0)
	}
	if err == nil {
		err = st.Seal(mtime, bits)
	}
	if err = errors.Join(err, st.Close()); err != nil {
		return Hash{}, err
	}
	return sumOf(h), t.Sync([]string{stage}, nil)
}

// mkdirs makes the directories that a path is in.
func mkdirs(t Tree, p Path) error {
	dir, _ := p.Split()
	if dir == "" {
		return nil
	}
	st, err := t.Stat(dir)
	switch {
	case err == nil && st.Kind == Dir:
		return nil
	case !errors.Is(err, ErrGone):
		return errors.Join(ErrChanged, err)
	}
	if err := mkdirs(t, dir); err != nil {
		return err
	}
	_, err = t.Mkdir(dir, 0o755)
	return err
}
