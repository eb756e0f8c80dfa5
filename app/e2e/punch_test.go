package e2e

import (
	"bytes"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"foldpost/app"
	"foldpost/mail/mailtest"
)

// homes puts devices behind routers of their own, which keep the port and let
// in only what was sent to before. The provider sees the routers' addresses.
func (w *world) homes(public map[*device]string) {
	type flow struct{ inside, remote netip.AddrPort }
	flows := map[flow]time.Time{}
	out, in, home := map[netip.AddrPort]netip.AddrPort{}, map[netip.AddrPort]netip.AddrPort{}, map[string]string{}
	for d, a := range public {
		outside := netip.AddrPortFrom(netip.MustParseAddr(a), d.addr.Port())
		out[d.addr], in[outside] = outside, d.addr
		home[d.email] = a
	}
	w.watch(func(p packet) bool {
		from, to, now := addrOf(p.From), addrOf(p.To), time.Now()
		if to.Addr().IsPrivate() {
			return true // another home's network
		}
		w.mu.Lock()
		flows[flow{from, to}] = now.Add(30 * time.Second)
		if o, ok := out[from]; ok {
			from = o
		}
		inside, ok := in[to]
		pass := ok && now.Before(flows[flow{inside, from}])
		w.mu.Unlock()
		if pass {
			w.deliver(packet{From: net.UDPAddrFromAddrPort(from), To: net.UDPAddrFromAddrPort(inside), Data: p.Data})
		}
		return true
	})
	w.mail.Intercept(func(from, _ string, raw []byte) []byte {
		return bytes.Replace(raw, []byte("client ([127.0.0.1])"), []byte("client (client ["+home[strings.ToLower(from)]+"])"), 1)
	})
}

// TestTwoHomes: two people behind two routers know each other's e-mail address
// and six words; nothing else in the world helps them.
func TestTwoHomes(t *testing.T) {
	for _, latency := range []time.Duration{2 * time.Second, time.Minute} {
		t.Run(latency.String(), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				ada, bob := w.deviceAt("ada", "192.168.1.2:4001"), w.deviceAt("bob", "192.168.2.2:4002")
				w.homes(map[*device]string{ada: "198.51.100.1", bob: "203.0.113.2"})
				w.mail.SetFaults(mailtest.Faults{Delay: latency})
				ada.mailbox()
				bob.mailbox()
				inv := ada.invite(bob)
				bob.eventually("invited", time.Hour, invited)
				w.must(bob.accept(inv.Words))
				began := time.Now()
				bob.eventually("linked", time.Hour, connected)
				ada.eventually("linked", time.Minute, connected)
				// Five seconds until the answer leaves, its way, and three.
				if took := time.Since(began); took > 5*time.Second+latency+5*time.Second {
					t.Errorf("linked %s after accepting, with mails that take %s", took, latency)
				}
				s := w.share("Photos", ada, bob)
				s.wait(ada, time.Minute)
				s.wait(bob, time.Minute)
				ada.never("lost", 10*time.Minute, func(s app.State) bool { return !connected(s) })
			})
		})
	}
}

// TestTwoHomesMove: both are behind other routers when they come back.
func TestTwoHomesMove(t *testing.T) {
	for _, latency := range []time.Duration{2 * time.Second, time.Minute} {
		t.Run(latency.String(), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				ada, bob := w.deviceAt("ada", "192.168.1.2:4001"), w.deviceAt("bob", "192.168.2.2:4002")
				w.homes(map[*device]string{ada: "198.51.100.1", bob: "203.0.113.2"})
				ada.mailbox()
				bob.mailbox()
				inv := ada.invite(bob)
				bob.eventually("invited", time.Hour, invited)
				w.must(bob.accept(inv.Words))
				bob.eventually("linked", time.Minute, connected)
				s := w.share("Photos", ada, bob)
				s.wait(ada, time.Minute)
				s.wait(bob, time.Minute)
				ada.end()
				bob.end()
				w.mail.SetFaults(mailtest.Faults{Delay: latency})
				ada.move("192.168.3.2:4001")
				bob.move("192.168.4.2:4002")
				w.homes(map[*device]string{ada: "198.51.100.11", bob: "203.0.113.12"})
				ada.start()
				bob.start()
				began := time.Now()
				ada.eventually("linked again", time.Hour, connected)
				bob.eventually("linked again", time.Minute, connected)
				// Thirty seconds until one asks, its question, the answer, and some.
				if took := time.Since(began); took > 30*time.Second+2*latency+6*time.Second {
					t.Errorf("linked again %s after the start, with mails that take %s", took, latency)
				}
				ada.never("lost", 10*time.Minute, func(s app.State) bool { return !connected(s) })
			})
		})
	}
}
