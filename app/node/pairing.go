package node

import (
	"context"
	"errors"
	"time"

	"foldpost/app"
	"foldpost/p2p"
)

// matchInvitations ends what has expired, and runs what open invitations and
// answers need: an answerer looks for its inviter, an inviter who had an
// answer looks for the answerer.
func (n *Node) matchInvitations(ctx context.Context) {
	now := time.Now()
	if err := n.keep.updateIf(func(s *kept) bool { return s.tidyInvitations(now) }); err != nil {
		n.log.Error("end old invitations", "err", err)
	}
	s := n.keep.view()
	wanted := map[p2p.Token]bool{}
	for i := range s.Invitations {
		inv := &s.Invitations[i]
		looking := inv.Direction == app.Received || len(inv.Addrs) > 0
		if inv.State == invOpen && looking && !s.halfPaired(inv.Token) {
			wanted[p2p.Token(inv.Token)] = true
			n.look(ctx, *inv)
		}
	}
	n.mu.Lock()
	for token, task := range n.pairing {
		if !wanted[token] && !s.halfPaired(tokenKey(token)) {
			task.cancel()
		}
	}
	n.mu.Unlock()
}

// pairingTask looks for the other side of an invitation.
type pairingTask struct {
	cancel context.CancelFunc
}

// look starts looking for the other side of an invitation, if nothing does
// yet. New addresses go to the endpoint, which goes on with them.
func (n *Node) look(ctx context.Context, inv invitation) {
	token := p2p.Token(inv.Token)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.pairing[token] != nil {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	n.pairing[token] = &pairingTask{cancel: cancel}
	n.tasks.Go(func() {
		defer cancel()
		n.addCandidates(p2p.PeerID(inv.Peer), inv.Addrs, sourceOf(inv.Via), inv.ends())
		var err error
		if inv.Direction == app.Received {
			_, err = n.endpoint.Pair(ctx, p2p.Invitation{
				Token: token, Peer: p2p.PeerID(inv.Peer), Static: inv.Static, PSK: p2p.Secret(inv.PSK), Via: inv.Via, Expires: inv.ends(),
			})
		} else {
			err = n.endpoint.PairDial(ctx, p2p.PeerID(inv.Peer), token)
		}
		n.lookedFor(inv, err)
		n.mu.Lock()
		delete(n.pairing, token)
		n.mu.Unlock()
		n.kick()
	})
}

// sourceOf says where addresses come from that came with an invitation.
func sourceOf(via p2p.Via) string {
	switch via {
	case p2p.ViaLink:
		return "link"
	case p2p.ViaNearby:
		return "lan"
	}
	return "mail"
}

// lookedFor notes why looking ended without a pairing.
func (n *Node) lookedFor(inv invitation, err error) {
	pe, refused := errors.AsType[*p2p.PairingError](err)
	if err == nil || !refused {
		if err != nil {
			n.log.Debug("looking for the other computer ended", "err", err)
		}
		return
	}
	if inv.Direction == app.Sent {
		return // the answerer refused; others may still come
	}
	text := map[p2p.PairingCode]string{
		p2p.PairingUsed:        "This invitation has been used by another device. Was it not yours? Then ask the person to remove that device and to invite you again.",
		p2p.PairingExpired:     "This invitation has expired. Ask for a new one.",
		p2p.PairingCancelled:   "This invitation was withdrawn. Ask for a new one.",
		p2p.PairingWrongSecret: "The other computer does not know this invitation's secret. Ask for a new invitation.",
		p2p.PairingVersion:     "The two programs are of versions that do not understand each other. Update the older one.",
		p2p.PairingUserNo:      "The other person did not let this device in.",
		p2p.PairingRefused:     "The other computer does not know this invitation any more. Ask for a new one.",
	}[pe.Code]
	if text == "" {
		text = "The other computer ended it: " + pe.Code.String() + ". Ask for a new invitation."
	}
	n.change("note a refused invitation", func(s *kept) {
		if k := s.received(p2p.Token(inv.Token)); k != nil && k.State == invOpen && k.PSK == inv.PSK {
			k.end(invFailed, text)
		}
	})
}

// settle has the endpoint ask the other sides of unfinished pairings of an
// earlier start whether they have their half.
func (n *Node) settle() {
	s := n.keep.view()
	for i := range s.Peers {
		if p := &s.Peers[i]; p.State != p2p.Paired {
			n.endpoint.Settle(p.record(), s.settleUntil(p))
		}
	}
}

// settleUntil is when a pending pairing ends without an answer.
func (s *kept) settleUntil(p *keptPeer) time.Time {
	for i := range s.Invitations {
		if inv := &s.Invitations[i]; inv.Token == p.Token {
			return inv.ends().Add(24 * time.Hour)
		}
	}
	if p.Via == p2p.ViaNearby {
		return p.Created.Add(time.Hour)
	}
	return p.Created.Add(maxExpires)
}
