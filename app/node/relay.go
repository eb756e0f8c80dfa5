package node

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"foldpost/app"
	"foldpost/p2p"
	"foldpost/p2p/wire"
)

// protocolRelay is the stream on which one device reaches another through a
// third; p2p/PROTOCOL.md, "Relay".
const protocolRelay = "relay/1"

// maxRelayFrame is the size of a frame that begins such a stream.
const maxRelayFrame = 256

// A relayFrame begins a relay stream.
type relayFrame struct {
	Kind uint64       `wire:"1"`
	To   *contactName `wire:"2"` // of ask: whom to reach
	From p2p.PeerID   `wire:"3"` // of offer: who wants to be reached
}

// The kinds of relay frames; streams with others are reset as unsupported.
const (
	relayAsk   = 1 // to the relay
	relayOffer = 2 // from the relay
)

// A relayAnswer comes before the bytes of the other side.
type relayAnswer struct {
	Status uint64 `wire:"1"`
}

const (
	relayed      = 1 // what follows goes to the other device and comes from it
	relayAbsent  = 2 // not known, not linked, not agreed: all alike
	relayLimited = 3 // too many, too much, too often
	relayRefused = 4 // by the other device
)

// Limits of what one device relays. Bytes and time are those of others'
// devices; for its user's own it is just there.
const (
	maxRelays       = 4 // at a time
	maxRelaysOfPair = 2 // an old one may not have noticed its end
	relayTime       = time.Hour
	relayIdle       = 2 * time.Minute // links of both sides say something every 10 s
	relayLimitMB    = 512             // an hour, where the user said nothing
	relayRateKB     = 1024            // a second
)

// pair is two devices, the smaller id first.
type pair [2]p2p.PeerID

func pairOf(a, b p2p.PeerID) pair {
	if slices.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	return pair{a, b}
}

// relays is what goes through this device.
type relays struct {
	rate *limit // of others' devices, all together

	mu    sync.Mutex
	asked map[p2p.PeerID]*quota
	now   []*relaying
	spent map[pair]*spent
}

// relaying is one relay.
type relaying struct {
	pair  pair
	since time.Time
	own   bool // without limits of bytes and time
	bytes atomic.Int64
	stop  context.CancelFunc
}

// spent is what two devices sent through this one within an hour.
type spent struct {
	since time.Time
	bytes int64
}

func newRelays() *relays {
	return &relays{rate: newLimit(), asked: map[p2p.PeerID]*quota{}, spent: map[pair]*spent{}}
}

// begin takes a place for a relay, if there is one; most is how many bytes may
// go through, below zero without a bound.
func (r *relays) begin(p pair, own bool, perHour int64, now time.Time, stop context.CancelFunc) (re *relaying, most int64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	same := 0
	for _, o := range r.now {
		if o.pair == p {
			same++
		}
	}
	if len(r.now) >= maxRelays || same >= maxRelaysOfPair {
		return nil, 0, false
	}
	most = -1
	if !own && perHour > 0 {
		for q, s := range r.spent {
			if now.Sub(s.since) >= time.Hour {
				delete(r.spent, q)
			}
		}
		most = perHour
		if s := r.spent[p]; s != nil {
			most -= s.bytes
		}
		if most <= 0 {
			return nil, 0, false
		}
	}
	re = &relaying{pair: p, since: now, own: own, stop: stop}
	r.now = append(r.now, re)
	return re, most, true
}

// end gives a place back.
func (r *relays) end(re *relaying) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = slices.DeleteFunc(r.now, func(o *relaying) bool { return o == re })
	if re.own {
		return
	}
	s := r.spent[re.pair]
	if s == nil || time.Since(s.since) >= time.Hour {
		s = &spent{since: re.since}
		r.spent[re.pair] = s
	}
	s.bytes += re.bytes.Load()
}

// matchRelays ends relays that are not wanted any more.
func (n *Node) matchRelays() {
	s, r := n.keep.view(), n.relays
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, re := range r.now {
		if may, _ := s.mayRelay(re.pair[0], re.pair[1]); !may {
			re.stop()
		}
	}
}

// mayAsk counts a request of a device.
func (r *relays) mayAsk(id p2p.PeerID, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return takeOf(r.asked, id, lettersPerMinute, now)
}

// shown is what the user sees of them.
func (r *relays) shown() []app.Relay {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []app.Relay
	for _, re := range r.now {
		list = append(list, app.Relay{
			Between: []app.DeviceID{deviceID(key(re.pair[0])), deviceID(key(re.pair[1]))},
			Bytes:   re.bytes.Load(), Since: re.since.Truncate(time.Second),
		})
	}
	return list
}

// ownDevice tells whether a device is one of this user's: he typed his own
// address when he invited it, or opened its letter from there.
func (s *kept) ownDevice(p *keptPeer) bool {
	return s.Mailbox != nil && p.Owner != "" && strings.EqualFold(p.Owner, s.Mailbox.Address)
}

// relaysFor tells whether this device relays for another: as its user said,
// else if it is his own.
func (s *kept) relaysFor(p *keptPeer) bool {
	if p.Relay != "" {
		return p.Relay == "on"
	}
	return s.ownDevice(p)
}

// mayRelay tells whether two devices may reach each other through this one,
// and whether one of them is its user's own.
func (s *kept) mayRelay(a, b p2p.PeerID) (may, own bool) {
	p, q := s.peer(a), s.peer(b)
	if p == nil || q == nil || p.State != p2p.Paired || q.State != p2p.Paired || a == b || p.Relay == "off" || q.Relay == "off" {
		return false, false
	}
	return s.relaysFor(p) || s.relaysFor(q), s.ownDevice(p) || s.ownDevice(q)
}

// relayName names who relays a link: a device, or the server that is set.
func (n *Node) relayName(s *kept, d app.DeviceID) string {
	if d == "" {
		return "TURN"
	}
	return n.deviceName(s, d)
}

// Relay implements [app.Service].
func (n *Node) Relay(_ context.Context, d app.DeviceID, on bool) error {
	return n.update(func(s *kept) error {
		p := s.peer(peerIDOf(d))
		if p == nil {
			return app.Errorf(app.CodeNotFound, "no device %s: foldpost devices lists them", d)
		}
		p.Relay = switchText(on)
		return nil
	})
}

// serveRelay answers one relay stream of a paired device.
func (n *Node) serveRelay(ctx context.Context, from p2p.PeerID, s p2p.Stream) error {
	if err := s.SetDeadline(time.Now().Add(deliverTime)); err != nil {
		return err
	}
	var f relayFrame
	if err := wire.Read(s, maxRelayFrame, &f); err != nil {
		s.Reset(p2p.StreamMalformed)
		return fmt.Errorf("read relay frame: %w", err)
	}
	if err := s.SetDeadline(time.Time{}); err != nil {
		return err
	}
	switch {
	case f.Kind == relayAsk && f.To != nil:
		return n.relay(ctx, from, *f.To, s)
	case f.Kind == relayOffer:
		return n.reachedThrough(ctx, from, f.From, s)
	}
	s.Reset(p2p.StreamUnsupported)
	return fmt.Errorf("relay frame of kind %d", f.Kind)
}

// relay connects a stream of one device with one to another, if both are linked
// with us and may.
func (n *Node) relay(ctx context.Context, from p2p.PeerID, name contactName, s p2p.Stream) error {
	refuse := func(status uint64) error { return wire.Write(s, maxRelayFrame, relayAnswer{status}) }
	now, kept := time.Now(), n.keep.view()
	if !n.relays.mayAsk(from, now) {
		return refuse(relayLimited)
	}
	to, linked := n.linkedAs(name)
	l, _ := n.endpoint.Link(from)
	may, own := kept.mayRelay(from, to)
	if !linked || !may || !n.carriesFor(l) {
		return refuse(relayAbsent)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	re, most, ok := n.relays.begin(pairOf(from, to), own, kept.relayLimit(), now, cancel)
	if !ok {
		return refuse(relayLimited)
	}
	defer n.kick()
	defer n.relays.end(re)
	other, status := n.offerRelay(ctx, from, to)
	if status != relayed {
		return refuse(status)
	}
	defer other.Close()
	n.log.Info("relaying", "device", from.Short(), "other", to.Short())
	n.kick()
	if err := refuse(relayed); err != nil {
		other.Reset(p2p.StreamCancelled)
		return err
	}
	sp := splice{re: re, most: most, wait: n.relayPace(own)}
	return sp.run(ctx, s, other)
}

// relayPace returns what makes a relay no faster than the user wants.
func (n *Node) relayPace(own bool) func(ctx context.Context, bytes int) error {
	return func(ctx context.Context, bytes int) error {
		if !own {
			if err := n.relays.rate.wait(ctx, bytes); err != nil {
				return err
			}
		}
		return n.up.wait(ctx, bytes)
	}
}

// offerRelay tells a device who wants to reach it.
func (n *Node) offerRelay(ctx context.Context, from, to p2p.PeerID) (s p2p.Stream, status uint64) {
	ctx, cancel := context.WithTimeout(ctx, deliverTime)
	defer cancel()
	s, a, err := n.beginRelay(ctx, to, relayFrame{Kind: relayOffer, From: from})
	switch {
	case err != nil:
		n.log.Debug("relay not offered", "device", to.Short(), "err", err)
		return nil, relayAbsent
	case a.Status != relayed:
		s.Close()
		return nil, relayRefused
	}
	return s, relayed
}

// beginRelay opens a relay stream and reads the answer to its frame.
func (n *Node) beginRelay(ctx context.Context, to p2p.PeerID, f relayFrame) (p2p.Stream, relayAnswer, error) {
	var a relayAnswer
	s, err := n.endpoint.Open(ctx, to, protocolRelay)
	if err != nil {
		return nil, a, err
	}
	stop := context.AfterFunc(ctx, func() { s.Reset(p2p.StreamCancelled) })
	err = wire.Write(s, maxRelayFrame, f)
	if err == nil {
		err = wire.Read(s, maxRelayFrame, &a)
	}
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		s.Reset(p2p.StreamCancelled)
		return nil, a, fmt.Errorf("ask relay %s: %w", to.Short(), err)
	}
	return s, a, nil
}

// relayLimit is how many bytes an hour two devices of others may send through
// this one, 0 without a bound.
func (s *kept) relayLimit() int64 {
	switch {
	case s.RelayMB == 0:
		return relayLimitMB << 20
	case s.RelayMB < 0:
		return 0
	}
	return int64(s.RelayMB) << 20
}
