package e2e

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go/testutils/simnet"

	"foldpost/app"
	"foldpost/app/folder"
	"foldpost/app/folder/foldertest"
	"foldpost/app/node"
	"foldpost/discovery/lantest"
	"foldpost/mail/mailtest"
)

// A world is a network, a mail provider and devices in simulated time.
type world struct {
	t    *testing.T
	mail *mailtest.Server

	mu  sync.Mutex
	at  map[netip.AddrPort]simnet.PacketReceiver
	off map[netip.Addr]bool // unplugged
	spy func(p packet) bool // sees each packet, and may keep it
	log strings.Builder
}

// inWorld runs a test in a bubble. Every address has a mailbox at the
// provider.
func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, at: map[netip.AddrPort]simnet.PacketReceiver{}, off: map[netip.Addr]bool{}}
		w.mail = w.provider("ada@a.example", "bob@b.example", "cem@c.example", "mallory@m.example")
		t.Cleanup(func() {
			if t.Failed() {
				w.mu.Lock()
				defer w.mu.Unlock()
				t.Logf("log (its end):\n%s", lastBytes(w.log.String(), 8000))
			}
		})
		test(t, w)
	})
}

func lastBytes(s string, n int) string { return s[max(0, len(s)-n):] }

// A packet is what the network carries.
type packet = simnet.Packet

func addrOf(a net.Addr) netip.AddrPort {
	at := a.(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

// AddNode and SendPacket implement simnet.Router.
func (w *world) AddNode(a net.Addr, r simnet.PacketReceiver) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at[addrOf(a)] = r
}

func (w *world) SendPacket(p packet) error {
	from, to := addrOf(p.From), addrOf(p.To)
	w.mu.Lock()
	spy := w.spy
	lost := w.off[from.Addr()] || w.off[to.Addr()]
	w.mu.Unlock()
	if !lost && (spy == nil || !spy(p)) {
		w.deliver(p)
	}
	return nil
}

// deliver brings a packet to whom it names, whatever the network does.
func (w *world) deliver(p packet) {
	w.mu.Lock()
	r := w.at[addrOf(p.To)]
	w.mu.Unlock()
	if r != nil {
		r.RecvPacket(p)
	}
}

// Write implements io.Writer for the devices' logs.
func (w *world) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(b)
}

// unplug takes a device off the network, or back onto it.
func (w *world) unplug(d *device, off bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.off[d.addr.Addr()] = off
}

// refuseFrom loses what one device sends to another until the other has sent
// something itself, as a router's firewall does.
func (w *world) refuseFrom(from, to *device) {
	opened := false
	w.watch(func(p packet) bool {
		a, b := addrOf(p.From), addrOf(p.To)
		w.mu.Lock()
		defer w.mu.Unlock()
		if a == to.addr && b == from.addr {
			opened = true
		}
		return a == from.addr && b == to.addr && !opened
	})
}

func (w *world) watch(spy func(packet) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.spy = spy
}

func (w *world) socket(addr netip.AddrPort) (c net.PacketConn, end func()) {
	l := &simnet.SimulatedLink{Latency: 10 * time.Millisecond, UploadPacket: w}
	s := simnet.NewBlockingSimConn(net.UDPAddrFromAddrPort(addr), l)
	l.Start()
	w.AddNode(net.UDPAddrFromAddrPort(addr), l) // after Start: the other side may be sending already
	return s, func() { s.Close(); l.Close() }
}

// A device is a whole node with its home, its disk and its user.
type device struct {
	*node.Node
	w     *world
	name  string
	email string
	addr  netip.AddrPort
	home  string
	trees map[string]*foldertest.Tree // by directory
	dial  atomic.Pointer[dialer]      // reaches its mail provider
	ring  node.Keyring                // of its desktop; nil: there is none
	spare uint16                      // number of its last socket beside the first
	near  atomic.Pointer[[]*device]   // in its network
	host  *lantest.Host               // its computer, if multicast is simulated
	end   func()                      // of the process
}

// A dialer is how a device reaches mail servers.
type dialer = func(ctx context.Context, network, addr string) (net.Conn, error)

var hosts = map[string]string{"ada": "198.51.100.1:4001", "bob": "203.0.113.2:4002", "cem": "192.0.2.3:4003", "mallory": "198.51.100.66:4666", "nas": "198.51.100.7:4007"}

// device starts a device. Its user is named like it, and may have a mailbox.
func (w *world) device(name string) *device { return w.deviceAt(name, hosts[name]) }

func (w *world) deviceAt(name, addr string) *device {
	d := &device{w: w, name: name, addr: netip.MustParseAddrPort(addr), home: filepath.Join(w.t.TempDir(), name), trees: map[string]*foldertest.Tree{}}
	dial := w.mail.Account("ada@a.example").Dial
	d.dial.Store(&dial)
	d.email = fmt.Sprintf("%s@%s.example", name, name[:1])
	d.start()
	w.t.Cleanup(func() { d.end() })
	w.must(d.SetConfig(w.t.Context(), "name", name+"'s laptop"))
	return d
}

// start begins the process; a second time, after end, it is a restart.
func (d *device) start() {
	c, unplug := d.w.socket(d.addr)
	log := slog.New(slog.NewTextHandler(io.Writer(d.w), &slog.HandlerOptions{Level: slog.LevelDebug})).With("device", d.name)
	config := node.Config{
		Home: d.home, Version: "test", Log: log, Conns: []net.PacketConn{c},
		Addresses: func() []netip.AddrPort { return []netip.AddrPort{d.addr} },
		OpenTree:  d.tree,
		Keyring:   d.ring,
		TURNSocket: func() (net.PacketConn, error) {
			d.spare++
			c, end := d.w.socket(netip.AddrPortFrom(d.addr.Addr(), 30000+d.spare))
			return ending{c, end}, nil
		},
		Neighbours: d.neighbours,
		MailDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return (*d.dial.Load())(ctx, network, addr)
		},
	}
	if d.host != nil {
		config.LAN, config.Neighbours = d.host, nil
	}
	n, err := node.New(config)
	d.w.must(err)
	d.Node = n
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := n.Run(ctx); err != nil {
			d.w.t.Errorf("%s: Run = %v", d.name, err)
		}
	}()
	once := sync.OnceFunc(func() { cancel(); <-ended; unplug() })
	d.end = once
}

func (d *device) restart() { d.end(); d.start() }

// tree is the disk below a directory: in memory, the same after a restart.
func (d *device) tree(dir string) (folder.Tree, error) {
	if d.trees[dir] == nil {
		d.trees[dir] = foldertest.NewTree(foldertest.Options{})
	}
	return stays{d.trees[dir]}, nil
}

// stays is a disk that outlives the process which closes it.
type stays struct{ *foldertest.Tree }

func (stays) Close() error { return nil }

// dir makes a directory for a folder and returns its path and disk.
func (d *device) dir(name string) (string, *foldertest.Tree) {
	path := filepath.Join(d.home+"-files", name)
	d.w.must(os.MkdirAll(path, 0o755))
	real, err := filepath.EvalSymlinks(path)
	d.w.must(err)
	_, err = d.tree(real)
	d.w.must(err)
	return real, d.trees[real]
}

// mailbox sets the user's account up.
func (d *device) mailbox() { d.mailboxAt(d.w.mail, d.email) }

// mailboxAt sets an account at some provider up, which is then the only one
// that this device reaches.
func (d *device) mailboxAt(s *mailtest.Server, address string) {
	d.w.t.Helper()
	a := s.Account(address)
	d.dial.Store(&a.Dial)
	d.w.must(d.SetMailbox(d.w.t.Context(), app.MailboxSettings{
		Address: address, IMAP: a.IMAP.String(), SMTP: a.SMTP.String(), Password: string(a.Password), CA: s.CA(),
	}))
}

// provider starts another mail provider, with mailboxes for some addresses.
func (w *world) provider(addresses ...string) *mailtest.Server {
	s := mailtest.New(addresses...)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { s.Run(ctx); close(ended) }()
	w.t.Cleanup(func() { cancel(); <-ended })
	return s
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// eventually waits in simulated time until a device's state is as wanted.
func (d *device) eventually(what string, limit time.Duration, ok func(app.State) bool) {
	d.w.t.Helper()
	ctx, cancel := context.WithTimeout(d.w.t.Context(), limit)
	defer cancel()
	var last app.State
	for s := range d.Watch(ctx) {
		if last = s; ok(s) {
			return
		}
	}
	d.w.t.Fatalf("%s: %s: not within %s; state %+v", d.name, what, limit, last)
}

// never waits out a time in which something must not become so.
func (d *device) never(what string, span time.Duration, bad func(app.State) bool) {
	d.w.t.Helper()
	ctx, cancel := context.WithTimeout(d.w.t.Context(), span)
	defer cancel()
	for s := range d.Watch(ctx) {
		if bad(s) {
			d.w.t.Fatalf("%s: %s, but must not; state %+v", d.name, what, s)
		}
	}
}

func paired(s app.State) bool    { return len(s.Devices) > 0 }
func connected(s app.State) bool { return len(s.Devices) > 0 && s.Devices[0].Connected }
func invited(s app.State) bool {
	return len(s.Questions) > 0 && s.Questions[0].Kind == app.AskInvitation
}

func step(want app.Step) func(app.State) bool {
	return func(s app.State) bool { return len(s.Invitations) > 0 && s.Invitations[0].Step == want }
}

// invite has one device invite another by mail and returns the invitation.
func (d *device) invite(o *device) app.Invitation {
	d.w.t.Helper()
	inv, err := d.Invite(d.w.t.Context(), app.InviteRequest{To: o.email})
	d.w.must(err)
	return inv
}

// accept types words; the invitation came by mail.
func (d *device) accept(words string) error {
	_, err := d.Accept(d.w.t.Context(), app.AcceptRequest{Words: words})
	return err
}

// link pairs two devices by a link, both users saying yes.
func (w *world) link(a, b *device) {
	w.t.Helper()
	inv, err := a.Invite(w.t.Context(), app.InviteRequest{})
	w.must(err)
	_, err = b.Accept(w.t.Context(), app.AcceptRequest{Input: inv.Link})
	w.must(err)
	a.letIn()
	for _, x := range [][2]*device{{a, b}, {b, a}} {
		x[0].eventually("linked", time.Minute, func(s app.State) bool {
			for _, dev := range s.Devices {
				if dev.Name == x[1].name+"'s laptop" && dev.Connected {
					return true
				}
			}
			return false
		})
	}
}

// letIn answers yes to the device that used the link.
func (d *device) letIn() {
	d.w.t.Helper()
	d.eventually("asked to let a device in", time.Minute, func(s app.State) bool {
		for _, q := range s.Questions {
			if q.Kind == app.AskPairing {
				d.w.must(d.Answer(d.w.t.Context(), q.ID, app.ChoiceYes))
				return true
			}
		}
		return false
	})
}
