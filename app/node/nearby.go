package node

import (
	"cmp"
	"context"
	"slices"
	"time"

	"foldpost/app"
	"foldpost/discovery"
)

// nearby is who may find this device by its name, and ask it to be linked.
// Else its network learns of no name, and no stranger gets an answer.
type nearby struct {
	first time.Time // when this home was made, if this is its first run

	// Below: guarded by Node.mu.
	holds map[*hold]struct{} // calls of OpenNearby
	after time.Time          // open until then, though nobody holds it any more
	seen  map[app.NearbyID]time.Time
}

// A hold is one call of OpenNearby.
type hold struct{ shut chan struct{} }

// firstOpen is how long a device without any other is open by itself after it
// was installed: there is nobody yet whom it could be linked with otherwise.
const firstOpen = time.Hour

// OpenNearby implements [app.Service].
func (n *Node) OpenNearby(ctx context.Context, after time.Duration) error {
	h := &hold{shut: make(chan struct{})}
	n.mu.Lock()
	if n.nearby.holds == nil {
		n.nearby.holds = map[*hold]struct{}{}
	}
	n.nearby.holds[h] = struct{}{}
	running := n.ctx
	n.mu.Unlock()
	n.publish()
	n.kick()
	var err error
	select {
	case <-ctx.Done():
		err = ctx.Err()
	case <-running.Done():
		err = context.Cause(running)
	case <-h.shut:
		err = app.Errorf(app.CodeFailed, "pairing with devices nearby was closed, because three requests broke off: look who is near, then open it again")
	}
	n.mu.Lock()
	delete(n.nearby.holds, h)
	if end := time.Now().Add(min(after, firstOpen)); ctx.Err() != nil && end.After(n.nearby.after) {
		n.nearby.after = end
	}
	n.mu.Unlock()
	n.publish()
	n.kick()
	return err
}

// nearbyOpen tells whether devices nearby may see this one's name now.
func (n *Node) nearbyOpen(now time.Time) bool {
	s := n.keep.view()
	fresh := now.Sub(n.nearby.first) < firstOpen && len(s.Peers) == 0
	n.mu.Lock()
	defer n.mu.Unlock()
	return s.mayShowName() && (fresh || len(n.nearby.holds) > 0 || now.Before(n.nearby.after))
}

// neighbours are the devices that show themselves in the networks of this one.
func (n *Node) neighbours() []discovery.Neighbour {
	switch {
	case n.cfg.Neighbours != nil:
		return n.cfg.Neighbours()
	case n.lan != nil:
		return n.lan.Neighbours()
	}
	return nil
}

// nearbyDevices lists the neighbours as people see them, by when they were
// seen first.
func (n *Node) nearbyDevices() []app.Nearby {
	var list []app.Nearby
	all, now := n.neighbours(), time.Now().Truncate(time.Second)
	n.mu.Lock()
	defer n.mu.Unlock()
	seen := map[app.NearbyID]time.Time{}
	for _, d := range all {
		id := app.NearbyID(d.Instance)
		since, ok := n.nearby.seen[id]
		if !ok {
			since = now
		}
		seen[id] = since
		list = append(list, app.Nearby{ID: id, Name: shownName(d.Name), Since: since})
	}
	n.nearby.seen = seen
	slices.SortFunc(list, func(a, b app.Nearby) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return list
}
