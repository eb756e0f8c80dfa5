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
	if len(contacts) == 0 || len(own) == 0 || s.Paused.active(now) {
		return
	}
	for _, w := range s.writers() {
		_, linked := n.endpoint.Link(w.Peer)
		if linked || !n.contacts.due(w.Peer, now, n.absentSince(w.Peer), contacts, own) {
			continue
		}
		n.tasks.Go(func() {
			n.seekByContacts(ctx, w.Correspondent, contacts)
			n.contacts.done(w.Peer)
		})
	}
}

func (c *contacts) due(id p2p.PeerID, now, since time.Time, contacts []p2p.PeerID, own []string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.seeks[id]
	if k == nil {
		k = &contactSeek{}
		c.seeks[id] = k
	}
	return k.due(now, since, contacts, own)
}

func (c *contacts) done(id p2p.PeerID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seeks[id].busy = false
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
