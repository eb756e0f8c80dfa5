package p2p

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Times of requests between devices nearby.
const (
	wordsTimeout  = 120 * time.Second // for the person to compare the words
	refusedTime   = time.Hour         // a refused device is not heard again
	brokenTime    = 10 * time.Minute  // in which maxBroken requests close the door
	maxBroken     = 3
	maxRefused    = 256             // devices that are remembered as refused
	nearbyGrace   = time.Hour       // how long a pending record waits for the other side
	awaitTheirs   = 3 * time.Second // for the peer's own request, in place of ours
	awaitSettling = time.Minute     // for what became of a pairing whose link was lost
)

// A NearbyManager is a [Manager] whose person pairs with devices nearby, by
// comparing three words. All requests of others are refused without it.
type NearbyManager interface {
	Manager
	// NearbyRequest asks whether to open the request of a device nearby. It
	// blocks until the person has opened it (nil) or said no (an error), or
	// until ctx is done: then the device has gone, or nobody answered, or the
	// person has asked that device itself.
	NearbyRequest(ctx context.Context, r PairingRequest) error
	// NearbyWords shows three words. It blocks until the person has said that
	// the other screen shows the same ones (nil), or different ones (an
	// error), or until ctx is done: then the request has ended.
	NearbyWords(ctx context.Context, r PairingRequest, words [3]string) error
	// NearbyEnded reports a request that a person has seen and that led to no
	// pairing. It must be shown: who is in between could try again and again.
	NearbyEnded(NearbyEnd)
}

// ErrSettling reports that what became of an earlier pairing with the same
// device is being found out first: that takes a moment once both can be reached.
var ErrSettling = errors.New("an earlier pairing is settled first")

// A NearbyEnd is a request that led to no pairing.
type NearbyEnd struct {
	Request PairingRequest
	Out     bool  // it was ours
	Err     error // a [*PairingError] where a side said why
	Shut    bool  // it was one too many: the door is closed until SetNearby opens it
}

// nearbyDoor lets in one request at a time, of this device or of another.
type nearbyDoor struct {
	mu      sync.Mutex
	open    bool
	current *request
	broken  []time.Time // requests that a person saw and that led to nothing, ascending
	refused map[PeerID]time.Time
}

// A request is one that goes on.
type request struct {
	out    bool
	addr   netip.AddrPort // of who asks; zero for ours
	end    func()         // breaks it off
	met    chan struct{}  // closed when peer is known, or will not be
	opened chan struct{}  // closed when the person need not open it any more
	idle   chan struct{}  // closed when its link is not used any more
	ended  chan struct{}  // closed when record or err is set
	record Record
	err    error

	// Below: guarded by nearbyDoor.mu.
	peer    PeerID
	seen    bool          // a person was shown it, or its words
	free    bool          // opened is closed
	instead *request      // the peer's own, carried out in place of this one
	yielded chan struct{} // closed when instead is set
}

func newNearbyRequest(out bool, end func()) *request {
	return &request{
		out: out, end: end, met: make(chan struct{}), opened: make(chan struct{}),
		idle: make(chan struct{}), ended: make(chan struct{}), yielded: make(chan struct{}),
	}
}

// set opens or closes the door. What was broken off before counts no more.
func (d *nearbyDoor) set(open bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open, d.broken = open, nil
}

func (d *nearbyDoor) isOpen() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open
}

// takeOut makes room for a request of this device to whoever is at addrs. If
// that one asks already, the person has opened its request so: that is what
// theirs returns.
func (d *nearbyDoor) takeOut(addrs []netip.AddrPort, end func()) (ours, theirs *request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	cur := d.current
	switch {
	case cur == nil:
		d.current = newNearbyRequest(true, end)
		return d.current, nil
	case !cur.out && slices.Contains(addrs, cur.addr):
		if !cur.free {
			cur.free = true
			close(cur.opened)
		}
		return nil, cur
	}
	return nil, nil
}

// takeIn makes room for the request of a peer, or returns why there is none.
// If both asked each other, the request of the smaller id is carried out.
func (d *nearbyDoor) takeIn(ctx context.Context, peer PeerID, self PeerID, addr netip.AddrPort, end func()) (*request, error) {
	for {
		in, cur, err := d.tryIn(peer, self, addr, end)
		switch {
		case err != nil:
			return nil, err
		case cur == nil:
			return in, nil
		}
		wait := cur.met // whom we ask is known soon
		if in != nil {
			wait = cur.idle // ours makes way
		}
		select {
		case <-wait:
		case <-ctx.Done():
			if in != nil {
				d.release(in, Record{}, ctx.Err())
			}
			return nil, ctx.Err()
		}
		if in != nil {
			return in, nil
		}
	}
}

// tryIn takes the place of the current request if that may be. It returns the
// one to wait for: with in until it has made way, else until its peer is known.
func (d *nearbyDoor) tryIn(peer, self PeerID, addr netip.AddrPort, end func()) (in, wait *request, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if until, ok := d.refused[peer]; !d.open || ok && now.Before(until) {
		return nil, nil, &PairingError{Code: PairingRefused}
	}
	cur := d.current
	if cur != nil {
		select {
		case <-cur.met:
		default:
			if cur.out {
				return nil, cur, nil
			}
		}
		if !cur.out || cur.peer != peer || cur.seen || cur.instead != nil || lessID(self, peer) {
			return nil, nil, &PairingError{Code: PairingBusy}
		}
	}
	in = newNearbyRequest(false, end)
	in.peer, in.addr = peer, addr
	close(in.met)
	d.current = in
	if cur == nil {
		return in, nil, nil
	}
	in.free = true // its person asked that very device
	close(in.opened)
	cur.instead = in
	close(cur.yielded)
	cur.end()
	return in, cur, nil
}

// meets notes whom our request reached; the zero id: nobody.
func (d *nearbyDoor) meets(r *request, peer PeerID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r.peer = peer
	close(r.met)
}

// shows notes that a person sees the request now. False: it makes way for the
// peer's own.
func (d *nearbyDoor) shows(r *request) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	r.seen = r.instead == nil
	return r.seen
}

// release ends a request.
func (d *nearbyDoor) release(r *request, record Record, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.current == r {
		d.current = nil
	}
	r.record, r.err = record, err
	close(r.ended)
}

// failed counts a request that came to nothing, if a person saw it. It tells
// whether it was seen, and whether it was one too many.
func (d *nearbyDoor) failed(r *request, now time.Time) (seen, shut bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !r.seen {
		return false, false
	}
	d.broken = append(d.broken, now)
	for len(d.broken) > 0 && now.Sub(d.broken[0]) >= brokenTime {
		d.broken = d.broken[1:]
	}
	if len(d.broken) >= maxBroken {
		d.open, d.broken, shut = false, nil, true
	}
	return true, shut
}

// refuse keeps a device away whose request the person refused.
func (d *nearbyDoor) refuse(peer PeerID, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refused == nil {
		d.refused = make(map[PeerID]time.Time)
	}
	for id, until := range d.refused {
		if !now.Before(until) || len(d.refused) >= maxRefused {
			delete(d.refused, id)
		}
	}
	d.refused[peer] = now.Add(refusedTime)
}
