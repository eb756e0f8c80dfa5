package p2p

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// nearPerson is who sits before a device. It opens every request and finds the
// words the same, unless told otherwise.
type nearPerson struct {
	opens    func(context.Context, PairingRequest) error
	compares func(context.Context, [3]string) error

	mu    sync.Mutex
	words [][3]string
	ends  []NearbyEnd
}

func (d *pairDevice) words() [][3]string {
	d.near.mu.Lock()
	defer d.near.mu.Unlock()
	return d.near.words
}

func (d *pairDevice) ends() []NearbyEnd {
	d.near.mu.Lock()
	defer d.near.mu.Unlock()
	return d.near.ends
}

func (m *pairProgram) NearbyRequest(ctx context.Context, r PairingRequest) error {
	if f := m.device.near.opens; f != nil {
		return f(ctx, r)
	}
	return nil
}

func (m *pairProgram) NearbyWords(ctx context.Context, _ PairingRequest, words [3]string) error {
	n := &m.device.near
	n.mu.Lock()
	n.words = append(n.words, words)
	n.mu.Unlock()
	if n.compares != nil {
		return n.compares(ctx, words)
	}
	return nil
}

func (m *pairProgram) NearbyEnded(e NearbyEnd) {
	m.device.near.mu.Lock()
	defer m.device.near.mu.Unlock()
	m.device.near.ends = append(m.device.near.ends, e)
}

// nearAddr is where a device is in the network of all.
func nearAddr(d *pairDevice) netip.AddrPort {
	id := d.identity.ID()
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, id[0], id[1], id[2]}), 4000)
}

func (w *pairWorld) dialNearby(from *pairDevice, addrs []netip.AddrPort, dead chan struct{}) (pairConn, error) {
	w.mu.Lock()
	var id PeerID
	for _, d := range w.devices {
		if nearAddr(d) == addrs[0] {
			id = d.identity.ID()
		}
	}
	w.mu.Unlock()
	return w.link(from, id, dead, (*pairing).serveNearby)
}

// asks lets a person ask another device to pair.
func (d *pairDevice) asks(ctx context.Context, to *pairDevice) (Record, error) {
	return d.askNearby(ctx, []netip.AddrPort{nearAddr(to)})
}

// neighbours are two devices whose doors are open.
func (w *pairWorld) neighbours() (dora, leo *pairDevice) {
	dora, leo = w.add("dora"), w.add("leo")
	dora.nearby.set(true)
	leo.nearby.set(true)
	return dora, leo
}

// never is a person who does not answer.
func never[T any](ctx context.Context, _ T) error {
	<-ctx.Done()
	return ctx.Err()
}

var errNo = errors.New("no")

func no[T any](context.Context, T) error { return errNo }

// wantCode checks how a request ended.
func wantCode(t *testing.T, what string, err error, want PairingCode, remote bool) {
	t.Helper()
	if e, ok := errors.AsType[*PairingError](err); !ok || e.Code != want || e.Remote != remote {
		t.Errorf("%s = %v, want %v, by the other side: %v", what, err, want, remote)
	}
}

// inTime bounds what a test waits for.
func inTime(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
