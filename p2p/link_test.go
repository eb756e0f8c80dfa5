package p2p

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"slices"
	"testing"
	"time"
)

func TestRank(t *testing.T) {
	s1, s2 := [8]byte{1}, [8]byte{2}
	for _, tt := range []struct {
		name     string
		now, old rank
		want     bool
	}{
		{"the peer restarted", rank{s2, 1, false}, rank{s1, 9, true}, true},
		{"a later dial", rank{s1, 3, false}, rank{s1, 2, true}, true},
		{"an earlier dial", rank{s1, 2, true}, rank{s1, 3, false}, false},
		{"at once, the smaller id's is new", rank{s1, 2, true}, rank{s1, 2, false}, true},
		{"at once, the smaller id's is there", rank{s1, 2, false}, rank{s1, 2, true}, false},
	} {
		if got := tt.now.over(tt.old); got != tt.want {
			t.Errorf("%s: %+v.over(%+v) = %v, want %v", tt.name, tt.now, tt.old, got, tt.want)
		}
		if tt.now.start == tt.old.start && tt.now.over(tt.old) == tt.old.over(tt.now) {
			t.Errorf("%s: the order of arrival decides", tt.name)
		}
	}
}

// A connection that comes while another lives takes its place without the
// application being told, and what is open then is opened again.
func TestNewerLinkReplaces(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired(2))
		b := w.node(2, "10.0.0.2:4002", paired(1))
		a.knows(b)
		a.echo(t, b, "x")
		s, err := b.Open(t.Context(), a.id, "echo")
		if err != nil {
			t.Fatal(err)
		}
		// B's way to A is gone; B notices and A does not.
		b.mu.Lock()
		p := b.peers[a.id]
		old := p.link
		p.link = nil
		p.urgent = true
		p.notify()
		b.mu.Unlock()
		pass(time.Second)
		if a.peers[b.id].link.number <= old.number {
			t.Errorf("A keeps connection %d, want a newer one than %d", a.peers[b.id].link.number, old.number)
		}
		_ = s.SetDeadline(time.Now().Add(time.Minute))
		_, err = io.ReadAll(s)
		if e, ok := errors.AsType[*CloseError](err); !ok || e.Code != CloseDuplicate {
			t.Errorf("ReadAll on the old link = %v, want closed as duplicate", err)
		}
		a.echo(t, b, "x")
		b.echo(t, a, "x")
		if got, want := a.app.log(), []string{"discovered B", "connected B"}; !slices.Equal(got, want) {
			t.Errorf("A was told %q, want %q", got, want)
		}
	})
}

// A stream that a peer opened is over when the handler returns, and the
// handler's context when the link is.
func TestStreamsEndWithTheirLink(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		began, ended := make(chan struct{}), make(chan struct{})
		b := w.node(2, "10.0.0.2:4002", paired(1))
		b.app.handler = func(ctx context.Context, s Stream) {
			close(began)
			<-ctx.Done()
			close(ended)
		}
		a := w.node(1, "10.0.0.1:4001", paired(2))
		a.knows(b)
		s, err := a.Open(t.Context(), b.id, "echo")
		if err != nil {
			t.Fatal(err)
		}
		<-began
		a.stop()
		<-ended
		if _, err := s.Read(make([]byte, 1)); err == nil {
			t.Error("Read after Run ended = nil, want an error")
		}
	})
}

// Dialling back and forth under changing addresses, the two sides always agree
// on one link in the end.
func TestAddressesChangeAgainAndAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		nodes := []*node{w.node(1, "10.0.0.1:4001", paired(2)), w.node(2, "10.0.0.2:4002", paired(1))}
		nodes[0].knows(nodes[1])
		nodes[1].knows(nodes[0])
		nodes[0].echo(t, nodes[1], "x")
		for i := range 20 {
			d, o := nodes[i%2], nodes[(i+1)%2]
			if i%5 == 4 {
				d, o = o, d
			}
			to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i), 1}), 5000)
			w.move(d.addr, to)
			d.SetAddresses([]Candidate{{Addr: to, Kind: Host}})
			pass(time.Duration(i) * 700 * time.Millisecond)
			d.echo(t, o, "x")
			o.echo(t, d, "x")
			if l, _ := o.Link(d.id); i > 8 && l.Addr != to {
				t.Errorf("move %d: the other side's link goes to %v, want %v", i, l.Addr, to)
			}
		}
	})
}
