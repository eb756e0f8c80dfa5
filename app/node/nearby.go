package node

import (
	"cmp"
	"context"
	"slices"
	"time"

	"foldpost/app"
	"foldpost/discovery"
	"foldpost/p2p"
)

// nearby is who may find this device by its name, and ask it to be linked.
// Else its network learns of no name, and no stranger gets an answer.
type nearby struct {
	first time.Time // when this home was made, if this is its first run

	// Below: guarded by Node.mu.
	holds    map[*hold]struct{} // calls of OpenNearby and PairNearby
	after    time.Time          // open until then, though nobody holds it any more
	shut     bool               // for safety, until somebody holds it anew
	told     bool               // the endpoint, that it is open
	seen     map[app.NearbyID]time.Time
	ends     []app.Question     // requests that came to nothing, until they were seen
	asks     int                // questions about requests so far
	compared p2p.PairingRequest // whose words were shown last
}

// A hold is a call for which the door is open.
type hold struct{ shut chan struct{} }

// firstOpen is how long a device without any other is open by itself after it
// was installed: there is nobody yet whom it could be linked with otherwise.
const firstOpen = time.Hour

// OpenNearby implements [app.Service].
func (n *Node) OpenNearby(ctx context.Context, after time.Duration) error {
	s := n.keep.view()
	if !s.mayShowName() {
		return app.Errorf(app.CodeFailed, "this device shows its name to nobody nearby, so that nobody can ask it: foldpost config visible everyone changes that; asking others works as it is")
	}
	h := n.holdNearby()
	var err error
	select {
	case <-ctx.Done():
		err = ctx.Err()
	case <-n.ended:
		err = app.Errorf(app.CodeNotRunning, "foldpost has ended")
	case <-h.shut:
		return app.Errorf(app.CodeFailed, "three requests of devices nearby broke off within ten minutes, so none is taken any more: look who is near, then open it again with `foldpost nearby`")
	}
	n.leaveNearby(h, after)
	return err
}

// holdNearby opens the door, also where it was shut for safety.
func (n *Node) holdNearby() *hold {
	h := &hold{shut: make(chan struct{})}
	n.mu.Lock()
	if n.nearby.holds == nil {
		n.nearby.holds = map[*hold]struct{}{}
	}
	n.nearby.holds[h] = struct{}{}
	n.nearby.shut = false
	n.mu.Unlock()
	n.nearbyChanged()
	return h
}

func (n *Node) leaveNearby(h *hold, after time.Duration) {
	n.mu.Lock()
	delete(n.nearby.holds, h)
	if end := time.Now().Add(min(after, firstOpen)); after > 0 && end.After(n.nearby.after) {
		n.nearby.after = end
	}
	n.mu.Unlock()
	n.nearbyChanged()
}

// nearbyChanged makes a change of the door known: when it returns, the State
// shows it.
func (n *Node) nearbyChanged() {
	n.matchNearby()
	n.publish()
	n.kick()
}

// nearbyOpen tells whether devices nearby may see this one's name now.
func (n *Node) nearbyOpen(now time.Time) bool {
	s := n.keep.view()
	fresh := now.Sub(n.nearby.first) < firstOpen && len(s.Peers) == 0
	n.mu.Lock()
	defer n.mu.Unlock()
	return s.mayShowName() && !n.nearby.shut && (fresh || len(n.nearby.holds) > 0 || now.Before(n.nearby.after))
}

// matchNearby opens or closes the endpoint's door.
func (n *Node) matchNearby() {
	open := n.nearbyOpen(time.Now())
	n.mu.Lock()
	defer n.mu.Unlock()
	if open != n.nearby.told {
		n.nearby.told = open
		n.endpoint.SetNearby(open)
	}
}

// shutNearby closes the door until somebody opens it anew.
func (n *Node) shutNearby() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.nearby.shut, n.nearby.told, n.nearby.after = true, false, time.Time{}
	for h := range n.nearby.holds {
		close(h.shut)
		delete(n.nearby.holds, h)
	}
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

// strangers are the neighbours that this device is not linked with. One that
// was linked a moment ago still shows the name by which it was found.
func (n *Node) strangers() []discovery.Neighbour {
	all := n.neighbours()
	for _, l := range n.endpoint.Links() {
		all = slices.DeleteFunc(all, func(d discovery.Neighbour) bool { return slices.Contains(d.Addrs, l.Addr) })
	}
	return all
}

// nearbyDevices lists the neighbours as people see them, by when they were
// seen first.
func (n *Node) nearbyDevices() []app.Nearby {
	var list []app.Nearby
	all, now := n.strangers(), time.Now().Truncate(time.Second)
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
