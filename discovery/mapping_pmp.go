package discovery

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	natpmp "github.com/jackpal/go-nat-pmp"
)

// pmp is NAT-PMP (RFC 6886), PCP's predecessor.
type pmp struct {
	gateway Gateway
	port    uint16
}

func (p *pmp) name() string { return "nat-pmp" }

func (p *pmp) find(ctx context.Context) error {
	_, err := p.external(ctx)
	return err
}

func (p *pmp) external(ctx context.Context) (netip.Addr, error) {
	r, err := p.client(ctx).GetExternalAddress()
	if err != nil {
		return netip.Addr{}, pmpError(ctx, err)
	}
	return netip.AddrFrom4(r.ExternalIPAddress), nil
}

func (p *pmp) add(ctx context.Context, t transport, wish uint16) (grant, error) {
	r, err := p.client(ctx).AddPortMapping(t.String(), int(p.port), int(wish), int(leaseTime/time.Second))
	if err != nil {
		return grant{}, fmt.Errorf("map the %s port: %w", t, pmpError(ctx, err))
	}
	if r.InternalPort != p.port || r.PortMappingLifetimeInSeconds == 0 {
		return grant{}, fmt.Errorf("map the %s port: the router answered for port %d, for %d seconds", t, r.InternalPort, r.PortMappingLifetimeInSeconds)
	}
	addr, err := p.external(ctx)
	if err != nil {
		return grant{}, fmt.Errorf("ask the router for its address: %w", err)
	}
	return grant{netip.AddrPortFrom(addr, r.MappedExternalPort), time.Duration(r.PortMappingLifetimeInSeconds) * time.Second}, nil
}

func (p *pmp) remove(ctx context.Context, t transport, _ uint16) error {
	_, err := p.client(ctx).AddPortMapping(t.String(), int(p.port), 0, 0)
	return err
}

// pmpError says it when there was no answer; go-nat-pmp has no value for that.
func pmpError(ctx context.Context, err error) error {
	if strings.HasPrefix(err.Error(), "Timed out") {
		return errSilent
	}
	return answerError(ctx, err)
}

// client asks for as long as ctx lives, a second at most: a router that speaks
// this answers at once.
func (p *pmp) client(ctx context.Context) *natpmp.Client {
	left := time.Second
	if until, ok := ctx.Deadline(); ok {
		left = min(left, time.Until(until))
	}
	if ctx.Err() != nil {
		left = 0
	}
	return natpmp.NewClientWithLocalAndTimeout(net.IP(p.gateway.Addr.AsSlice()), net.IP(p.gateway.Local.AsSlice()), max(left, time.Nanosecond))
}
