// Package lantest is a world of local networks for tests: bridges, and hosts
// that are plugged into them, in memory. It knows packets as bytes and nothing
// of what is in them.
package lantest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"foldpost/discovery"
)

// A World is some bridges, known by their names.
type World struct {
	mu    sync.Mutex
	draw  *rand.Rand
	loss  float64
	dup   float64
	hosts []*Host
	log   []Packet
	next  int // index of an interface
}

// A Packet is one that was sent.
type Packet struct {
	At     time.Time
	Host   string
	Bridge string
	To     netip.AddrPort
	Data   []byte
}

// NewWorld makes a world in which chance is drawn from seed.
func NewWorld(seed uint64) *World {
	return &World{draw: rand.New(rand.NewPCG(seed, 1)), next: 1}
}

// Faults sets which part of packets is lost, and which part comes twice, for
// each receiver.
func (w *World) Faults(loss, dup float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loss, w.dup = loss, dup
}

// Sent returns the packets that were sent so far.
func (w *World) Sent() []Packet {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.log)
}

// A Host is a computer. It implements [discovery.Network].
type Host struct {
	world *World
	name  string

	// All under world.mu.
	plugs    []*plug
	sockets  []*socket
	taken    bool
	deaf     bool
	watchers map[chan struct{}]struct{}
}

type plug struct {
	discovery.Interface
	bridge string
}

// NewHost adds a computer that is plugged in nowhere.
func (w *World) NewHost(name string) *Host {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := &Host{world: w, name: name, watchers: map[chan struct{}]struct{}{}}
	w.hosts = append(w.hosts, h)
	return h
}

// Plug makes an interface on a bridge, with addresses like 192.168.1.2/24, or
// gives it others, and tells whoever watches.
func (h *Host) Plug(iface, bridge string, addrs ...string) {
	h.world.mu.Lock()
	defer h.world.mu.Unlock()
	i := slices.IndexFunc(h.plugs, func(p *plug) bool { return p.Name == iface })
	if i < 0 {
		h.plugs = append(h.plugs, &plug{Interface: discovery.Interface{Index: h.world.next, Name: iface}})
		h.world.next++
		i = len(h.plugs) - 1
	}
	p := &plug{Interface: h.plugs[i].Interface, bridge: bridge}
	p.Addrs = nil
	for _, a := range addrs {
		p.Addrs = append(p.Addrs, netip.MustParsePrefix(a))
	}
	h.plugs[i] = p
	h.tell()
}

// Unplug deletes an interface, with what was joined on it.
func (h *Host) Unplug(iface string) {
	h.world.mu.Lock()
	defer h.world.mu.Unlock()
	h.plugs = slices.DeleteFunc(h.plugs, func(p *plug) bool { return p.Name == iface })
	h.tell()
}

// Take has another program own the port for itself, or give it back.
func (h *Host) Take(taken bool) {
	h.world.mu.Lock()
	defer h.world.mu.Unlock()
	h.taken = taken
}

// Crash cuts a computer off without a word, for good.
func (h *Host) Crash() {
	h.world.mu.Lock()
	defer h.world.mu.Unlock()
	h.deaf = true
}

func (h *Host) tell() {
	for c := range h.watchers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// Watch calls changed with each Plug and Unplug until ctx is done.
func (h *Host) Watch(ctx context.Context, changed func()) {
	c := make(chan struct{}, 1)
	h.world.mu.Lock()
	h.watchers[c] = struct{}{}
	h.world.mu.Unlock()
	defer func() {
		h.world.mu.Lock()
		delete(h.watchers, c)
		h.world.mu.Unlock()
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c:
			changed()
		}
	}
}

// Addrs returns all addresses of a host with a port, link-local ones with
// their zones.
func (h *Host) Addrs(port uint16) []netip.AddrPort {
	h.world.mu.Lock()
	defer h.world.mu.Unlock()
	var list []netip.AddrPort
	for _, p := range h.plugs {
		for _, a := range p.Addrs {
			ip := a.Addr()
			if ip.Is6() && ip.IsLinkLocalUnicast() {
				ip = ip.WithZone(p.Name)
			}
			list = append(list, netip.AddrPortFrom(ip, port))
		}
	}
	return list
}

// Interfaces implements [discovery.Network].
func (h *Host) Interfaces() ([]discovery.Interface, error) {
	h.world.mu.Lock()
	defer h.world.mu.Unlock()
	var list []discovery.Interface
	for _, p := range h.plugs {
		list = append(list, p.Interface)
	}
	return list, nil
}

// Listen implements [discovery.Network].
func (h *Host) Listen(v4 bool) (discovery.Socket, error) {
	h.world.mu.Lock()
	defer h.world.mu.Unlock()
	s := &socket{host: h, v4: v4, port: 5353, in: make(chan datagram, 4096), closed: make(chan struct{}), joined: map[int]bool{}}
	if h.taken {
		s.port = 40000 + uint16(len(h.sockets))
	}
	h.sockets = append(h.sockets, s)
	return s, nil
}

type datagram struct {
	data  []byte
	from  netip.AddrPort
	iface int
}

type socket struct {
	host   *Host
	v4     bool
	port   uint16
	in     chan datagram
	once   sync.Once
	closed chan struct{}
	joined map[int]bool // under world.mu
}

func (s *socket) V4() bool     { return s.v4 }
func (s *socket) Legacy() bool { return s.port != 5353 }

var errNoInterface = errors.New("no such interface")

func (s *socket) Join(i discovery.Interface) error {
	s.host.world.mu.Lock()
	defer s.host.world.mu.Unlock()
	if s.host.plug(i.Index) == nil {
		return fmt.Errorf("join on %s: %w", i.Name, errNoInterface)
	}
	s.joined[i.Index] = true
	return nil
}

func (s *socket) Leave(i discovery.Interface) error {
	s.host.world.mu.Lock()
	defer s.host.world.mu.Unlock()
	delete(s.joined, i.Index)
	return nil
}

func (h *Host) plug(index int) *plug {
	for _, p := range h.plugs {
		if p.Index == index {
			return p
		}
	}
	return nil
}

func (s *socket) Read(b []byte) (discovery.Datagram, error) {
	select {
	case <-s.closed:
		return discovery.Datagram{}, net.ErrClosed
	case d := <-s.in:
		return discovery.Datagram{Size: copy(b, d.data), From: d.from, Interface: d.iface}, nil
	}
}

// Write delivers a packet at once: to all who joined, or to whom an address
// belongs.
func (s *socket) Write(b []byte, on discovery.Interface, to netip.AddrPort) error {
	w := s.host.world
	w.mu.Lock()
	defer w.mu.Unlock()
	p := s.host.plug(on.Index)
	if p == nil {
		return fmt.Errorf("send on %s: %w", on.Name, errNoInterface)
	}
	var from netip.AddrPort
	for _, a := range p.Addrs {
		if a.Addr().Is4() == s.v4 && (!from.IsValid() || a.Addr().IsLinkLocalUnicast()) {
			from = netip.AddrPortFrom(a.Addr(), s.port)
		}
	}
	if !from.IsValid() {
		return fmt.Errorf("send on %s: no address", on.Name)
	}
	w.send(s.host, p.bridge, from, to, b)
	return nil
}

// Forge sends a packet in another's name.
func (w *World) Forge(bridge string, from, to netip.AddrPort, b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.send(&Host{name: "forger"}, bridge, from, to, b)
}

func (w *World) send(by *Host, bridge string, from, to netip.AddrPort, b []byte) {
	if by.deaf {
		return
	}
	data := slices.Clone(b)
	w.log = append(w.log, Packet{At: time.Now(), Host: by.name, Bridge: bridge, To: to, Data: data})
	for _, h := range w.hosts {
		for _, p := range h.plugs {
			if p.bridge != bridge || h.deaf {
				continue
			}
			for _, s := range h.sockets {
				if s.wants(p, from, to) {
					w.deliver(s, datagram{data, from, p.Index}, h == by)
				}
			}
		}
	}
}

// wants tells whether a packet on a plug is for a socket.
func (s *socket) wants(p *plug, from, to netip.AddrPort) bool {
	if s.v4 != from.Addr().Is4() || s.port != to.Port() {
		return false
	}
	if to.Addr().IsMulticast() {
		return s.joined[p.Index]
	}
	return slices.ContainsFunc(p.Addrs, func(a netip.Prefix) bool { return a.Addr() == to.Addr().WithZone("") })
}

func (w *World) deliver(s *socket, d datagram, own bool) {
	copies := 1
	if !own && w.draw.Float64() < w.loss {
		copies = 0
	} else if !own && w.draw.Float64() < w.dup {
		copies = 2
	}
	for range copies {
		select {
		case s.in <- d:
		default: // as a full buffer of the system does
		}
	}
}

func (s *socket) Close() error {
	s.once.Do(func() { close(s.closed) })
	w := s.host.world
	w.mu.Lock()
	defer w.mu.Unlock()
	s.host.sockets = slices.DeleteFunc(s.host.sockets, func(o *socket) bool { return o == s })
	return nil
}
