package node

import (
	"context"
	"fmt"
	"slices"
	"time"

	"foldpost/p2p"
	"foldpost/p2p/wire"
)

// How long the two try to reach each other by themselves before they do
// through a relay, after a letter that a contact carried. The larger id gives
// the other one time: one relay is enough.
const (
	relayAfter = 5 * time.Second
	relayTurn  = 3 * time.Second
	relaySoon  = 500 * time.Millisecond // where a relay was needed just before
	relayNeeds = 10 * time.Minute       // is just before
)

// reachThrough links with a device through the first of the devices that offer
// it and can, unless there is a link by then. It returns when that link has
// ended.
func (n *Node) reachThrough(ctx context.Context, id p2p.PeerID, offers []p2p.PeerID) {
	if r, ok := (manager{n}).Record(id); !ok || r.State != p2p.Paired {
		return
	}
	self, wait := n.identity.ID(), relayAfter
	if n.contacts.neededRelay(id, time.Now()) {
		wait = relaySoon
	}
	if slices.Compare(self[:], id[:]) > 0 {
		wait += relayTurn
	}
	select {
	case <-ctx.Done():
		return
	case <-time.After(wait):
	}
	for _, through := range offers {
		if l, linked := n.endpoint.Link(id); linked && l.Silent.IsZero() || ctx.Err() != nil {
			return
		}
		s, err := n.askRelay(ctx, through, id)
		if err != nil {
			n.log.Debug("no relay", "device", id.Short(), "through", through.Short(), "err", err)
			continue
		}
		err = n.endpoint.LinkThrough(ctx, id, through, s, true)
		n.log.Debug("relay ended", "device", id.Short(), "through", through.Short(), "err", err)
		if err == nil {
			n.contacts.noteRelay(id, time.Now())
			return // what is so now is asked anew
		}
	}
}

// askRelay opens a stream to a device through another one.
func (n *Node) askRelay(ctx context.Context, through, id p2p.PeerID) (p2p.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, carryTime)
	defer cancel()
	name := newContactName(id)
	s, a, err := n.beginRelay(ctx, through, relayFrame{Kind: relayAsk, To: &name})
	if err != nil {
		return nil, err
	}
	if a.Status != relayed {
		s.Close()
		return nil, fmt.Errorf("status %d", a.Status)
	}
	return s, nil
}

// reachedThrough takes a link from a device that reaches us through another
// one, and returns when it has ended.
func (n *Node) reachedThrough(ctx context.Context, through, id p2p.PeerID, s p2p.Stream) error {
	r, ok := manager{n}.Record(id)
	l, _ := n.endpoint.Link(through)
	if !ok || r.State != p2p.Paired || id == through || !n.carriesFor(l) || !n.relays.mayAsk(through, time.Now()) {
		return wire.Write(s, maxRelayFrame, relayAnswer{relayRefused})
	}
	if err := wire.Write(s, maxRelayFrame, relayAnswer{relayed}); err != nil {
		return err
	}
	n.contacts.noteRelay(id, time.Now())
	return n.endpoint.LinkThrough(ctx, id, through, s, false)
}

// neededRelay tells whether a device was linked through a relay lately.
func (c *contacts) neededRelay(id p2p.PeerID, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.relayed[id]
	return ok && now.Sub(at) < relayNeeds
}

func (c *contacts) noteRelay(id p2p.PeerID, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.relayed[id] = now
}
