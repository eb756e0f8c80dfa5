package node

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"foldpost/discovery"
)

// askInterfaces is how old the list of addresses may be where the system tells
// of no change: it is looked at with every change of anything.
const askInterfaces = 5 * time.Second

// interfaces are the addresses of this computer with their networks.
type interfaces struct {
	mu   sync.Mutex
	list []netip.Prefix // never changed in place
	near []netip.Addr   // link-local ones with their zones; never changed in place
	at   time.Time
}

// watchNetwork has the node look anew when the network changed: addresses may
// be others, and links over the old ones dead.
func (n *Node) watchNetwork(ctx context.Context) {
	if n.sockets == nil {
		return // a simulated network
	}
	n.tasks.Go(func() {
		discovery.WatchNetwork(ctx, func() {
			n.log.Debug("the network changed")
			n.interfaces.forget()
			n.mapping.wake()
			n.endpoint.Wake()
			n.kick() // the loop tells the endpoint its addresses
		})
	})
}

// forget has the system asked next time.
func (i *interfaces) forget() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.at = time.Time{}
}

// ask returns the addresses, of the system where the list is old.
func (i *interfaces) ask(now time.Time) []netip.Prefix {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.at.IsZero() && now.Sub(i.at) < askInterfaces {
		return i.list
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return i.list
	}
	var list []netip.Prefix
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			list = append(list, p)
		}
	}
	i.list, i.near, i.at = list, linkLocal(), now
	return list
}

// askNear returns the link-local addresses, which mean something only in the
// network of their interface.
func (i *interfaces) askNear(now time.Time) []netip.Addr {
	i.ask(now)
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.near
}

// linkLocal asks the system for the link-local addresses with their zones.
func linkLocal() []netip.Addr {
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var found []netip.Addr
	for _, i := range all {
		addrs, err := i.Addrs()
		if err != nil || i.Flags&net.FlagUp == 0 {
			continue
		}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().IsLinkLocalUnicast() {
				ip := p.Addr()
				if ip.Is6() {
					ip = ip.WithZone(i.Name)
				}
				found = append(found, ip)
			}
		}
	}
	return found
}

// reachable returns what others might reach: no loopback, no link-local
// addresses, whose zones mean nothing elsewhere.
func reachable(list []netip.Prefix) []netip.Addr {
	var found []netip.Addr
	for _, p := range list {
		if ip := p.Addr().Unmap(); ip.IsGlobalUnicast() && !slices.Contains(found, ip) {
			found = append(found, ip)
		}
	}
	return found
}

// networks returns the networks that some of our own addresses are in.
func networks(list []netip.Prefix, own []netip.AddrPort) []netip.Prefix {
	var found []netip.Prefix
	for _, p := range list {
		if slices.ContainsFunc(own, func(a netip.AddrPort) bool { return a.Addr() == p.Addr().Unmap() }) {
			found = append(found, p.Masked())
		}
	}
	return found
}
