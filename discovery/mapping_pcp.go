package discovery

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// pcp is the Port Control Protocol (RFC 6887).
type pcp struct {
	gateway Gateway
	port    uint16
	nonce   [12]byte
}

const (
	portOfPCP   = 5351
	pcpVersion  = 2
	pcpHeader   = 24
	pcpMap      = pcpHeader + 36
	maxPCP      = 1100 // RFC 6887 §7
	opAnnounce  = 0
	opMap       = 1
	pcpResponse = 0x80 // in the byte of the opcode
	firstRepeat = 250 * time.Millisecond
)

func (p *pcp) name() string { return "pcp" }

// find sends an ANNOUNCE, which every server answers in some way.
func (p *pcp) find(ctx context.Context) error {
	_, err := p.ask(ctx, p.header(opAnnounce, 0), func(b []byte) bool { return b[1] == opAnnounce|pcpResponse })
	var refused pcpResult
	if errors.As(err, &refused) && refused != pcpNoVersion {
		return nil // it speaks PCP
	}
	return err
}

func (p *pcp) add(ctx context.Context, t transport, wish uint16) (grant, error) {
	if p.gateway.Addr.Is6() {
		// miniupnpd 2.3.1 takes a renewal for one more hole, and then closes none.
		_ = p.remove(ctx, t, wish)
	}
	return p.request(ctx, t, wish, leaseTime)
}

func (p *pcp) remove(ctx context.Context, t transport, external uint16) error {
	_, err := p.request(ctx, t, external, 0)
	return err
}

// request asks for a mapping of our port; a lifetime of 0 ends it.
func (p *pcp) request(ctx context.Context, t transport, wish uint16, lifetime time.Duration) (grant, error) {
	q := p.header(opMap, lifetime)
	q = append(q, p.nonce[:]...)
	q = append(q, byte(t), 0, 0, 0)
	q = binary.BigEndian.AppendUint16(q, p.port)
	q = binary.BigEndian.AppendUint16(q, wish)
	any := netip.IPv6Unspecified() // any address of the family
	if p.gateway.Addr.Is4() {
		any = netip.AddrFrom4([4]byte{})
	}
	suggested := any.As16()
	q = append(q, suggested[:]...)
	b, err := p.ask(ctx, q, func(b []byte) bool {
		return len(b) >= pcpMap && b[1] == opMap|pcpResponse && string(b[24:36]) == string(p.nonce[:]) &&
			b[36] == byte(t) && binary.BigEndian.Uint16(b[40:]) == p.port
	})
	if err != nil {
		return grant{}, fmt.Errorf("map the %s port: %w", t, err)
	}
	lasts := time.Duration(binary.BigEndian.Uint32(b[4:])) * time.Second
	if lifetime > 0 && lasts == 0 {
		return grant{}, fmt.Errorf("map the %s port: granted for 0 seconds", t)
	}
	external := netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[44:60])).Unmap(), binary.BigEndian.Uint16(b[42:]))
	return grant{external, lasts}, nil
}

// header is how each request begins.
func (p *pcp) header(op byte, lifetime time.Duration) []byte {
	b := []byte{pcpVersion, op, 0, 0}
	b = binary.BigEndian.AppendUint32(b, uint32(lifetime/time.Second))
	local := p.gateway.Local.As16()
	return append(b, local[:]...)
}

// A pcpResult is a server's refusal.
type pcpResult byte

const pcpNoVersion pcpResult = 1

func (r pcpResult) Error() string {
	names := [...]string{"", "version not known", "not allowed", "request malformed", "operation not known", "option not known", "option malformed", "the router is not connected", "no resources", "protocol not known", "too many ports", "the port is not available", "another router in between", "too many peers"}
	if int(r) < len(names) {
		return "refused: " + names[r]
	}
	return fmt.Sprintf("refused with code %d", byte(r))
}

// ask sends a request, again and again, until an answer to it comes or ctx is
// done. Other packets of the router are passed over.
func (p *pcp) ask(ctx context.Context, q []byte, answers func([]byte) bool) ([]byte, error) {
	// A connected socket hears only the router.
	c, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.gateway.Local, 0)),
		net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.gateway.Addr, portOfPCP)))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	b := make([]byte, maxPCP+1)
	for pause := firstRepeat; ; pause *= 2 {
		if _, err := c.Write(q); err != nil {
			return nil, answerError(ctx, err)
		}
		if err := c.SetReadDeadline(time.Now().Add(pause)); err != nil {
			return nil, answerError(ctx, err)
		}
		for {
			n, err := c.Read(b)
			if isTimeout(err) {
				break
			}
			if err != nil {
				return nil, answerError(ctx, err)
			}
			if done, err := readPCP(b[:n], answers); done {
				return b[:n:n], err
			}
		}
	}
}

// readPCP tells whether a packet ends the waiting, and how: it answers the
// request, or refuses it.
func readPCP(b []byte, answers func([]byte) bool) (done bool, err error) {
	switch {
	case len(b) >= 4 && b[0] == 0 && b[1]&pcpResponse != 0: // NAT-PMP's answer to what it does not know
		return true, pcpNoVersion
	case len(b) < pcpHeader || len(b) > maxPCP || b[0] != pcpVersion && pcpResult(b[3]) != pcpNoVersion || b[1]&pcpResponse == 0:
		return false, nil
	case b[3] == 0 && answers(b):
		return true, nil
	case b[3] == 0:
		return false, nil
	case len(b) >= pcpMap && b[1] == opMap|pcpResponse && !answers(b):
		return false, nil // another request's refusal
	}
	return true, pcpResult(b[3])
}

// errSilent reports a router that does not answer.
var errSilent = errors.New("no answer")

// answerError is why no answer came.
func answerError(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, syscall.ECONNREFUSED) {
		return errSilent
	}
	return err
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}
