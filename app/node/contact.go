package node

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"foldpost/mail"
	"foldpost/p2p"
	"foldpost/p2p/wire"
)

// protocolContact is the stream on which a letter between two devices goes
// through a third one that is linked with both; mail/PROTOCOL.md, "By a
// contact".
const protocolContact = "contact/1"

// maxContact is the size of a frame on such a stream, in bytes.
const maxContact = 8 << 10

// A contactFrame begins a contact stream.
type contactFrame struct {
	Kind   uint64       `wire:"1"`
	To     *contactName `wire:"2"` // of carry: for whom the letter is
	From   p2p.PeerID   `wire:"3"` // of deliver: whose it is
	Letter []byte       `wire:"4"`
	Hops   uint64       `wire:"5"` // contacts that it may still go through after this one; none so far
	Relays bool         `wire:"6"` // of deliver: the contact would relay between the two
}

// The kinds of contact frames; streams with others are reset as unsupported.
const (
	contactCarry   = 1 // to the contact
	contactDeliver = 2 // from the contact
)

// A contactAnswer ends a contact stream, in the other direction.
type contactAnswer struct {
	Status uint64 `wire:"1"`
	Letter []byte `wire:"2"` // of carried: what the receiver answers, if anything
	Relays bool   `wire:"3"` // of carried: the contact would relay between the two
}

const (
	contactCarried = 1 // the receiver opened the letter
	contactAbsent  = 2 // not linked, not known, not opened: all alike
	contactLimit   = 3 // too often
)

// How long each waits for the next one's answer.
const (
	deliverTime = 5 * time.Second
	carryTime   = 8 * time.Second
)

// A contactName says whom a letter is for, so that only who knows that device
// can tell: a contact shall not learn of devices that it is not linked with.
//
//	r[8] ‖ HMAC-SHA-256(X(peer id, "foldpost/1 contact"), r)[:16]
type contactName struct {
	Random [8]byte  `wire:"1"`
	Tag    [16]byte `wire:"2"`
}

func newContactName(id p2p.PeerID) contactName {
	var r [8]byte
	rand.Read(r[:]) // never fails
	return makeContactName(id, r)
}

func makeContactName(id p2p.PeerID, r [8]byte) contactName {
	k, err := hkdf.Expand(sha256.New, id[:], wire.Name+"/1 contact", sha256.Size)
	if err != nil {
		panic(err) // the length is a constant that HKDF allows
	}
	m := hmac.New(sha256.New, k)
	m.Write(r[:])
	return contactName{Random: r, Tag: [16]byte(m.Sum(nil))}
}

// names tells whether the name is that of a device.
func (c contactName) names(id p2p.PeerID) bool {
	want := makeContactName(id, c.Random)
	return hmac.Equal(c.Tag[:], want.Tag[:])
}

// contacts is what a node knows as a contact of others, and of its own
// contacts. Nothing of it outlives a restart.
type contacts struct {
	mu        sync.Mutex
	asking    map[p2p.PeerID]*quota // letters that we gave a contact to carry
	carried   map[p2p.PeerID]*quota // letters of a device that we carried
	delivered map[p2p.PeerID]*quota // letters to a device that we carried
	taken     map[p2p.PeerID]*quota // letters that a contact brought us
	recent    recentLetters         // that we carried
	seeks     map[p2p.PeerID]*contactSeek
	better    map[p2p.PeerID]*contactSeek
	relayed   map[p2p.PeerID]time.Time // when a relay was needed last

	taking  sync.Mutex // letters are taken one after another
	answers recentLetters
}

func newContacts() *contacts {
	return &contacts{
		asking: map[p2p.PeerID]*quota{}, carried: map[p2p.PeerID]*quota{}, delivered: map[p2p.PeerID]*quota{}, taken: map[p2p.PeerID]*quota{},
		seeks: map[p2p.PeerID]*contactSeek{}, better: map[p2p.PeerID]*contactSeek{}, relayed: map[p2p.PeerID]time.Time{},
	}
}

// A quota bounds how often something is done for one device.
type quota struct{ times []time.Time }

// Letters of one device, and to one device, that are carried.
const (
	lettersPerMinute = 10
	lettersPerHour   = 100
)

// take counts one more, unless there were so many within a minute, or too many
// within an hour.
func (q *quota) take(perMinute int, now time.Time) bool {
	q.times = slices.DeleteFunc(q.times, func(t time.Time) bool { return now.Sub(t) >= time.Hour || now.Before(t) })
	minute := 0
	for _, t := range q.times {
		if now.Sub(t) < time.Minute {
			minute++
		}
	}
	if minute >= perMinute || len(q.times) >= lettersPerHour {
		return false
	}
	q.times = append(q.times, now)
	return true
}

// takeOf counts a letter in the quota of a device.
func takeOf(m map[p2p.PeerID]*quota, id p2p.PeerID, perMinute int, now time.Time) bool {
	q := m[id]
	if q == nil {
		q = &quota{}
		m[id] = q
	}
	return q.take(perMinute, now)
}

// recentLetters remembers letters for a while, with what was answered.
type recentLetters struct{ list []recentLetter }

type recentLetter struct {
	hash   [32]byte
	at     time.Time
	answer contactAnswer
}

// Letters are remembered at most so many for so long.
const (
	maxRecentLetters = 256
	recentTime       = 10 * time.Minute
)

func (r *recentLetters) find(hash [32]byte, now time.Time) (contactAnswer, bool) {
	for _, l := range r.list {
		if l.hash == hash && now.Sub(l.at) < recentTime {
			return l.answer, true
		}
	}
	return contactAnswer{}, false
}

func (r *recentLetters) add(hash [32]byte, a contactAnswer, now time.Time) {
	if len(r.list) >= maxRecentLetters {
		r.list = slices.Delete(r.list, 0, 1)
	}
	r.list = append(r.list, recentLetter{hash, now, a})
}

// serveContact answers one contact stream of a paired device.
func (n *Node) serveContact(ctx context.Context, from p2p.PeerID, s p2p.Stream) error {
	if err := s.SetDeadline(time.Now().Add(deliverTime)); err != nil {
		return err
	}
	var f contactFrame
	if err := wire.Read(s, maxContact, &f); err != nil {
		s.Reset(p2p.StreamMalformed)
		return fmt.Errorf("read contact frame: %w", err)
	}
	var a contactAnswer
	switch head, err := mail.ReadHead(f.Letter); {
	case f.Kind != contactCarry && f.Kind != contactDeliver:
		s.Reset(p2p.StreamUnsupported)
		return fmt.Errorf("contact frame of kind %d", f.Kind)
	case err != nil || head.Pattern != mail.PatternPeer || f.Kind == contactCarry && f.To == nil:
		s.Reset(p2p.StreamMalformed)
		return errors.New("contact frame without a letter between devices")
	case f.Kind == contactDeliver:
		a = n.takeCarried(from, f)
	case n.keep.view().NoCarry:
		s.Reset(p2p.StreamRefused)
		return nil
	default:
		a = n.forward(ctx, from, f)
	}
	if err := s.SetDeadline(time.Now().Add(deliverTime)); err != nil {
		return err
	}
	return wire.Write(s, maxContact, a)
}

// askContact sends a frame to a device and reads its answer.
func (n *Node) askContact(ctx context.Context, to p2p.PeerID, f contactFrame, patience time.Duration) (contactAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s, err := n.endpoint.Open(ctx, to, protocolContact)
	if err != nil {
		return contactAnswer{}, err
	}
	defer s.Close()
	stop := context.AfterFunc(ctx, func() { s.Reset(p2p.StreamCancelled) })
	defer stop()
	var a contactAnswer
	if err := wire.Write(s, maxContact, f); err != nil {
		return a, fmt.Errorf("ask contact %s: %w", to.Short(), err)
	}
	if err := wire.Read(s, maxContact, &a); err != nil {
		return a, fmt.Errorf("ask contact %s: %w", to.Short(), err)
	}
	return a, nil
}

// forward brings a letter to the device that it is for, if that is linked with
// us. Of what we know of others nothing is told but that the receiver could
// open the letter.
func (n *Node) forward(ctx context.Context, from p2p.PeerID, f contactFrame) contactAnswer {
	now, hash := time.Now(), sha256.Sum256(f.Letter)
	c := n.contacts
	c.mu.Lock()
	allowed := takeOf(c.carried, from, lettersPerMinute, now)
	_, again := c.recent.find(hash, now)
	c.mu.Unlock()
	if !allowed {
		return contactAnswer{Status: contactLimit}
	}
	to, ok := n.linkedAs(*f.To)
	if !ok || to == from || again {
		return contactAnswer{Status: contactAbsent}
	}
	c.mu.Lock()
	allowed = takeOf(c.delivered, to, lettersPerMinute, now)
	if allowed {
		c.recent.add(hash, contactAnswer{}, now)
	}
	c.mu.Unlock()
	if !allowed {
		return contactAnswer{Status: contactLimit}
	}
	kept := n.keep.view()
	relays, _ := kept.mayRelay(from, to)
	a, err := n.askContact(ctx, to, contactFrame{Kind: contactDeliver, From: from, Letter: f.Letter, Relays: relays}, deliverTime)
	if err != nil || a.Status != contactCarried {
		return contactAnswer{Status: contactAbsent}
	}
	if head, err := mail.ReadHead(a.Letter); err != nil || head.Pattern != mail.PatternPeer {
		a.Letter = nil
	}
	return contactAnswer{Status: contactCarried, Letter: a.Letter, Relays: relays}
}

// linkedAs returns the paired device of a name that is linked with us by
// itself, not through another.
func (n *Node) linkedAs(name contactName) (p2p.PeerID, bool) {
	for _, l := range n.endpoint.Links() {
		if name.names(l.Peer) && n.carriesFor(l) {
			return l.Peer, true
		}
	}
	return p2p.PeerID{}, false
}

// carriesFor tells whether letters and relays go over a link: of a device that
// is paired on both sides, and not itself through another one.
func (n *Node) carriesFor(l p2p.Link) bool {
	r, ok := manager{n}.Record(l.Peer)
	return ok && r.State == p2p.Paired && l.Kind != linkRelay && l.Silent.IsZero()
}

// Kinds of links.
const (
	linkQUIC  = "quic"
	linkRelay = "relay" // through another device
)
