package node

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"foldpost/app"
	"foldpost/p2p"
)

// Doctor implements [app.Service].
func (n *Node) Doctor(context.Context) ([]app.Finding, error) {
	st, s, now := n.State(), n.keep.view(), time.Now()
	list := []app.Finding{app.Found(app.FoundProgram, "Version", st.Device.Version, "System", runtime.GOOS+"/"+runtime.GOARCH)}
	if st.Paused {
		list = append(list, app.Found(app.FoundPaused))
	}
	if len(st.Questions) > 0 {
		list = append(list, app.Found(app.FoundQuestions, "N", strconv.Itoa(len(st.Questions))))
	}
	list = append(list, n.findClock(&s)...)
	list = append(list, n.findNetwork(missing(st.Devices))...)
	if len(st.Relays) > 0 {
		list = append(list, app.Found(app.FoundRelaying, "N", strconv.Itoa(len(st.Relays))))
	}
	list = append(list, n.findNearbyDevices(wanted(st.Devices), now)...)
	list = append(list, n.findMailbox(st.Mailbox))
	for _, d := range st.Devices {
		list = append(list, n.findDevice(&s, d, now))
	}
	for i := range s.Invitations {
		if f, ok := n.whyReserved(&s, &s.Invitations[i], now); ok {
			f.Detail = triedText(n.endpoint.Tried(p2p.PeerID(s.Invitations[i].Peer)), now) + lettersText(s.Invitations[i].Seek)
			list = append(list, f)
		}
	}
	for i := range list { // what the system said may have some
		list[i].Detail = app.ShortAddrs(list[i].Detail)
	}
	return append(list, findFolders(st.Folders)...), nil
}

// clockOff is how far clocks may differ: a HELLO tells seconds, and takes its
// time.
const clockOff = 90 * time.Second

// findClock compares this computer's clock with those of the linked devices.
// Where most of several say the same, they are right.
func (n *Node) findClock(s *kept) []app.Finding {
	var off []p2p.Link
	links := n.endpoint.Links()
	for _, l := range links {
		if l.Offset.Abs() > clockOff {
			off = append(off, l)
		}
	}
	switch {
	case len(links) == 0:
		return nil
	case len(off) == 0:
		return []app.Finding{app.Found(app.FoundClock)}
	case len(off) > 1 && 2*len(off) > len(links):
		slices.SortFunc(off, func(a, b p2p.Link) int { return int(a.Offset - b.Offset) })
		return []app.Finding{app.Found(app.FoundClockOff, "Time", roughly(off[len(off)/2].Offset))}
	}
	var list []app.Finding
	for _, l := range off {
		f := app.Found(app.FoundClockAway, "Name", n.deviceName(s, deviceID(key(l.Peer))), "Time", roughly(l.Offset))
		f.Device = deviceID(key(l.Peer))
		if len(links) > 2 { // the others agree with this one
			f.Side = app.SideThere
		}
		list = append(list, f)
	}
	return list
}

// roughly is a time difference in the largest unit that says enough.
func roughly(d time.Duration) string {
	switch d = d.Abs(); {
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", (d+30*time.Second)/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", (d+30*time.Minute)/time.Hour)
	}
	return fmt.Sprintf("%d d", (d+12*time.Hour)/(24*time.Hour))
}

// missing tells whether a device is not connected.
func missing(devices []app.Device) bool {
	return slices.ContainsFunc(devices, func(d app.Device) bool { return !d.Connected })
}

// wanted tells whether it matters that devices nearby are found.
func wanted(devices []app.Device) bool { return len(devices) == 0 || missing(devices) }

// findNetwork is about this computer's own place on the network. A router that
// hinders links is nothing wrong while none is missing.
func (n *Node) findNetwork(missing bool) []app.Finding {
	own := n.addrs()
	var list []app.Finding
	if !n.online() {
		list = append(list, app.Found(app.FoundNoAddress))
	} else {
		short, kinds := placesOf(own)
		f := app.Found(app.FoundAddresses, "Addresses", short)
		f.Detail = kinds
		list = append(list, f)
	}
	f := app.Found(app.FoundPort, "Port", strconv.Itoa(int(n.port)), "Kinds", strings.Join(n.listens(), ", "))
	for _, c := range n.endpoint.Reflexive() {
		f.Detail += "seen from outside at " + app.ShortAddr(c.Addr.Addr()) + ", port " + strconv.Itoa(int(c.Addr.Port())) + "\n"
	}
	list = append(list, n.findTURN()...)
	m := n.findMapping()
	m.OK = m.OK || !missing && m.Reason != app.FoundBlocked
	if m.Reason == app.FoundCarrier || m.Reason == app.FoundBlocked {
		return append(list, f, m)
	}
	return append(append(list, f, m), n.mapping.facts().find(missing)...)
}

// networkTrouble is what the State says of the network: only what is wrong.
func (n *Node) networkTrouble(devices []app.Device, now time.Time) []app.Finding {
	list := append(n.findNetwork(missing(devices)), n.findNearbyDevices(wanted(devices), now)...)
	list = slices.DeleteFunc(list, func(f app.Finding) bool { return f.OK })
	for i := range list {
		list[i].Detail = ""
	}
	return slices.Clip(list)
}

// listens names what the sockets are for.
func (n *Node) listens() []string {
	conns := n.cfg.Conns
	if conns == nil {
		conns = n.sockets
	}
	var list []string
	for _, c := range conns {
		list = append(list, "UDP "+familyOf(c.LocalAddr()))
	}
	for _, l := range n.listeners {
		list = append(list, "TCP "+familyOf(l.Addr()))
	}
	return list
}

func familyOf(addr net.Addr) string {
	if a, err := netip.ParseAddrPort(addr.String()); err == nil && a.Addr().Unmap().Is4() {
		return "IPv4"
	}
	return "IPv6"
}

// carrierNetwork is what carriers number their customers' routers from
// (RFC 6598).
var carrierNetwork = netip.MustParsePrefix("100.64.0.0/10")

// findMapping is about the routers before this computer.
func (n *Node) findMapping() app.Finding {
	port := strconv.Itoa(int(n.port))
	if n.behindCarrier() {
		f := app.Found(app.FoundCarrier)
		f.Detail = trialsText(n.mapping.facts().Gateways)
		return f
	}
	switch n.ownMapping() {
	case p2p.MappingNone:
		return app.Found(app.FoundOpen)
	case p2p.MappingIndependent:
		return app.Found(app.FoundKeepsPort)
	case p2p.MappingDependent:
		return app.Found(app.FoundChangesPort, "Port", port)
	case p2p.MappingBlocked:
		return app.Found(app.FoundBlocked)
	}
	return app.Found(app.FoundNoMapping)
}

// behindCarrier tells whether this computer, or the router before it, is in a
// carrier's own network. A computer is only if it is in no other: some programs
// make private networks with the same numbers.
func (n *Node) behindCarrier() bool {
	if n.mapping.facts().carrier() {
		return true
	}
	carrier := false
	for _, a := range n.addrs() {
		ip := a.Addr()
		if !ip.Is4() || ip.IsLoopback() {
			continue
		}
		if !carrierNetwork.Contains(ip) {
			return false
		}
		carrier = true
	}
	return carrier
}

// placesOf lists addresses, shortened, and in lines what kind they are.
func placesOf(own []netip.AddrPort) (short, kinds string) {
	var list []string
	for _, a := range own {
		if a.Addr().IsLoopback() {
			continue
		}
		text := app.ShortAddr(a.Addr())
		kinds += text + ": " + placeOf(a.Addr()) + "\n"
		if !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return strings.Join(list, ", "), kinds
}

func placeOf(a netip.Addr) string {
	switch {
	case carrierNetwork.Contains(a):
		return "carrier"
	case a.IsLoopback(), a.IsLinkLocalUnicast():
		return "local"
	case a.IsPrivate():
		return "private"
	}
	return "public"
}

// findMailbox is about the e-mail account.
func (n *Node) findMailbox(m *app.MailboxState) app.Finding {
	if m == nil {
		return app.Found(app.FoundNoMailbox)
	}
	var f app.Finding
	switch m.State {
	case "problem":
		f = app.Found(app.FoundMailboxBad, "Mail", shortMail(m.Address), "Problem", m.Problem)
	case "ok":
		f = app.Found(app.FoundMailbox, "Mail", shortMail(m.Address))
	default:
		f = app.Found(app.FoundMailboxNew, "Mail", shortMail(m.Address))
	}
	for _, d := range []app.Direction{app.Sent, app.Received} {
		if i := slices.IndexFunc(n.mails.all(), func(l app.Mail) bool { return l.Direction == d }); i >= 0 {
			f.Detail += fmt.Sprintf("last mail %s: %s\n", d, moment(n.mails.all()[i].At))
		}
	}
	return f
}

// shortMail is an address whose provider one can still tell.
func shortMail(address string) string {
	i := strings.LastIndex(address, "@")
	if i < 1 {
		return address
	}
	return address[:1] + "…" + address[i:]
}

func moment(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }

// findFolders lists what is wrong with folders, and counts the others.
func findFolders(folders []app.Folder) []app.Finding {
	var list []app.Finding
	good := 0
	for _, f := range folders {
		r := app.FoundFolderProblem
		switch {
		case f.State == app.FolderStopped:
			r = app.FoundFolderStopped
		case f.Problem == "":
			good++
			continue
		}
		found := app.Found(r, "Folder", f.Name)
		found.Folder, found.Detail = f.ID, f.Problem
		list = append(list, found)
	}
	if good > 0 {
		list = append(list, app.Found(app.FoundFolders, "N", strconv.Itoa(good)))
	}
	return list
}
