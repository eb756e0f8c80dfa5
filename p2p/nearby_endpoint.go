package p2p

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
)

// SetNearby lets devices in our own networks ask to pair, or not; not is what
// an endpoint begins with. It is called with true when a person opens the door,
// also again after requests that broke off have closed it.
func (e *Endpoint) SetNearby(open bool) { e.pairing.nearby.set(open) }

// AskNearby asks the device at one of the addresses, all in our own networks,
// to pair, and returns the record once it is Paired. Which device that is only
// the words tell that both people compare: [NearbyManager.NearbyWords]. Where
// it ends otherwise the error is a [*PairingError] if a side said why. There is
// one request at a time, ours or another's: else it fails as busy.
func (e *Endpoint) AskNearby(ctx context.Context, addrs []netip.AddrPort) (Record, error) {
	all := make([]netip.AddrPort, 0, len(addrs))
	for _, a := range addrs {
		all = append(all, unmap(a))
	}
	return e.pairing.askNearby(ctx, all)
}

// nearbyName is the server name of a caller that does not know whom it calls.
const nearbyName = "nearby" + knockSuffix

// errNearby reports a caller without a knock where that is not wanted.
var errNearby = errors.New("not open to devices nearby")

// isNearby tells whether a connection that was accepted is a request nearby.
func isNearby(cs tls.ConnectionState) bool { return cs.ServerName == nearbyName }

// checkNearby refuses a caller without a knock, unless the door for devices
// nearby is open, it is one, and all it wants is to pair.
func (p listenPolicy) checkNearby(protocols []string, onLink bool) error {
	if !onLink || !p.nearby() || !slices.Equal(protocols, []string{alpnPair}) {
		return errNearby
	}
	return nil
}

// nearbyTLS is the side that asks whoever is there: it takes any one key, and
// shows its own certificate to anybody.
func nearbyTLS(cert tls.Certificate) *tls.Config {
	c := commonTLS(cert)
	c.ServerName = nearbyName
	c.NextProtos = []string{alpnPair}
	c.VerifyConnection = func(cs tls.ConnectionState) error {
		_, err := publicKeyOf(cs)
		return err
	}
	return c
}

// maxNearbyDials bounds how many addresses of one device are called.
const maxNearbyDials = 8

// dialNearby opens a pairing link to whoever answers first at one of the
// addresses, the next of which is called when the one before has not answered
// for a moment. Only our own networks are called.
func (e *Endpoint) dialNearby(ctx context.Context, addrs []netip.AddrPort) (pairConn, error) {
	n := e.networkNow()
	var near []netip.AddrPort
	for _, a := range addrs {
		if n.usable(a) == nil && n.onLink(a.Addr()) && !slices.Contains(near, a) {
			near = append(near, a)
		}
	}
	if len(near) == 0 {
		return nil, errNoCandidate
	}
	near = near[:min(len(near), maxNearbyDials)]
	ctx, cancel := context.WithCancel(ctx)
	results := make(chan dialled)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for i, a := range near {
		wg.Go(func() { e.tryNearby(ctx, a, time.Duration(i)*dialStagger).sendTo(ctx, results) })
	}
	var errs []error
	for range near {
		select {
		case d := <-results:
			if d.err == nil {
				return newPairLink(d.conn)
			}
			errs = append(errs, d.err)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, errors.Join(errs...)
}

func (e *Endpoint) tryNearby(ctx context.Context, addr netip.AddrPort, wait time.Duration) dialled {
	sleep(ctx, nil, time.Now().Add(wait))
	if err := ctx.Err(); err != nil {
		return dialled{err: err}
	}
	s, err := e.socketFor(addr.Addr(), false)
	if err != nil {
		return dialled{err: err}
	}
	c, err := s.dialNearby(ctx, addr)
	if err != nil {
		return dialled{err: fmt.Errorf("at %s: %w", addr, err)}
	}
	return dialled{conn: c}
}

// dialNearby makes one connection to whoever is at an address, or none.
func (s *socket) dialNearby(ctx context.Context, addr netip.AddrPort) (carrier, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	config := quicConfig()
	config.MaxIncomingStreams = 1
	c, err := s.transport.Dial(ctx, net.UDPAddrFromAddrPort(addr), nearbyTLS(s.cert), config)
	if e, ok := errors.AsType[*quic.TransportError](err); ok && e.Remote && e.ErrorCode.IsCryptoError() {
		return nil, &PairingError{Code: PairingRefused, Remote: true} // its door is closed
	}
	if err != nil {
		return nil, linkErr(err)
	}
	return s.count(c), nil
}

// metExpires is how long the address of a device that pairs nearby is good for,
// if it is not found there again.
const metExpires = 10 * time.Minute

// met notes where a device is that pairs nearby: its link comes from there.
func (e *Endpoint) met(id PeerID, addr netip.AddrPort) {
	c := Candidate{Peer: id, Addr: addr, Kind: Host, Source: "lan", Expires: time.Now().Add(metExpires)}
	if err := e.AddCandidate(c, Metadata{}); err != nil {
		e.config.Log.Debug("address not used", "peer", id.Short(), "source", c.Source, "err", err)
	}
}
