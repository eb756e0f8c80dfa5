package p2p

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"
)

// relayHeadStart is how long all other candidates of a peer are dialled before
// relayed ones.
const relayHeadStart = 4 * time.Second

// ServeRelayed serves the links that come to an address which a server relays
// to this device, until ctx is done or the connection fails. The connection
// stays the application's; its links are of kind "relay".
func (e *Endpoint) ServeRelayed(ctx context.Context, c net.PacketConn) error {
	r := e.running()
	if r == nil {
		return net.ErrClosed
	}
	list, err := r.listen([]net.PacketConn{c})
	if err != nil {
		return err
	}
	s := list[0]
	s.relayed = true
	defer s.close()
	return e.accept(ctx, s)
}

// maxSought bounds what [Endpoint.Sought] returns.
const maxSought = 64

// Sought returns the public addresses at which peers might be that have no
// direct link: where a server that relays must let packets in from.
func (e *Endpoint) Sought() []netip.Addr {
	e.mu.Lock()
	defer e.mu.Unlock()
	var list []netip.Addr
	for _, p := range e.peers {
		if p.settled() {
			continue
		}
		for _, k := range p.candidates {
			if a := k.Addr.Addr(); fromOutside(a) && k.Kind != Relayed && !slices.Contains(list, a) {
				list = append(list, a)
			}
		}
	}
	slices.SortFunc(list, netip.Addr.Compare)
	return list[:min(len(list), maxSought)]
}
