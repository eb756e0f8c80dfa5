package p2p

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// The pace of TCP: it is tried beside QUIC when that had its chance.
const (
	tcpHeadStart  = time.Second // of QUIC
	maxHandshakes = 32          // of callers by TCP at the same time
	maxFromSource = 8           // of them from one address
)

// A tcpDoor bounds what callers by TCP cost before they showed who they are.
type tcpDoor struct {
	pace *rate.Limiter

	mu   sync.Mutex
	from map[netip.Addr]int
	all  int
}

func newTCPDoor() *tcpDoor {
	return &tcpDoor{pace: rate.NewLimiter(handshakesPerSecond, 2*handshakesPerSecond), from: make(map[netip.Addr]int)}
}

func (d *tcpDoor) enter(a netip.Addr) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all >= maxHandshakes || d.from[a] >= maxFromSource || !d.pace.Allow() {
		return false
	}
	d.all++
	d.from[a]++
	return true
}

func (d *tcpDoor) leave(a netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all--
	if d.from[a]--; d.from[a] == 0 {
		delete(d.from, a)
	}
}

// byTCP tells whether links run over TCP too.
func (c *Config) byTCP() bool { return len(c.Listeners) > 0 || c.DialTCP != nil }

// acceptTCP serves the connections that others make to a listener until ctx is
// done. A listener that fails, as one does where there are too many files, is
// asked again after a moment.
func (e *Endpoint) acceptTCP(ctx context.Context, r *run, ln net.Listener) {
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer stop()
	for ctx.Err() == nil {
		conn, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			e.config.Log.Debug("accept by TCP", "err", err)
			sleep(ctx, nil, time.Now().Add(time.Second))
			continue
		}
		from := addrPortOf(conn.RemoteAddr()).Addr()
		if !e.tcp.enter(from) {
			_ = conn.Close()
			continue
		}
		r.wg.Go(func() {
			c, err := r.acceptOver(ctx, conn, kindTCP)
			e.tcp.leave(from)
			if err != nil {
				e.config.Log.Debug("caller by TCP refused", "err", err)
				return
			}
			e.serve(ctx, c, true)
		})
	}
}

// dialTCP makes a carrier to a peer at an address by TCP, or none.
func (e *Endpoint) dialTCP(ctx context.Context, r *run, to netip.AddrPort, peer PeerID, alpn string) (carrier, error) {
	dialling, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	dial := e.config.DialTCP
	switch {
	case dial != nil:
	case e.networkNow().onLink(to.Addr()):
		dial = dialDirect // a proxy knows nothing of our own networks
	default:
		dial = dialProxy
	}
	conn, err := dial(dialling, to)
	if err != nil {
		return nil, fmt.Errorf("by TCP: %w", err)
	}
	return r.dialOver(ctx, conn, peer, alpn, carrying{kindTCP, to})
}

func dialDirect(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", to.String())
}
