package p2p

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// The routers of the tests, by name.
func routers() map[string]func(public string) *nat {
	make1 := func(n nat) func(string) *nat {
		return func(public string) *nat {
			n := n
			n.public = netip.MustParseAddr(public)
			return &n
		}
	}
	return map[string]func(string) *nat{
		"home":      make1(nat{}),
		"open":      make1(nat{open: true}),
		"address":   make1(nat{filter: addressOnly}),
		"full cone": make1(nat{filter: anybody}),
		"symmetric": make1(nat{dependent: true}),
		"none":      func(string) *nat { return nil },
		"carrier": func(public string) *nat {
			return &nat{public: netip.MustParseAddr("100.64.7.7"), outer: &nat{public: netip.MustParseAddr(public)}}
		},
	}
}

// withSecret returns an application that is paired with another identity and
// has a secret in common with it.
func withSecret(with byte) *application {
	a := paired(with)
	for id, r := range a.records {
		r.Pairwise = Secret{42}
		a.records[id] = r
	}
	return a
}

// An asker's letter was read and answered; the answer arrives after a while.
// From then on the two have the time given; 0: they do not meet.
func TestPunch(t *testing.T) {
	const soon, later = 3 * time.Second, 2 * time.Minute
	for _, tt := range []struct {
		asker, answerer string
		latency, within time.Duration
	}{
		{"home", "home", 2 * time.Second, soon},
		{"home", "home", time.Minute, soon},
		{"home", "home", 10 * time.Minute, 25 * time.Second},
		{"home", "open", 2 * time.Second, soon},
		{"open", "home", 2 * time.Second, soon}, // the answerer's checks end before they poison it
		{"open", "open", 2 * time.Second, soon},
		{"open", "open", 40 * time.Second, later}, // poisoned by a round of usual hops: it is forgotten
		{"address", "home", 2 * time.Second, soon},
		{"full cone", "home", 2 * time.Second, soon},
		{"address", "symmetric", 2 * time.Second, soon}, // by a peer-reflexive address
		{"full cone", "symmetric", 2 * time.Second, soon},
		{"symmetric", "address", 2 * time.Second, soon},
		{"symmetric", "full cone", 2 * time.Second, soon},
		{"none", "symmetric", 2 * time.Second, soon},
		{"symmetric", "none", 2 * time.Second, soon},
		{"carrier", "none", 2 * time.Second, soon},
		{"carrier", "home", 2 * time.Second, soon},
		{"home", "carrier", 10 * time.Second, soon}, // when checks reach the carrier's router
		{"home", "symmetric", 2 * time.Second, 0},
		{"symmetric", "symmetric", 2 * time.Second, 0},
	} {
		for _, ids := range [][2]byte{{1, 2}, {2, 1}} {
			t.Run(fmt.Sprintf("%s asks %s, %v, %v", tt.asker, tt.answerer, tt.latency, ids), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newNATWorld(t)
					a := w.node(ids[0], addressBehind(tt.asker, 1), routers()[tt.asker]("198.51.100.1"), withSecret(ids[1]))
					b := w.node(ids[1], addressBehind(tt.answerer, 2), routers()[tt.answerer]("203.0.113.1"), withSecret(ids[0]))
					b.Answered(a.id)
					w.letter(b, a)
					pass(tt.latency)
					w.letter(a, b)
					within := tt.within
					if within == 0 {
						within = 10 * time.Minute
					}
					pass(within)
					if got, want := len(a.links()) == 1 && len(b.links()) == 1, tt.within > 0; got != want {
						t.Errorf("%v after the answer: linked %v, want %v", within, got, want)
					}
					for _, l := range append(a.Links(), b.Links()...) {
						if tt.asker != "symmetric" && tt.answerer != "symmetric" && l.Addr.Port() != 4001 {
							t.Errorf("linked at %v: not the port that letters tell", l.Addr)
						}
					}
				})
			})
		}
	}
}

// Where the other side's router is near, checks that were to open a carrier's
// router reach it, and it may take the flow for its own: then it takes longer,
// but not for good.
func TestPunchNear(t *testing.T) {
	for _, tt := range []struct{ asker, answerer string }{
		{"home", "home"}, {"home", "open"}, {"open", "home"}, {"open", "open"}, {"open", "address"},
	} {
		for _, latency := range []time.Duration{2 * time.Second, 10 * time.Second, 40 * time.Second, 100 * time.Second, 4 * time.Minute} {
			t.Run(fmt.Sprintf("%s asks %s, %v", tt.asker, tt.answerer, latency), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newNATWorld(t)
					w.between = 1
					a := w.node(1, addressBehind(tt.asker, 1), routers()[tt.asker]("198.51.100.1"), withSecret(2))
					b := w.node(2, addressBehind(tt.answerer, 2), routers()[tt.answerer]("203.0.113.1"), withSecret(1))
					b.Answered(a.id)
					w.letter(b, a)
					pass(latency)
					w.letter(a, b)
					began := time.Now()
					for len(a.links()) == 0 && time.Since(began) < 10*time.Minute {
						pass(time.Second)
					}
					took := time.Since(began)
					t.Logf("linked %v after the answer", took)
					limit := 3 * time.Minute
					if latency < 8*time.Second {
						limit = 4 * time.Second
					}
					if took > limit {
						t.Errorf("linked %v after the answer, want %v at most", took, limit)
					}
				})
			})
		}
	}
}

// addressBehind is the address of a host behind a router.
func addressBehind(router string, home int) string {
	if router == "none" {
		return fmt.Sprintf("192.0.2.%d:4001", home)
	}
	return fmt.Sprintf("192.168.%d.2:4001", home)
}
