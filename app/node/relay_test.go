package node

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/p2p"
	"foldpost/p2p/wire"
)

// noted is a stream in memory that remembers by what code it was reset.
type noted struct {
	pipe
	code *atomic.Uint32
}

func (n noted) Reset(c p2p.StreamCode) {
	n.code.CompareAndSwap(0, uint32(c))
	n.pipe.Reset(c)
}

// TestSplice: bytes go through both ways until a limit; then both ends are
// told so.
func TestSplice(t *testing.T) {
	for _, tt := range []struct {
		name  string
		own   bool
		most  int64
		every time.Duration // between two bytes and their echo
		bytes int           // that come through
		code  p2p.StreamCode
	}{
		{"bytes", false, 20, time.Second, 10, p2p.StreamLimit},
		{"time", false, -1, 90 * time.Second, 39, p2p.StreamLimit},
		{"silence", true, -1, relayIdle + time.Second, 0, p2p.StreamCancelled},
		{"no limit", true, -1, 90 * time.Second, 100, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, c := net.Pipe()
				d, b := net.Pipe()
				var codes [2]atomic.Uint32
				sp := splice{re: &relaying{own: tt.own}, most: tt.most, wait: func(context.Context, int) error { return nil }}
				done := make(chan error, 1)
				go func() { done <- sp.run(t.Context(), noted{pipe{c}, &codes[0]}, noted{pipe{d}, &codes[1]}) }()
				go io.Copy(b, b)
				got := 0
				for range 100 {
					time.Sleep(tt.every)
					if _, err := a.Write([]byte{7}); err != nil {
						break
					}
					if _, err := io.ReadFull(a, make([]byte, 1)); err != nil {
						break
					}
					got++
				}
				if got != tt.bytes {
					t.Errorf("%d bytes came through and back, want %d", got, tt.bytes)
				}
				a.Close()
				b.Close()
				err := <-done
				if tt.code == 0 {
					return
				}
				if limited := errors.Is(err, errRelayLimit); limited != (tt.code == p2p.StreamLimit) {
					t.Errorf("splice.run = %v", err)
				}
				for i := range codes {
					if got := p2p.StreamCode(codes[i].Load()); got != tt.code {
						t.Errorf("end %d is reset with %s, want %s", i, got, tt.code)
					}
				}
			})
		})
	}
}

func TestRelayPlaces(t *testing.T) {
	now := time.Now()
	id := func(b byte) p2p.PeerID { return p2p.PeerID{b} }
	r := newRelays()
	first, most, ok := r.begin(pairOf(id(1), id(2)), false, 1000, now, nil)
	if !ok || most != 1000 {
		t.Fatalf("begin = %d, %v, want 1000, true", most, ok)
	}
	if _, _, ok := r.begin(pairOf(id(2), id(1)), false, 1000, now, nil); !ok {
		t.Error("no second relay for a pair")
	}
	if _, _, ok := r.begin(pairOf(id(1), id(2)), false, 1000, now, nil); ok {
		t.Error("a third relay for a pair")
	}
	for b := range byte(3) {
		if _, _, ok := r.begin(pairOf(id(1), id(10+b)), true, 1000, now, nil); ok != (b < 2) {
			t.Errorf("relay %d: %v", b+3, ok)
		}
	}
	first.bytes.Store(900)
	r.end(first)
	second, most, ok := r.begin(pairOf(id(1), id(2)), false, 1000, now, nil)
	if !ok || most != 100 {
		t.Errorf("begin after 900 of 1000 bytes = %d, %v, want 100, true", most, ok)
	}
	second.bytes.Store(100)
	r.end(second)
	if _, _, ok := r.begin(pairOf(id(1), id(2)), false, 1000, now, nil); ok {
		t.Error("a relay for a pair that has used its bytes")
	}
	mine, most, ok := r.begin(pairOf(id(1), id(2)), true, 1000, now, nil)
	if !ok || most >= 0 {
		t.Errorf("begin for an own device = %d, %v, want no bound", most, ok)
	}
	r.end(mine)
	if _, most, _ := r.begin(pairOf(id(1), id(2)), false, 1000, now.Add(time.Hour), nil); most != 1000 {
		t.Errorf("an hour later %d bytes, want 1000", most)
	}
}

func TestWhoIsRelayed(t *testing.T) {
	own, friend, other := p2p.PeerID{1}, p2p.PeerID{2}, p2p.PeerID{3}
	for _, tt := range []struct {
		name                  string
		ownSays, friendSays   string
		a, b                  p2p.PeerID
		may, isOwn, noMailbox bool
	}{
		{"own and a friend's", "", "", own, friend, true, true, false},
		{"two of others", "", "", friend, other, false, false, false},
		{"two of others, one agreed", "", "on", friend, other, true, false, false},
		{"own is off", "off", "on", own, friend, false, false, false},
		{"the friend's is off", "", "off", own, friend, false, false, false},
		{"somebody else's with a friend's that is off", "on", "off", friend, other, false, false, false},
		{"with itself", "", "", own, own, false, false, false},
		{"not paired", "", "", own, p2p.PeerID{9}, false, false, false},
		{"pending", "", "", own, p2p.PeerID{4}, false, false, false},
		{"no address of our own", "", "", own, friend, false, false, true},
	} {
		s := kept{Mailbox: &keptMailbox{Address: "Ada@a.example"}, Peers: []keptPeer{
			{Peer: key(own), State: p2p.Paired, Owner: "ada@a.example", Relay: tt.ownSays},
			{Peer: key(friend), State: p2p.Paired, Owner: "bob@b.example", Relay: tt.friendSays},
			{Peer: key(other), State: p2p.Paired, Metadata: p2p.Metadata{Address: "ada@a.example"}}, // a claim is nothing
			{Peer: key{4}, State: p2p.Pending},
		}}
		if tt.noMailbox {
			s.Mailbox = nil
		}
		for _, p := range []pair{{tt.a, tt.b}, {tt.b, tt.a}} {
			if may, isOwn := s.mayRelay(p[0], p[1]); may != tt.may || may && isOwn != tt.isOwn {
				t.Errorf("%s: mayRelay = %v, %v, want %v, %v", tt.name, may, isOwn, tt.may, tt.isOwn)
			}
		}
	}
}

func FuzzRelayFrame(f *testing.F) {
	name := makeContactName(p2p.PeerID{1}, [8]byte{2})
	for _, v := range []any{relayFrame{Kind: relayAsk, To: &name}, relayFrame{Kind: relayOffer, From: p2p.PeerID{3}}, relayAnswer{relayed}} {
		b, err := wire.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var frame relayFrame
		if wire.Unmarshal(b, &frame) == nil && frame.To != nil && frame.To.names(p2p.PeerID{9}) {
			t.Error("a name of a device that nobody named")
		}
		var a relayAnswer
		_ = wire.Unmarshal(b, &a)
	})
}
