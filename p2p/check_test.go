package p2p

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// Ten thousand candidates, victims' addresses among them, make no more packets
// than sixteen do, and those get few.
func TestHostileCandidates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newNATWorld(t)
		app := withSecret(2)
		a := w.node(1, "192.168.1.2:4001", &nat{public: netip.MustParseAddr("203.0.113.1")}, app)
		peer := testIdentity(2).ID()
		for i := range 10_000 {
			addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, byte(i / 250), byte(i % 250)}), 4001)
			_ = a.AddCandidate(Candidate{Peer: peer, Addr: addr, Kind: Reflexive, Source: "mail"}, Metadata{})
		}
		own := Candidate{Peer: peer, Addr: a.addr, Kind: Reflexive, Source: "mail"}
		_ = a.AddCandidate(own, Metadata{}) // as if the peer were here
		_ = a.AddCandidate(Candidate{Peer: peer, Addr: netip.MustParseAddrPort("203.0.113.1:4001"), Kind: Reflexive, Source: "mail"}, Metadata{})
		for minutes := 1; minutes <= 20; minutes++ {
			pass(time.Minute)
			w.mu.Lock()
			all := w.checks
			most := 0
			for _, n := range w.strangers {
				most = max(most, n)
			}
			hit := len(w.strangers)
			w.mu.Unlock()
			if hit > maxCandidates || most > 140 || all > 2000 {
				t.Fatalf("after %d min: %d addresses got packets, one of them %d, all together %d", minutes, hit, most, all)
			}
			if minutes == 20 && most == 0 {
				t.Fatal("nothing was checked")
			}
		}
	})
}

// A check that is sent again from elsewhere is not answered: else whoever saw
// one could have us talk to a victim.
func TestReplayedChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newNATWorld(t)
		a := w.node(2, "192.0.2.1:4001", nil, withSecret(1))
		_ = a.AddCandidate(Candidate{Peer: testIdentity(1).ID(), Addr: netip.MustParseAddrPort("192.168.9.9:4001"), Kind: Host, Source: "mail"}, Metadata{})
		pass(time.Hour) // all quiet
		_, signed := signedRequest()
		sender, victim := w.stranger("198.51.100.9:5000"), w.stranger("198.51.100.10:5000")
		_, _ = sender.WriteTo(signed, net.UDPAddrFromAddrPort(a.addr))
		pass(time.Second)
		if got := sender.read(t); len(got) < 2 {
			t.Errorf("%d packets after a check, want an answer and a check", len(got))
		}
		for range 10 {
			_, _ = victim.WriteTo(signed, net.UDPAddrFromAddrPort(a.addr))
		}
		pass(time.Second)
		if got := victim.read(t); len(got) != 0 {
			t.Errorf("%d packets to whom a check was replayed from, want 0", len(got))
		}
	})
}

// Addresses that only checks told are few, and do not push out others.
func TestPeerReflexiveAddressesAreFew(t *testing.T) {
	now := time.Now()
	n := newNetwork([]netip.Addr{netip.MustParseAddr("0.0.0.0")}, nil, nil)
	p := &peer{}
	for i := range maxCandidates - maxHeard {
		p.candidates.add(Candidate{Addr: netip.MustParseAddrPort(fmt.Sprintf("9.9.9.%d:4001", i)), Kind: Host, Source: "mail"}, now)
	}
	for i := range 1000 {
		now = now.Add(time.Millisecond)
		if p.heardFrom(netip.MustParseAddrPort(fmt.Sprintf("9.9.%d.%d:4001", i/250, i%250)), n, now) == nil {
			t.Fatalf("address %d was not taken", i)
		}
	}
	told := 0
	for _, k := range p.candidates {
		if k.Source == checkSource {
			told++
		}
	}
	if len(p.candidates) > maxCandidates || told > maxHeard {
		t.Errorf("%d candidates, %d of checks, want %d and %d at most", len(p.candidates), told, maxCandidates, maxHeard)
	}
	if p.heardFrom(netip.MustParseAddrPort("127.0.0.1:4001"), n, now) != nil {
		t.Error("a loopback address is taken from a check")
	}
}

// Two devices that lost each other's link go on where they were seen.
func TestChecksAfterALinkIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newNATWorld(t)
		a := w.node(1, "192.168.1.2:4001", routers()["home"]("198.51.100.1"), withSecret(2))
		b := w.node(2, "192.168.2.2:4001", routers()["home"]("203.0.113.1"), withSecret(1))
		b.Answered(a.id)
		w.letter(b, a)
		w.letter(a, b)
		pass(3 * time.Second)
		if len(a.links()) != 1 {
			t.Fatal("not linked")
		}
		w.mu.Lock()
		w.cut = true
		w.mu.Unlock()
		pass(5 * time.Minute) // both gave the link up, their routers forgot it
		if n := len(a.links()) + len(b.links()); n != 0 {
			t.Fatalf("%d links though nothing gets through", n)
		}
		w.mu.Lock()
		w.cut = false
		w.mu.Unlock()
		pass(2 * time.Minute)
		if got := a.echo(t, b, "again"); got != "again" {
			t.Errorf("echo = %q", got)
		}
	})
}

// Two people whose letters are all that connects them: an invitation, its
// answer, and routers before both.
func TestPairingThroughRouters(t *testing.T) {
	for _, tt := range []struct {
		inviter, answerer string
		latency           time.Duration
		ids               [2]byte
	}{
		{"home", "home", 2 * time.Second, [2]byte{1, 2}},
		{"home", "home", time.Minute, [2]byte{2, 1}},
		{"open", "home", 2 * time.Second, [2]byte{1, 2}},
		{"full cone", "home", 2 * time.Second, [2]byte{2, 1}},
	} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newNATWorld(t)
				token, psk := Token{7}, Secret{9}
				expires := time.Now().Add(24 * time.Hour)
				inviter, answerer := paired(), paired()
				inviter.invitations = map[Token]PairingKeys{token: {PSK: psk, Via: ViaWords, Expires: expires}}
				i := w.node(tt.ids[0], "192.168.1.2:4001", routers()[tt.inviter]("198.51.100.1"), inviter)
				a := w.node(tt.ids[1], "192.168.2.2:4001", routers()[tt.answerer]("203.0.113.1"), answerer)
				w.letter(a, i)
				done := make(chan error, 1)
				go func() {
					_, err := a.Pair(t.Context(), Invitation{Token: token, Peer: i.id, Static: testIdentity(tt.ids[0]).Static(), PSK: psk, Via: ViaWords, Expires: expires})
					done <- err
				}()
				pass(tt.latency)
				w.letter(i, a)
				go func() { _ = i.PairDial(t.Context(), a.id, token) }()
				pass(3 * time.Second)
				select {
				case err := <-done:
					if err != nil {
						t.Errorf("Pair = %v", err)
					}
				default:
					t.Error("not paired 3 s after the answer letter")
				}
				pass(3 * time.Second)
				if len(a.links()) != 1 || len(i.links()) != 1 {
					t.Errorf("links %v and %v, want one each", a.links(), i.links())
				}
			})
		})
	}
}

// An inviter whose router lets calls in is reached without its knowing who
// calls: at once by a link, which is not answered by letter; some time later by
// words, if the answer is late.
func TestPairingWithAForwardedPort(t *testing.T) {
	for _, tt := range []struct {
		via    Via
		within time.Duration
	}{{ViaLink, 3 * time.Second}, {ViaWords, time.Minute}} {
		t.Run(string(tt.via), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newNATWorld(t)
				token, psk := Token{7}, Secret{9}
				expires := time.Now().Add(24 * time.Hour)
				inviter, answerer := paired(), paired()
				inviter.invitations = map[Token]PairingKeys{token: {PSK: psk, Via: tt.via, Expires: expires}}
				router := &nat{public: netip.MustParseAddr("198.51.100.1"), forward: netip.MustParseAddrPort("192.168.1.2:4001")}
				i := w.node(2, "192.168.1.2:4001", router, inviter)
				a := w.node(1, "192.168.2.2:4001", &nat{public: netip.MustParseAddr("203.0.113.1")}, answerer)
				w.letter(a, i)
				ctx, cancel := context.WithTimeout(t.Context(), tt.within)
				defer cancel()
				_, err := a.Pair(ctx, Invitation{Token: token, Peer: i.id, Static: testIdentity(2).Static(), PSK: psk, Via: tt.via, Expires: expires})
				if err != nil {
					t.Errorf("Pair = %v after %v", err, tt.within)
				}
			})
		})
	}
}
