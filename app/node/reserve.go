package node

import (
	"context"
	"errors"
	"time"

	"foldpost/app"
	"foldpost/mail"
	"foldpost/p2p"
)

// How long an invitation stays reserved, and how long after an answer the
// inviter tells so by mail, unless the two are linked by then.
const (
	reservedOf = 30 * 24 * time.Hour
	confirmAt  = 30 * time.Second
)

// errNoWriter: the device was unpaired, or paired anew, meanwhile.
var errNoWriter = errors.New("the device is not known any more")

// reserved tells whether the invitation waits, beyond its own end, for the two
// computers to be on together: both users have done their part.
func (inv *invitation) reserved() bool { return !inv.Until.IsZero() }

// ends is when an open invitation ends.
func (inv *invitation) ends() time.Time {
	if inv.Until.After(inv.Expires) {
		return inv.Until
	}
	return inv.Expires
}

// reserve keeps an invitation for the device whose answer came first.
func (inv *invitation) reserve(p mail.Payload, byMail bool, now time.Time) {
	if inv.reserved() {
		return
	}
	inv.Static, inv.Until, inv.Answer, inv.Arrived = p.Static, now.Add(reservedOf), tokenKey(p.Token), now
	inv.Account = p.From
	if byMail && inv.With != "" {
		inv.Confirmed = mailDue
	}
}

// settled tells whether both sides know of the reservation, as far as this one
// can tell.
func (inv *invitation) settled(now time.Time) bool {
	return inv.reserved() && (inv.Direction == app.Received || inv.Confirmed != mailDue && now.Sub(inv.Arrived) >= confirmAt)
}

// confirm notes that the inviter has our answer: its letter opened with a key
// of the invitation.
func (s *kept) confirm(p mail.Payload, opened p2p.Secret) {
	for i := range s.Invitations {
		inv := &s.Invitations[i]
		ours := inv.Direction == app.Received && inv.State == invOpen && inv.Peer == key(p.Peer())
		if ours && p2p.Secret(inv.PSK).ReservedKey() == opened && p.Expires.After(inv.Expires) {
			inv.Until = p.Expires
		}
	}
}

// sendConfirmation tells an answerer that the invitation is its own, unless
// the two were linked at once.
func (n *Node) sendConfirmation(s *kept, a *account, inv *invitation) {
	if inv.Confirmed != mailDue || time.Since(inv.Arrived) < confirmAt || s.halfPaired(inv.Token) {
		return
	}
	w, ok := s.writer(p2p.PeerID(inv.Peer), p2p.Secret(inv.PSK).ReservedKey())
	if !ok || !n.mailWorks(a) {
		return
	}
	token := p2p.Token(inv.Token)
	n.inBackground(a, "reserved "+string(inv.id()), func(ctx context.Context) error {
		if err := n.mailLetter(ctx, a, w.Correspondent, outgoing{kind: mail.KindReserved, inReplyTo: p2p.Token(inv.Answer)}); err != nil {
			return err
		}
		return n.update(func(s *kept) error {
			if k := s.sent(token); k != nil && k.State == invOpen {
				k.Confirmed = mailSent
			}
			return nil
		})
	})
}

// restartLooking has the search for an inviter go on until the new end.
func (n *Node) restartLooking(p mail.Payload) {
	if p.Kind != mail.KindReserved {
		return
	}
	s := n.keep.view()
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range s.Invitations {
		inv := &s.Invitations[i]
		if task := n.pairing[p2p.Token(inv.Token)]; task != nil && inv.Peer == key(p.Peer()) && inv.reserved() {
			task.cancel() // the loop starts it again
		}
	}
}
