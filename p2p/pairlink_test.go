package p2p

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// The whole way over QUIC: an invitation, a pairing, a link.
func TestPairThenTalk(t *testing.T) {
	for _, tt := range []struct {
		name    string
		dialler int // 0: the answerer dials, 1: the inviter does
	}{{"the answerer dials", 0}, {"the inviter dials", 1}} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				inviter := w.node(1, "10.0.0.1:4001", paired())
				answerer := w.node(2, "10.0.0.2:4002", paired())
				id := testIdentity(1)
				inv := Invitation{Token: Token{7}, Peer: id.ID(), Static: id.Static(), PSK: Secret{8}, Via: ViaLink, Expires: time.Now().Add(time.Hour)}
				inviter.app.invitations = map[Token]PairingKeys{inv.Token: {PSK: inv.PSK, Via: ViaLink, Expires: inv.Expires}}
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
				defer cancel()
				if tt.dialler == 0 {
					answerer.knows(inviter)
				} else {
					inviter.knows(answerer)
					go func() { _ = inviter.PairDial(ctx, answerer.id, inv.Token) }()
				}
				began := time.Now()
				r, err := answerer.Pair(ctx, inv)
				if err != nil || r.State != Paired {
					t.Fatalf("Pair = %+v, %v, want a paired record", r, err)
				}
				if got := answerer.echo(t, inviter, "hello"); got != "hello" {
					t.Errorf("echo = %q, want hello", got)
				}
				inviter.echo(t, answerer, "hello")
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("a stream after %v, want within seconds", took)
				}
				ri, _ := inviter.app.Record(answerer.id)
				if ri.State != Paired || ri.T != r.T || ri.Pairwise != r.Pairwise || ri.Public != testIdentity(2).Public() {
					t.Errorf("the inviter keeps %+v", ri)
				}
				for _, d := range []*node{inviter, answerer} {
					if log := d.app.log(); log[len(log)-1][:9] != "connected" || !slices.ContainsFunc(log, func(s string) bool { return s[:6] == "paired" }) {
						t.Errorf("%s was told %q", nameOf(d.id), log)
					}
				}
			})
		})
	}
}

// What a pairing link tells its user, with a bare peer at the other end.
func TestPairLink(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired())
		addr := netip.MustParseAddrPort("10.0.0.9:9009")
		cert, err := certificate(testIdentity(2))
		if err != nil {
			t.Fatal(err)
		}
		policy := listenPolicy{door: newDoor(testIdentity(2).ID()), onLink: func(netip.Addr) bool { return false }}
		ln, err := w.caller(addr.String()).Listen(listenTLS(cert, policy), quicConfig())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = ln.Close() }()
		pass(time.Millisecond) // until Run runs
		if _, err := a.dialPair(t.Context(), testIdentity(2).ID()); !errors.Is(err, errNoCandidate) {
			t.Errorf("dialPair without a candidate = %v, want %v", err, errNoCandidate)
		}
		_ = a.AddCandidate(Candidate{Peer: testIdentity(2).ID(), Addr: addr, Kind: Host}, Metadata{})
		here, err := a.dialPair(t.Context(), testIdentity(2).ID())
		if err != nil {
			t.Fatal(err)
		}
		c, err := ln.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		there, err := newPairLink(quicCarrier{c: c})
		if err != nil {
			t.Fatal(err)
		}
		if here.Peer() != testIdentity(2).ID() || there.Peer() != a.id || there.Public() != testIdentity(1).Public() || here.Addr() != addr || there.Addr() != a.addr {
			t.Errorf("peers %v and %v at %v and %v", here.Peer(), there.Peer(), here.Addr(), there.Addr())
		}
		e1, err1 := here.Exporter("EXPORTER-x")
		e2, err2 := there.Exporter("EXPORTER-x")
		e3, _ := there.Exporter("EXPORTER-y")
		if err1 != nil || err2 != nil || e1 != e2 || e1 == e3 || e1 == [32]byte{} {
			t.Errorf("exporters %x, %v; %x, %v; of another label %x", e1, err1, e2, err2, e3)
		}
		s1, err := here.OpenStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s1.Write([]byte{9}); err != nil {
			t.Fatal(err)
		}
		s2, err := there.AcceptStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var b [1]byte
		if n, err := s2.Read(b[:]); n != 1 || err != nil || b[0] != 9 {
			t.Errorf("Read = %d, %v, %v", n, err, b)
		}
		there.Close(PairingUserNo)
		<-here.Done()
		if code, ok := here.CloseCode(); code != PairingUserNo || !ok {
			t.Errorf("CloseCode of who was told = %v, %v, want user-no", code, ok)
		}
		if code, ok := there.CloseCode(); ok {
			t.Errorf("CloseCode of who closed = %v, want none", code)
		}
	})
}
