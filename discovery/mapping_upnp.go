package discovery

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/huin/goupnp"
	"github.com/huin/goupnp/soap"

	"foldpost/p2p/wire"
)

// upnp is the UPnP Internet Gateway Device, version 1 and 2. The router's
// answers are looked for with sockets of our own: goupnp waits two seconds for
// each kind of service, listens to everybody and reads without a bound.
type upnp struct {
	gateway Gateway
	port    uint16

	service string // type
	control *soap.SOAPClient
}

const (
	portOfSSDP   = 1900
	maxSSDP      = 2048
	maxSSDPs     = 64       // packets that are looked at
	maxXML       = 1 << 18  // a description of a router has some 10 KiB
	maxHeaders   = 16 << 10 // bytes
	portTries    = 4
	dynamicPorts = 20000 // the first that is drawn
)

var groupOfSSDP = netip.AddrFrom4([4]byte{239, 255, 255, 250})

// searched are the kinds of devices and services that are looked for, taken
// the services that forward ports, best first.
var (
	searched = []string{
		"urn:schemas-upnp-org:device:InternetGatewayDevice:1",
		"urn:schemas-upnp-org:device:InternetGatewayDevice:2",
		"urn:schemas-upnp-org:service:WANIPConnection:1",
		"urn:schemas-upnp-org:service:WANPPPConnection:1",
	}
	taken = []string{
		"urn:schemas-upnp-org:service:WANIPConnection:2",
		"urn:schemas-upnp-org:service:WANIPConnection:1",
		"urn:schemas-upnp-org:service:WANPPPConnection:1",
	}
)

// The errors of AddPortMapping that something can be done about.
const (
	upnpConflict      = 718
	upnpOnlyPermanent = 725
)

func (u *upnp) name() string { return "upnp" }

// find looks for the router's description until one of those it names forwards
// ports.
func (u *upnp) find(ctx context.Context) error {
	c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(u.gateway.Local, 0)))
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	err = errSilent
	seen := map[string]bool{}
	b := make([]byte, maxSSDP)
	var again time.Time
	for range maxSSDPs {
		if now := time.Now(); !now.Before(again) {
			u.search(c)
			again = now.Add(time.Second)
		}
		if e := c.SetReadDeadline(again); e != nil {
			return err // the time is over
		}
		n, from, e := c.ReadFromUDPAddrPort(b)
		if e != nil {
			if isTimeout(e) {
				continue
			}
			return err
		}
		location := readSSDP(b[:n])
		if from.Addr().Unmap() != u.gateway.Addr || location == "" || seen[location] {
			continue
		}
		seen[location] = true
		if err = u.describe(ctx, location); err == nil {
			return nil
		}
	}
	return err
}

// search asks the group, and the router itself: a firewall of this computer
// knows no answer to what went to a group.
func (u *upnp) search(c *net.UDPConn) {
	for _, to := range []netip.Addr{u.gateway.Addr, groupOfSSDP} {
		for _, kind := range searched {
			q := "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: " + kind + "\r\n\r\n"
			_, _ = c.WriteToUDPAddrPort([]byte(q), netip.AddrPortFrom(to, portOfSSDP)) // one of the two may be no way
		}
	}
}

// readSSDP returns the location that an answer to a search names; "": none.
func readSSDP(b []byte) string {
	r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), &http.Request{Method: "M-SEARCH"})
	if err != nil {
		return ""
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return ""
	}
	return r.Header.Get("Location")
}

// describe reads a router's description and takes its best service.
func (u *upnp) describe(ctx context.Context, location string) error {
	base, err := url.Parse(location)
	if err != nil || base.Scheme != "http" {
		return errors.New("the router names no address of its description")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, location, nil)
	if err != nil {
		return fmt.Errorf("read the router's description: %w", err)
	}
	resp, err := u.client().Do(req)
	if err != nil {
		return fmt.Errorf("read the router's description: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("read the router's description: %d", resp.StatusCode)
	}
	root, err := readDescription(resp.Body)
	if err != nil {
		return err
	}
	if own, err := url.Parse(root.URLBaseStr); err == nil && own.Scheme == "http" {
		base = own
	}
	root.SetURLBase(base)
	for _, kind := range taken {
		for _, s := range root.Device.FindService(kind) {
			if s.ControlURL.Ok && s.ControlURL.URL.Scheme == "http" {
				u.service, u.control = kind, s.NewSOAPClient()
				u.control.HTTPClient = *u.client()
				return nil
			}
		}
	}
	return errors.New("the router forwards no ports")
}

func readDescription(r io.Reader) (*goupnp.RootDevice, error) {
	d := xml.NewDecoder(io.LimitReader(r, maxXML))
	d.DefaultSpace = goupnp.DeviceXMLNamespace
	root := new(goupnp.RootDevice)
	if err := d.Decode(root); err != nil {
		return nil, fmt.Errorf("read the router's description: %w", err)
	}
	return root, nil
}

// client speaks with the router and with nobody else, whatever it says, and
// reads no more than a router has to say.
func (u *upnp) client() *http.Client {
	t := &http.Transport{
		DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHeaders,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if a, err := netip.ParseAddrPort(addr); err != nil || a.Addr().Unmap() != u.gateway.Addr {
				return nil, fmt.Errorf("%s is not the router", addr)
			}
			d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(u.gateway.Local, 0))}
			return d.DialContext(ctx, network, addr)
		},
	}
	return &http.Client{
		Transport: bounded{t}, Timeout: askTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// bounded cuts answers off.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxXML), resp.Body}
	}
	return resp, err
}

// addPortMapping is the question of that name; its answer is empty.
type addPortMapping struct {
	NewRemoteHost             string
	NewExternalPort           string
	NewProtocol               string
	NewInternalPort           string
	NewInternalClient         string
	NewEnabled                string
	NewPortMappingDescription string
	NewLeaseDuration          string
}

func (u *upnp) add(ctx context.Context, t transport, wish uint16) (grant, error) {
	addr, err := u.external(ctx)
	if err != nil {
		return grant{}, err
	}
	lasts := leaseTime
	for range portTries {
		err := u.do(ctx, "AddPortMapping", &addPortMapping{
			NewExternalPort: strconv.Itoa(int(wish)), NewProtocol: protocolName(t),
			NewInternalPort: strconv.Itoa(int(u.port)), NewInternalClient: u.gateway.Local.String(), NewEnabled: "1",
			NewPortMappingDescription: wire.Name, NewLeaseDuration: strconv.Itoa(int(lasts / time.Second)),
		}, nil)
		var refused upnpError
		switch {
		case err == nil:
			return grant{netip.AddrPortFrom(addr, wish), lasts}, nil
		case !errors.As(err, &refused):
			return grant{}, err
		case refused == upnpOnlyPermanent && lasts > 0:
			lasts = 0 // until it is given back
		case refused == upnpConflict && t == udp:
			wish = dynamicPorts + uint16(rand.IntN(12000))
		default:
			return grant{}, err
		}
	}
	return grant{}, fmt.Errorf("map the %s port: %d ports are taken", t, portTries)
}

func (u *upnp) external(ctx context.Context) (netip.Addr, error) {
	var r struct{ NewExternalIPAddress string }
	if err := u.do(ctx, "GetExternalIPAddress", nil, &r); err != nil {
		return netip.Addr{}, err
	}
	a, err := netip.ParseAddr(r.NewExternalIPAddress)
	if err != nil || !a.Is4() {
		return netip.Addr{}, fmt.Errorf("the router says that its address is %q", clip(r.NewExternalIPAddress))
	}
	return a, nil
}

func (u *upnp) remove(ctx context.Context, t transport, external uint16) error {
	return u.do(ctx, "DeletePortMapping", &struct {
		NewRemoteHost   string
		NewExternalPort string
		NewProtocol     string
	}{NewExternalPort: strconv.Itoa(int(external)), NewProtocol: protocolName(t)}, nil)
}

func protocolName(t transport) string {
	if t == tcp {
		return "TCP"
	}
	return "UDP"
}

// An upnpError is a router's refusal by its code.
type upnpError int

func (e upnpError) Error() string { return fmt.Sprintf("refused with code %d", int(e)) }

// do has the router do something; question and answer are pointers to structs
// of strings.
func (u *upnp) do(ctx context.Context, action string, question, answer any) error {
	err := u.control.PerformActionCtx(ctx, u.service, action, question, answer)
	var fault *soap.SOAPFaultError
	switch {
	case errors.As(err, &fault):
		return fmt.Errorf("%s: %w", action, upnpError(fault.Detail.UPnPError.Errorcode))
	case err != nil:
		return fmt.Errorf("%s: %s", action, clip(err.Error()))
	}
	return nil
}
