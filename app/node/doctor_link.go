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
	name := n.deviceName(s, d.ID)
	var f app.Finding
	tried := n.endpoint.Tried(id)
	switch {
	case d.Connected && d.Link == "relay":
		f = app.Found(app.FoundLinkedRelay, "Name", name, "RTT", fmt.Sprintf("%.1f", d.RTTms))
	case d.Connected:
		r := app.FoundLinkedFar
		if d.Local {
			r = app.FoundLinkedNear
		}
		f = app.Found(r, "Name", name, "Kind", strings.ToUpper(d.Link), "RTT", fmt.Sprintf("%.1f", d.RTTms))
		tried = nil
	case len(tried) == 0:
		f = app.Found(app.FoundNowhere, "Name", name)
	case d.LastSeen.IsZero():
		f = app.Found(app.FoundNever, "Name", name)
	default:
		f = app.Found(app.FoundAway, "Name", name, "When", moment(d.LastSeen))
	}
	f.Device = d.ID
	if a, err := netip.ParseAddrPort(d.Address); err == nil && d.Connected {
		f.Detail = fmt.Sprintf("at %s, port %d\n", app.ShortAddr(a.Addr()), a.Port())
	}
	f.Detail += triedText(tried, now)
	if p := s.peer(id); p != nil && !d.Connected {
		f.Detail += lettersText(p.Seek)
	}
	return f
}

var kindNames = map[p2p.Kind]string{p2p.Host: "host", p2p.Mapped: "mapped", p2p.Reflexive: "reflexive", p2p.Relayed: "relayed"}

// triedText lists what was tried to reach a device.
func triedText(tried []p2p.Tried, now time.Time) string {
	var b strings.Builder
	for _, t := range tried {
		fmt.Fprintf(&b, "tried %s, port %d (%s, from %s): %d calls, %d checks", app.ShortAddr(t.Addr.Addr()), t.Addr.Port(), kindNames[t.Kind], t.Source, t.Dials, t.Checks)
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
