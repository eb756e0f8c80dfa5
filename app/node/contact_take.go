package node

import (
	"crypto/sha256"
	"time"

	"foldpost/mail"
	"foldpost/p2p"
)

// takeCarried takes a letter that a contact brings, as if it came by mail, and
// answers a question with where we are. Who can not make us open it learns
// nothing, not even that.
func (n *Node) takeCarried(contact p2p.PeerID, f contactFrame) contactAnswer {
	now, hash := time.Now(), sha256.Sum256(append(f.From[:], f.Letter...))
	c := n.contacts
	c.mu.Lock()
	allowed := takeOf(c.taken, contact, lettersPerMinute, now)
	c.mu.Unlock()
	if !allowed {
		return contactAnswer{Status: contactLimit}
	}
	c.taking.Lock()
	defer c.taking.Unlock()
	if a, ok := c.answers.find(hash, now); ok { // by another contact too
		return a
	}
	s := n.keep.view()
	w, ok := s.writerOf(f.From)
	if !ok || s.Paused.active(now) {
		return contactAnswer{Status: contactAbsent}
	}
	l, err := mail.ReadPeerLetter(keyring{n}, n.replay, w.Correspondent, f.Letter, now)
	if err != nil {
		n.log.Debug("letter by a contact dropped", "contact", contact.Short(), "reason", err)
		return contactAnswer{Status: contactAbsent}
	}
	if !n.heardByContact(l) {
		return contactAnswer{Status: contactAbsent}
	}
	a := contactAnswer{Status: contactCarried}
	if l.Payload.Kind == mail.KindSeek {
		if a.Letter, _, err = n.sealTo(w.Correspondent, mail.KindHere, l.Payload.Token); err != nil {
			n.log.Error("answer by a contact", "err", err)
		}
	}
	c.answers.add(hash, a, now)
	return a
}

// writerOf returns the device of an id that letters go to and come from.
func (s *kept) writerOf(id p2p.PeerID) (writer, bool) {
	for _, w := range s.writers() {
		if w.Peer == id {
			return w, true
		}
	}
	return writer{}, false
}

// heardByContact takes an opened letter that a contact brought; false: it is
// older than what is known. Checks begin at once on both sides: the answer is
// there within a round trip.
func (n *Node) heardByContact(l mail.PeerLetter) bool {
	found := l.Payload.Candidates("contact")
	if _, ok := n.noteLetter(l, found); !ok {
		return false
	}
	if err := n.replay.Add(l.Payload); err != nil {
		n.log.Warn("letter not remembered", "reason", err)
	}
	if l.Payload.Kind == mail.KindSeek {
		n.endpoint.Answered(l.From.Peer)
	} else {
		n.endpoint.Expected(l.From.Peer)
	}
	for _, c := range found {
		n.addCandidate(c)
	}
	return true
}

// sealTo writes a letter to a device, to be carried by a contact.
func (n *Node) sealTo(to mail.Correspondent, kind mail.Kind, inReplyTo p2p.Token) ([]byte, p2p.Token, error) {
	p := mail.NewPeerLetter(kind, n.identity, time.Now(), validFor(kind), inReplyTo)
	n.describe(&p)
	letter, err := mail.SealPeer(n.identity, to, p)
	return letter, p.Token, err
}
