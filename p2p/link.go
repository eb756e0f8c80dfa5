package p2p

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"foldpost/p2p/wire"
)

// Times of a link.
const (
	helloTimeout = 5 * time.Second // for each of the two HELLOs
	probeTimeout = 2 * time.Second // after a ping without an answer, a link is dead
	probeRecent  = time.Second     // unless something was heard so lately: the answer may wait behind much else
	handover     = 2 * time.Second // between a link closed as duplicate and the one that goes on
	longLink     = 10 * time.Second
)

// A link is one authenticated connection to a paired peer after HELLO in both
// directions.
type link struct {
	conn    carrier
	peer    PeerID
	through PeerID // that relays it; zero: nobody
	dialled bool   // by this side
	number  uint64 // of the connection
	hello   hello  // of the peer
	since   time.Time
	ready   chan struct{} // closed when streams of the peer may be served
	probing atomic.Bool
	pongs   chan uint64

	mapping     atomic.Pointer[Mapping] // that the peer told since HELLO
	toldMapping Mapping                 // that we told last; under the endpoint's mu

	mapped     atomic.Pointer[[]netip.AddrPort] // likewise
	toldMapped []netip.AddrPort

	revision uint64 // of the peer's entry when the connection began

	pulse   *pulse
	bulk    bool // it began as one for much data beside others
	goodput goodput
	slow    atomic.Int32 // so many bulk streams would be better off elsewhere
	stalled bool         // it carries nothing; under the endpoint's mu
	control carried
	out     chan control // to be written

	messages chan message  // to be sent
	taken    *rate.Limiter // messages of the peer
}

// rank is what decides which of two connections to one peer is kept.
type rank struct {
	start   [8]byte // of the peer's program
	number  uint64
	smaller bool // dialled by the side with the smaller id
}

// over decides alike on both sides, whichever of them sees which connection
// first: a peer that was started again is believed, else the larger number
// wins, and of two dials at once the one of the smaller id.
func (r rank) over(old rank) bool {
	switch {
	case r.start != old.start:
		return true
	case r.number != old.number:
		return r.number > old.number
	}
	return r.smaller || !old.smaller
}

func (l *link) rank(self PeerID) rank {
	return rank{start: l.hello.Start, number: l.number, smaller: l.dialled == less(self, l.peer)}
}

// replaces tells whether a new link takes the place of an old one.
func (l *link) replaces(old *link, self PeerID) bool {
	return old.conn.err() != nil || l.rank(self).over(old.rank(self))
}

func less(a, b PeerID) bool { return string(a[:]) < string(b[:]) }

func (l *link) close(c CloseCode) {
	l.conn.close(c)
}

// udp returns where the peer's packets come from; none where the link is not QUIC.
func (l *link) udp() netip.AddrPort {
	if l.conn.kind() != kindQUIC {
		return netip.AddrPort{}
	}
	return l.conn.remote()
}

// reachable returns where the peer can be called again; none behind a relay,
// and where it called us by TCP, because it did so from a passing port.
func (l *link) reachable() netip.AddrPort {
	if l.conn.kind() == kindTCP && !l.dialled {
		return netip.AddrPort{}
	}
	return l.conn.remote()
}

// outside is where a server that relays to us takes the peer's packets from.
func (l *link) outside() netip.AddrPort {
	if q, ok := l.conn.(quicCarrier); ok && q.relayed && !l.dialled {
		return addrPortOf(q.c.RemoteAddr())
	}
	return netip.AddrPort{}
}

func (l *link) describe() Link {
	var silent time.Time
	if l.stalled {
		silent = l.pulse.lastHeard()
	}
	return Link{
		Peer: l.peer, Kind: l.conn.kind(), Through: l.through, Addr: l.conn.remote(), Outside: l.outside(), Reachable: l.reachable().IsValid(), RTT: l.conn.rtt(),
		Since: l.since, Silent: silent, Metadata: l.hello.metadata(), Observed: l.hello.observed(),
		Mapping: l.routers(), Mapped: l.forwarded(), Offset: time.Unix(l.hello.Time, 0).Sub(l.since.Truncate(time.Second)),
	}
}

// open opens a stream for a protocol.
func (l *link) open(ctx context.Context, protocol string) (linkStream, error) {
	s, err := l.conn.open(ctx)
	if err != nil {
		return linkStream{}, err
	}
	if err := writeHeader(s, protocol); err != nil {
		s.Reset(StreamCancelled)
		return linkStream{}, err
	}
	return linkStream{s, l.pulse}, nil
}

// readControl reads control frames until the link ends. One that breaks the
// rules ends it.
func (e *Endpoint) readControl(l *link) {
	for {
		var c control
		if err := wire.Read(l.control, wire.MaxControl, &c); err != nil {
			if l.conn.err() == nil {
				l.close(codeFor(err))
			}
			return
		}
		l.pulse.hear()
		switch c.Type {
		case controlPing:
			l.send(control{Type: controlPong, Nonce: c.Nonce})
		case controlPrimary:
			e.namedPrimary(l)
		case controlPong:
			select {
			case l.pongs <- c.Nonce:
			default: // nobody waits for it
			}
		case controlNetwork:
			m := ParseMapping(c.Mapping)
			l.mapping.Store(&m)
			a := parseMapped(c.Mapped)
			l.mapped.Store(&a)
		case controlMessage:
			e.takeMessage(l, message{Channel: c.Channel, Payload: c.Payload})
		}
	}
}

// send queues a control frame, and drops it where the peer does not read.
func (l *link) send(c control) {
	select {
	case l.out <- c:
	default:
	}
}

// probe closes the link if the peer does not answer a ping.
func (l *link) probe(ctx context.Context) {
	if !l.probing.CompareAndSwap(false, true) {
		return
	}
	defer l.probing.Store(false)
	nonce := rand.Uint64()
	l.send(newPing(nonce))
	timer := time.NewTimer(probeTimeout)
	defer timer.Stop()
	for {
		select {
		case got := <-l.pongs:
			if got == nonce {
				return
			}
		case <-timer.C:
			if time.Since(l.pulse.lastHeard()) >= probeRecent {
				l.close(CloseDead)
			}
			return
		case <-l.conn.done():
			return
		case <-ctx.Done():
			return
		}
	}
}
