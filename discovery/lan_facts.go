package discovery

import (
	"net/netip"
	"slices"
	"time"

	"foldpost/p2p"
)

// Facts are what a LAN sees of the networks, for who wants to know why a
// device is found or not.
type Facts struct {
	Running  bool
	Visible  Visibility
	Speaking bool // it announces itself and asks: not with Nobody, nor where nobody could recognize it

	// Taken: another program has port 5353 for itself, so this device can ask
	// and can not be found.
	Taken    bool
	Problems []string // of sockets, as the system words them

	Interfaces []InterfaceFacts
	Heard      time.Time      // the last packet of another program, from anywhere
	HeardFrom  netip.AddrPort // its sender
	Devices    int            // that run this program, by their instances
	Recognized []Recognized
}

// InterfaceFacts are what is known of one interface that is up and can do
// multicast.
type InterfaceFacts struct {
	Name    string
	Addrs   []netip.Prefix
	Problem string    // of joining the group, as the system words it
	First   time.Time // the first packet of ours
	Sent    time.Time // the last one
	Own     time.Time // the last of our packets that came back: a firewall that drops port 5353 stops these
	Heard   time.Time // the last packet of another computer
}

// Recognized is a paired device that announces itself here.
type Recognized struct {
	Peer  p2p.PeerID
	Addrs []netip.AddrPort
	Since time.Time
	Seen  time.Time
}

// Facts returns what is so now.
func (l *LAN) Facts() Facts {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.facts
	f.Problems = slices.Clone(f.Problems)
	f.Interfaces = slices.Clone(f.Interfaces)
	f.Recognized = slices.Clone(f.Recognized)
	return f
}

// same tells whether nothing but times differs.
func (f Facts) same(o Facts) bool {
	return f.Running == o.Running && f.Visible == o.Visible && f.Speaking == o.Speaking && f.Taken == o.Taken &&
		f.Devices == o.Devices && f.Heard.IsZero() == o.Heard.IsZero() && slices.Equal(f.Problems, o.Problems) &&
		slices.EqualFunc(f.Interfaces, o.Interfaces, InterfaceFacts.same) &&
		slices.EqualFunc(f.Recognized, o.Recognized, Recognized.same)
}

func (i InterfaceFacts) same(o InterfaceFacts) bool {
	return i.Name == o.Name && i.Problem == o.Problem && slices.Equal(i.Addrs, o.Addrs) &&
		i.Own.IsZero() == o.Own.IsZero() && i.Heard.IsZero() == o.Heard.IsZero()
}

func (r Recognized) same(o Recognized) bool {
	return r.Peer == o.Peer && slices.Equal(r.Addrs, o.Addrs)
}
