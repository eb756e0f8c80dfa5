package node

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"foldpost/app"
	"foldpost/p2p"
)

// The STUN servers that the user named: none, unless he does.
const (
	maxSTUN     = 8
	portOfSTUN  = 3478 // RFC 8489 §14.1
	resolveSTUN = 10 * time.Minute
	lookupTime  = 10 * time.Second
)

// reaching is what the loop knows of the named STUN servers; it belongs to the
// loop.
type reaching struct {
	text string    // as they are set
	next time.Time // when their names are looked up again
}

// parseSTUN reads a list of STUN servers.
func parseSTUN(text string) ([]string, error) {
	list, err := parseServers(text, maxSTUN)
	if err != nil {
		return nil, fmt.Errorf("%w: it looks like stun.example.org or stun.example.org:3478", err)
	}
	return list, nil
}

// parseServers reads a list of servers: HOST or HOST:PORT, by spaces or commas.
func parseServers(text string, most int) ([]string, error) {
	list := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
	if len(list) > most {
		return nil, fmt.Errorf("%d servers, %d at most", len(list), most)
	}
	for i, s := range list {
		host, port, err := net.SplitHostPort(s)
		if err != nil {
			host, port = strings.Trim(s, "[]"), strconv.Itoa(portOfSTUN)
		}
		p, err := strconv.ParseUint(port, 10, 16)
		_, literal := netip.ParseAddr(host)
		if err != nil || p == 0 || host == "" || strings.ContainsAny(host, "/@[] ") || strings.Contains(host, ":") && literal != nil {
			return nil, fmt.Errorf("%q is no server", s)
		}
		list[i] = net.JoinHostPort(host, port)
	}
	return list, nil
}

func setSTUN(s *kept, text string) error {
	list, err := parseSTUN(text)
	if err != nil {
		return app.Errorf(app.CodeUsage, "%v", err)
	}
	s.STUN = strings.Join(list, " ")
	return nil
}

// matchSTUN has the endpoint ask the STUN servers that are set.
func (n *Node) matchSTUN(ctx context.Context) {
	text, now := n.keep.view().STUN, time.Now()
	if text == n.reach.text && (text == "" || now.Before(n.reach.next)) {
		return
	}
	n.reach = reaching{text: text, next: now.Add(resolveSTUN)}
	list, err := parseSTUN(text)
	if err != nil {
		n.log.Error("read STUN servers", "err", err)
	}
	if len(list) == 0 {
		n.endpoint.SetSTUN(nil)
		return
	}
	n.tasks.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, lookupTime)
		defer cancel()
		addrs := n.lookupSTUN(ctx, list)
		if len(addrs) > 0 && n.keep.view().STUN == text {
			n.endpoint.SetSTUN(addrs)
		}
	})
}

// lookupSTUN returns the first address of each family of each server.
func (n *Node) lookupSTUN(ctx context.Context, list []string) []netip.AddrPort {
	var addrs []netip.AddrPort
	for _, s := range list {
		host, port, err := net.SplitHostPort(s)
		if err != nil {
			continue
		}
		p, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			continue
		}
		found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		if err != nil {
			n.log.Debug("look up a STUN server", "err", err)
		}
		had := map[bool]bool{}
		for _, a := range found {
			if a = a.Unmap(); !had[a.Is4()] {
				had[a.Is4()] = true
				addrs = append(addrs, netip.AddrPortFrom(a, uint16(p)))
			}
		}
	}
	return addrs
}

// holdMapping is how long routers are kept from forgetting this device's port
// after a letter with its address left.
const holdMapping = 10 * time.Minute

// letterLeft tells that a letter with our addresses is under way.
func (n *Node) letterLeft() { n.endpoint.HoldMapping(time.Now().Add(holdMapping)) }

// maxReflexive is how many of the addresses in a letter may be reflexive.
const maxReflexive = 4

// reflexive returns where others see this device.
func (n *Node) reflexive() []netip.AddrPort {
	var list []netip.AddrPort
	for _, c := range n.endpoint.Reflexive() {
		list = append(list, c.Addr)
	}
	return list
}

// Kept addresses are texts, with a prefix for what is not an address of the
// device itself.
var candidatePrefix = map[p2p.Kind]string{p2p.Mapped: "mapped://", p2p.Reflexive: "check://", p2p.Relayed: "relay://"}

func candidateText(c p2p.Candidate) string { return candidatePrefix[c.Kind] + c.Addr.String() }

func candidateTexts(list []p2p.Candidate) []string {
	var texts []string
	for _, c := range list {
		texts = append(texts, candidateText(c))
	}
	return texts
}

// parseCandidate reads what candidateText wrote; false: nothing usable.
func parseCandidate(text string) (netip.AddrPort, p2p.Kind, bool) {
	kind := p2p.Host
	for k, prefix := range candidatePrefix {
		if rest, ok := strings.CutPrefix(text, prefix); ok {
			text, kind = rest, k
			break
		}
	}
	a, err := netip.ParseAddrPort(text)
	return a, kind, err == nil
}
