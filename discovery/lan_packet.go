package discovery

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"foldpost/p2p/wire"
)

// Bounds of a packet of others: what is beyond them is not looked at.
const (
	maxPacket    = 9000 // bytes, RFC 6762 §17
	maxQuestions = 64
	maxRecords   = 64
)

// The service and the name under which browsers list all services
// (RFC 6763 §9).
const (
	serviceType = "_" + wire.Name + "._udp"
	domain      = "local."
	serviceName = serviceType + "." + domain
	allServices = "_services._dns-sd._udp." + domain
)

// The bits of a class that multicast DNS uses for itself (RFC 6762 §18).
const (
	classIN   = dnsmessage.ClassINET
	classBits = 0x7fff
	topBit    = 0x8000 // of a question: answer by unicast; of a record: the others are void
)

// packet is a message of multicast DNS. A query's records are the answers that
// its sender knows.
type packet struct {
	response  bool
	truncated bool // more known answers follow
	id        uint16
	questions []question
	records   []record
}

type question struct {
	name    string // lower-case, with its final dot
	kind    dnsmessage.Type
	class   uint16
	unicast bool
}

// record is what is used of a record: the fields of its kind.
type record struct {
	name  string // lower-case, with its final dot
	kind  dnsmessage.Type
	ttl   time.Duration
	flush bool   // others of its name and kind are void
	host  string // PTR and SRV: the target, lower-case
	port  uint16
	text  []string
	addr  netip.Addr
}

var errPacket = errors.New("no packet of multicast DNS")

// parsePacket reads a packet of anybody. It follows at most ten compression
// pointers for a name, and stops at the bounds above.
func parsePacket(b []byte) (packet, error) {
	if len(b) > maxPacket {
		return packet{}, fmt.Errorf("%w: %d bytes", errPacket, len(b))
	}
	var p dnsmessage.Parser
	h, err := p.Start(b)
	if err != nil {
		return packet{}, fmt.Errorf("%w: %w", errPacket, err)
	}
	if h.OpCode != 0 || h.RCode != 0 {
		return packet{}, fmt.Errorf("%w: opcode %d, code %d", errPacket, h.OpCode, h.RCode)
	}
	m := packet{response: h.Response, truncated: h.Truncated, id: h.ID}
	if err := m.parseQuestions(&p); err != nil {
		return packet{}, fmt.Errorf("%w: %w", errPacket, err)
	}
	for _, s := range []section{
		{p.AnswerHeader, p.SkipAnswer},
		{p.AuthorityHeader, p.SkipAuthority},
		{p.AdditionalHeader, p.SkipAdditional},
	} {
		if err := m.parseSection(&p, s); err != nil {
			return packet{}, fmt.Errorf("%w: %w", errPacket, err)
		}
	}
	return m, nil
}

func (m *packet) parseQuestions(p *dnsmessage.Parser) error {
	for {
		q, err := p.Question()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(m.questions) == maxQuestions {
			return errors.New("too many questions")
		}
		class := uint16(q.Class)
		m.questions = append(m.questions, question{
			name: lower(q.Name), kind: q.Type, class: class & classBits, unicast: class&topBit != 0,
		})
	}
}

type section struct {
	header func() (dnsmessage.ResourceHeader, error)
	skip   func() error
}

// parseSection reads records until the section ends; those beyond the bound
// are left, and so are the following sections.
func (m *packet) parseSection(p *dnsmessage.Parser, s section) error {
	for len(m.records) < maxRecords {
		h, err := s.header()
		switch {
		case errors.Is(err, dnsmessage.ErrSectionDone):
			return nil
		case errors.Is(err, dnsmessage.ErrNotStarted):
			return nil // the section before was left
		case err != nil:
			return err
		}
		r := record{
			name: lower(h.Name), kind: h.Type, ttl: time.Duration(h.TTL) * time.Second,
			flush: uint16(h.Class)&topBit != 0,
		}
		used, err := false, error(nil)
		if uint16(h.Class)&classBits == uint16(classIN) {
			used, err = r.parse(p)
		}
		if err != nil {
			return err
		}
		if used {
			m.records = append(m.records, r)
		} else if err := s.skip(); err != nil {
			return err
		}
	}
	return nil
}

// parse reads the rest of a record; false: it is not used and has to be
// skipped.
func (r *record) parse(p *dnsmessage.Parser) (bool, error) {
	switch r.kind {
	case dnsmessage.TypePTR:
		b, err := p.PTRResource()
		r.host = lower(b.PTR)
		return true, err
	case dnsmessage.TypeSRV:
		b, err := p.SRVResource()
		r.host, r.port = lower(b.Target), b.Port
		return true, err
	case dnsmessage.TypeTXT:
		b, err := p.TXTResource()
		r.text = b.TXT
		return true, err
	case dnsmessage.TypeA:
		b, err := p.AResource()
		r.addr = netip.AddrFrom4(b.A)
		return true, err
	case dnsmessage.TypeAAAA:
		b, err := p.AAAAResource()
		r.addr = netip.AddrFrom16(b.AAAA)
		return true, err
	}
	return false, nil
}

// lower compares names as DNS does: the case of ASCII letters says nothing.
func lower(n dnsmessage.Name) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, n.String())
}

// instanceOf returns the instance of a name of our service: letters and digits
// alone, for this program makes no others.
func instanceOf(name string) (string, bool) {
	instance, ours := strings.CutSuffix(name, "."+serviceName)
	return instance, ours && isLabel(instance)
}

func isLabel(s string) bool {
	return 0 < len(s) && len(s) <= 63 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}
