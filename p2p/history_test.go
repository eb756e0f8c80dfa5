package p2p

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// A step is something that happens to one of two devices, and how long it is
// quiet after it.
type step struct {
	Who  int
	What string
	Then time.Duration
}

func drawHistory(t *rapid.T) []step {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		return step{
			Who:  rapid.IntRange(0, 1).Draw(t, "who"),
			What: rapid.SampledFrom([]string{"unplug", "plug", "move", "wake", "restart", "crash", "told", "noudp", "udp"}).Draw(t, "what"),
			Then: time.Duration(rapid.SampledFrom([]int{0, 1, 7, 20, 160, 1500, 4000, 12_000, 40_000, 70_000}).Draw(t, "ms")) * time.Millisecond,
		}
	}), 1, 14).Draw(t, "history")
}

// Whatever happens to two paired devices: once both are there, each was told
// where the other is and one was woken, they agree on one link, soon.
func TestAnyHistoryEndsInOneLink(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		history := drawHistory(rt)
		var problem string
		forgetTimers()
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.haveTCP()
			problem = live(w, history)
		})
		if problem != "" {
			rt.Fatal(problem)
		}
	})
}

// live plays a history and returns what is wrong at its end.
func live(w *world, history []step) string {
	nodes := []*node{w.node(1, "10.0.0.1:4000", paired(2)), w.node(2, "10.0.0.2:4000", paired(1))}
	public := []netip.AddrPort{nodes[0].addr, nodes[1].addr} // as the network shows them
	told := func(i int) {
		o := 1 - i
		_ = nodes[i].AddCandidate(Candidate{Peer: nodes[o].id, Addr: public[o], Kind: Host, Source: "lan"}, Metadata{})
	}
	port := uint16(5000)
	told(0)
	for _, s := range history {
		d := nodes[s.Who]
		port++
		fresh := netip.AddrPortFrom(d.addr.Addr(), port)
		switch s.What {
		case "unplug", "plug":
			w.unplug(d.addr, s.What == "unplug")
		case "move":
			w.move(d.addr, fresh)
			public[s.Who] = fresh
			d.SetAddresses([]Candidate{{Addr: fresh, Kind: Host}})
		case "noudp", "udp":
			w.blockUDP(d.addr, s.What == "noudp")
		case "wake":
			d.Wake()
		case "told":
			told(s.Who)
		case "restart", "crash":
			w.unplug(d.addr, s.What == "crash")
			d.stop()
			nodes[s.Who] = w.node(byte(s.Who+1), fresh.String(), d.app)
			public[s.Who] = fresh
		}
		pass(s.Then)
	}
	for i, d := range nodes {
		w.unplug(d.addr, false)
		w.blockUDP(d.addr, false)
		told(i)
	}
	began := time.Now()
	nodes[history[0].Who].Wake() // one side knows that something changed
	pass(probeTimeout)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for i, d := range nodes {
		if err := d.echoAny(ctx, nodes[1-i]); err != nil {
			return fmt.Sprintf("%s: %v", nameOf(d.id), err)
		}
	}
	if took := time.Since(began); took > 8*time.Second {
		return fmt.Sprintf("linked after %v", took)
	}
	pass(upgradeEvery + 10*time.Second)
	return disagreement(nodes)
}

// disagreement tells whether two nodes do not have the same one link, or told
// their applications something else.
func disagreement(nodes []*node) string {
	la, lb := nodes[0].peers[nodes[1].id].link, nodes[1].peers[nodes[0].id].link
	if la == nil || lb == nil {
		return "a minute later a side has no link"
	}
	if n, m := len(nodes[0].peers[nodes[1].id].links), len(nodes[1].peers[nodes[0].id].links); n != 1 || m != 1 {
		return fmt.Sprintf("A has %d links, B has %d", n, m)
	}
	if la.conn.kind() != kindQUIC {
		return "a minute later they still use " + la.conn.kind()
	}
	if la.dialled == lb.dialled || la.number != lb.number {
		return fmt.Sprintf("A has connection %d (dialled %v), B has %d (dialled %v)", la.number, la.dialled, lb.number, lb.dialled)
	}
	for _, d := range nodes {
		up := 0
		for _, e := range d.app.log() {
			switch e[:min(9, len(e))] {
			case "connected":
				up++
			case "disconnec":
				up--
			}
			if up < 0 || up > 1 {
				return fmt.Sprintf("%s was told %q", nameOf(d.id), d.app.log())
			}
		}
		if up != 1 {
			return fmt.Sprintf("%s is linked and was told %q", nameOf(d.id), d.app.log())
		}
	}
	return ""
}

// echoAny is echo for a history: any failure is tried again until ctx is done.
func (d *node) echoAny(ctx context.Context, to *node) error {
	for {
		got, err := d.echoOnce(ctx, to, "x")
		if err == nil && got == "x" {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("no echo in a minute: %w; events here %q, there %q", err, d.app.log(), to.app.log())
		}
	}
}
