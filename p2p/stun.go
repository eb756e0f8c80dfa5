package p2p

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/pion/stun/v3"
)

// maxSTUN bounds a STUN message: ours have 52 to 80 bytes, those of servers
// some attributes more. Longer ones are dropped before they are parsed.
const maxSTUN = 548 // RFC 8489 §6.1: what every path carries

// padAttribute makes a request so long that its answer is not longer. It is
// comprehension-optional (RFC 8489 §14): servers skip it.
const padAttribute stun.AttrType = 0xC0FE

// padding is the value's size: header and padding have as many bytes as header
// and the largest address, of IPv6.
const padding = 20

var errSTUN = errors.New("not a STUN message of ours")

// A stunMessage is what is used of a STUN binding request or of its success
// response (RFC 8489).
type stunMessage struct {
	id       [stun.TransactionIDSize]byte
	response bool
	name     string         // of a request; who it is from, for who knows the key
	mapped   netip.AddrPort // of a response: where the request came from
	signed   bool           // its last attribute is MESSAGE-INTEGRITY
	size     int
	raw      *stun.Message
}

// parseSTUN reads a packet that is exactly one binding request or success
// response. A signed one has been checked by nobody yet.
func parseSTUN(b []byte) (stunMessage, error) {
	if len(b) > maxSTUN || !stun.IsMessage(b) {
		return stunMessage{}, errSTUN
	}
	raw := &stun.Message{Raw: b}
	if err := raw.Decode(); err != nil {
		return stunMessage{}, fmt.Errorf("%w: %w", errSTUN, err)
	}
	m := stunMessage{id: raw.TransactionID, size: len(b), raw: raw}
	switch {
	case raw.Type.Method != stun.MethodBinding || len(b) != 20+int(raw.Length):
		return m, errSTUN
	case raw.Type.Class == stun.ClassSuccessResponse:
		m.response = true
	case raw.Type.Class != stun.ClassRequest:
		return m, errSTUN
	}
	for i, a := range raw.Attributes {
		switch a.Type {
		case stun.AttrUsername:
			m.name = string(a.Value)
		case stun.AttrMessageIntegrity:
			m.signed = i == len(raw.Attributes)-1
			if !m.signed || len(a.Value) != 20 {
				return m, errSTUN // what follows would not be covered
			}
		default:
			if a.Type.Required() && a.Type != stun.AttrXORMappedAddress && a.Type != stun.AttrMappedAddress {
				return m, fmt.Errorf("%w: attribute %#x", errSTUN, a.Type.Value())
			}
		}
	}
	if m.response {
		var a stun.XORMappedAddress
		if err := a.GetFrom(raw); err != nil {
			return m, fmt.Errorf("%w: %w", errSTUN, err)
		}
		ip, ok := netip.AddrFromSlice(a.IP)
		if !ok || a.Port <= 0 || a.Port > 1<<16-1 {
			return m, errSTUN
		}
		m.mapped = netip.AddrPortFrom(ip.Unmap(), uint16(a.Port))
	}
	return m, nil
}

// signedBy tells whether the message was signed with a key.
func (m stunMessage) signedBy(k checkKey) bool {
	return m.signed && stun.MessageIntegrity(k[:]).Check(m.raw) == nil
}

// newRequest returns a binding request. One without a name is not signed; any
// STUN server answers it.
func newRequest(name string, k checkKey) (id [stun.TransactionIDSize]byte, packet []byte) {
	id = stun.NewTransactionID()
	return id, makeRequest(id, name, k)
}

func makeRequest(id [stun.TransactionIDSize]byte, name string, k checkKey) []byte {
	setters := []stun.Setter{stun.BindingRequest, stun.NewTransactionIDSetter(id)}
	if name == "" {
		setters = append(setters, stun.RawAttribute{Type: padAttribute, Value: make([]byte, padding)})
	} else {
		setters = append(setters, stun.NewUsername(name), stun.MessageIntegrity(k[:]))
	}
	return mustBuild(setters)
}

// answer returns the answer to a request that came from an address, signed
// where the request was. It is nil where it would be longer than the request:
// who lies about where he is could have a victim get more bytes than he spends.
func (m stunMessage) answer(from netip.AddrPort, k checkKey) []byte {
	setters := []stun.Setter{
		stun.BindingSuccess, stun.NewTransactionIDSetter(m.id),
		&stun.XORMappedAddress{IP: net.IP(from.Addr().AsSlice()), Port: int(from.Port())},
	}
	if m.signed {
		setters = append(setters, stun.MessageIntegrity(k[:]))
	}
	b := mustBuild(setters)
	if len(b) > m.size {
		return nil
	}
	return b
}

func mustBuild(setters []stun.Setter) []byte {
	m, err := stun.Build(setters...)
	if err != nil {
		panic("p2p: build STUN message: " + err.Error()) // attributes of constant size always fit
	}
	return m.Raw
}
