package node

import (
	"cmp"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
	"time"

	"foldpost/app"
	"foldpost/p2p"
)

// silence is what is known about a device that is not connected.
type silence struct {
	name   string
	port   uint16 // ours
	online bool   // this computer is on some network
	tried  []p2p.Tried
	closed bool // a computer in our own network is at its address and takes no calls
	near   bool // it is heard in a local network
	away   bool // all addresses that are known belong to another private network

	here, there p2p.Mapping // what the routers on either side do; there: as its last letter or HELLO said
	carrier     bool        // this computer is in a carrier's own network

	lastSeen time.Time // connected; zero: never
	wrote    time.Time // its last letter
	asked    time.Time // by mail, without an answer since
	bounced  time.Time // when that mail came back
	mail     mailState
	now      time.Time
}

// mailState is how this device's mailbox does.
type mailState int

const (
	noMail mailState = iota
	mailOK
	mailBroken
)

// Times of judging a silence.
const (
	sayAfter   = 20 * time.Second // of looking for a device before anything is said
	meetTime   = 12 * time.Second // after a letter came: it may lead to a link
	onAfter    = 15 * time.Minute // who wrote a letter is likely still on for so long
	answerSoon = 30 * time.Second // an answer to a check says that packets come through
	mailTakes  = 5 * time.Minute  // to and fro, with most providers
)

// on tells whether the device is likely on: it wrote after it was connected
// last, and not long ago.
func (s silence) on() bool { return s.wrote.After(s.lastSeen) && s.now.Sub(s.wrote) < onAfter }

func (s silence) answers() bool {
	return slices.ContainsFunc(s.tried, func(t p2p.Tried) bool { return !t.Answered.IsZero() && s.now.Sub(t.Answered) < answerSoon })
}

// whyNot says why a device is not connected, the surest reason first. Pressing
// are those that do not go away when the other computer is switched on.
func whyNot(s silence) (f app.Finding, pressing bool) {
	values := []string{"Name", s.name, "Port", strconv.Itoa(int(s.port))}
	found := func(r app.Reason, more ...string) app.Finding { return app.Found(r, append(values, more...)...) }
	switch {
	case !s.online:
		return found(app.FoundCutOff), false // the network's own finding says it
	case len(s.tried) == 0 && s.mail == mailBroken:
		return found(app.FoundUnasked), true
	case len(s.tried) == 0:
		return found(app.FoundNowhere), s.lastSeen.IsZero()
	case s.answers():
		return found(app.FoundHalfway), true
	case s.closed:
		return found(app.FoundNotRunning), s.lastSeen.IsZero()
	case s.near:
		return found(app.FoundIsolated), true
	case s.here == p2p.MappingBlocked:
		return found(app.FoundBlockedHere), true
	}
	if never := s.lastSeen.IsZero(); never || s.on() {
		if r, ok := s.routers(); ok {
			return found(r), true
		}
	}
	switch {
	case s.away:
		return found(app.FoundElsewhere), s.on() || s.lastSeen.IsZero()
	case s.on() && s.carrier:
		return found(app.FoundCarrierHere, "When", moment(s.wrote)), true
	case s.on():
		return found(app.FoundNoWay, "When", moment(s.wrote)), true
	case s.mail == mailBroken:
		return found(app.FoundUnasked), s.lastSeen.IsZero()
	case !s.bounced.IsZero():
		return found(app.FoundUndelivered), true
	case !s.asked.IsZero() && s.now.Sub(s.asked) >= mailTakes:
		return found(app.FoundSilent, "When", moment(s.asked)), s.lastSeen.IsZero()
	case s.lastSeen.IsZero():
		return found(app.FoundNever), true
	}
	return found(app.FoundAway, "When", moment(s.lastSeen)), false
}

// routers says which of two networks' routers let no call through, as far as
// what they do with addresses tells.
func (s silence) routers() (app.Reason, bool) {
	here, there := s.here == p2p.MappingDependent, s.there == p2p.MappingDependent
	switch {
	case s.there == p2p.MappingBlocked:
		return app.FoundBlockedThere, true
	case here && there:
		return app.FoundBothChange, true
	case here && s.there == p2p.MappingIndependent, here && s.on() && s.there != p2p.MappingNone:
		return app.FoundChangesHere, true
	case there && s.here != p2p.MappingNone:
		return app.FoundChangesThere, true
	}
	return "", false
}

// refused tells whether a computer in one of our networks said that nobody
// takes calls at the address of a device.
func (n *Node) refused(tried []p2p.Tried) bool {
	return slices.ContainsFunc(tried, func(t p2p.Tried) bool {
		return errors.Is(t.FailedTCP, syscall.ECONNREFUSED) && !t.Addr.Addr().IsLoopback() && n.onOwnNetwork(t.Addr.Addr())
	})
}

// elsewhere tells whether all addresses are private ones of networks that this
// computer is not in.
func (n *Node) elsewhere(tried []p2p.Tried) bool {
	return !slices.ContainsFunc(tried, func(t p2p.Tried) bool {
		a := t.Addr.Addr()
		return !a.IsPrivate() || n.onOwnNetwork(a)
	})
}

// online tells whether this computer has an address that others might reach.
func (n *Node) online() bool {
	return slices.ContainsFunc(n.addrs(), func(a netip.AddrPort) bool { return !a.Addr().IsLoopback() })
}

// ownMapping is what the routers here do: what was known of them last, as long
// as this computer is where it was.
func (n *Node) ownMapping() p2p.Mapping {
	m := n.endpoint.Mapping()
	n.mu.Lock()
	defer n.mu.Unlock()
	switch m {
	case p2p.MappingUnknown:
	case p2p.MappingBlocked: // as long as it is so
		return m
	default:
		n.routers = routers{m, n.awake}
		return m
	}
	if n.routers.awake == n.awake {
		return n.routers.mapping
	}
	return m
}

// routers is what the ones here were known to do.
type routers struct {
	mapping p2p.Mapping
	awake   time.Time // when this device began, woke or changed its addresses last, by then
}

// silenceOf gathers what is known of a device that is not connected.
func (n *Node) silenceOf(s *kept, id p2p.PeerID, there p2p.Mapping, k seeking, now time.Time) silence {
	tried := n.endpoint.Tried(id)
	f := silence{
		port: n.port, online: n.online(), tried: tried, away: n.elsewhere(tried), near: n.heardNearby(id, now), closed: n.refused(tried),
		here: n.ownMapping(), there: there, carrier: n.behindCarrier(),
		wrote: k.Heard, now: now,
	}
	if k.Asks > 0 {
		f.asked, f.bounced = k.Asked, k.Bounced
	}
	if s.Mailbox != nil {
		f.mail = mailOK
		n.mu.Lock()
		if n.mailboxTrouble(s.Mailbox).problem != "" {
			f.mail = mailBroken
		}
		n.mu.Unlock()
	}
	return f
}

// absentFor is how long a device has been looked for: since it was lost or
// paired, or this computer began, woke or moved.
func (n *Node) absentFor(id p2p.PeerID, paired, now time.Time) time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	since := n.awake
	if since.IsZero() {
		return 0 // it does not run yet
	}
	for _, t := range []time.Time{n.lost[id].at, paired} {
		if t.After(since) {
			since = t
		}
	}
	return now.Sub(since)
}

// whyAway says why a paired device is not connected.
func (n *Node) whyAway(s *kept, p *keptPeer, now time.Time) (f app.Finding, pressing bool) {
	known := n.silenceOf(s, p2p.PeerID(p.Peer), p.Network, p.Seek, now)
	known.name, known.lastSeen = n.deviceName(s, deviceID(p.Peer)), p.LastSeen
	f, pressing = whyNot(known)
	f.Device = deviceID(p.Peer)
	return f, pressing
}

// sayWhy notes why a device is not connected, once it was looked for long
// enough to tell.
func (n *Node) sayWhy(s *kept, p *keptPeer, d *app.Device, now time.Time) {
	if n.absentFor(p2p.PeerID(p.Peer), p.Created, now) < sayAfter || now.Sub(p.Seek.Came) < meetTime {
		return
	}
	f, pressing := n.whyAway(s, p, now)
	if d.Why = &f; pressing {
		d.Problem = f.Text
	}
}

// whyReserved says why the two sides of an invitation have not met though both
// people have done their part.
func (n *Node) whyReserved(s *kept, inv *invitation, now time.Time) (app.Finding, bool) {
	id := p2p.PeerID(inv.Peer)
	taken := inv.Taken
	if inv.Arrived.After(taken) {
		taken = inv.Arrived
	}
	if inv.State != invOpen || inv.Peer == (key{}) || n.absentFor(id, taken, now) < sayAfter {
		return app.Finding{}, false
	}
	known := n.silenceOf(s, id, inv.Network, inv.Seek, now)
	known.name = shownName(cmp.Or(inv.Name, inv.With))
	wrote := inv.Arrived
	if inv.Direction == app.Received {
		wrote = inv.Created
	}
	if wrote.After(known.wrote) {
		known.wrote = wrote
	}
	f, _ := whyNot(known)
	return f, true
}
