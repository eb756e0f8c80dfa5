package p2p

import (
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

// kinds returns the kind of each side's primary link, and how many there are.
func kinds(a, b *node) (string, string, int) {
	la, _ := a.Link(b.id)
	lb, _ := b.Link(a.id)
	a.mu.Lock()
	defer a.mu.Unlock()
	return la.Kind, lb.Kind, len(a.peers[b.id].links)
}

// soon waits until both sides use links of a kind, and that kind only.
func soon(t *testing.T, what string, a, b *node, kind string, within time.Duration) {
	t.Helper()
	began := time.Now()
	for {
		ka, kb, n := kinds(a, b)
		if ka == kind && kb == kind && n == 1 {
			return
		}
		if time.Since(began) > within {
			t.Fatalf("%s: after %v the sides use %q and %q, of %d links; want %s alone", what, within, ka, kb, n, kind)
		}
		pass(100 * time.Millisecond)
	}
}

// When UDP dies for good under a transfer, TCP goes on, whoever notices first;
// when UDP is back, QUIC takes over within a minute, and at once on a wake-up.
func TestTCPTakesOverAndGivesBack(t *testing.T) {
	for _, who := range []int{0, 1} {
		inWorldTCP(t, func(t *testing.T, w *world) {
			nodes := []*node{w.node(1, "10.0.0.1:4001", paired(2)), w.node(2, "10.0.0.2:4002", paired(1))}
			a, b := nodes[who], nodes[1-who]
			a.knows(b)
			a.echo(t, b, "x")
			s, err := a.Open(t.Context(), b.id, "sink")
			if err != nil {
				t.Fatal(err)
			}
			broken := make(chan error, 1)
			go func() {
				for {
					if _, err := s.Write(make([]byte, 1000)); err != nil {
						broken <- err
						return
					}
					<-time.After(10 * time.Millisecond)
				}
			}()
			pass(3 * time.Second)
			began := time.Now()
			w.blockUDP(b.addr, true)
			<-broken
			if took := time.Since(began); took > 8*time.Second {
				t.Errorf("a transfer learnt after %v that its link is dead, want within 8 s", took)
			}
			a.echo(t, b, "x")
			b.echo(t, a, "x")
			soon(t, "UDP died", a, b, "tcp", 5*time.Second)

			w.blockUDP(b.addr, false)
			soon(t, "UDP is back", a, b, "quic", upgradeEvery+5*time.Second)

			w.blockUDP(b.addr, true)
			soon(t, "UDP died again, nothing under way", a, b, "tcp", 20*time.Second)
			w.blockUDP(b.addr, false)
			a.Wake()
			soon(t, "woken", a, b, "quic", 5*time.Second)
			for _, d := range nodes {
				if got := d.app.log(); len(got) > 2 {
					t.Errorf("%s was told %q, want no more than that the other side is there", nameOf(d.id), got)
				}
			}
		})
	}
}

// While a link lives, its silence is no reason to doubt it.
func TestQuietLinkStays(t *testing.T) {
	for _, kind := range []string{"quic", "tcp"} {
		inWorldTCP(t, func(t *testing.T, w *world) {
			a := w.node(1, "10.0.0.1:4001", paired(2))
			b := w.node(2, "10.0.0.2:4002", paired(1))
			w.blockUDP(b.addr, kind == "tcp")
			a.knows(b)
			a.echo(t, b, "x")
			before, _ := a.Link(b.id)
			s, err := a.Open(t.Context(), b.id, "echo")
			if err != nil {
				t.Fatal(err)
			}
			for range 50 {
				if _, err := s.Write([]byte("x")); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(s, make([]byte, 1)); err != nil {
					t.Fatal(err)
				}
				pass(17 * time.Second)
			}
			if after, _ := a.Link(b.id); !after.Since.Equal(before.Since) || after.Kind != kind {
				t.Errorf("the link of %v by %s was replaced by one of %v by %s", before.Since, kind, after.Since, after.Kind)
			}
		})
	}
}

// A relay is used while there is nothing better, and left for what is.
func TestRelayIsLeft(t *testing.T) {
	inWorldTCP(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired(2))
		b := w.node(2, "10.0.0.2:4002", paired(1))
		pass(time.Millisecond)
		here, there := pipe(w)
		go func() { _ = b.serveOver(t.Context(), there, "relay") }()
		go func() { _ = a.linkOver(t.Context(), here, b.id, "relay") }()
		a.echo(t, b, "x")
		soon(t, "by relay", a, b, "relay", time.Second)
		w.blockUDP(b.addr, true)
		a.knows(b)
		soon(t, "an address became known", a, b, "tcp", 5*time.Second)
		w.blockUDP(b.addr, false)
		b.knows(a)
		soon(t, "UDP gets through", a, b, "quic", 5*time.Second)
	})
}

func TestWatch(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	for _, tt := range []struct {
		name    string
		w       watch
		now     float64
		heard   float64
		busy    bool
		ping    bool
		next    float64
		stalled bool
	}{
		{"idle", watch{pinged: at(0)}, 3, 1, false, false, 10, false},
		{"idle for long", watch{pinged: at(0)}, 10, 1, false, true, 14, false},
		{"busy and heard", watch{pinged: at(0)}, 3, 2.5, true, false, 3.5, false},
		{"busy and silent", watch{pinged: at(0)}, 3, 2, true, true, 4, false},
		{"asked", watch{pinged: at(3), asked: at(3)}, 5, 2, true, false, 6, false},
		{"no answer", watch{pinged: at(3), asked: at(3)}, 7, 2, true, false, 8, true},
		{"an answer at last", watch{pinged: at(3), asked: at(3), stalled: true}, 8, 7.5, false, false, 13, false},
	} {
		w := tt.w
		ping, next := w.step(at(tt.now), at(tt.heard), tt.busy)
		if ping != tt.ping || !next.Equal(at(tt.next)) || w.stalled != tt.stalled {
			t.Errorf("%s: step(%v, heard %v, busy %v) = %v, %v, stalled %v, want %v, %v, %v",
				tt.name, tt.now, tt.heard, tt.busy, ping, next.Sub(start).Seconds(), w.stalled, tt.ping, tt.next, tt.stalled)
		}
	}
}

// slowConn is a slow line behind a large buffer: what is written waits in a
// queue of half a megabyte, of which 50 kB leave in a second.
type slowConn struct {
	net.Conn
	queue chan []byte
	done  chan struct{}
	once  sync.Once
}

func newSlowConn(c net.Conn) *slowConn {
	s := &slowConn{Conn: c, queue: make(chan []byte, 128), done: make(chan struct{})}
	go func() {
		for {
			select {
			case b := <-s.queue:
				select {
				case <-time.After(time.Duration(len(b)) * time.Second / 50_000):
				case <-s.done:
					return
				}
				if _, err := c.Write(b); err != nil {
					return
				}
			case <-s.done:
				return
			}
		}
	}()
	return s
}

func (s *slowConn) Write(b []byte) (int, error) {
	for p := range slices.Chunk(b, 4<<10) {
		select {
		case s.queue <- slices.Clone(p):
		case <-s.done:
			return 0, net.ErrClosed
		}
	}
	return len(b), nil
}

func (s *slowConn) Close() error {
	s.once.Do(func() { close(s.done) })
	return s.Conn.Close()
}

// A link is not doubted because its pings wait behind what it carries.
func TestSlowLinkIsNotDoubted(t *testing.T) {
	inWorldTCP(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired(2))
		b := w.node(2, "10.0.0.2:4002", paired(1))
		pass(time.Millisecond)
		here, there := pipe(w)
		slow := newSlowConn(here)
		go func() { _ = b.serveOver(t.Context(), there, "tcp") }()
		go func() { _ = a.linkOver(t.Context(), slow, b.id, "tcp") }()
		a.echo(t, b, "x")
		s, err := a.Open(t.Context(), b.id, "sink")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				if _, err := s.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}()
		for range 120 {
			pass(500 * time.Millisecond)
			a.mu.Lock()
			doubted := a.peers[b.id].link.stalled
			a.mu.Unlock()
			if doubted {
				t.Fatal("a slow link is taken for silent")
			}
		}
		a.Unpair(b.id)
		<-done
	})
}
