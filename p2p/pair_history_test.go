package p2p

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// pairStep is one event in the life of three devices a, b and c.
type pairStep struct {
	kind  string
	a, b  int           // devices
	n     int           // of the frame or write from now on; which invitation
	how   string        // a disk fault
	after time.Duration // until the next step
}

func (s pairStep) String() string {
	return fmt.Sprintf("%s %d %d %d %s, %v later: ", s.kind, s.a, s.b, s.n, s.how, s.after)
}

// pairStepKinds holds what makes trouble more often.
var pairStepKinds = []string{
	"invite", "invite", "invite", "accept", "accept", "withdraw", "crash", "cut", "cut", "lose", "lose",
	"disk", "disk", "disk", "block", "unblock", "call",
}

// frameDelay makes an exchange take its time, so that things happen in it.
const frameDelay = 100 * time.Millisecond

func drawPairStep(t *rapid.T) pairStep {
	device := rapid.SampledFrom([]int{0, 1, 0, 1, 2})
	return pairStep{
		kind: rapid.SampledFrom(pairStepKinds).Draw(t, "kind"),
		a:    device.Draw(t, "a"),
		b:    device.Draw(t, "b"),
		n:    rapid.IntRange(1, 9).Draw(t, "n"),
		how:  rapid.SampledFrom(diskFaults).Draw(t, "how"),
		after: rapid.SampledFrom([]time.Duration{
			0, 1, frameDelay, 2*frameDelay - 1, 3 * frameDelay, 4*frameDelay + 1, 5 * frameDelay, 7 * frameDelay,
			time.Second, 3 * time.Second, 40 * time.Second, time.Hour,
		}).Draw(t, "after"),
	}
}

// pairHistory runs steps, then lets everything work again for long enough.
type pairHistory struct {
	world       *pairWorld
	devices     []*pairDevice
	invitations []pairOffer
	ctx         context.Context // of the test
	mu          sync.Mutex
	cutIn       int // frames until the next cut; 0: none
	arrives     bool
}

// pairOffer is an invitation and who made it.
type pairOffer struct {
	Invitation
	by int
}

func (h *pairHistory) do(s pairStep) {
	a, b := h.devices[s.a], h.devices[s.b]
	switch s.kind {
	case "invite":
		h.invitations = append(h.invitations, pairOffer{a.invite(byte(len(h.invitations)+1), ViaLink), s.a})
		h.accept(len(h.invitations)-1, b)
	case "accept":
		if n := len(h.invitations); n > 0 {
			h.accept(s.n%n, b)
		}
	case "call":
		if n := len(h.invitations); n > 0 {
			inv := h.invitations[s.n%n]
			p := h.devices[inv.by].pairing
			go func() { _ = p.pairDial(h.ctx, b.identity.ID(), inv.Token) }()
		}
	case "withdraw":
		if n := len(h.invitations); n > 0 {
			inv := h.invitations[s.n%n]
			k := h.devices[inv.by].disk
			k.mu.Lock()
			k.invitations[inv.Token].cancelled = true
			k.mu.Unlock()
		}
	case "crash":
		a.restart()
	case "cut", "lose":
		h.mu.Lock()
		h.cutIn, h.arrives = s.n, s.kind == "cut"
		h.mu.Unlock()
	case "disk":
		k := a.disk
		k.mu.Lock()
		diskFault{"", k.writes + (s.n+2)/3, s.how}.on(k, "")
		k.mu.Unlock()
	case "block", "unblock":
		h.world.block(a, b, s.kind == "block")
	}
}

func (h *pairHistory) accept(n int, by *pairDevice) {
	p, inv := by.pairing, h.invitations[n].Invitation
	go func() { _, _ = p.pair(h.ctx, inv) }()
}

func (h *pairHistory) onLink(here, _ *memoryLink) {
	here.link.onSend = func(*memoryLink, []byte) (deliver, cut bool) {
		time.Sleep(frameDelay)
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.cutIn == 0 {
			return true, false
		}
		h.cutIn--
		return h.cutIn > 0 || h.arrives, h.cutIn == 0
	}
}

func (h *pairHistory) reviveDead() {
	for _, d := range h.devices {
		if gone(d.dead) {
			d.restart()
		}
	}
}

// Whatever happens to three devices and whoever accepts whose invitation: in
// the end each two of them keep the same pairing, or none, and no invitation
// was used by two.
func TestAnyPairingHistoryEndsInBothOrNeither(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(drawPairStep), 2, 14).Draw(rt, "steps")
		var wrong []string
		synctest.Test(t, func(t *testing.T) { wrong = runPairHistory(t, steps) })
		if len(wrong) > 0 {
			rt.Fatalf("%v:\n%s", steps, strings.Join(wrong, "\n"))
		}
	})
}

func runPairHistory(t *testing.T, steps []pairStep) (wrong []string) {
	w := newPairWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h := &pairHistory{world: w, ctx: ctx, devices: []*pairDevice{w.add("a"), w.add("b"), w.add("c")}}
	w.onLink = h.onLink
	for _, s := range steps {
		h.reviveDead()
		h.do(s)
		time.Sleep(s.after)
	}
	h.mu.Lock()
	h.cutIn = 0
	h.mu.Unlock()
	for i, a := range h.devices {
		a.disk.mu.Lock()
		a.disk.onWrite = nil
		a.disk.mu.Unlock()
		for _, b := range h.devices[i+1:] {
			w.block(a, b, false)
			w.block(b, a, false)
		}
	}
	h.reviveDead()
	time.Sleep(10 * 24 * time.Hour)
	users := map[Token]map[int]bool{}
	for _, a := range h.devices {
		if len(a.disk.unsettled()) > 0 {
			wrong = append(wrong, a.name+" keeps something unsettled")
		}
		for j, b := range h.devices {
			x, y := a.with(b), b.with(a)
			if x.State != y.State || x.T != y.T || x.Pairwise != y.Pairwise {
				wrong = append(wrong, fmt.Sprintf("%s keeps %d of %x, %s keeps %d of %x", a.name, x.State, x.T[:4], b.name, y.State, y.T[:4]))
			}
			if x.State == Paired && x.Role == Inviter {
				if users[x.Token] == nil {
					users[x.Token] = map[int]bool{}
				}
				users[x.Token][j] = true
				if !a.disk.invitations[x.Token].used {
					wrong = append(wrong, fmt.Sprintf("the invitation %d that device %d used is open", x.Token[0], j))
				}
			}
		}
	}
	for token, who := range users {
		if len(who) > 1 {
			wrong = append(wrong, fmt.Sprintf("invitation %d was used by %v", token[0], who))
		}
	}
	return wrong
}
