package node

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"foldpost/app"
	"foldpost/discovery"
	"foldpost/p2p"
)

// A surrounding is what is known of the local networks.
type surrounding struct {
	discovery.Facts
	port   uint16 // ours
	online bool
	wanted bool // a device is missing, or there is none yet
	now    time.Time
}

// ownEcho is how long one's own multicast packets take to come back, where no
// firewall drops them.
const ownEcho = 5 * time.Second

// find says whether devices nearby can be found. Where nothing is missed
// it is not wrong if they can not.
func (s surrounding) find() []app.Finding {
	if !s.online {
		return nil // that is said already
	}
	f := s.ways()
	f.OK = f.OK || !s.wanted
	f.Detail = s.detail()
	list := []app.Finding{f}
	if s.Running && s.Visible == discovery.Nobody {
		list = append(list, app.Found(app.FoundHidden))
	}
	return list
}

// ways is how far this device can hear and be heard.
func (s surrounding) ways() app.Finding {
	port := strconv.Itoa(int(s.port))
	good := slices.ContainsFunc(s.Interfaces, func(i discovery.InterfaceFacts) bool { return i.Problem == "" })
	switch {
	case !s.Running && len(s.Problems) == 0:
		return app.Found(app.FoundNearbySoon)
	case len(s.Interfaces) == 0:
		return app.Found(app.FoundNoMulticast)
	case !good || !s.Running:
		return app.Found(app.FoundNearbyBroken)
	case s.Taken:
		return app.Found(app.FoundPortTaken)
	case s.Heard.IsZero() && s.deaf():
		return app.Found(app.FoundFirewall, "Port", port)
	case s.Devices > 0:
		return app.Found(app.FoundNearby, "N", strconv.Itoa(s.Devices))
	case !s.Heard.IsZero():
		return app.Found(app.FoundOthersNear)
	}
	return app.Found(app.FoundNobodyNear)
}

// deaf tells whether not even our own packets come back to us.
func (s surrounding) deaf() bool {
	sent := false
	for _, i := range s.Interfaces {
		if !i.Own.IsZero() {
			return false
		}
		sent = sent || !i.First.IsZero() && s.now.Sub(i.First) >= ownEcho
	}
	return sent
}

// detail is what each interface hears.
func (s surrounding) detail() string {
	var b strings.Builder
	ago := func(t time.Time) string {
		if t.IsZero() {
			return "never"
		}
		return s.now.Sub(t).Round(time.Second).String() + " ago"
	}
	for _, i := range s.Interfaces {
		b.WriteString(i.Name + ": sent " + ago(i.Sent) + ", own came back " + ago(i.Own) + ", others heard " + ago(i.Heard))
		if i.Problem != "" {
			b.WriteString("; " + i.Problem)
		}
		b.WriteString("\n")
	}
	for _, p := range s.Problems {
		b.WriteString(p + "\n")
	}
	return b.String()
}

// findNearbyDevices says whether devices nearby can be found, where that is
// looked for.
func (n *Node) findNearbyDevices(wanted bool, now time.Time) []app.Finding {
	if n.lan == nil {
		return nil
	}
	return surrounding{Facts: n.lan.Facts(), port: n.port, online: n.online(), wanted: wanted, now: now}.find()
}

// heardNearby tells whether a device announces itself in a local network, by a
// packet that came after it was lost, and was called since without success.
func (n *Node) heardNearby(id p2p.PeerID, now time.Time) bool {
	if n.lan == nil {
		return false
	}
	n.mu.Lock()
	lost := n.lost[id].at
	n.mu.Unlock()
	return slices.ContainsFunc(n.lan.Facts().Recognized, func(r discovery.Recognized) bool {
		return r.Peer == id && r.Seen.After(lost) && now.Sub(r.Since) >= callTime
	})
}

// callTime is ample for a call within one network.
const callTime = 8 * time.Second
