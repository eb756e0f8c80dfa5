package p2p

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"
)

// Two endpoints pair nearby over QUIC, and are linked then.
func TestNearbyEndpoints(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := newPairNode(t, w, 1, "10.0.0.1:4001")
		b := newPairNode(t, w, 2, "10.0.0.2:4002")
		b.SetNearby(true)
		start := time.Now()
		gone := netip.MustParseAddrPort("10.0.0.9:4009")
		r, err := a.AskNearby(inTime(t, time.Minute), []netip.AddrPort{gone, b.addr})
		if err != nil || r.State != Paired || r.Peer != b.id {
			t.Fatalf("AskNearby = %+v, %v", r, err)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("pairing took %v", took)
		}
		a.linked(t)
		b.linked(t)
		agree(t, a.device, b.device)
		if x, y := a.device.words(), b.device.words(); len(x) != 1 || len(y) != 1 || x[0] != y[0] {
			t.Errorf("words %v and %v", x, y)
		}
	})
}

// Who is elsewhere, or asks while the door is closed, sees no certificate; and
// nobody elsewhere is called.
func TestNearbyOnlyHereAndOpen(t *testing.T) {
	for _, c := range []struct {
		name, asker string
		open        bool
		want        error
	}{
		{"closed", "10.0.0.1:4001", false, nil}, // a *PairingError
		{"another network", "10.0.1.1:4001", true, errNoCandidate},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				a := newPairNode(t, w, 1, c.asker)
				b := newPairNode(t, w, 2, "10.0.0.2:4002")
				b.SetNearby(c.open)
				_, err := a.AskNearby(inTime(t, time.Minute), []netip.AddrPort{b.addr})
				if err == nil || c.want != nil && !errors.Is(err, c.want) {
					t.Errorf("AskNearby = %v, want an error, %v", err, c.want)
				}
				if c.want == nil {
					wantCode(t, "AskNearby at a closed door", err, PairingRefused, true)
					return
				}
				a.SetAddresses([]Candidate{{Addr: a.addr, Kind: Host}}, netip.MustParsePrefix("10.0.0.0/16")) // it believes itself near
				if _, err := a.AskNearby(inTime(t, time.Minute), []netip.AddrPort{b.addr}); err == nil {
					t.Error("AskNearby from elsewhere = nil, want an error")
				}
				if len(b.device.ends())+len(a.device.words()) > 0 {
					t.Error("people saw something")
				}
			})
		})
	}
}

// Without a knock nothing but pairing is served, and that only as a request.
func TestNearbyNameOpensNothingElse(t *testing.T) {
	policy := listenPolicy{nearby: func() bool { return true }}
	for name, c := range map[string]struct {
		protocols []string
		onLink    bool
		ok        bool
	}{
		"pairing here":      {[]string{alpnPair}, true, true},
		"pairing elsewhere": {[]string{alpnPair}, false, false},
		"a link":            {[]string{alpnLink}, true, false},
		"both":              {[]string{alpnPair, alpnLink}, true, false},
		"nothing":           {nil, true, false},
	} {
		if err := policy.checkNearby(c.protocols, c.onLink); (err == nil) != c.ok {
			t.Errorf("%s: checkNearby = %v, want ok: %v", name, err, c.ok)
		}
	}
}

// Run ends though a person still looks at the words.
func TestNearbyEndsWithRun(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		dora, leo := w.neighbours()
		dora.near.compares, leo.near.compares = never[[3]string], never[[3]string]
		ended := make(chan error, 1)
		go func() {
			_, err := dora.asks(context.Background(), leo)
			ended <- err
		}()
		time.Sleep(time.Second)
		leo.stop()
		dora.stop()
		if err := <-ended; err == nil {
			t.Error("asks = nil, want an error")
		}
	})
}
