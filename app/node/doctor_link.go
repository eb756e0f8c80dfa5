package node

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"foldpost/app"
	"foldpost/p2p"
)

// findDevice says how a device is connected, or why it is not.
func (n *Node) findDevice(s *kept, d app.Device, now time.Time) app.Finding {
	id := peerIDOf(d.ID)
	if !d.Connected {
		p := s.peer(id)
		if p == nil {
			p = &keptPeer{Peer: key(id)} // it was removed just now
		}
		f, _ := n.whyAway(s, p, now)
		f.Detail = seenText(p) + triedText(n.endpoint.Tried(id), now) + lettersText(p.Seek)
		return f
	}
	var f app.Finding
	name, rtt := n.deviceName(s, d.ID), fmt.Sprintf("%.1f", d.RTTms)
	switch {
	case d.Link == "relay":
		f = app.Found(app.FoundLinkedRelay, "Name", name, "Through", n.relayName(s, d.Through), "RTT", rtt)
		if p := s.peer(id); p != nil {
			known := n.silenceOf(s, id, p.Network, p.Seek, now)
			known.name = name
			f.Detail = noDirectWay(known) + triedText(known.tried, now)
		}
	case d.Local:
		f = app.Found(app.FoundLinkedNear, "Name", name, "Kind", strings.ToUpper(d.Link), "RTT", rtt)
	default:
		f = app.Found(app.FoundLinkedFar, "Name", name, "Kind", strings.ToUpper(d.Link), "RTT", rtt)
	}
	f.Device = d.ID
	if a, err := netip.ParseAddrPort(d.Address); err == nil {
		f.Detail += fmt.Sprintf("at %s, port %d\n", app.ShortAddr(a.Addr()), a.Port())
	}
	return f
}

// noDirectWay is what is known of why a link needs a third device.
func noDirectWay(s silence) string {
	r, ok := s.routers()
	if !ok && s.here == p2p.MappingBlocked {
		r, ok = app.FoundBlockedHere, true
	}
	if !ok {
		return ""
	}
	return "no direct way: " + string(r) + "\n"
}

var kindNames = map[p2p.Kind]string{p2p.Host: "host", p2p.Mapped: "mapped", p2p.Reflexive: "reflexive", p2p.Relayed: "relayed"}

// triedText lists what was tried to reach a device.
func triedText(tried []p2p.Tried, now time.Time) string {
	var b strings.Builder
	for _, t := range tried {
		fmt.Fprintf(&b, "tried %s, port %d (%s, from %s): %d calls by QUIC%s, %d by TCP%s, %d checks", app.ShortAddr(t.Addr.Addr()), t.Addr.Port(),
			kindNames[t.Kind], t.Source, t.Dials, failedText(t.Failed), t.DialsTCP, failedText(t.FailedTCP), t.Checks)
		if !t.Answered.IsZero() {
			fmt.Fprintf(&b, ", a check was answered %s ago", now.Sub(t.Answered).Round(time.Second))
		}
		if t.Linked {
			b.WriteString(", it was there before")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// seenText says since when a device is not connected.
func seenText(p *keptPeer) string {
	if p.LastSeen.IsZero() {
		return "never connected\n"
	}
	return "last connected: " + moment(p.LastSeen) + "\n"
}

// failedText is why the last call came to nothing.
func failedText(err error) string {
	if err == nil {
		return ""
	}
	return " (" + shownName(err.Error()) + ")"
}

// lettersText says what mail was exchanged about where a device is.
func lettersText(k seeking) string {
	var b strings.Builder
	for _, l := range []struct {
		what string
		at   time.Time
	}{{"asked by mail", k.Asked}, {"told by mail", k.Told}, {"its last letter", k.Heard}} {
		if !l.at.IsZero() {
			fmt.Fprintf(&b, "%s: %s\n", l.what, moment(l.at))
		}
	}
	return b.String()
}

// onOwnNetwork tells whether an address is on one of this computer's networks.
func (n *Node) onOwnNetwork(a netip.Addr) bool {
	if a.IsLoopback() || a.IsLinkLocalUnicast() {
		return true
	}
	own := n.addrs()
	nets := networks(n.interfaces.ask(time.Now()), own)
	if len(nets) == 0 { // a size that most have
		for _, o := range own {
			bits := 64
			if o.Addr().Is4() {
				bits = 24
			}
			nets = append(nets, netip.PrefixFrom(o.Addr(), bits).Masked())
		}
	}
	return slices.ContainsFunc(nets, func(p netip.Prefix) bool { return p.Contains(a) })
}
