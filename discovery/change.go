package discovery

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// Times of noticing a change of the network.
const (
	coalesce  = 200 * time.Millisecond // a cable that is plugged in is a dozen notices
	lookEvery = 5 * time.Second        // where the system tells nothing
	sleepGap  = 2 * time.Second        // between the two clocks, since the last look
)

// WatchNetwork calls changed, one call after another, when an interface, an
// address or a default route of this computer came, went or was lost for a
// moment, and when the computer woke from sleep, for as long as ctx lives. It
// hears of it from the system; where that does not tell, it looks every five
// seconds.
func WatchNetwork(ctx context.Context, changed func()) {
	w := watcher{changed: changed, notices: systemNotices, look: lookAtNetwork, wall: time.Now, wake: make(chan struct{}, 1)}
	w.run(ctx)
}

// A link is an interface by its index; 0 is none, anyLink some one.
type link int

const anyLink link = -1

// A view is what a look at the network saw.
type view struct {
	links  map[link]string // flags and addresses
	routes string
}

func (v view) equal(o view) bool { return v.routes == o.routes && maps.Equal(v.links, o.links) }

type watcher struct {
	changed func()
	// notices calls notice for each message of the system, with the link that
	// lost something, until ctx is done.
	notices func(ctx context.Context, notice func(lost link)) error
	look    func() view
	wall    func() time.Time

	wake chan struct{}

	mu   sync.Mutex
	lost []link // since the last look
}

func (w *watcher) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { _ = w.notices(ctx, w.notice) }) // without it, the looks remain
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	seen, at, wall := w.look(), time.Now(), w.wall().Round(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-w.wake:
			select {
			case <-ctx.Done():
				return
			case <-time.After(coalesce):
			}
		}
		lost, fresh := w.takeLost(), w.look()
		now, wallNow := time.Now(), w.wall().Round(0)
		slept := (wallNow.Sub(wall) - now.Sub(at)).Abs() > sleepGap // only the wall clock goes on in sleep
		if slept || seen.hadAny(lost) || !seen.equal(fresh) {
			w.changed()
		}
		seen, at, wall = fresh, now, wallNow
	}
}

// notice notes a message of the system.
func (w *watcher) notice(lost link) {
	w.mu.Lock()
	if lost != 0 && !slices.Contains(w.lost, lost) {
		w.lost = append(w.lost, lost)
	}
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *watcher) takeLost() []link {
	w.mu.Lock()
	defer w.mu.Unlock()
	lost := w.lost
	w.lost = nil
	return lost
}

// hadAny tells whether one of the links had addresses: what came back since
// looks as before, but flows over it may not live.
func (v view) hadAny(lost []link) bool {
	return slices.ContainsFunc(lost, func(l link) bool { return l == anyLink || v.links[l] != "" })
}

// lookAtNetwork describes the links that have addresses.
func lookAtNetwork() view {
	v := view{links: map[link]string{}, routes: fmt.Sprint(systemRoutes())}
	list, err := net.Interfaces()
	if err != nil {
		return v
	}
	for _, i := range list {
		addrs, err := i.Addrs()
		if err != nil || len(addrs) == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		var texts []string
		for _, a := range addrs {
			texts = append(texts, a.String())
		}
		slices.Sort(texts)
		v.links[link(i.Index)] = fmt.Sprint(i.Name, " ", i.Flags, " ", strings.Join(texts, " "))
	}
	return v
}
