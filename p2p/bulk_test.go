package p2p

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// spring is an application whose streams give without end, so much a second on
// each link.
func spring(app *application, perSecond int) {
	app.handler = func(_ context.Context, s Stream) {
		piece := make([]byte, perSecond/100)
		for {
			if _, err := s.Write(piece); err != nil {
				return
			}
			<-time.After(10 * time.Millisecond)
		}
	}
}

// drink reads from a bulk stream until it ends or another link would be
// faster, again and again. It returns how much it got.
func (d *node) drink(ctx context.Context, from *node) int64 {
	var got int64
	b := make([]byte, 64<<10)
	for ctx.Err() == nil {
		s, err := d.OpenBulk(ctx, from.id, "echo")
		if err != nil {
			break
		}
		stop := context.AfterFunc(ctx, func() { s.Reset(StreamCancelled) })
		for err == nil && !s.(BulkStream).Slow() {
			var n int
			n, err = s.Read(b)
			got += int64(n)
		}
		stop()
		s.Reset(StreamCancelled)
		if err != nil && !errors.Is(err, ErrLinkEnded) {
			break
		}
	}
	return got
}

func (d *node) bulk(to *node) (kinds []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.peers[to.id].bulk {
		kinds = append(kinds, l.conn.kind())
	}
	return kinds
}

// Links for bulk are opened while much is read, found out to be of no use where
// each stream is as fast as before, and closed when nothing is read any more.
func TestBulkLinksComeAndGo(t *testing.T) {
	inWorldTCP(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired(2))
		b := w.node(2, "10.0.0.2:4002", paired(1))
		spring(b.app, 4<<20)
		a.knows(b)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan int64, 1)
		go func() { done <- a.drink(ctx, b) }()
		pass(time.Second)
		if got := a.bulk(b); len(got) > 0 {
			t.Errorf("bulk links after a second = %v, want none", got)
		}
		pass(15 * time.Second)
		here, there := a.bulk(b), b.bulk(a)
		if len(here) == 0 || len(here) > 2 || len(there) != len(here) {
			t.Errorf("bulk links after 16 s = %v, on the other side %v, want one or two", here, there)
		}
		if l, _ := a.Link(b.id); l.Kind != "quic" {
			t.Errorf("primary link = %v, want quic", l.Kind)
		}
		cancel()
		<-done
		pass(bulkIdle + 2*time.Second)
		if here, there := a.bulk(b), b.bulk(a); len(here)+len(there) > 0 {
			t.Errorf("bulk links when nothing was read for long = %v and %v", here, there)
		}
		for _, d := range []*node{a, b} {
			if got := d.app.log(); len(got) > 2 {
				t.Errorf("%s was told %q", nameOf(d.id), got)
			}
		}
	})
}

// A bulk link that works becomes the primary one when that dies: nothing waits
// for a new one.
func TestBulkLinkTakesOver(t *testing.T) {
	inWorldTCP(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired(2))
		b := w.node(2, "10.0.0.2:4002", paired(1))
		spring(b.app, 4<<20)
		a.knows(b)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan int64, 1)
		go func() { done <- a.drink(ctx, b) }()
		pass(10 * time.Second)
		if got := a.bulk(b); !slices.Contains(got, "tcp") {
			t.Fatalf("bulk links = %v, want one by TCP", got)
		}
		w.blockUDP(b.addr, true)
		pass(8 * time.Second)
		for _, d := range []*node{a, b} {
			o := b
			if d == b {
				o = a
			}
			if l, ok := d.Link(o.id); !ok || l.Kind != "tcp" {
				t.Errorf("%s's primary link 8 s after UDP died = %+v, want tcp", nameOf(d.id), l)
			}
			if got := d.app.log(); len(got) > 2 {
				t.Errorf("%s was told %q", nameOf(d.id), got)
			}
		}
		cancel()
		<-done
	})
}

// What is opened beside a link that the peer does not have is refused.
func TestBulkNeedsALink(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		b := w.node(2, "10.0.0.2:4002", paired(1))
		conn := w.caller("10.0.0.9:9000").as(t, 1, b, alpnLink)
		s, err := conn.OpenStream()
		if err != nil {
			t.Fatal(err)
		}
		own := newHello(testIdentity(1).ID(), [8]byte{1}, Metadata{}, b.addr, 1, MappingUnknown)
		own.Bulk = true
		if err := writeHello(s, own); err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadAll(s)
		if code, err := closing(t, conn); code != CloseDuplicate {
			t.Errorf("a bulk link of nobody was closed as %v, %v, want duplicate", code, err)
		}
		synctest.Wait()
		if got := b.app.log(); len(got) > 0 {
			t.Errorf("B was told %q, want nothing", got)
		}
	})
}

// On a long path that loses packets, several connections get more than one.
func TestBulkLinksOnALossyPath(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		random := rand.New(rand.NewPCG(1, 2))
		w.delay, w.loss = 20*time.Millisecond, func() bool { return random.IntN(100) == 0 }
		a := w.node(1, "10.0.0.1:4001", paired(2))
		b := w.node(2, "10.0.0.2:4002", paired(1))
		spring(b.app, 100<<20)
		a.knows(b)
		pass(time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { a.drink(ctx, b) })
		}
		read := func() (n int64) {
			a.mu.Lock()
			defer a.mu.Unlock()
			for _, l := range a.peers[b.id].bulkLinks() {
				n += l.goodput.bytes.Load()
			}
			return n
		}
		pass(6 * time.Second)
		alone := float64(read()) / 6
		pass(30 * time.Second)
		before := read()
		pass(10 * time.Second)
		together := float64(read()-before) / 10
		t.Logf("%.2f MB/s alone, %.2f MB/s with %v", alone/1e6, together/1e6, a.bulk(b))
		if together < 1.8*alone {
			t.Errorf("%d further links %v: %.2f MB/s, before them %.2f MB/s; want 1.8 times as much", len(a.bulk(b)), a.bulk(b), together/1e6, alone/1e6)
		}
		cancel()
		wg.Wait()
	})
}
