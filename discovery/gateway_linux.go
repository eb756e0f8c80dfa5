package discovery

import (
	"encoding/binary"
	"encoding/hex"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// systemRoutes reads the default routes of the kernel's main tables (proc(5)).
func systemRoutes() []route {
	links := map[string]link{}
	if list, err := net.Interfaces(); err == nil {
		for _, i := range list {
			links[i.Name] = link(i.Index)
		}
	}
	var list []route
	for _, line := range defaultLines() {
		f := strings.Fields(line)
		name, gateway, metric := f[0], f[1], f[2]
		b, err := hex.DecodeString(gateway)
		if err != nil {
			continue
		}
		r := route{link: links[name]}
		switch len(b) {
		case 4: // as the processor orders it
			n := binary.BigEndian.Uint32(b)
			binary.NativeEndian.PutUint32(b, n)
			r.gateway = netip.AddrFrom4([4]byte(b))
			r.metric, err = strconv.ParseUint(metric, 10, 32)
		case 16:
			r.gateway = netip.AddrFrom16([16]byte(b))
			r.metric, err = strconv.ParseUint(metric, 16, 32)
		default:
			continue
		}
		if err == nil {
			list = append(list, r)
		}
	}
	return list
}

// defaultLines returns interface, gateway and metric of each default route, as
// the kernel spells them.
func defaultLines() []string {
	const none4, none6 = "00000000", "00000000000000000000000000000000"
	var found []string
	for _, file := range []string{"/proc/net/route", "/proc/net/ipv6_route"} {
		b, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			switch {
			case len(f) == 11 && f[1] == none4 && f[7] == none4:
				found = append(found, strings.Join([]string{f[0], f[2], f[6]}, " "))
			case len(f) == 10 && f[0] == none6 && f[1] == "00" && f[9] != "lo":
				found = append(found, strings.Join([]string{f[9], f[4], f[5]}, " "))
			}
		}
	}
	return found
}
