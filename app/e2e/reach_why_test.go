//go:build reach

package e2e

import (
	"encoding/binary"
	"encoding/json"
	"net"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"foldpost/app"
)

// saidWithin is how soon both sides say why they are not linked.
const saidWithin = 30 * time.Second

// TestReachNot introduces two people behind routers through which neither can
// call the other: both are told whose routers it is. When the routers are
// replaced, all goes on by itself.
func TestReachNot(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		ada, bob   place
		servers    bool // that tell each side what its routers do
		adas, bobs app.Reason
	}{
		{"both change the port", adas(perTarget), bobs(perTarget), true, app.FoundBothChange, app.FoundBothChange},
		{"both change the port and nobody knows", adas(perTarget), bobs(perTarget), false, app.FoundNoWay, app.FoundNoWay},
		{"a carrier changes the port", behindCarrier(perTarget), bobs(likeMost), true, app.FoundChangesHere, app.FoundChangesThere},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newInternet(t, mailLatency, "ada@a.example", "bob@b.example")
			ada, bob := w.device("ada", "ada@a.example", c.ada), w.device("bob", "bob@b.example", c.bob)
			if c.servers {
				servers := w.stun("192.0.2.25:3478") + " " + w.stun("203.0.113.1:3478")
				ada.do("config", "stun", servers)
				bob.do("config", "stun", servers)
			}
			dirA, dirB := filepath.Join(t.TempDir(), "Photos"), filepath.Join(t.TempDir(), "Photos of Ada")
			plant(t, dirA, 100, 0)
			words := lastLine(ada.do("share", dirA, "bob@b.example", "--no-wait"))
			bob.eventually("invitation by mail", time.Minute, func() bool { return len(bob.state().Questions) > 0 })
			bob.with("\n"+words+"\n", "accept", "-", "--no-wait")
			bob.eventually("an answer by mail", 10*time.Second, func() bool { return len(w.sent(1)) > 0 })

			limit := w.sent(1)[0].at.Add(mailLatency + saidWithin)
			ada.told(c.adas, limit)
			bob.told(c.bobs, limit)

			linked := ada.when(3*time.Minute, isLinked)
			w.translate("ada", len(c.ada.routers)-1, likeMost)
			w.translate("bob", len(c.bob.routers)-1, likeMost)
			replaced := time.Now()
			t.Logf("linked %s after the routers were replaced", ada.must("linked", linked).Sub(replaced).Round(time.Millisecond))
			bob.eventually("the offer", time.Minute, func() bool { return len(bob.state().Offers) == 1 })
			bob.do("join", "Photos", dirB, "--no-wait")
			ada.do("wait", "--timeout", "120s")
			bob.do("wait", "--timeout", "120s")
			sameTrees(t, dirA, dirB)
		})
	}
}

// told waits until the doctor says why there is no link.
func (p *process) told(want app.Reason, limit time.Time) {
	p.t.Helper()
	var links []app.Finding
	for time.Now().Before(limit) {
		var said struct{ Findings []app.Finding }
		out := p.try("", "doctor", "--json").out
		if err := json.Unmarshal([]byte(out), &said); err != nil {
			p.t.Fatalf("doctor said %q: %v", out, err)
		}
		links = slices.DeleteFunc(said.Findings, func(f app.Finding) bool { return f.Area != app.AreaLink })
		if len(links) == 1 && links[0].Reason == want {
			p.t.Logf("%s is told %s before the limit: %s", filepath.Base(p.home), time.Until(limit).Round(time.Second), links[0].Text)
			return
		}
	}
	p.t.Errorf("%s is told %+v, want %s", filepath.Base(p.home), links, want)
}

// stun answers binding requests (RFC 8489) on the internet.
func (w *internet) stun(addr string) string {
	w.t.Helper()
	c := w.udp("net", addr)
	go func() {
		for b := make([]byte, 1500); ; {
			n, from, err := c.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			if n >= 20 && binary.BigEndian.Uint16(b) == 1 {
				c.WriteToUDPAddrPort(mapped(b[4:20], net.UDPAddrFromAddrPort(from)), from)
			}
		}
	}()
	return addr
}

// mapped is the answer to a request with a cookie and an id: from where it
// came, over IPv4.
func mapped(id []byte, from *net.UDPAddr) []byte {
	b := append([]byte{1, 1, 0, 12}, id...)
	b = append(b, 0, 0x20, 0, 8, 0, 1)
	b = binary.BigEndian.AppendUint16(b, uint16(from.Port)^0x2112)
	for i, x := range from.IP.To4() {
		b = append(b, x^id[i])
	}
	return b
}
