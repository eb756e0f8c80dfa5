package folder

import (
	"cmp"
	"reflect"
	"slices"
	"time"
)

// publishShare keeps the work for Status below a tenth: with many rows that a
// member has not, or held changes, it takes a while.
const publishShare = 10

// publish makes what is so now visible to other goroutines.
func (e *engine) publish(now time.Time) {
	if e.stale = now.Before(e.quiet); e.stale {
		return
	}
	defer func() { e.quiet = time.Now().Add(publishShare * time.Since(now)) }()
	e.published = now
	e.askGuard(now)
	r := e.rep.status()
	st := Status{
		Role: e.cfg.Role, Since: now,
		Files: r.Files, Bytes: r.Bytes, NeedFiles: r.NeedFiles, NeedBytes: r.NeedBytes,
		Conflicts: r.Conflicts, LeftOut: len(e.leftOut), Questions: e.questions(),
		Rate:    e.rate.measure(now, e.received.Load()),
		Changed: seqTime(e.rep.seq), Moving: e.moving(now),
	}
	st.Cause, st.Problem = e.trouble.worst()
	settled := e.scan.settled(e.leftOut) && !e.stopped()
	for _, m := range r.Members {
		if _, ok := e.members[m.Device]; !ok {
			continue
		}
		st.Members = append(st.Members, MemberStatus{
			Device: m.Device, HasAll: m.HasAll && settled, NeedBytes: m.NeedBytes, Held: m.Held,
		})
	}
	st.State = e.state(r)
	f := e.f
	f.mu.Lock()
	if f.status.Cause == st.Cause {
		st.Since = f.status.Since
	}
	same := reflect.DeepEqual(f.status, st)
	f.status = st
	f.mu.Unlock()
	if !same {
		f.cfg.Changed()
	}
}

// What is shown of transfers: those that take a while.
const (
	movingAtMost = 10
	movingAfter  = 500 * time.Millisecond
)

func (e *engine) moving(now time.Time) []Moving {
	var ms []Moving
	for f := range e.pull.fetches {
		if now.Sub(f.began) < movingAfter {
			continue
		}
		m := Moving{Path: f.path, Bytes: f.size, Done: min(f.done.Load(), f.size)}
		if d := f.source.Load(); d != nil {
			m.From = *d
		}
		ms = append(ms, m)
	}
	slices.SortFunc(ms, func(a, b Moving) int { return cmp.Compare(a.Path, b.Path) })
	return ms[:min(len(ms), movingAtMost)]
}

func (e *engine) nextPublish() time.Time {
	switch {
	case e.stale:
		return e.quiet
	case len(e.pull.fetches) > 0: // a large file brings no events
		return e.published.Add(time.Second)
	}
	return time.Time{}
}

// stopped is true while a person must do something before sync goes on. What
// members' rules would newly let in just stays out meanwhile.
func (e *engine) stopped() bool {
	_, rules := e.asked[askRulesID]
	return e.trouble["root"] != "" || len(e.asked) > 1 || len(e.asked) == 1 && !rules
}

func (e *engine) state(r replicaStatus) State {
	switch {
	case e.stopped():
		return StateStopped
	case e.paused:
		return StatePaused
	case e.scan.first || e.scan.whole != nil:
		return StateScanning
	case r.Open || e.pull.out > 0 || e.apply.running || !e.scan.settled(e.leftOut):
		return StateSyncing
	}
	return StateIdle
}

// rateMeter tells the speed of the last seconds.
type rateMeter struct {
	marks []rateMark // one a second, at most rateSpan
	now   float64
}

type rateMark struct {
	at    time.Time
	total int64
}

const rateSpan = 5

func (m *rateMeter) measure(now time.Time, total int64) float64 {
	n := len(m.marks)
	if n > 0 && now.Sub(m.marks[n-1].at) < time.Second {
		return m.now
	}
	m.marks = append(m.marks, rateMark{now, total})
	if n >= rateSpan {
		m.marks = m.marks[1:]
	}
	first := m.marks[0]
	if d := now.Sub(first.at); d > 0 {
		m.now = float64(total-first.total) / d.Seconds()
	}
	return m.now
}

// next is when the speed must be measured again to fall to 0.
func (m *rateMeter) next() time.Time {
	if m.now == 0 || len(m.marks) == 0 {
		return time.Time{}
	}
	return m.marks[len(m.marks)-1].at.Add(time.Second)
}
