package node

import (
	"context"
	"slices"
	"sync"
	"time"

	"foldpost/mail"
	"foldpost/p2p"
)

// When contacts are asked to carry a letter to a device that can not be
// reached: soon, because that costs nobody anything, and then ever more rarely,
// unless there is a new contact or this device has moved.
const (
	contactAfter = 3 * time.Second // a dial to where it was takes less
	contactAgain = 30 * time.Second
	contactLast  = 10 * time.Minute
	maxContacts  = 16 // asked for one letter
	contactPace  = 8  // letters a minute that one contact is given, less than it takes
)

// A contactSeek is the search for one device by contacts.
type contactSeek struct {
	busy     bool
	next     time.Time
	pause    time.Duration
	contacts []p2p.PeerID // that were there when they were asked last
	own      []string     // our addresses then
}

// due tells whether contacts are asked now, and notes that they are.
func (k *contactSeek) due(now, since time.Time, contacts []p2p.PeerID, own []string) bool {
	if k.busy || now.Sub(since) < contactAfter {
		return false
	}
	fresh := slices.ContainsFunc(contacts, func(c p2p.PeerID) bool { return !slices.Contains(k.contacts, c) })
	switch {
	case len(contacts) == 0:
		return false
	case fresh || !slices.Equal(own, k.own) || since.After(k.next.Add(-k.pause)):
		k.pause = contactAgain
	case now.Before(k.next):
		return false
	default:
		k.pause = min(2*k.pause, contactLast)
	}
	k.busy, k.next, k.contacts, k.own = true, now.Add(k.pause), contacts, own
	return true
}

// matchContacts asks linked devices to carry letters to those that can not be
// reached.
func (n *Node) matchContacts(ctx context.Context) {
	now, s := time.Now(), n.keep.view()
	var contacts []p2p.PeerID
	for _, l := range n.endpoint.Links() {
		if n.carriesFor(l) && len(contacts) < maxContacts {
			contacts = append(contacts, l.Peer)
		}
	}
	own := n.ownAddresses()
	if len(own) == 0 || s.Paused.active(now) {
		return
	}
	for _, w := range s.writers() {
		l, linked := n.endpoint.Link(w.Peer)
		list, since, search := contacts, n.absentSince(w.Peer), n.seekByContacts
		switch {
		case linked && !l.Silent.IsZero():
			since, linked = l.Silent, false
		case linked && l.Kind == linkQUIC:
			continue
		case linked: // a better link is looked for with its help
			list, since, search = []p2p.PeerID{w.Peer}, l.Since, n.tellOverLink
		}
		k := n.contacts.seek(w.Peer, linked)
		if !n.contacts.due(k, now, since, list, own) {
			continue
		}
		n.tasks.Go(func() {
			search(ctx, w.Correspondent, list)
			n.contacts.done(k)
		})
	}
}

// seek returns the search for a device, or for a better link with it.
func (c *contacts) seek(id p2p.PeerID, linked bool) *contactSeek {
	m := c.seeks
	if linked {
		m = c.better
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if m[id] == nil {
		m[id] = &contactSeek{}
	}
	return m[id]
}

func (c *contacts) due(k *contactSeek, now, since time.Time, contacts []p2p.PeerID, own []string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return k.due(now, since, contacts, own)
}

func (c *contacts) done(k *contactSeek) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k.busy = false
}

// mayAsk counts a letter that a contact is given.
func (c *contacts) mayAsk(contact p2p.PeerID, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return takeOf(c.asking, contact, contactPace, now)
}

// seekByContacts gives one letter to all contacts. The first answer that comes
// with a letter tells where the device is; it knows where we are. Where that
// does not help, those of the contacts that carried the letter may relay.
func (n *Node) seekByContacts(ctx context.Context, to mail.Correspondent, contacts []p2p.PeerID) {
	letter, token, err := n.sealTo(to, mail.KindSeek, p2p.Token{})
	if err != nil {
		n.log.Error("letter for contacts", "err", err)
		return
	}
	var wg sync.WaitGroup
	var heard sync.Once
	var mu sync.Mutex
	var relays []p2p.PeerID
	for _, c := range contacts {
		if c == to.Peer || !n.contacts.mayAsk(c, time.Now()) {
			continue
		}
		wg.Go(func() {
			name := newContactName(to.Peer)
			a, err := n.askContact(ctx, c, contactFrame{Kind: contactCarry, To: &name, Letter: letter}, carryTime)
			if err != nil || a.Status != contactCarried {
				n.log.Debug("not carried", "contact", c.Short(), "status", a.Status, "err", err)
				return
			}
			n.log.Info("a contact carried a letter", "contact", c.Short(), "device", to.Peer.Short())
			if a.Relays {
				mu.Lock()
				relays = append(relays, c)
				mu.Unlock()
			}
			heard.Do(func() { n.hereByContact(to, token, a.Letter) })
		})
	}
	wg.Wait()
	if len(relays) > 0 {
		n.reachThrough(ctx, to.Peer, relays)
	}
}

// tellOverLink gives a letter to the device itself, over a link by TCP or
// through another device: both then try each other's addresses of now.
func (n *Node) tellOverLink(ctx context.Context, to mail.Correspondent, _ []p2p.PeerID) {
	letter, token, err := n.sealTo(to, mail.KindSeek, p2p.Token{})
	if err != nil {
		n.log.Error("letter over a link", "err", err)
		return
	}
	a, err := n.askContact(ctx, to.Peer, contactFrame{Kind: contactDeliver, From: n.identity.ID(), Letter: letter}, carryTime)
	if err != nil || a.Status != contactCarried {
		n.log.Debug("letter not taken", "device", to.Peer.Short(), "status", a.Status, "err", err)
		return
	}
	n.hereByContact(to, token, a.Letter)
}

// hereByContact takes the answer to our question. Whoever carries it can make
// it be lost, and nothing else.
func (n *Node) hereByContact(from mail.Correspondent, question p2p.Token, letter []byte) {
	l, err := mail.ReadPeerLetter(keyring{n}, n.replay, from, letter, time.Now())
	if err != nil || l.Payload.Kind != mail.KindHere || l.Payload.InReplyTo != question {
		n.log.Debug("answer by a contact dropped", "device", from.Peer.Short(), "reason", err)
		return
	}
	n.heardByContact(l)
}
