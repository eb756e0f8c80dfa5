package p2p

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"foldpost/p2p/wire"
)

// A knock is the server name a dialler sends in clear: it shows that the
// dialler knows whom it calls, so that a callee shows its certificate to nobody
// else (PROTOCOL.md, "Knock").
//
//	r[8] ‖ uint16 day ‖ HMAC-SHA-256(key of the callee, r ‖ day)[:12]
type knock [knockSize]byte

const (
	knockRandom = 8
	knockBody   = knockRandom + 2
	knockSize   = knockBody + 12
	knockSuffix = ".invalid"
)

// errKnock is all that a refused caller could learn of us, were it sent.
var errKnock = errors.New("knock refused")

func knockKey(callee PeerID) []byte {
	k, err := hkdf.Expand(sha256.New, callee[:], wire.Name+"/1 knock", sha256.Size)
	if err != nil {
		panic(err) // the length is a constant that HKDF allows
	}
	return k
}

// newKnock makes a fresh knock for a callee.
func newKnock(callee PeerID, now time.Time) knock {
	var r [knockRandom]byte
	rand.Read(r[:]) // never fails
	return makeKnock(callee, r, dayOf(now))
}

func makeKnock(callee PeerID, r [knockRandom]byte, day uint16) knock {
	b := binary.BigEndian.AppendUint16(r[:], day)
	m := hmac.New(sha256.New, knockKey(callee))
	m.Write(b)
	return knock(append(b, m.Sum(nil)[:knockSize-knockBody]...))
}

// dayOf counts days since 1970 in UTC.
func dayOf(t time.Time) uint16 { return uint16(t.Unix() / (24 * 60 * 60)) }

func (k knock) day() uint16 { return binary.BigEndian.Uint16(k[knockRandom:]) }

// serverName returns the knock as a server name: 36 characters of lower-case
// base32 and ".invalid".
func (k knock) serverName() string {
	return strings.ToLower(idEncoding.EncodeToString(k[:])) + knockSuffix
}

// parseKnock reads what serverName wrote. It does not tell whether the knock is right.
func parseKnock(name string) (knock, error) {
	s, ok := strings.CutSuffix(name, knockSuffix)
	if !ok || len(s) != idEncoding.EncodedLen(knockSize) {
		return knock{}, fmt.Errorf("%w: not a knock", errKnock)
	}
	b, err := idEncoding.DecodeString(strings.ToUpper(s))
	if err != nil || len(b) != knockSize {
		return knock{}, fmt.Errorf("%w: not base32", errKnock)
	}
	k := knock(b)
	if k.serverName() != name {
		return knock{}, fmt.Errorf("%w: not in its one spelling", errKnock)
	}
	return k, nil
}

// maxKnocks bounds one generation of remembered knocks. Only who knows our id
// can fill it.
const maxKnocks = 1 << 15

// A door checks the knocks of those who call us.
type door struct {
	self PeerID

	mu        sync.Mutex
	seen, old map[knock]struct{} // right knocks, newest generation first
}

func newDoor(self PeerID) *door {
	return &door{self: self, seen: make(map[knock]struct{})}
}

// check refuses a server name that is not a right knock, was used before, or
// is more than a day off. The day of a caller on our own network is not
// looked at: clocks are wrong where there is no time server.
func (d *door) check(name string, now time.Time, onLink bool) error {
	k, err := parseKnock(name)
	if err != nil {
		return err
	}
	want := makeKnock(d.self, [knockRandom]byte(k[:]), k.day())
	if !hmac.Equal(k[:], want[:]) {
		return fmt.Errorf("%w: wrong", errKnock)
	}
	if off := int(k.day()) - int(dayOf(now)); (off < -1 || off > 1) && !onLink {
		return fmt.Errorf("%w: %d days off", errKnock, off)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	_, seen := d.seen[k]
	_, old := d.old[k]
	if seen || old {
		return fmt.Errorf("%w: seen before", errKnock)
	}
	if len(d.seen) >= maxKnocks {
		d.seen, d.old = make(map[knock]struct{}), d.seen
	}
	d.seen[k] = struct{}{}
	return nil
}
