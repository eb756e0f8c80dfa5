package p2p

import (
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go/testutils/simnet"
)

// silence is an address where nobody answers; it notes when it was dialled.
type silence struct {
	mu   sync.Mutex
	when []time.Time
}

func (s *silence) RecvPacket(p simnet.Packet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.when = append(s.when, time.Now())
}

// initial counts the first packets of dials: a handshake's repetitions follow
// within its time-out.
func (s *silence) within(from, to time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, t := range s.when {
		if !t.Before(from) && t.Before(to) {
			n++
		}
	}
	return n
}

func (w *world) silence(addr string) *silence {
	s := &silence{}
	w.AddNode(net.UDPAddrFromAddrPort(netip.MustParseAddrPort(addr)), s)
	return s
}

// An absent paired peer is dialled for ever, at least once in about a minute.
func TestDialsForEver(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		s := w.silence("9.9.9.9:4002")
		a := w.node(1, "10.0.0.1:4001", paired(2))
		began := time.Now()
		_ = a.AddCandidate(Candidate{Peer: testIdentity(2).ID(), Addr: netip.MustParseAddrPort("9.9.9.9:4002"), Kind: Mapped, Source: "mail"}, Metadata{})
		pass(24 * time.Hour)
		for h := range 24 {
			from := began.Add(time.Duration(h) * time.Hour)
			quiet := 0
			for m := range 30 {
				at := from.Add(time.Duration(m) * 2 * time.Minute)
				if s.within(at, at.Add(2*time.Minute)) == 0 {
					quiet++
				}
			}
			if quiet > 0 {
				t.Errorf("hour %d: %d of 30 times nothing was sent in two minutes", h, quiet)
			}
		}
		if n := s.within(began, began.Add(24*time.Hour)); n > 24*60*12 {
			t.Errorf("%d packets in a day of back-off", n)
		}
		// Wake dials at once.
		at := time.Now()
		a.Wake()
		pass(100 * time.Millisecond)
		if s.within(at, at.Add(100*time.Millisecond)) == 0 {
			t.Error("nothing was sent within 100 ms of Wake")
		}
	})
}

// An address in a private network that is not ours is tried three times.
func TestPrivateAddressesElsewhereAreTriedThreeTimes(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		s := w.silence("192.168.7.7:4002")
		a := w.node(1, "10.0.0.1:4001", paired(2))
		began := time.Now()
		c := Candidate{Peer: testIdentity(2).ID(), Addr: netip.MustParseAddrPort("192.168.7.7:4002"), Kind: Host, Source: "mail"}
		_ = a.AddCandidate(c, Metadata{})
		pass(time.Hour)
		if n := s.within(began, time.Now()); n == 0 || n > privateTries*12 {
			t.Errorf("%d packets, want those of three dials", n)
		}
		if n := s.within(began.Add(2*time.Minute), time.Now()); n != 0 {
			t.Errorf("%d packets after two minutes, want none", n)
		}
	})
}

// Sixteen candidates do not make more than four dials a second.
func TestFourDialsASecond(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired(2))
		var all []*silence
		began := time.Now()
		for i := range byte(maxCandidates) {
			addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{9, 9, 9, i + 1}), 4002)
			all = append(all, w.silence(addr.String()))
			_ = a.AddCandidate(Candidate{Peer: testIdentity(2).ID(), Addr: addr, Kind: Mapped, Source: "mail"}, Metadata{})
		}
		pass(2 * time.Second)
		dialled := 0
		for _, s := range all {
			if s.within(began, time.Now()) > 0 {
				dialled++
			}
		}
		if dialled < 8 || dialled > 4+2*dialsPerSecond {
			t.Errorf("%d candidates dialled in two seconds, want 8 to 12", dialled)
		}
	})
}

// A dead candidate does not keep the next one waiting for its time-out.
func TestCandidatesAreTriedSideBySide(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		b := w.node(2, "10.0.0.2:4002", paired(1))
		a := w.node(1, "10.0.0.1:4001", paired(2))
		w.silence("10.0.0.99:4002")
		began := time.Now()
		_ = a.AddCandidate(Candidate{Peer: b.id, Addr: netip.MustParseAddrPort("10.0.0.99:4002"), Kind: Host}, Metadata{})
		_ = a.AddCandidate(Candidate{Peer: b.id, Addr: b.addr, Kind: Mapped}, Metadata{})
		a.echo(t, b, "x")
		if took := time.Since(began); took > time.Second {
			t.Errorf("link after %v, want within a second", took)
		}
	})
}
