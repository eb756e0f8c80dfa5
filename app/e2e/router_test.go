package e2e

import (
	"bytes"
	"net"
	"net/netip"
	"strings"
	"time"
)

// A router is what stands between one device and the internet. It lets in what
// answers something that went out to that very address and port.
type router struct {
	public    string
	dependent bool // it gives each destination another port; else the device's own
}

// mappingLife is how long routers keep what nothing uses.
const mappingLife = 30 * time.Second

// flow is one way through a router.
type flow struct{ inside, remote netip.AddrPort }

// routers puts some devices behind routers; the others are reached by all.
func (w *world) routers(at map[*device]router) {
	type mapping struct {
		outside netip.AddrPort
		until   time.Time
	}
	public, home := map[netip.Addr]router{}, map[string]string{}
	for d, r := range at {
		public[d.addr.Addr()], home[d.email] = r, r.public
	}
	flows, port := map[flow]*mapping{}, uint16(50000)
	w.watch(func(p packet) bool {
		from, to, now := addrOf(p.From), addrOf(p.To), time.Now()
		if to.Addr().IsPrivate() {
			return true // another home's network
		}
		w.mu.Lock()
		if r, ok := public[from.Addr()]; ok {
			f := flow{from, to}
			m := flows[f]
			if m == nil || now.After(m.until) {
				m = &mapping{outside: netip.AddrPortFrom(netip.MustParseAddr(r.public), from.Port())}
				if r.dependent {
					port++
					m.outside = netip.AddrPortFrom(m.outside.Addr(), port)
				}
				flows[f] = m
			}
			m.until, from = now.Add(mappingLife), m.outside
		}
		_, known := w.at[to]
		for f, m := range flows {
			if m.outside == to && f.remote == from && now.Before(m.until) {
				to, known = f.inside, true
			}
		}
		lost := w.off[to.Addr()]
		w.mu.Unlock()
		if known && !lost {
			w.deliver(packet{From: net.UDPAddrFromAddrPort(from), To: net.UDPAddrFromAddrPort(to), Data: p.Data})
		}
		return true
	})
	w.mail.Intercept(func(from, _ string, raw []byte) []byte {
		return bytes.Replace(raw, []byte("client ([127.0.0.1])"), []byte("client (client ["+home[strings.ToLower(from)]+"])"), 1)
	})
}
