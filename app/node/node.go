// Package node is the machinery behind [app.Service]: it joins identity,
// links, letters and folders into one running program. It is the only package
// that knows all the others; what people see of it is in package app, what it
// keeps is in keep.go.
package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"foldpost/app"
	"foldpost/app/folder"
	"foldpost/discovery"
	"foldpost/mail"
	"foldpost/p2p"
)

// A Config says where a node lives and what it is connected to. Home is
// required; the other zero values are those of a real device.
type Config struct {
	Home    string           // directory of its state, made with mode 0700
	Listen  []netip.AddrPort // at most one per address family; none: all addresses, the kept port
	Version string
	Log     *slog.Logger
	Ready   func() // called once, when the node can be reached

	// Keyring keeps the mailbox's password; nil, or one that does not open: the
	// password is in the home, in a file that only its user can read.
	Keyring Keyring
	// Autostart changes what the system starts at login; nil: nothing can.
	Autostart  Autostart
	MailFinder mail.Finder // finds mail servers

	// Forget is called by Reset: it takes back what the program told the system
	// of itself.
	Forget func() error

	// Seams for a simulated world.
	TURNSocket func() (net.PacketConn, error)                                    // to reach a server that relays
	Conns      []net.PacketConn                                                  // instead of Listen
	Addresses  func() []netip.AddrPort                                           // own host addresses
	Neighbours func() []discovery.Neighbour                                      // devices nearby that show themselves, instead of those that the LAN finds
	LAN        discovery.Network                                                 // for multicast; with Conns and without it there is none
	OpenTree   func(dir string) (folder.Tree, error)                             // the disk
	MailDial   func(ctx context.Context, network, addr string) (net.Conn, error) // mail servers
}

// A Node is one device of one user. It implements [app.Service].
type Node struct {
	cfg       Config
	log       *slog.Logger
	lock      *flock.Flock
	keep      *keeper
	identity  *p2p.Identity
	endpoint  *p2p.Endpoint
	replay    *mail.ReplayTable
	mails     *mailLog
	contacts  *contacts
	relays    *relays
	turn      turning
	sockets   []net.PacketConn // ours to close
	listeners []net.Listener
	port      uint16
	addrs     func() []netip.AddrPort
	up, down  *limit // of files' contents

	lan        *discovery.LAN // nil: no local network to look in
	nearby     nearby
	interfaces interfaces
	reach      reaching
	mapping    mapping
	progress   progress

	ended  chan struct{}   // closed when Run is about to end
	kicked chan struct{}   // something changed: look at everything again
	ctx    context.Context // of Run, for tasks that hooks start
	tasks  sync.WaitGroup  // everything that Run waits for

	publishing sync.Mutex // a state is built and shown by one at a time: the last is the newest
	membering  sync.Mutex // members are looked up and told by one at a time, for the same reason

	mu       sync.Mutex
	peers    map[p2p.PeerID]*peer // connected
	lost     map[p2p.PeerID]loss
	routers  routers                    // here, as far as known
	awake    time.Time                  // when this device began, woke or changed its addresses last
	looked   time.Time                  // when the loop looked last, by the wall clock
	own      []string                   // addresses of this device, when it looked
	folders  map[key]*running           // started
	named    map[key]bool               // folders whose directory a person has just named
	begun    chan struct{}              // closed, and replaced, when one is started or has ended
	reset    bool                       // Run forgets the home when it ends
	stop     context.CancelFunc         // of ctx
	asked    map[app.QuestionID]*asked  // questions that wait in a call
	pairing  map[p2p.Token]*pairingTask // who looks for the other side
	inbox    []arrived                  // invitations that came by mail, unopened
	account  *account                   // the mailbox that runs
	unlocked *unlocked                  // its password, if the keyring has it
	state    app.State
	watchers map[chan struct{}]struct{}
}

// A peer is a connected device.
type peer struct {
	id     p2p.PeerID
	ctx    context.Context // until it is disconnected
	cancel context.CancelFunc
	shares chan struct{}              // tell it what is shared, if that changed
	heard  *sharesFrame               // what it told us
	feeds  map[key]context.CancelFunc // folders that are connected with it
}

// New opens a home and makes a node that does nothing before Run. It fails
// with [ErrRunning] where another process uses the home.
func New(c Config) (*Node, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.OpenTree == nil {
		c.OpenTree = folder.OpenTree
	}
	n := &Node{
		cfg: c, log: c.Log, ended: make(chan struct{}), kicked: make(chan struct{}, 1),
		peers: map[p2p.PeerID]*peer{}, lost: map[p2p.PeerID]loss{}, folders: map[key]*running{}, named: map[key]bool{}, begun: make(chan struct{}), asked: map[app.QuestionID]*asked{},
		pairing: map[p2p.Token]*pairingTask{}, watchers: map[chan struct{}]struct{}{}, contacts: newContacts(), relays: newRelays(), progress: newProgress(), up: newLimit(), down: newLimit(),
	}
	if err := n.openHome(); err != nil {
		return nil, err
	}
	n.limitTransfers()
	if err := n.listen(); err != nil {
		return nil, errors.Join(err, n.lock.Unlock())
	}
	n.state = n.buildState()
	return n, nil
}

// ErrRunning reports a home that another process uses.
var ErrRunning = errors.New("another foldpost runs for this home: use it, or stop it first")

func (n *Node) openHome() error {
	home := n.cfg.Home
	if err := os.MkdirAll(home, 0o700); err != nil {
		return fmt.Errorf("make home: %w", err)
	}
	if err := checkHome(home); err != nil {
		return err // before anything is changed in it
	}
	if err := os.Chmod(home, 0o700); err != nil {
		return fmt.Errorf("make home: %w", err)
	}
	n.lock = flock.New(filepath.Join(home, "lock"))
	if ok, err := n.lock.TryLock(); err != nil {
		return fmt.Errorf("lock home %s: %w", home, err)
	} else if !ok {
		return ErrRunning
	}
	sweepHome(home)
	var err error
	if n.identity, err = openIdentity(filepath.Join(home, "identity")); err != nil {
		return errors.Join(err, n.lock.Unlock())
	}
	if n.replay, err = mail.OpenReplayTable(filepath.Join(home, "letters"), writeFile); err != nil {
		return errors.Join(err, n.lock.Unlock())
	}
	if n.mails, err = openMailLog(filepath.Join(home, "mails.json")); err != nil {
		return errors.Join(err, n.lock.Unlock())
	}
	n.keep, err = openKeeper(filepath.Join(home, "state.json"), func() kept {
		n.nearby.first = time.Now()
		return firstState()
	})
	if err != nil {
		return errors.Join(err, n.lock.Unlock())
	}
	return nil
}

// openIdentity reads the device's keys, or makes them at the first start.
func openIdentity(path string) (*p2p.Identity, error) {
	b, err := os.ReadFile(path)
	if err == nil {
		id, err := p2p.UnmarshalIdentity(b)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w; restore it from a backup, or move it away to begin as a new device", path, err)
		}
		return id, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read identity: %w", err)
	}
	id := p2p.NewIdentity()
	if b, err = id.MarshalBinary(); err != nil {
		return nil, err
	}
	return id, writeFile(path, b)
}

func firstState() kept {
	name, err := os.Hostname()
	if err != nil || name == "" {
		name = "this computer"
	}
	// One port for ever, above what systems hand out for a short time
	// elsewhere, so that a router's rule for it stays right.
	return kept{Version: keptVersion, Name: name, Port: uint16(20000 + rand.IntN(12000)), TrashDays: 30}
}

// Run works until ctx is done, which is no error, and returns when everything
// has ended. It can run once.
func (n *Node) Run(ctx context.Context) error {
	defer n.lock.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	n.mu.Lock()
	n.ctx, n.stop = ctx, cancel
	n.mu.Unlock()
	var network error
	n.tasks.Go(func() {
		defer cancel()
		if err := n.endpoint.Run(ctx); ctx.Err() == nil {
			network = err
		}
	})
	n.matchAddresses()
	n.watchNetwork(ctx)
	n.findNearby(ctx)
	n.addKnownAddresses()
	n.settle()
	if n.cfg.Ready != nil {
		n.cfg.Ready()
	}
	n.loop(ctx)
	close(n.ended)
	n.tasks.Wait()
	n.closeWatchers()
	err := errors.Join(network, n.closeSockets())
	n.mu.Lock()
	reset := n.reset
	n.mu.Unlock()
	if reset {
		err = errors.Join(err, n.forgetHome())
	}
	return err
}

// Pace of the loop: how often it looks without being told to, and the least
// time between two looks, so that a busy folder does not fill it.
const (
	lookAgain = 2 * time.Second
	breathe   = 20 * time.Millisecond
)

// loop makes what runs match what is kept, and shows the result, whenever
// something changed. All starting and ending of tasks happens here.
func (n *Node) loop(ctx context.Context) {
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		n.matchAddresses()
		n.matchLAN()
		n.matchMapping(ctx)
		n.matchSTUN(ctx)
		n.matchTURN(ctx)
		n.matchNearby()
		n.matchInvitations(ctx)
		n.matchContacts(ctx)
		n.matchRelays()
		n.matchMailbox(ctx)
		n.matchFolders(ctx)
		n.matchFeeds()
		n.publish()
		n.tellProgress(time.Now())
		select {
		case <-ctx.Done():
			return
		case <-n.kicked:
		case <-tick.C:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(breathe):
		}
	}
}

// kick makes the loop look again.
func (n *Node) kick() {
	select {
	case n.kicked <- struct{}{}:
	default:
	}
}

// update changes the kept state for a call: when it returns, the change is on
// disk and the State shows it.
func (n *Node) update(f func(*kept) error) error {
	err := n.keep.update(f)
	if err == nil {
		n.publish()
	}
	n.kick()
	return err
}

// change updates the kept state where nobody waits for the result.
func (n *Node) change(what string, f func(*kept)) {
	if err := n.keep.update(func(s *kept) error { f(s); return nil }); err != nil {
		n.log.Error(what, "err", err)
	}
	n.kick()
}

// keepTrying runs a task again and again until ctx is done, with a growing
// pause after failures.
func (n *Node) keepTrying(ctx context.Context, what string, task func() error) {
	wait := 100 * time.Millisecond
	for ctx.Err() == nil {
		began := time.Now()
		if err := task(); err != nil && ctx.Err() == nil {
			n.log.Debug(what, "err", err)
		}
		if time.Since(began) > time.Minute {
			wait = 100 * time.Millisecond
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait + rand.N(wait/4)):
			wait = min(2*wait, 30*time.Second)
		}
	}
}

// publish shows the state if it changed.
func (n *Node) publish() {
	n.publishing.Lock()
	defer n.publishing.Unlock()
	s := n.buildState()
	n.mu.Lock()
	defer n.mu.Unlock()
	if reflect.DeepEqual(s, n.state) {
		return
	}
	n.state = s
	for _, p := range n.peers {
		poke(p.shares)
	}
	for w := range n.watchers {
		poke(w)
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (n *Node) closeWatchers() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for w := range n.watchers {
		close(w)
		delete(n.watchers, w)
	}
}
