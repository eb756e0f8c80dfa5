package node

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"foldpost/p2p"
)

// A loss is the end of the last link to a device. Where it said nothing, one of
// the two computers is off, or a router has another public address: providers
// change it at night. Who has it can not see that, but his connection to the
// mail server does not outlive it.
type loss struct {
	at      time.Time
	silent  bool // nobody closed the link, and the other was not in our own network
	busy    bool // and files were on their way between the two
	verdict verdict
}

// A verdict says whether this computer's public address changed around a loss.
type verdict uint8

const (
	undecided verdict = iota
	stayed
	mayHaveMoved
)

// lossWindow is how long before its end was noticed a link may have been dead.
const lossWindow = time.Minute

// evidence is what speaks of this computer's public address.
type evidence struct {
	since, alive time.Time // of the connection to the mail server, which ends with the address
	same, other  time.Time // when somebody saw us where he did before, or elsewhere
}

// judge decides once about a loss; decided tells whether it just did.
func (l *loss) judge(e evidence) (decided bool) {
	if l.verdict != undecided || !l.silent {
		return false
	}
	before := l.at.Add(-lossWindow)
	switch {
	case e.other.After(before):
		l.verdict = mayHaveMoved
	case e.same.After(l.at):
		l.verdict = stayed
	case e.since.IsZero() || !e.alive.After(l.at):
		return false // no answer yet
	case e.since.After(before):
		l.verdict = mayHaveMoved
	default:
		l.verdict = stayed
	}
	return true
}

// silentEnd tells whether a link ended without either side having said so.
func silentEnd(err error) bool {
	c, ok := errors.AsType[*p2p.CloseError](err)
	return !ok || c.Code == p2p.CloseDead
}

// near tells whether a device was last reached in a network of ours, or in a
// private one: our routers have no part in that.
func (n *Node) near(p *keptPeer) bool {
	if p == nil || len(p.Last) == 0 {
		return true
	}
	a, _, ok := parseCandidate(p.Last[0])
	own := networks(n.interfaces.ask(time.Now()), n.addrs())
	return !ok || a.Addr().IsPrivate() || a.Addr().IsLoopback() || a.Addr().IsLinkLocalUnicast() ||
		slices.ContainsFunc(own, func(p netip.Prefix) bool { return p.Contains(a.Addr()) })
}

// lose notes that a device was lost, and looks whether it was this computer
// that moved.
func (n *Node) lose(id p2p.PeerID, err error) {
	s := n.keep.view()
	l := loss{at: time.Now(), silent: silentEnd(err) && !n.near(s.peer(id))}
	l.busy = l.silent && n.busyWith(&s, id)
	n.mu.Lock()
	n.lost[id] = l
	a := n.account
	n.mu.Unlock()
	if l.silent && a != nil {
		a.box.Retry()
	}
}

// PeerSilent implements [p2p.SilenceListener].
func (m manager) PeerSilent(p2p.PeerID) { m.kick() }

// reached tells whether there is a link to a device that carries something.
func (n *Node) reached(id p2p.PeerID) bool {
	l, ok := n.endpoint.Link(id)
	return ok && l.Silent.IsZero()
}

// breaking is the loss that begins because a link carries nothing any more.
func (n *Node) breaking(s *kept, l p2p.Link) loss {
	return loss{at: l.Silent, silent: true, busy: !n.near(s.peer(l.Peer)) && n.busyWith(s, l.Peer)}
}

// busyWith tells whether a device lacks files of ours, or this one lacks files
// of a folder that both share.
func (n *Node) busyWith(s *kept, id p2p.PeerID) bool {
	for i := range s.Folders {
		f := &s.Folders[i]
		if f.member(id) == nil || f.Paused.active(time.Now()) {
			continue
		}
		st := n.folderStatus(f.ID)
		for _, m := range st.Members {
			if st.NeedBytes > 0 || key(m.Device) == key(id) && !m.HasAll {
				return true
			}
		}
	}
	return false
}

// judgeLosses decides which of the devices that were lost may not know our
// address any more. What just came back is tried at once: it costs less than a
// mail.
func (n *Node) judgeLosses(a *account) {
	var e evidence
	e.since, e.alive = a.box.Connection()
	e.same, e.other = n.endpoint.SeenAlike()
	moved := false
	n.mu.Lock()
	for id, l := range n.lost {
		if l.judge(e) {
			if moved = moved || l.verdict == mayHaveMoved; l.verdict == mayHaveMoved {
				l.at = time.Now()
			}
			n.lost[id] = l
		}
	}
	n.mu.Unlock()
	if moved {
		n.endpoint.Wake()
	}
}
