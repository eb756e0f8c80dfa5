package discovery

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// outside is the address that fake routers say they have. It is for
// documentation, and as good as any.
var outside = netip.MustParseAddr("203.0.113.7")

// A fakeRouter is one on a loopback address. What a test leaves nil it does not
// speak.
type fakeRouter struct {
	t    *testing.T
	addr netip.Addr
	url  string // of its web server

	mu     sync.Mutex
	mapped map[string]uint32 // "udp 40000": seconds; what it forwards
	asked  []string          // what it was asked for, in order
}

// newRouter makes a router that speaks nothing yet.
func newRouter(t *testing.T) *fakeRouter {
	t.Helper()
	addr := netip.AddrFrom4([4]byte{127, byte(1 + rand.IntN(250)), byte(rand.IntN(256)), byte(2 + rand.IntN(250))})
	return &fakeRouter{t: t, addr: addr, mapped: map[string]uint32{}}
}

// mapper returns one that has this router before it.
func (r *fakeRouter) mapper(c MapperConfig) *Mapper {
	m := NewMapper(c)
	m.gateways = func() []Gateway { return []Gateway{r.gateway()} }
	return m
}

func (r *fakeRouter) gateway() Gateway {
	return Gateway{Addr: r.addr, Local: netip.AddrFrom4([4]byte{127, 0, 0, 1})}
}

// note tells what the router forwards from now on; 0 seconds: no more.
func (r *fakeRouter) note(t string, port uint16, seconds uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := fmt.Sprint(t, " ", port)
	r.asked = append(r.asked, name)
	if r.mapped[name] = seconds; seconds == 0 {
		delete(r.mapped, name)
	}
}

func (r *fakeRouter) forwards() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(slices.Sorted(maps.Keys(r.mapped)), ", ")
}

// serve answers datagrams to a port of the router.
func (r *fakeRouter) serve(port uint16, answers func(q []byte) [][]byte) {
	r.t.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(r.addr, port)))
	if err != nil {
		r.t.Skipf("a router on %s: %v", r.addr, err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		b := make([]byte, 2048)
		for {
			n, from, err := c.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			for _, a := range answers(slices.Clone(b[:n])) {
				_, _ = c.WriteToUDPAddrPort(a, from)
			}
		}
	})
	r.t.Cleanup(func() { c.Close(); wg.Wait() })
}

// A dialect is how a router answers the two protocols on port 5351.
type dialect struct {
	pcp, pmp bool
	result   byte           // of PCP mappings
	lifetime uint32         // granted; 0: what was asked for
	external netip.AddrPort // granted; zero: outside and what was wished
	tcpPort  uint16         // granted for TCP; 0: what was wished
	spoil    func(b []byte) // changes each PCP answer to a mapping
}

func (r *fakeRouter) speak(d dialect) {
	r.t.Helper()
	r.serve(portOfPCP, func(q []byte) [][]byte {
		switch {
		case len(q) >= pcpHeader && q[0] == pcpVersion && d.pcp:
			return [][]byte{d.answerPCP(r, q)}
		case len(q) >= pcpHeader && q[0] == pcpVersion && d.pmp: // RFC 6886 §3.5
			return [][]byte{{0, 128 | q[1], 0, 1, 0, 0, 0, 9}}
		case len(q) >= 2 && q[0] == 0 && d.pmp:
			return [][]byte{d.answerPMP(r, q)}
		}
		return nil
	})
}

func (d dialect) grant(r *fakeRouter, t string, wish uint16, asked uint32) (netip.AddrPort, uint32) {
	external := d.external
	if !external.IsValid() {
		external = netip.AddrPortFrom(outside, wish)
	}
	if t == "tcp" && d.tcpPort != 0 {
		external = netip.AddrPortFrom(external.Addr(), d.tcpPort)
	}
	if asked > 0 && d.lifetime != 0 {
		asked = d.lifetime
	}
	r.note(t, external.Port(), asked)
	return external, asked
}

func (d dialect) answerPCP(r *fakeRouter, q []byte) []byte {
	b := slices.Clone(q)
	b[1] |= pcpResponse
	if b[1] == opMap|pcpResponse {
		name := map[byte]string{6: "tcp", 17: "udp"}[q[36]]
		if b[3] = d.result; d.result == 0 {
			wish := binary.BigEndian.Uint16(q[42:])
			external, lasts := d.grant(r, name, wish, binary.BigEndian.Uint32(q[4:]))
			binary.BigEndian.PutUint32(b[4:], lasts)
			binary.BigEndian.PutUint16(b[42:], external.Port())
			a := external.Addr().As16()
			copy(b[44:], a[:])
		}
		if d.spoil != nil {
			d.spoil(b)
		}
	}
	return b
}

func (d dialect) answerPMP(r *fakeRouter, q []byte) []byte {
	b := []byte{0, 128 | q[1], 0, 0, 0, 0, 0, 9}
	if q[1] == 0 {
		a := outside.As4()
		return append(b, a[:]...)
	}
	name := map[byte]string{1: "udp", 2: "tcp"}[q[1]]
	wish, asked := binary.BigEndian.Uint16(q[6:]), binary.BigEndian.Uint32(q[8:])
	if asked == 0 { // its own mapping, whatever the port is outside
		r.mu.Lock()
		for m := range r.mapped {
			if strings.HasPrefix(m, name) {
				delete(r.mapped, m)
			}
		}
		r.mu.Unlock()
		return append(append(b, q[4:6]...), 0, 0, 0, 0, 0, 0)
	}
	external, lasts := d.grant(r, name, wish, asked)
	b = append(b, q[4:6]...)
	b = binary.BigEndian.AppendUint16(b, external.Port())
	return binary.BigEndian.AppendUint32(b, lasts)
}

// A gatewayDevice is how a router speaks UPnP.
type gatewayDevice struct {
	location string // said instead of its own; "": that
	describe func(w http.ResponseWriter, own string)
	address  string // said to be its own; "": outside
	taken    []uint16
	forever  bool // it gives no lease that ends
	slow     bool // it takes a question, and does not answer
}

const description = `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor></specVersion>
%s<device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><deviceList><device>
<deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType><deviceList><device>
<deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType><serviceList><service>
<serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><serviceId>x</serviceId><SCPDURL>/s</SCPDURL><controlURL>%s</controlURL>
</service></serviceList></device></deviceList></device></deviceList></device></root>`

var argument = regexp.MustCompile(`<(New[A-Za-z]+)>([^<]*)</`)

// igd has the router speak UPnP.
func (r *fakeRouter) igd(d gatewayDevice) {
	r.t.Helper()
	l, err := net.Listen("tcp4", netip.AddrPortFrom(r.addr, 0).String())
	if err != nil {
		r.t.Skipf("a router on %s: %v", r.addr, err)
	}
	r.url = "http://" + l.Addr().String()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /desc.xml", func(w http.ResponseWriter, q *http.Request) {
		if d.describe != nil {
			d.describe(w, r.url)
			return
		}
		fmt.Fprintf(w, description, "", "/control")
	})
	mux.HandleFunc("POST /control", func(w http.ResponseWriter, q *http.Request) { r.control(d, w, q) })
	s := &http.Server{Handler: mux}
	var wg sync.WaitGroup
	wg.Go(func() { s.Serve(l) })
	r.t.Cleanup(func() { s.Close(); wg.Wait() })
	location := d.location
	if location == "" {
		location = r.url + "/desc.xml"
	}
	r.serve(portOfSSDP, func(q []byte) [][]byte {
		_, kind, ok := strings.Cut(string(q), "ST: ")
		if !ok {
			return nil
		}
		kind, _, _ = strings.Cut(kind, "\r\n")
		return [][]byte{[]byte("HTTP/1.1 200 OK\r\nST: " + kind + "\r\nUSN: uuid:1::" + kind + "\r\nLOCATION: " + location + "\r\n\r\n")}
	})
}

func (r *fakeRouter) control(d gatewayDevice, w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return
	}
	if d.slow {
		<-q.Context().Done()
		return
	}
	args := map[string]string{}
	for _, m := range argument.FindAllStringSubmatch(string(body), -1) {
		args[m[1]] = m[2]
	}
	_, action, _ := strings.Cut(strings.Trim(q.Header.Get("SOAPACTION"), `"`), "#")
	fault := func(code int) {
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(w, `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail><UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>%d</errorCode></UPnPError></detail></s:Fault></s:Body></s:Envelope>`, code)
	}
	inner := ""
	var port uint16
	var lease uint32
	fmt.Sscan(args["NewExternalPort"], &port)
	fmt.Sscan(args["NewLeaseDuration"], &lease)
	name := strings.ToLower(args["NewProtocol"])
	switch action {
	case "GetExternalIPAddress":
		if d.address == "" {
			d.address = outside.String()
		}
		inner = "<NewExternalIPAddress>" + d.address + "</NewExternalIPAddress>"
	case "AddPortMapping":
		switch {
		case slices.Contains(d.taken, port):
			fault(upnpConflict)
			return
		case d.forever && lease != 0:
			fault(upnpOnlyPermanent)
			return
		case lease == 0:
			lease = 1 << 31
		}
		r.note(name, port, lease)
	case "DeletePortMapping":
		r.note(name, port, 0)
	default:
		fault(401)
		return
	}
	fmt.Fprintf(w, `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body><u:%sResponse xmlns:u="urn:schemas-upnp-org:service:WANIPConnection:1">%s</u:%sResponse></s:Body></s:Envelope>`, action, inner, action)
}

// eventually waits for what other goroutines bring about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline, tick := time.After(10*time.Second), time.NewTicker(2*time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("not within 10 s: %s", what)
		case <-tick.C:
		}
	}
}
