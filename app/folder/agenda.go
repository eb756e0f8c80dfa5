package folder

import (
	"container/heap"
	"time"
)

// An agenda holds things to be done, each at a time; setting one again moves
// it.
type agenda[K comparable] struct {
	at    map[K]time.Time
	queue agendaQueue[K] // may hold entries that at does not confirm
}

type agendaEntry[K comparable] struct {
	at  time.Time
	key K
}

type agendaQueue[K comparable] []agendaEntry[K]

func (q agendaQueue[K]) Len() int           { return len(q) }
func (q agendaQueue[K]) Less(i, j int) bool { return q[i].at.Before(q[j].at) }
func (q agendaQueue[K]) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *agendaQueue[K]) Push(x any)        { *q = append(*q, x.(agendaEntry[K])) }
func (q *agendaQueue[K]) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	*q = (*q)[:last]
	return e
}

func (a *agenda[K]) set(k K, at time.Time) {
	if a.at == nil {
		a.at = map[K]time.Time{}
	}
	if old, ok := a.at[k]; ok && old.Equal(at) {
		return
	}
	a.at[k] = at
	heap.Push(&a.queue, agendaEntry[K]{at, k})
}

// hasten moves k to the earlier of at and when it is due already.
func (a *agenda[K]) hasten(k K, at time.Time) {
	if old, ok := a.at[k]; !ok || at.Before(old) {
		a.set(k, at)
	}
}

func (a *agenda[K]) drop(k K) { delete(a.at, k) }

func (a *agenda[K]) has(k K) bool {
	_, ok := a.at[k]
	return ok
}

func (a *agenda[K]) len() int { return len(a.at) }

// next returns when the first thing is due.
func (a *agenda[K]) next() (time.Time, bool) {
	for len(a.queue) > 0 {
		first := a.queue[0]
		if at, ok := a.at[first.key]; ok && at.Equal(first.at) {
			return at, true
		}
		heap.Pop(&a.queue)
	}
	return time.Time{}, false
}

// due takes out at most limit things whose time has come.
func (a *agenda[K]) due(now time.Time, limit int) []K {
	var keys []K
	for len(keys) < limit {
		at, ok := a.next()
		if !ok || at.After(now) {
			break
		}
		k := heap.Pop(&a.queue).(agendaEntry[K]).key
		delete(a.at, k)
		keys = append(keys, k)
	}
	return keys
}
