package discovery

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"foldpost/p2p"
)

// A Visibility says to whom this device shows itself in local networks.
type Visibility uint8

// The visibilities. Paired devices recognize this one with all but Nobody.
const (
	Nobody   Visibility = iota // listens, and sends nothing
	Devices                    // paired devices recognize it, others see a random name
	Everyone                   // the device's name is shown
)

// LANConfig is what a LAN is made of. Its functions are called under no lock,
// and must return soon.
type LANConfig struct {
	Self    p2p.PeerID
	Peers   func() []Peer
	Visible func() Visibility
	// Changed is called when Neighbours or Facts changed; nil: nobody is told.
	Changed func()
	Log     *slog.Logger

	// Seams for a simulated world; nil: this computer's.
	Network Network
	Watch   func(ctx context.Context, changed func()) // calls changed with each change of the network
}

// A LAN is a [Source] that finds devices in the networks that this computer is
// in, by multicast DNS. It knows what PROTOCOL.md says and no more; who a
// device is, links prove.
type LAN struct {
	config LANConfig
	kicked chan struct{}

	mu         sync.Mutex
	published  p2p.Announcement
	woken      bool
	neighbours []Neighbour
	facts      Facts
}

// NewLAN makes a LAN that does nothing before Run.
func NewLAN(c LANConfig) *LAN {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Changed == nil {
		c.Changed = func() {}
	}
	if c.Network == nil {
		c.Network = systemNetwork{}
	}
	if c.Watch == nil {
		c.Watch = WatchNetwork
	}
	return &LAN{config: c, kicked: make(chan struct{}, 1)}
}

// LANSource is the source of a LAN's candidates.
const LANSource = "lan"

// Name implements [Source].
func (*LAN) Name() string { return LANSource }

// Publish implements [Source]. Of an announcement, a LAN tells the port and,
// in each network, the host addresses that are in it. Peers and Visible are
// asked again.
func (l *LAN) Publish(a p2p.Announcement) {
	l.mu.Lock()
	l.published = a
	l.mu.Unlock()
	l.kick()
}

// Wake announces and asks anew: the user waits, or the computer slept.
func (l *LAN) Wake() {
	l.mu.Lock()
	l.woken = true
	l.mu.Unlock()
	l.kick()
}

func (l *LAN) kick() {
	select {
	case l.kicked <- struct{}{}:
	default:
	}
}

// Neighbours returns the devices that show their name, by name and instance.
// Paired ones that were recognized are not among them.
func (l *LAN) Neighbours() []Neighbour {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := slices.Clone(l.neighbours)
	for i := range list {
		list[i].Addrs = slices.Clone(list[i].Addrs)
	}
	return list
}

// Run implements [Source].
func (l *LAN) Run(ctx context.Context, found func(p2p.Candidate, p2p.Metadata)) error {
	r := &lanRun{
		lan: l, found: found, now: time.Now, names: newNames(time.Now()),
		heard: newMemory(), packets: make(chan arrival, 64), changes: make(chan struct{}, 1),
		dead: make(chan Socket), joined: map[joinKey]Interface{}, replies: newLimits(repliesASecond, 2*repliesASecond),
	}
	inner, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		l.config.Watch(inner, func() {
			select {
			case r.changes <- struct{}{}:
			default:
			}
		})
	})
	r.readers = func(s Socket) { wg.Go(func() { r.read(inner, s) }) }
	r.loop(ctx)
	r.close()
	l.show(nil, Facts{})
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("look for devices nearby: %w", err)
	}
	return nil
}

// ownPort returns the port that was published, and the addresses with it.
func (l *LAN) own() (uint16, []netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var port uint16
	var addrs []netip.Addr
	for _, c := range l.published.Candidates {
		if c.Kind != p2p.Host || port != 0 && c.Addr.Port() != port {
			continue
		}
		port = c.Addr.Port()
		addrs = append(addrs, c.Addr.Addr().Unmap())
	}
	return port, addrs
}

func (l *LAN) name() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.published.Metadata.Name
}

// show hands neighbours and facts to who asks for them.
func (l *LAN) show(n []Neighbour, f Facts) {
	l.mu.Lock()
	changed := !slices.EqualFunc(n, l.neighbours, Neighbour.same) || !f.same(l.facts)
	l.neighbours, l.facts = n, f
	l.mu.Unlock()
	if changed {
		l.config.Changed()
	}
}

// same tells whether nothing but the time of being seen differs.
func (n Neighbour) same(o Neighbour) bool {
	return n.Instance == o.Instance && n.Name == o.Name && slices.Equal(n.Addrs, o.Addrs)
}
