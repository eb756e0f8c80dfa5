package discovery

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// start runs a mapper until the test ends it, and returns what it told last.
func start(t *testing.T, m *Mapper) (told func() []Mapping, stop func()) {
	t.Helper()
	var last atomic.Pointer[[]Mapping]
	last.Store(&[]Mapping{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := m.Run(ctx, func(list []Mapping) { last.Store(&list) }); !errors.Is(err, context.Canceled) {
			t.Errorf("Run = %v, want %v", err, context.Canceled)
		}
	}()
	return func() []Mapping { return *last.Load() }, func() { cancel(); <-ended }
}

func TestMapperWays(t *testing.T) {
	everything := dialect{pcp: true, pmp: true}
	for _, tt := range []struct {
		name     string
		speaks   dialect
		upnp     *gatewayDevice
		way      string
		port     uint16 // 0: some other
		tcp      bool
		forwards string
		tried    string
	}{
		{"all three", everything, &gatewayDevice{}, "pcp", 40000, true, "tcp 40000, udp 40000", ""},
		{"NAT-PMP", dialect{pmp: true}, nil, "nat-pmp", 40000, true, "tcp 40000, udp 40000", "pcp"},
		{"UPnP", dialect{}, &gatewayDevice{}, "upnp", 40000, true, "tcp 40000, udp 40000", ""},
		{"PCP says no, UPnP yes", dialect{pcp: true, result: 2}, &gatewayDevice{}, "upnp", 40000, true, "tcp 40000, udp 40000", "pcp"},
		{"UPnP, the port is taken", dialect{}, &gatewayDevice{taken: []uint16{40000}}, "upnp", 0, true, "", ""},
		{"UPnP, only for ever", dialect{}, &gatewayDevice{forever: true}, "upnp", 40000, true, "tcp 40000, udp 40000", ""},
		{"another port", dialect{pcp: true, external: netip.AddrPortFrom(outside, 50000)}, nil, "pcp", 50000, true, "tcp 50000, udp 50000", ""},
		{"another port for TCP alone", dialect{pcp: true, tcpPort: 51000}, nil, "pcp", 40000, false, "udp 40000", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRouter(t)
			r.speak(tt.speaks)
			if tt.upnp != nil {
				r.igd(*tt.upnp)
			}
			m := r.mapper(MapperConfig{Port: 40000, TCP: true, Nonce: [12]byte{1}})
			told, stop := start(t, m)
			eventually(t, "a mapping", func() bool { return len(told()) == 1 })
			got := told()[0]
			if got.Way != tt.way || got.External.Addr() != outside || got.TCP != tt.tcp || tt.port != 0 && got.External.Port() != tt.port {
				t.Errorf("mapping %+v, want %s of %s:%d, TCP %t", got, tt.way, outside, tt.port, tt.tcp)
			}
			if tt.port == 0 && got.External.Port() == 40000 {
				t.Errorf("mapping %+v, want another port than the one that is taken", got)
			}
			if got := r.forwards(); tt.forwards != "" && got != tt.forwards {
				t.Errorf("the router forwards %q, want %q", got, tt.forwards)
			}
			for _, tried := range m.Gateways()[0].Tried {
				if !strings.Contains(tt.tried, tried.Way) && tried.Way != "nat-pmp" {
					t.Errorf("%s was tried in vain: %s", tried.Way, tried.Problem)
				}
			}
			stop()
			if left := r.forwards(); left != "" {
				t.Errorf("after the end the router forwards %q, want nothing", left)
			}
		})
	}
}

// TestMapperKeeps: the same port is asked for again, under the same nonce.
func TestMapperKeeps(t *testing.T) {
	r := newRouter(t)
	nonces := make(chan string, 8)
	r.speak(dialect{pcp: true, spoil: func(b []byte) { nonces <- string(b[24:36]) }})
	told, stop := start(t, r.mapper(MapperConfig{Port: 40000, External: 45000, Nonce: [12]byte{7}}))
	eventually(t, "a mapping", func() bool { return len(told()) == 1 })
	stop()
	if got := told()[0].External.Port(); got != 45000 {
		t.Errorf("external port %d, want 45000, which it was", got)
	}
	want := string([]byte{7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	for _, what := range []string{"get the port", "give it back"} {
		if got := <-nonces; got != want {
			t.Errorf("nonce %q to %s, want %q", got, what, want)
		}
	}
}

// TestHostileRouters: what a router must not achieve, by what it says.
func TestHostileRouters(t *testing.T) {
	var victims atomic.Int32
	victim := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { victims.Add(1) }))
	defer victim.Close()
	endless := func(w http.ResponseWriter, _ string) {
		for line := bytes.Repeat([]byte("<x></x>"), 1000); ; {
			if _, err := w.Write(line); err != nil {
				return
			}
		}
	}
	lifetime := func(n uint32) func([]byte) { return func(b []byte) { binary.BigEndian.PutUint32(b[4:], n) } }
	external := func(s string) dialect { return dialect{pcp: true, external: netip.MustParseAddrPort(s)} }
	t.Run("each", func(t *testing.T) {
		for _, tt := range []struct {
			name   string
			speaks dialect
			upnp   *gatewayDevice
			want   int // mappings
		}{
			{"a wrong nonce", dialect{pcp: true, spoil: func(b []byte) { b[30]++ }}, nil, 0},
			{"another port's answer", dialect{pcp: true, spoil: func(b []byte) { b[41]++ }}, nil, 0},
			{"no time", dialect{pcp: true, spoil: lifetime(0)}, nil, 0},
			{"136 years", dialect{pcp: true, spoil: lifetime(1<<32 - 1)}, nil, 1},
			{"no address", external("0.0.0.0:40000"), nil, 0},
			{"no port", external("203.0.113.7:0"), nil, 0},
			{"loopback", external("127.0.0.1:40000"), nil, 0},
			{"a multicast group", external("224.0.0.1:40000"), nil, 0},
			{"an IPv6 address", external("[2001:db8::1]:40000"), nil, 0},
			{"NAT-PMP's refusal of PCP", dialect{pmp: true}, nil, 1},
			{"an endless description", dialect{}, &gatewayDevice{describe: endless}, 0},
			{"an XML bomb", dialect{}, &gatewayDevice{describe: func(w http.ResponseWriter, _ string) {
				fmt.Fprint(w, `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceType>&b;</deviceType></device></root>`)
			}}, 0},
			{"a deep description", dialect{}, &gatewayDevice{describe: func(w http.ResponseWriter, _ string) {
				fmt.Fprint(w, `<root xmlns="urn:schemas-upnp-org:device-1-0">`, strings.Repeat("<device><deviceList>", 12000))
			}}, 0},
			{"a description elsewhere", dialect{}, &gatewayDevice{location: victim.URL + "/"}, 0},
			{"a redirect elsewhere", dialect{}, &gatewayDevice{describe: func(w http.ResponseWriter, _ string) {
				w.Header().Set("Location", victim.URL)
				w.WriteHeader(http.StatusFound)
			}}, 0},
			{"a base elsewhere", dialect{}, &gatewayDevice{describe: func(w http.ResponseWriter, _ string) {
				fmt.Fprintf(w, description, "<URLBase>"+victim.URL+"</URLBase>", "/control")
			}}, 0},
			{"control elsewhere", dialect{}, &gatewayDevice{describe: func(w http.ResponseWriter, _ string) {
				fmt.Fprintf(w, description, "", victim.URL+"/control")
			}}, 0},
			{"a file as description", dialect{}, &gatewayDevice{location: "file:///etc/passwd"}, 0},
			{"an address that is none", dialect{}, &gatewayDevice{address: strings.Repeat("9", 100000)}, 0},
			{"no answer to questions", dialect{}, &gatewayDevice{slow: true}, 0},
		} {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				r := newRouter(t)
				r.speak(tt.speaks)
				if tt.upnp != nil {
					r.igd(*tt.upnp)
				}
				m := r.mapper(MapperConfig{Port: 40000})
				if tt.want == 0 {
					m.wait = 300 * time.Millisecond
				}
				began := time.Now()
				told, stop := start(t, m)
				defer stop()
				eventually(t, "an end of the search", func() bool { list := m.Gateways(); return len(list) == 1 && !list[0].At.IsZero() })
				if got := told(); len(got) != tt.want && tt.want == 0 {
					t.Errorf("mappings %+v, want %d", got, tt.want)
				}
				if tt.want > 0 {
					eventually(t, "a mapping", func() bool { return len(told()) == tt.want })
				}
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("it took %v", took)
				}
				for _, tried := range m.Gateways()[0].Tried {
					if len(tried.Problem) > 400 || strings.ContainsAny(tried.Problem, "\n\x00") {
						t.Errorf("problem of %s is %d bytes", tried.Way, len(tried.Problem))
					}
				}
			})
		}
	})
	if n := victims.Load(); n > 0 {
		t.Errorf("%d requests came to a server that is not the router, want none", n)
	}
}

// A fakeWay is a way without a network.
type fakeWay struct {
	label   string
	findErr error
	finds   time.Duration // it takes
	lasts   time.Duration

	mu      sync.Mutex
	addErr  error
	hangs   bool // it answers nobody who adds
	adds    []time.Time
	removed []transport
}

// answers has the router answer so from now on.
func (w *fakeWay) answers(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.addErr = err
}

func (w *fakeWay) asked() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.adds)
}

func (w *fakeWay) name() string { return w.label }

func (w *fakeWay) find(ctx context.Context) error {
	select {
	case <-time.After(w.finds):
		return w.findErr
	case <-ctx.Done():
		return errSilent
	}
}

func (w *fakeWay) add(ctx context.Context, _ transport, wish uint16) (grant, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hangs {
		<-ctx.Done()
		return grant{}, errSilent
	}
	w.adds = append(w.adds, time.Now())
	return grant{netip.AddrPortFrom(outside, wish), w.lasts}, w.addErr
}

func (w *fakeWay) remove(_ context.Context, t transport, _ uint16) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.removed = append(w.removed, t)
	return nil
}

// TestMapperRenews: at half of what was granted, within bounds; a lost mapping
// is told, and another way taken.
func TestMapperRenews(t *testing.T) {
	for _, tt := range []struct {
		lasts, want time.Duration
	}{
		{time.Hour, 30 * time.Minute},
		{time.Second, minRenew},
		{1 << 32 * time.Second, maxRenew},
		{0, leaseTime / 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &fakeWay{label: "pcp", lasts: tt.lasts}
			m := fakeMapper(w)
			_, stop := start(t, m)
			time.Sleep(2*tt.want + time.Second)
			stop()
			if len(w.adds) != 3 || w.adds[1].Sub(w.adds[0]) != tt.want || len(w.removed) != 1 {
				t.Errorf("a lease of %v: asked at %v, given back %v, want each %v, and once", tt.lasts, w.adds, w.removed, tt.want)
			}
		})
	}
}

func fakeMapper(ways ...way) *Mapper {
	m := NewMapper(MapperConfig{Port: 40000})
	m.gateways = func() []Gateway {
		return []Gateway{{Addr: netip.MustParseAddr("192.168.1.1"), Local: netip.MustParseAddr("192.168.1.2")}}
	}
	m.ways = func(MapperConfig, Gateway) []way { return ways }
	return m
}

// TestMapperEndsWhileAsking: what the router has, or may have by now, is given
// back.
func TestMapperEndsWhileAsking(t *testing.T) {
	for _, first := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			w := &fakeWay{label: "upnp", lasts: time.Hour}
			m := fakeMapper(w)
			m.c.TCP = true
			hang := func() { w.mu.Lock(); w.hangs = true; w.mu.Unlock() }
			if first {
				hang()
			}
			_, stop := start(t, m)
			time.Sleep(time.Second)
			if !first {
				hang()
				time.Sleep(30 * time.Minute)
			}
			stop()
			if !slices.Contains(w.removed, udp) || !first && !slices.Contains(w.removed, tcp) {
				t.Errorf("ended while asking for the first time %t: given back %v", first, w.removed)
			}
		})
	}
}

func TestMapperLosesItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := &fakeWay{label: "pcp", lasts: time.Hour}, &fakeWay{label: "upnp", lasts: time.Hour, finds: time.Second}
		m := fakeMapper(first, second)
		told, stop := start(t, m)
		time.Sleep(time.Minute)
		if got := told(); len(got) != 1 || got[0].Way != "pcp" || second.asked() > 0 {
			t.Fatalf("mappings %+v, want one by pcp", got)
		}
		first.answers(errSilent)
		time.Sleep(time.Hour)
		if got := told(); len(got) != 1 || got[0].Way != "upnp" {
			t.Errorf("after pcp went silent: %+v, want one by upnp", got)
		}
		second.answers(errSilent)
		m.Wake()
		time.Sleep(time.Minute)
		if got := told(); len(got) != 0 {
			t.Errorf("after both went silent: %+v, want none", got)
		}
		second.answers(nil)
		time.Sleep(2 * lastSearch)
		if got := told(); len(got) != 1 {
			t.Errorf("after one came back: %+v, want one", got)
		}
		stop()
	})
}

// TestMapperWakes: when the network changes the router is asked soon, and not
// more often where it changes all the time.
func TestMapperWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeWay{label: "pcp", lasts: time.Hour}
		m := fakeMapper(w)
		_, stop := start(t, m)
		time.Sleep(time.Minute)
		m.Wake()
		synctest.Wait()
		if got := w.asked(); got != 2 {
			t.Errorf("after a change: asked %d times, want 2", got)
		}
		for range 100 {
			m.Wake()
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		stop()
		if got := w.asked(); got != 4 {
			t.Errorf("after 10 s of changes: asked %d times, want 4", got)
		}
	})
}

// TestMapperOtherNetwork: what the router of another network had is over; its
// mapping is not shown any more.
func TestMapperOtherNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &fakeWay{label: "pcp", lasts: time.Hour}
		m := fakeMapper(w)
		var list atomic.Pointer[[]Gateway]
		home := m.gateways()
		list.Store(&home)
		m.gateways = func() []Gateway { return *list.Load() }
		told, stop := start(t, m)
		time.Sleep(time.Second)
		list.Store(&[]Gateway{{Local: netip.MustParseAddr("10.0.0.2"), Tunnel: true}})
		m.Wake()
		time.Sleep(time.Second)
		if got := told(); len(got) != 0 {
			t.Errorf("behind a VPN without a router: %+v, want none", got)
		}
		if list := m.Gateways(); len(list) != 1 || !list[0].Tunnel {
			t.Errorf("Gateways = %+v, want the VPN", list)
		}
		stop()
	})
}

func TestBestRoute(t *testing.T) {
	a, b, six := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("fe80::1")
	list := []route{{2, a, 600}, {2, b, 100}, {3, a, 1}, {2, six, 5}, {4, netip.IPv4Unspecified(), 1}}
	for _, tt := range []struct {
		on   link
		is4  bool
		want netip.Addr
	}{{2, true, b}, {2, false, six}, {3, true, a}, {4, true, netip.Addr{}}, {9, true, netip.Addr{}}} {
		if got, _ := bestRoute(list, tt.on, tt.is4); got.gateway != tt.want {
			t.Errorf("bestRoute(%d, IPv4 %t) = %v, want %v", tt.on, tt.is4, got.gateway, tt.want)
		}
	}
}

func FuzzReadPCP(f *testing.F) {
	q := &pcp{gateway: Gateway{Local: netip.MustParseAddr("192.168.1.2")}}
	b := q.header(opMap, 0)
	f.Add(append(b, make([]byte, 36)...))
	f.Add([]byte{0, 128, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		done, err := readPCP(b, func(b []byte) bool { return b[1] == opMap|pcpResponse && len(b) >= pcpMap })
		if err != nil && (!done || len(b) < 4 || err.Error() == "") {
			t.Errorf("readPCP(%x) = %t, %v", b, done, err)
		}
	})
}

func FuzzReadSSDP(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nLOCATION: http://192.168.1.1:5000/rootDesc.xml\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nLOCATION: x\r\n\r\nffff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s := readSSDP(b); s != "" && !bytes.Contains(b, []byte(s)) {
			t.Errorf("readSSDP(%q) = %q", b, s)
		}
	})
}

func FuzzReadDescription(f *testing.F) {
	f.Add(fmt.Appendf(nil, description, "<URLBase>http://192.168.1.1:5000/</URLBase>", "/control"))
	f.Add([]byte("<root>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		root, err := readDescription(bytes.NewReader(b))
		if err == nil {
			for _, kind := range taken {
				_ = slices.Clone(root.Device.FindService(kind))
			}
		}
	})
}

// TestPinhole: before IPv6 PCP alone is asked, for our own address.
func TestPinhole(t *testing.T) {
	r := newRouter(t)
	r.addr = netip.IPv6Loopback()
	own := netip.MustParseAddr("2001:db8::7")
	r.speak(dialect{pcp: true, external: netip.AddrPortFrom(own, 40000)})
	m := NewMapper(MapperConfig{Port: 40000, External: 45000, TCP: true})
	m.gateways = func() []Gateway { return []Gateway{{Addr: r.addr, Local: r.addr}} }
	told, stop := start(t, m)
	eventually(t, "a pinhole", func() bool { return len(told()) == 1 })
	if got := told()[0]; got.Way != "pcp" || !got.Pinhole() || got.External != netip.AddrPortFrom(own, 40000) || !got.TCP {
		t.Errorf("mapping %+v, want a pinhole for %s, port 40000", got, own)
	}
	stop()
	if left := r.forwards(); left != "" {
		t.Errorf("after the end the router lets through %q, want nothing", left)
	}
}
