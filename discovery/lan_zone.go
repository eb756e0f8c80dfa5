package discovery

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/mdns"
	"github.com/miekg/dns"
)

// Times of records that we send.
const (
	recordTTL = 120 * time.Second // RFC 6762 §10, for what names a host
	legacyTTL = 10 * time.Second  // §6.7
)

// maxOwnAddrs keeps a packet within one frame of Ethernet.
const maxOwnAddrs = 12

// names are what this device is called: random, so that two of them can not be
// told to be the same device's.
type names struct {
	instance, host string // labels
	since          time.Time
}

func newNames(now time.Time) names {
	return names{instance: randomLabel(), host: randomLabel(), since: now}
}

// randomLabel returns 80 random bits.
func randomLabel() string {
	var b [10]byte
	rand.Read(b[:]) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

// zone is what this device says of itself on one interface.
type zone struct {
	names names
	text  text
	port  uint16
	addrs []netip.Addr // of the interface
}

func (z zone) instanceName() string { return z.names.instance + "." + serviceName }
func (z zone) hostName() string     { return z.names.host + "." + domain }

func (z zone) equal(o zone) bool {
	return z.names == o.names && z.text.equal(o.text) && z.port == o.port && slices.Equal(z.addrs, o.addrs)
}

// records returns all records, with a time to live; zero: a goodbye.
func (z zone) records(ttl time.Duration, flush bool) ([]dns.RR, error) {
	var ips []net.IP
	for _, a := range z.addrs[:min(len(z.addrs), maxOwnAddrs)] {
		ips = append(ips, net.IP(a.AsSlice()))
	}
	var texts []string
	for _, s := range z.text.strings() {
		texts = append(texts, strings.ReplaceAll(s, `\`, `\\`)) // the library's records hold escaped strings
	}
	s, err := mdns.NewMDNSService(z.names.instance, serviceType, domain, z.hostName(), int(z.port), ips, texts)
	if err != nil {
		return nil, fmt.Errorf("make records: %w", err)
	}
	list := s.Records(dns.Question{Name: serviceName, Qtype: dns.TypePTR, Qclass: dns.ClassINET})
	for _, r := range list {
		h := r.Header()
		h.Ttl = uint32(ttl / time.Second)
		if flush && h.Rrtype != dns.TypePTR {
			h.Class |= topBit
		}
	}
	return list, nil
}

// announcement returns the packet that says everything; with no time to live
// it is a goodbye.
func (z zone) announcement(ttl time.Duration) ([]byte, error) {
	list, err := z.records(ttl, true)
	if err != nil {
		return nil, err
	}
	return pack(&dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Authoritative: true}, Answer: list})
}

// services returns the answer to who asks for all services.
func (z zone) services() ([]byte, error) {
	r := &dns.PTR{Hdr: dns.RR_Header{Name: allServices, Rrtype: dns.TypePTR, Class: dns.ClassINET, Ttl: uint32(recordTTL / time.Second)}, Ptr: serviceName}
	return pack(&dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Authoritative: true}, Answer: []dns.RR{r}})
}

// reply returns the answer to a question of a program that knows nothing of
// multicast DNS: in the shape of ordinary DNS.
func (z zone) reply(id uint16, q question) ([]byte, error) {
	asked := dns.Question{Name: q.name, Qtype: uint16(q.kind), Qclass: q.class}
	m := &dns.Msg{MsgHdr: dns.MsgHdr{Id: id, Response: true, Authoritative: true}, Question: []dns.Question{asked}}
	list, err := z.records(legacyTTL, false)
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		h := r.Header()
		if strings.EqualFold(h.Name, q.name) && (asked.Qtype == h.Rrtype || asked.Qtype == dns.TypeANY) {
			m.Answer = append(m.Answer, r)
		} else {
			m.Extra = append(m.Extra, r)
		}
	}
	if q.name == allServices {
		m.Extra = nil
		m.Answer = []dns.RR{&dns.PTR{Hdr: dns.RR_Header{Name: allServices, Rrtype: dns.TypePTR, Class: dns.ClassINET, Ttl: uint32(legacyTTL / time.Second)}, Ptr: serviceName}}
	}
	return pack(m)
}

// answers tells whether a question is about this device.
func (z zone) answers(q question) bool {
	if q.class != dns.ClassINET && q.class != dns.ClassANY {
		return false
	}
	kind, any := uint16(q.kind), uint16(q.kind) == dns.TypeANY
	switch q.name {
	case serviceName, allServices:
		return any || kind == dns.TypePTR
	case z.instanceName():
		return any || kind == dns.TypeSRV || kind == dns.TypeTXT
	case z.hostName():
		return any || kind == dns.TypeA || kind == dns.TypeAAAA
	}
	return false
}

// knownAnswer is an instance that need not be told again.
type knownAnswer struct {
	instance string
	left     time.Duration
}

// newQuery returns the question for all instances of the service.
func newQuery(known []knownAnswer) ([]byte, error) {
	m := new(dns.Msg)
	m.Question = []dns.Question{{Name: serviceName, Qtype: dns.TypePTR, Qclass: dns.ClassINET}}
	for _, k := range known {
		m.Answer = append(m.Answer, &dns.PTR{
			Hdr: dns.RR_Header{Name: serviceName, Rrtype: dns.TypePTR, Class: dns.ClassINET, Ttl: uint32(k.left / time.Second)},
			Ptr: k.instance + "." + serviceName,
		})
	}
	return pack(m)
}

// newInstanceQuery returns the question for what is missing of an instance.
func newInstanceQuery(instance, host string) ([]byte, error) {
	m := new(dns.Msg)
	name := instance + "." + serviceName
	m.Question = []dns.Question{
		{Name: name, Qtype: dns.TypeSRV, Qclass: dns.ClassINET},
		{Name: name, Qtype: dns.TypeTXT, Qclass: dns.ClassINET},
	}
	if host != "" {
		m.Question = append(
			m.Question,
			dns.Question{Name: host, Qtype: dns.TypeA, Qclass: dns.ClassINET},
			dns.Question{Name: host, Qtype: dns.TypeAAAA, Qclass: dns.ClassINET},
		)
	}
	return pack(m)
}

func pack(m *dns.Msg) ([]byte, error) {
	m.Compress = true
	b, err := m.Pack()
	if err != nil {
		return nil, fmt.Errorf("pack a packet of multicast DNS: %w", err)
	}
	return b, nil
}
