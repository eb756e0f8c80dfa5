package p2p

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pairWorld is devices that pair over links in memory, in simulated time.
type pairWorld struct {
	t *testing.T

	mu      sync.Mutex
	devices map[PeerID]*pairDevice
	blocked map[[2]PeerID]bool         // from, to: no dial arrives
	onLink  func(from, to *memoryLink) // what a test does to each new link
	between func(to *memoryLink)       // takes every new link in place of the device dialled
}

func newPairWorld(t *testing.T) *pairWorld {
	return &pairWorld{t: t, devices: make(map[PeerID]*pairDevice), blocked: make(map[[2]PeerID]bool)}
}

// pairDevice is one device: what survives a crash, and its running program.
type pairDevice struct {
	world    *pairWorld
	name     string
	identity *Identity
	disk     *pairDisk
	ask      func(context.Context, PairingRequest) error // nil: yes
	near     nearPerson

	*pairing
	turns  *turns
	cancel context.CancelFunc
	wg     *sync.WaitGroup
	dead   chan struct{}
}

// add makes a device and starts it.
func (w *pairWorld) add(name string) *pairDevice {
	d := &pairDevice{world: w, name: name, identity: NewIdentity()}
	d.disk = &pairDisk{records: make(map[[32]byte]Record), invitations: make(map[Token]*pairInvitation)}
	w.mu.Lock()
	w.devices[d.identity.ID()] = d
	w.mu.Unlock()
	d.start()
	w.t.Cleanup(d.stop)
	return d
}

// start begins a program on the device's disk.
func (d *pairDevice) start() {
	ctx, cancel := context.WithCancel(context.Background())
	dead := make(chan struct{})
	ts := newTurns()
	p := makePairing(pairingConfig{
		Identity: d.identity, Manager: &pairProgram{device: d, dead: dead}, Turns: ts,
		Dial: func(ctx context.Context, id PeerID) (pairConn, error) { return d.world.dial(ctx, d, id, dead) },
		DialNearby: func(_ context.Context, addrs []netip.AddrPort) (pairConn, error) {
			return d.world.dialNearby(d, addrs, dead)
		},
		Met: func(PeerID, netip.AddrPort) {},
		Log: slog.New(slog.DiscardHandler),
	})
	wg := new(sync.WaitGroup)
	d.world.mu.Lock()
	d.pairing, d.turns, d.cancel, d.wg, d.dead = p, ts, cancel, wg, dead
	d.world.mu.Unlock()
	for _, r := range d.disk.unsettled() {
		p.settle(r, r.Created.Add(8*24*time.Hour))
	}
	ts.start()
	wg.Go(func() { p.run(ctx) })
}

// stop ends the program in order.
func (d *pairDevice) stop() {
	d.cancel()
	d.wg.Wait()
	d.turns.finish()
}

// die stops the program as a crash does: from now on it writes nothing and
// its links are lost.
func (d *pairDevice) die() {
	d.world.mu.Lock()
	defer d.world.mu.Unlock()
	select {
	case <-d.dead:
	default:
		close(d.dead)
	}
}

// restart ends the program, dead or not, and starts another one.
func (d *pairDevice) restart() {
	d.die()
	d.stop()
	d.start()
}

// block loses what one device dials to another, or no longer.
func (w *pairWorld) block(from, to *pairDevice, lost bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.blocked[[2]PeerID{from.identity.ID(), to.identity.ID()}] = lost
}

var errUnreachable = errors.New("unreachable")

func (w *pairWorld) dial(_ context.Context, from *pairDevice, id PeerID, fromDead chan struct{}) (pairConn, error) {
	return w.link(from, id, fromDead, (*pairing).serve)
}

// link makes a link between two devices that the one dialled serves.
func (w *pairWorld) link(from *pairDevice, id PeerID, fromDead chan struct{}, serve func(*pairing, context.Context, pairConn)) (pairConn, error) {
	w.mu.Lock()
	to := w.devices[id]
	blocked := w.blocked[[2]PeerID{from.identity.ID(), id}]
	if to == nil || blocked || gone(fromDead) || gone(to.dead) {
		w.mu.Unlock()
		return nil, errUnreachable
	}
	p, wg, toDead := to.pairing, to.wg, to.dead
	w.mu.Unlock()
	here, there := newMemoryLink(from.identity, to.identity)
	here.dead, there.dead = fromDead, toDead
	here.addr, there.addr = nearAddr(to), nearAddr(from)
	if w.onLink != nil {
		w.onLink(here, there)
	}
	for _, dead := range []chan struct{}{fromDead, toDead} {
		wg.Go(func() {
			select {
			case <-dead:
				here.cut()
			case <-here.done:
			}
		})
	}
	if w.between != nil {
		wg.Go(func() { w.between(there) })
		return here, nil
	}
	wg.Go(func() { serve(p, context.Background(), there) })
	return here, nil
}

func gone(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// pairInvitation is an invitation as its inviter keeps it.
type pairInvitation struct {
	keys      PairingKeys
	used      bool
	cancelled bool
	wrong     int
}

// pairDisk is what an application keeps, and the ways its writes fail.
type pairDisk struct {
	mu          sync.Mutex
	records     map[[32]byte]Record
	order       [][32]byte
	invitations map[Token]*pairInvitation
	writes      int
	onWrite     func(n int, r Record) (before, after error) // either fails the write number n; a crash is also after
	events      []string
}

func (k *pairDisk) unsettled() []Record {
	k.mu.Lock()
	defer k.mu.Unlock()
	var rs []Record
	for _, t := range k.order {
		if r, ok := k.records[t]; ok && r.State != Paired {
			rs = append(rs, r)
		}
	}
	return rs
}

// current returns the record that counts for a peer: the newest that is more
// than pending, else the newest.
func (k *pairDisk) current(id PeerID) (Record, bool) {
	var found Record
	for _, t := range k.order {
		if r, ok := k.records[t]; ok && r.Peer == id && (found.State == NotPaired || r.State != Pending || found.State == Pending) {
			found = r
		}
	}
	return found, found.State != NotPaired
}

// pairProgram is the Manager of one run of a device's program.
type pairProgram struct {
	device    *pairDevice
	dead      chan struct{}
	connected chan string // may be nil
}

var errCrashed = errors.New("the program has crashed")

func (m *pairProgram) disk(f func(*pairDisk)) {
	k := m.device.disk
	k.mu.Lock()
	defer k.mu.Unlock()
	if !gone(m.dead) {
		f(k)
	}
}

func (m *pairProgram) Metadata() Metadata {
	return Metadata{Name: m.device.name, Address: m.device.name + "@x.test", Features: []string{"a"}}
}

func (m *pairProgram) Record(id PeerID) (r Record, ok bool) {
	m.disk(func(k *pairDisk) { r, ok = k.current(id) })
	return r, ok
}

func (m *pairProgram) PairingKeys(t Token) (keys PairingKeys, err error) {
	err = errCrashed
	m.disk(func(k *pairDisk) {
		i := k.invitations[t]
		switch {
		case i == nil:
			err = errors.New("no such token")
		case i.cancelled:
			err = &PairingError{Code: PairingCancelled}
		case i.used || i.wrong >= 3:
			err = &PairingError{Code: PairingUsed}
		default:
			keys, err = i.keys, nil
		}
	})
	return keys, err
}

func (m *pairProgram) PairingWrong(t Token) {
	m.disk(func(k *pairDisk) { k.invitations[t].wrong++ })
}

func (m *pairProgram) PeerPairingRequest(ctx context.Context, r PairingRequest) error {
	if m.device.ask == nil {
		return nil
	}
	return m.device.ask(ctx, r)
}

func (m *pairProgram) PairingSave(_ context.Context, r Record) (err error) {
	err = errCrashed
	m.disk(func(k *pairDisk) {
		k.writes++
		var before, after error
		if k.onWrite != nil {
			before, after = k.onWrite(k.writes, r)
		}
		if err = before; err != nil {
			return
		}
		if r.State == Unconfirmed {
			if i := k.invitations[r.Token]; i != nil {
				if i.used {
					err = &PairingError{Code: PairingUsed}
					return
				}
				i.used = true
			}
		}
		if _, ok := k.records[r.T]; !ok {
			k.order = append(k.order, r.T)
		}
		k.records[r.T] = r
		if r.State == Paired {
			for _, t := range k.order[:slices.Index(k.order, r.T)] {
				if k.records[t].Peer == r.Peer {
					delete(k.records, t)
				}
			}
		}
		err = after
	})
	if errors.Is(err, errCrashed) {
		m.device.die()
	}
	return err
}

func (m *pairProgram) PairingStatus(id PeerID, t [32]byte) (r Record, ok bool) {
	m.disk(func(k *pairDisk) {
		r, ok = k.records[t]
		ok = ok && r.Peer == id
	})
	return r, ok
}

func (m *pairProgram) PeerPaired(r Record) {
	m.disk(func(k *pairDisk) { k.events = append(k.events, "paired") })
}

func (m *pairProgram) PeerPairedRollback(r Record) {
	m.disk(func(k *pairDisk) {
		k.events = append(k.events, "rollback")
		delete(k.records, r.T)
		if i := k.invitations[r.Token]; i != nil && r.Role == Inviter {
			i.used = false
		}
	})
}

func (m *pairProgram) PeerConnected(id PeerID) {
	if m.connected != nil {
		m.connected <- nameOf(id)
	}
}

func (*pairProgram) PeerDiscovered(PeerID, Metadata)                      {}
func (*pairProgram) PeerExpired(PeerID)                                   {}
func (*pairProgram) PeerDisconnected(PeerID, error)                       {}
func (*pairProgram) AcceptStream(context.Context, PeerID, string, Stream) {}

// invite makes an invitation of a device and returns it as its answerer has it
// after opening the letter or link.
func (d *pairDevice) invite(n byte, via Via) Invitation {
	inv := Invitation{
		Token: Token{n}, Peer: d.identity.ID(), Static: d.identity.Static(),
		PSK: LinkPSK(LinkSecret{n}, [16]byte{n}), Via: via, Expires: time.Now().Add(7 * 24 * time.Hour),
	}
	d.disk.mu.Lock()
	defer d.disk.mu.Unlock()
	d.disk.invitations[inv.Token] = &pairInvitation{keys: PairingKeys{PSK: inv.PSK, Via: via, Expires: inv.Expires}}
	return inv
}

// with returns what a device keeps of another.
func (d *pairDevice) with(other *pairDevice) Record {
	d.disk.mu.Lock()
	defer d.disk.mu.Unlock()
	r, _ := d.disk.current(other.identity.ID())
	return r
}

// agree checks that two devices have both saved the same pairing, and says
// whether they have.
func agree(t *testing.T, a, b *pairDevice) bool {
	t.Helper()
	x, y := a.with(b), b.with(a)
	if x.State == NotPaired && y.State == NotPaired {
		return false
	}
	if x.State != Paired || y.State != Paired || x.T != y.T || x.Pairwise != y.Pairwise {
		t.Errorf("%s keeps %v of %x, %s keeps %v of %x: neither both nor none", a.name, x.State, x.T[:4], b.name, y.State, y.T[:4])
	}
	if x.Static != b.identity.Static() || x.Public != b.identity.Public() || y.Static != a.identity.Static() {
		t.Errorf("%s and %s keep wrong keys of each other", a.name, b.name)
	}
	return true
}

// inBubble runs f in simulated time.
func inBubble(t *testing.T, f func(t *testing.T, w *pairWorld)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newPairWorld(t)) })
}

// call opens a link to a device from somebody who holds an identity.
func (d *pairDevice) call(from *Identity) *memoryLink {
	here, there := newMemoryLink(from, d.identity)
	p := d.pairing
	d.wg.Go(func() { p.serve(context.Background(), there) })
	return here
}

// closedAs waits until a link has ended and checks how its other end did it.
func (l *memoryLink) closedAs(t *testing.T, want PairingCode) {
	t.Helper()
	select {
	case <-l.done:
	case <-time.After(10 * time.Minute):
		t.Errorf("the link is open, want it closed as %v", want)
		return
	}
	if code, ok := l.CloseCode(); !ok || code != want {
		t.Errorf("link closed as %v (by the other side: %v), want %v", code, ok, want)
	}
}
