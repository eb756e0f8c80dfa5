package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"foldpost/app"
	"foldpost/p2p"
)

// manager is the node as its endpoint sees it: the hooks of [p2p.Manager].
type manager struct{ *Node }

var _ p2p.MessageManager = manager{}

// Metadata implements [p2p.Manager].
func (m manager) Metadata() p2p.Metadata {
	s := m.keep.view()
	meta := p2p.Metadata{Name: s.Name, Version: m.cfg.Version}
	if s.Mailbox != nil {
		meta.Address = s.Mailbox.Address
	}
	return meta
}

// Record implements [p2p.Manager].
func (m manager) Record(id p2p.PeerID) (p2p.Record, bool) {
	s := m.keep.view()
	p := s.peer(id)
	if p == nil {
		return p2p.Record{}, false
	}
	return p.record(), true
}

// PeerDiscovered implements [p2p.Manager].
func (m manager) PeerDiscovered(p2p.PeerID, p2p.Metadata) {}

// PeerExpired implements [p2p.Manager].
func (m manager) PeerExpired(p2p.PeerID) {}

// PairingKeys implements [p2p.Manager].
func (m manager) PairingKeys(t p2p.Token) (p2p.PairingKeys, error) {
	s := m.keep.view()
	inv := s.sent(t)
	if inv == nil {
		return p2p.PairingKeys{}, &p2p.PairingError{Code: p2p.PairingRefused}
	}
	if code := inv.refusal(time.Now()); code != 0 {
		return p2p.PairingKeys{}, &p2p.PairingError{Code: code}
	}
	return p2p.PairingKeys{PSK: p2p.Secret(inv.PSK), Via: inv.Via, Expires: inv.ends(), Only: p2p.PeerID(inv.Peer)}, nil
}

// wrongProofs burn an invitation: only who opened its letter can name it, and
// no honest program sends a wrong proof twice.
const wrongProofs = 3

// PairingWrong implements [p2p.Manager].
func (m manager) PairingWrong(t p2p.Token) {
	m.change("count a wrong proof", func(s *kept) {
		inv := s.sent(t)
		if inv == nil || inv.State != invOpen {
			return
		}
		if inv.Wrong++; inv.Wrong >= wrongProofs {
			inv.end(invBurnt, "Three wrong answers came for this invitation, so it was cancelled for safety. Invite again.")
		}
	})
}

// PeerPairingRequest implements [p2p.Manager]: words prove the person; a link
// proves only that somebody had it, so its maker is asked, and so is he where
// another device already goes by the name or address that is claimed.
func (m manager) PeerPairingRequest(ctx context.Context, r p2p.PairingRequest) error {
	s := m.keep.view()
	inv := s.sent(r.Token)
	if inv == nil {
		return &p2p.PairingError{Code: p2p.PairingRefused}
	}
	if old := s.sameClaims(r); old != nil {
		err := m.mayPair(ctx, app.Question{
			ID:   app.QuestionID("changed-" + string(inv.id()) + "-" + r.Peer.Short()),
			Kind: app.AskChangedKey, Device: deviceID(old.Peer), Name: shownName(r.Metadata.Name), Address: shownAddress(r.Metadata.Address),
			Text: fmt.Sprintf("A device that calls itself %s wants to be linked, but it is not the %s you know. A new or newly installed computer is; somebody else's may be, too.",
				claims(r.Metadata), shownName(old.Metadata.Name)),
			Choices: []app.Choice{{ID: app.ChoiceYes, Text: "Keep both"}, {ID: app.ChoiceNo, Text: "Refuse it"}},
		}, inv)
		if err != nil {
			return err
		}
	}
	if r.Via != p2p.ViaLink {
		return nil
	}
	return m.mayPair(ctx, app.Question{
		ID:   app.QuestionID("pairing-" + string(inv.id()) + "-" + r.Peer.Short()),
		Kind: app.AskPairing, Name: shownName(r.Metadata.Name), Address: shownAddress(r.Metadata.Address),
		Text:    fmt.Sprintf("A device that calls itself %q used your link. Let it in?", shownName(r.Metadata.Name)),
		Choices: []app.Choice{{ID: app.ChoiceYes, Text: "Let it in"}, {ID: app.ChoiceNo, Text: "Refuse"}},
	}, inv)
}

// mayPair asks about an invitation, and refuses unless the answer is yes.
func (m manager) mayPair(ctx context.Context, q app.Question, inv *invitation) error {
	q.Invitation, q.Since = inv.id(), time.Now()
	choice, err := m.ask(ctx, q)
	switch {
	case err != nil: // nobody answered: the other side asks again later
		return &p2p.PairingError{Code: p2p.PairingBusy}
	case choice != app.ChoiceYes:
		return &p2p.PairingError{Code: p2p.PairingUserNo}
	}
	return nil
}

// sameClaims returns another paired device that goes by the name or the
// address that a new one claims.
func (s *kept) sameClaims(r p2p.PairingRequest) *keptPeer {
	for i := range s.Peers {
		p := &s.Peers[i]
		switch {
		case p.Peer == key(r.Peer) || p.State == p2p.Pending:
		case r.Metadata.Name != "" && strings.EqualFold(p.Metadata.Name, r.Metadata.Name),
			r.Metadata.Address != "" && (strings.EqualFold(p.Metadata.Address, r.Metadata.Address) || strings.EqualFold(p.Owner, r.Metadata.Address)):
			return p
		}
	}
	return nil
}

func claims(m p2p.Metadata) string {
	if m.Address == "" {
		return fmt.Sprintf("%q", shownName(m.Name))
	}
	return fmt.Sprintf("%q of %s", shownName(m.Name), shownName(m.Address))
}

// PairingSave implements [p2p.Manager].
func (m manager) PairingSave(_ context.Context, r p2p.Record) error {
	met := m.metAt(r.Peer)
	err := m.keep.update(func(s *kept) error {
		i := slices.IndexFunc(s.Peers, func(p keptPeer) bool { return p.Peer == key(r.Peer) && p.T == r.T })
		if i < 0 && r.State == p2p.Paired {
			return errUnpaired
		}
		if i < 0 {
			if err := s.begin(r, time.Now()); err != nil {
				return err
			}
			i = len(s.Peers) - 1
			if r.Via == p2p.ViaNearby {
				s.Peers[i].Told = met
			}
		}
		s.Peers[i].State = r.State
		if r.State == p2p.Paired {
			s.finish(s.Peers[i])
		}
		return nil
	})
	m.kick()
	return err
}

// errUnpaired: the user has undone a pairing before it was complete.
var errUnpaired = errors.New("the pairing has been undone here")

// begin adds a record, with the invitation's end if it is ours.
func (s *kept) begin(r p2p.Record, now time.Time) error {
	p := keepPeer(r)
	if r.Via == p2p.ViaNearby {
		if old := s.peer(r.Peer); old != nil {
			p.Owner = old.Owner
		}
	} else if r.Role == p2p.Inviter {
		inv := s.sent(r.Token)
		if inv == nil {
			return &p2p.PairingError{Code: p2p.PairingRefused}
		}
		if code := inv.refusal(now); code != 0 {
			return &p2p.PairingError{Code: code}
		}
		inv.State, inv.Peer = invUsed, key(r.Peer)
		p.Owner, p.Told, p.Seek = inv.With, inv.Addrs, inv.Seek
		for _, share := range inv.Folders {
			if f := s.folder(share.ID); f != nil && f.member(r.Peer) == nil {
				f.Members = append(f.Members, keptMember{Peer: key(r.Peer), Role: share.Role, Token: tokenKey(r.Token)})
			}
		}
	} else if inv := s.received(r.Token); inv != nil {
		p.Told, p.Seek = inv.Addrs, inv.Seek
		if r.Via == p2p.ViaWords && inv.MessageID != "" {
			p.Owner = inv.With // whose mail was shown before its letter was opened; by hand it is only a claim
		}
	}
	s.Peers = append(s.Peers, p)
	return nil
}

// finish ends what a pairing needed: the earlier records of the peer, and the
// invitation's secrets.
func (s *kept) finish(p keptPeer) {
	earlier := true
	s.Peers = slices.DeleteFunc(s.Peers, func(q keptPeer) bool {
		earlier = earlier && q.T != p.T
		return earlier && q.Peer == p.Peer
	})
	for i := range s.Invitations {
		if inv := &s.Invitations[i]; inv.Token == p.Token {
			inv.State, inv.Peer, inv.Problem, inv.Ended = invUsed, p.Peer, "", time.Now()
			inv.erase()
		}
	}
}

// PairingStatus implements [p2p.Manager].
func (m manager) PairingStatus(id p2p.PeerID, t [32]byte) (p2p.Record, bool) {
	for _, p := range m.keep.view().Peers {
		if p.Peer == key(id) && p.T == t {
			return p.record(), true
		}
	}
	return p2p.Record{}, false
}

// PeerPaired implements [p2p.Manager].
func (m manager) PeerPaired(r p2p.Record) {
	m.log.Info("paired", "device", r.Peer.Short(), "via", r.Via)
	m.kick()
}

// PeerPairedRollback implements [p2p.Manager].
func (m manager) PeerPairedRollback(r p2p.Record) {
	m.log.Info("pairing undone: the other side could not keep it", "device", r.Peer.Short())
	m.change("undo a pairing", func(s *kept) {
		s.Peers = slices.DeleteFunc(s.Peers, func(p keptPeer) bool { return p.Peer == key(r.Peer) && p.T == r.T })
		if r.Role != p2p.Inviter || r.Via == p2p.ViaNearby {
			return // it used no invitation
		}
		for i := range s.Folders {
			f := &s.Folders[i]
			f.Members = slices.DeleteFunc(f.Members, func(k keptMember) bool {
				return k.Peer == key(r.Peer) && k.Token == tokenKey(r.Token)
			})
		}
		if inv := s.sent(r.Token); inv != nil && inv.State == invUsed {
			inv.State, inv.Peer = invOpen, key{}
		}
	})
}

// PeerConnected implements [p2p.Manager].
func (m manager) PeerConnected(id p2p.PeerID) {
	m.mu.Lock()
	if old := m.peers[id]; old != nil {
		old.cancel()
	}
	ctx, cancel := context.WithCancel(m.ctx)
	p := &peer{id: id, ctx: ctx, cancel: cancel, shares: make(chan struct{}, 1), feeds: map[key]context.CancelFunc{}}
	m.peers[id] = p
	delete(m.lost, id)
	m.mu.Unlock()
	m.log.Info("connected", "device", id.Short())
	m.tasks.Go(func() { m.keepTrying(ctx, "tell shares", func() error { return m.tellShares(ctx, p) }) })
	m.kick()
}

// PeerDisconnected implements [p2p.Manager].
func (m manager) PeerDisconnected(id p2p.PeerID, err error) {
	m.mu.Lock()
	if p := m.peers[id]; p != nil {
		p.cancel()
		delete(m.peers, id)
	}
	m.mu.Unlock()
	m.lose(id, err)
	m.mapping.lost(time.Now())
	m.log.Info("disconnected", "device", id.Short(), "err", err)
	before := m.keep.view()
	_, even := m.sharedWith(&before, id, time.Time{})
	m.change("remember when a device was last seen", func(s *kept) {
		if p := s.peer(id); p != nil {
			p.LastSeen, p.Seek.Even = time.Now().Truncate(time.Second), time.Time{}
			if even {
				p.Seek.Even = time.Now()
			}
		}
	})
}

// Message implements [p2p.MessageManager].
func (m manager) Message(id p2p.PeerID, channel string, payload []byte) {
	if channel == channelProgress {
		m.hearProgress(id, payload, time.Now())
	}
}

// AcceptStream implements [p2p.Manager].
func (m manager) AcceptStream(ctx context.Context, id p2p.PeerID, protocol string, s p2p.Stream) {
	var err error
	switch protocol {
	case protocolShares:
		err = m.hearShares(id, s)
	case protocolFolder:
		err = serveFolder(ctx, s, m.servedTo(id), m.up)
	case protocolContact:
		err = m.serveContact(ctx, id, s)
	case protocolRelay:
		err = m.serveRelay(ctx, id, s)
	default:
		s.Reset(p2p.StreamUnsupported)
	}
	if err != nil && ctx.Err() == nil {
		m.log.Debug("stream ended", "device", id.Short(), "protocol", protocol, "err", err)
	}
}
