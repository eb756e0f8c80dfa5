package node

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"foldpost/app"
	"foldpost/assets"
	"foldpost/mail"
	"foldpost/p2p"
)

// A paired device that can not be reached is asked by mail where it is, and
// answers by itself. Mail is for people first: who moved asks soon, for the
// other has only the old address; who did not asks late, for the other is most
// likely just off, and ever more rarely.
const (
	askBusy    = 2 * time.Second  // since a link broke with files on their way: somebody looks on
	askMoved   = 30 * time.Second // since this device moved, or the other one was lost
	askLost    = 15 * time.Second // since it seems that it did, because a link and the connection for mail broke
	askUnsure  = 2 * time.Minute  // whether it did while the two were apart
	askUnmoved = 30 * time.Minute
	askAgain   = 6 * time.Hour // twice as long after each that had no answer
	askRarely  = 7 * 24 * time.Hour
	replyAgain = 5 * time.Hour      // less than askAgain: mail is not always equally fast
	crossing   = 15 * time.Minute   // a letter of ours may still be on its way
	replyAfter = time.Second        // a dial to the address in the question takes less
	seekValid  = 3 * 24 * time.Hour // addresses are worth little after that

	autoPerDay = 8 // mails that no person decided on
	autoDay    = 24 * time.Hour
	sendTries  = 3 // of one letter

	sleepGap = 30 * time.Second // the loop stood still so long: the computer slept
)

// seeking is what is kept of the search for a device by mail.
type seeking struct {
	Knows   []string  `json:"knows,omitempty"`  // our addresses, as it was told last, by a link or a letter
	Told    time.Time `json:"told,omitzero"`    // when a letter told it
	Asked   time.Time `json:"asked,omitzero"`   // when it was asked last
	Asks    int       `json:"asks,omitempty"`   // since it was last heard of
	Replied time.Time `json:"replied,omitzero"` // when its question was answered last
	Heard   time.Time `json:"heard,omitzero"`   // when its newest letter was written
	Came    time.Time `json:"came,omitzero"`    // when that letter came
	Even    time.Time `json:"even,omitzero"`    // when it was lost, if it had everything then
	Letter  string    `json:"letter,omitempty"` // id of the last mail that left for it
	Bounced time.Time `json:"bounced,omitzero"` // when that mail came back, they say
	Server  bool      `json:"server,omitempty"` // the last link led over a server that relays, whose address is a passing one
}

// An absence is a device that can not be reached, and what speaks for asking.
type absence struct {
	since time.Time // lost, started, woken or moved: what came last
	moved bool      // we are at no address that it knows of, or may be
	waits bool      // something waits for it
	busy  bool      // it was lost with files on their way

	certain bool // that we moved
	unsure  bool // nothing tells whether we did while it was away
	seeking
}

// due tells whether the device is to be asked now.
func (a absence) due(now time.Time) bool {
	again := askAgain
	if !a.certain {
		for range min(a.Asks-1, 10) {
			again = min(2*again, askRarely)
		}
	}
	switch {
	case a.Asks > 0 && now.Sub(a.Asked) < again, !a.Asked.IsZero() && now.Sub(a.Asked) < askAgain:
		return false
	case a.busy:
		return a.certain || now.Sub(a.since) >= askBusy
	case a.certain:
		return now.Sub(a.since) >= askMoved
	case a.moved:
		return now.Sub(a.since) >= askLost && !a.Told.After(a.since)
	}
	wait := askUnmoved
	if a.unsure {
		wait = askUnsure
	}
	return a.waits && now.Sub(a.since) >= wait && now.Sub(a.Told) >= askAgain
}

// moved tells whether a device that knows some of our addresses can not reach
// us at any we have now. At home and in an office a computer may have the same
// private address: where public ones are known, they count.
func moved(now, known []string) bool {
	if p, q := publicOf(now), publicOf(known); len(p) > 0 && len(q) > 0 {
		return !slices.ContainsFunc(p, func(a p2p.Candidate) bool {
			return slices.ContainsFunc(q, func(b p2p.Candidate) bool { return atOnePlace(a, b) })
		})
	}
	return len(known) > 0 && !slices.ContainsFunc(now, func(a string) bool { return slices.Contains(known, a) })
}

// movedTo tells whether a device can not reach us any more: at any of our
// addresses, or at that of the server over which it did.
func (k *seeking) movedTo(own []string) bool {
	return moved(own, k.Knows) || k.Server && !slices.Equal(relayedOf(own), relayedOf(k.Knows))
}

// relayedOf returns the addresses at which a server relays.
func relayedOf(texts []string) []string {
	return slices.DeleteFunc(slices.Clone(texts), func(t string) bool { return !strings.HasPrefix(t, candidatePrefix[p2p.Relayed]) })
}

// atOnePlace tells whether two addresses speak of one router, or computer: what
// it forwards and where it is seen differ in the port.
func atOnePlace(a, b p2p.Candidate) bool {
	return a.Addr == b.Addr || a.Kind != b.Kind && a.Addr.Addr() == b.Addr.Addr()
}

func publicOf(texts []string) []p2p.Candidate {
	var list []p2p.Candidate
	for _, t := range texts {
		a, kind, ok := parseCandidate(t)
		if ok && kind != p2p.Relayed && isPublic(a.Addr()) {
			list = append(list, p2p.Candidate{Addr: a, Kind: kind})
		}
	}
	return list
}

// told notes that a device knows where we are.
func (k *seeking) told(own []string) bool {
	if slices.Equal(k.Knows, own) && k.Asks == 0 {
		return false
	}
	k.Knows, k.Asks = own, 0
	return true
}

// mayMail takes one mail out of the day's budget of those that no person
// decided on.
func (s *kept) mayMail(now time.Time) bool {
	s.Auto = slices.DeleteFunc(slices.Clone(s.Auto), func(t time.Time) bool { return now.Sub(t) >= autoDay || now.Before(t) })
	if len(s.Auto) >= autoPerDay {
		return false
	}
	s.Auto = append(s.Auto, now)
	return true
}

// A writer is a device that letters go to and come from.
type writer struct {
	mail.Correspondent
	seek  *seeking // in the kept state that it was taken from
	waits bool     // for it to be found
	told  bool     // where we are, by another letter that is due
}

// writers lists the paired devices, and those that an invitation is reserved
// for.
func (s *kept) writers() []writer {
	var list []writer
	for i := range s.Peers {
		p := &s.Peers[i]
		if s.peer(p2p.PeerID(p.Peer)) != p || p.State == p2p.Pending {
			continue
		}
		list = append(list, writer{seek: &p.Seek, waits: p.State != p2p.Paired, Correspondent: mail.Correspondent{
			Peer: p2p.PeerID(p.Peer), Static: p.Static, Key: p2p.Secret(p.Pairwise).LettersKey(), Address: p.writeTo(),
		}})
	}
	for i := range s.Invitations {
		inv := &s.Invitations[i]
		paired := slices.ContainsFunc(list, func(w writer) bool { return key(w.Peer) == inv.Peer })
		if inv.State != invOpen || inv.Peer == (key{}) || inv.Static == (key{}) || paired {
			continue
		}
		list = append(list, writer{seek: &inv.Seek, waits: inv.reserved(), told: inv.Confirmed == mailDue, Correspondent: mail.Correspondent{
			Peer: p2p.PeerID(inv.Peer), Static: inv.Static, Key: p2p.Secret(inv.PSK).ReservedKey(), Address: inv.With, Account: inv.Account,
		}})
	}
	return list
}

// writeTo is where letters for a device go: the address that it told over a
// link to it, else the one that the pairing came through.
func (p *keptPeer) writeTo() string { return cmp.Or(p.Mail, p.Owner, p.Metadata.Address) }

// writer returns the device whose letters a key opens.
func (s *kept) writer(id p2p.PeerID, key p2p.Secret) (writer, bool) {
	for _, w := range s.writers() {
		if w.Peer == id && w.Key == key {
			return w, true
		}
	}
	return writer{}, false
}

// Identity implements [mail.PeerKeyring].
func (k keyring) Identity() *p2p.Identity { return k.identity }

// Correspondents implements [mail.PeerKeyring].
func (k keyring) Correspondents() []mail.Correspondent {
	s := k.keep.view()
	var list []mail.Correspondent
	for _, w := range s.writers() {
		list = append(list, w.Correspondent)
	}
	return list
}

// noticeAbsence notes the moments from which on a device counts as absent:
// when this computer began, woke or moved.
func (n *Node) noticeAbsence() {
	now, own := time.Now(), n.ownHosts()
	n.mu.Lock()
	wall := now.Round(0) // a sleeping computer's other clock stands still
	slept := !n.looked.IsZero() && wall.Sub(n.looked) > sleepGap
	if n.looked = wall; slept || !slices.Equal(own, n.own) {
		n.awake, n.own = now, own
	}
	a, moved := n.account, n.awake == now
	n.mu.Unlock()
	if slept {
		n.endpoint.Wake()
	}
	if moved && a != nil {
		a.box.Retry()
	}
}

// ownAddresses is where this device is, as letters say it.
func (n *Node) ownAddresses() []string {
	list := n.ownHosts()
	for _, c := range slices.Concat(n.mapping.candidates(), n.endpoint.Reflexive()) {
		list = append(list, candidateText(c))
	}
	for _, a := range n.turn.addresses() {
		list = append(list, candidateText(p2p.Candidate{Addr: a, Kind: p2p.Relayed}))
	}
	slices.Sort(list)
	return list
}

func (n *Node) ownHosts() []string {
	var list []string
	for _, a := range n.addrs() {
		list = append(list, a.String())
	}
	slices.Sort(list)
	return list
}

// matchSeeks asks by mail for the devices that can not be reached and should
// be.
func (n *Node) matchSeeks(s *kept, a *account) {
	now := time.Now()
	if s.Paused.active(now) || !n.mailWorks(a) {
		return
	}
	own := n.ownAddresses()
	n.judgeLosses(a)
	for _, w := range s.writers() {
		if b, ok := n.absent(s, w, own); ok && b.due(now) {
			n.askWhere(a, w.Correspondent)
		}
	}
}

func (n *Node) mailWorks(a *account) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return a.heard && a.trouble.problem == ""
}

// absent describes a device that is searched for; false: it is here, or there
// is no reason or no way.
func (n *Node) absent(s *kept, w writer, own []string) (absence, bool) {
	l, linked := n.endpoint.Link(w.Peer)
	if linked && l.Silent.IsZero() || w.told || w.Address == "" || len(own) == 0 {
		return absence{}, false
	}
	shared, even := n.sharedWith(s, w.Peer, w.seek.Even)
	waits := w.waits || !even
	moved, lost, since := w.seek.movedTo(own), n.loss(w.Peer), n.absentSince(w.Peer)
	if linked {
		lost, since = n.breaking(s, l), l.Silent
	}
	return absence{
		since: since, moved: moved || lost.verdict == mayHaveMoved, certain: moved, busy: lost.busy,
		unsure: lost.at.Before(since) && len(publicOf(own)) == 0, waits: waits, seeking: *w.seek,
	}, shared || w.waits
}

func (n *Node) loss(id p2p.PeerID) loss {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lost[id]
}

// absentSince is when a device that can not be reached was lost, or when this
// one began, woke or moved, if that was later.
func (n *Node) absentSince(id p2p.PeerID) time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	if lost := n.lost[id]; lost.at.After(n.awake) {
		return lost.at
	}
	return n.awake
}

// sharedWith tells whether a folder is shared with a device, and whether the
// device has everything of all that it joined; since a moment at which it had,
// only what changed after it counts.
func (n *Node) sharedWith(s *kept, id p2p.PeerID, since time.Time) (shared, even bool) {
	even = true
	for i := range s.Folders {
		f := &s.Folders[i]
		m := f.member(id)
		if m == nil || f.Paused.active(time.Now()) {
			continue
		}
		shared = true
		st := n.folderStatus(f.ID)
		if !m.Joined || !since.IsZero() && !st.Changed.After(since) {
			continue
		}
		for _, am := range st.Members {
			even = even && (key(am.Device) != m.Peer || am.HasAll)
		}
	}
	return shared, even
}

// askWhere writes to a device that can not be reached, once at a time.
func (n *Node) askWhere(a *account, to mail.Correspondent) {
	n.inBackground(a, "seek "+to.Peer.String(), func(ctx context.Context) error {
		if err := n.mailLetter(ctx, a, to, outgoing{kind: mail.KindSeek}); err != nil {
			return err
		}
		n.endpoint.Expected(to.Peer) // if it is where it was, it need not write
		return nil
	})
}

// reply tells a device that asked where we are, unless its own address, which
// came with the question, was enough.
func (n *Node) reply(a *account, to mail.Correspondent, token p2p.Token, messageID string) {
	n.inBackground(a, "here "+to.Peer.String(), func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(replyAfter):
		}
		if !n.shouldReply(to, time.Now()) {
			return nil
		}
		return n.mailLetter(ctx, a, to, outgoing{kind: mail.KindHere, inReplyTo: token, message: messageID})
	})
}

// outgoing is what one letter differs in from the next.
type outgoing struct {
	kind      mail.Kind
	inReplyTo p2p.Token
	message   string // id of the mail that it answers
}

// mailLetter sends one letter, within the budget, which is on disk before the
// letter leaves. A letter that certainly did not leave costs nothing.
func (n *Node) mailLetter(ctx context.Context, a *account, to mail.Correspondent, o outgoing) error {
	now, own, id := time.Now(), n.ownAddresses(), mail.NewMessageID(a.address)
	p := mail.NewPeerLetter(o.kind, n.identity, now, validFor(o.kind), o.inReplyTo)
	n.describe(&p)
	p.To = to.To()
	letter, err := mail.SealPeer(n.identity, to, p)
	if err != nil {
		return err
	}
	var before seeking
	err = n.update(func(s *kept) error {
		w, ok := s.writer(to.Peer, to.Key)
		if !ok {
			return errNoWriter
		}
		if before = *w.seek; !s.mayMail(now) {
			return mail.ErrSendBudget
		}
		w.seek.note(o.kind, now, own)
		w.seek.Letter, w.seek.Bounced = id, time.Time{}
		return nil
	})
	if err != nil {
		return err
	}
	text := letterText(o.kind, n.keep.view().Name)
	m := mail.Message{
		ID: id, InReplyTo: o.message, From: a.address, FromName: n.keep.view().Person, To: to.Address,
		Subject: text.Subject, Date: now, Text: text.Body, Letter: letter, FileName: "Letter.foldpost", Auto: "auto-generated",
	}
	if o.kind != mail.KindSeek {
		m.Auto = "auto-replied"
	}
	if err := n.trySending(ctx, a, m); err != nil {
		n.change("take back a letter that did not leave", func(s *kept) {
			if w, ok := s.writer(to.Peer, to.Key); ok {
				before.Heard, before.Came = w.seek.Heard, w.seek.Came
				*w.seek = before
			}
			s.Auto = slices.DeleteFunc(slices.Clone(s.Auto), now.Equal)
		})
		return err
	}
	n.letterLeft()
	n.noteMail(app.Sent, to.Address, m)
	n.log.Info("wrote to a device", "device", to.Peer.Short(), "letter", o.kind)
	return nil
}

// note counts a letter that is about to leave.
func (k *seeking) note(kind mail.Kind, now time.Time, own []string) {
	k.Knows, k.Told = own, now
	switch kind {
	case mail.KindSeek:
		k.Asked = now
		k.Asks++
	case mail.KindHere:
		k.Replied = now
	}
}

// trySending sends one message a few times: greylisting wants minutes.
func (n *Node) trySending(ctx context.Context, a *account, m mail.Message) error {
	for try := 1; ; try++ {
		err := a.post.Send(ctx, m)
		if err == nil || try == sendTries {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-a.ended:
			return err
		case <-time.After(resendAfter):
		}
	}
}

func validFor(kind mail.Kind) time.Duration {
	if kind == mail.KindReserved {
		return reservedOf
	}
	return seekValid
}

func letterText(kind mail.Kind, device string) assets.Text {
	switch kind {
	case mail.KindHere:
		return assets.HereMail(device)
	case mail.KindReserved:
		return assets.ReservedMail(device)
	}
	return assets.SeekMail(device)
}

// noteLetter keeps what a letter of a device says; false: the device is not
// known any more, or has written a newer one. It changes no trust.
func (n *Node) noteLetter(l mail.PeerLetter, found []p2p.Candidate) (w writer, known bool) {
	p := l.Payload
	n.change("note a letter of a device", func(s *kept) {
		if w, known = s.writer(l.From.Peer, l.From.Key); !known || p.Created.Before(w.seek.Heard) {
			known = false
			return
		}
		w.seek.Heard, w.seek.Came, w.seek.Asks = p.Created, time.Now(), 0
		s.learn(l.From.Peer, candidateTexts(found))
		s.learnNetwork(l.From.Peer, p.Network)
		if p.Kind == mail.KindReserved {
			s.confirm(p, l.From.Key)
		}
	})
	if !known {
		return w, false
	}
	n.log.Info("a letter of a device came", "device", l.From.Peer.Short(), "letter", p.Kind)
	n.restartLooking(p)
	return w, true
}

// heardFrom takes a letter of a device that came by mail: where it is, and
// perhaps its question where we are.
func (n *Node) heardFrom(a *account, l mail.PeerLetter, m mail.Message) {
	now, p := time.Now(), l.Payload
	found := candidatesIn(p, m)
	w, known := n.noteLetter(l, found)
	if !known {
		return
	}
	reply := p.Kind == mail.KindSeek && n.shouldReply(l.From, now)
	if reply || n.wroteAfter(*w.seek, p) {
		n.endpoint.Answered(l.From.Peer)
	} else {
		n.endpoint.Expected(l.From.Peer)
	}
	for _, c := range found {
		n.addCandidate(c)
	}
	if reply {
		n.reply(a, l.From, p.Token, m.ID)
	}
}

// wroteAfter tells whether our newest letter was written after one of the
// other device, which so may not have read it yet. Of two in the same second
// the smaller id's is the earlier.
func (n *Node) wroteAfter(k seeking, p mail.Payload) bool {
	ours := k.Told.Truncate(time.Second)
	if ours.Equal(p.Created) {
		self, peer := n.identity.ID(), p.Peer()
		return slices.Compare(self[:], peer[:]) > 0
	}
	return ours.After(p.Created)
}

// candidatesIn returns where a letter that came by mail says its writer is,
// and where the mail came from, as our own provider saw it, with the port that
// the letter names: what a router makes of an address, where it keeps the port.
func candidatesIn(p mail.Payload, m mail.Message) []p2p.Candidate {
	list := p.Candidates("mail")
	addr, ok := mail.SubmittedFrom(m)
	if !ok || len(p.Addrs) == 0 {
		return list
	}
	seen := netip.AddrPortFrom(addr, p.Addrs[0].Port())
	if slices.ContainsFunc(list, func(c p2p.Candidate) bool { return c.Addr == seen }) {
		return list
	}
	return append(list, p2p.Candidate{Peer: p.Peer(), Addr: seen, Kind: p2p.Reflexive, Source: "mail", Expires: p.Expires})
}

// shouldReply tells whether a device that asked is told where we are: not
// while we are linked, pause, told it just now, or told it often.
func (n *Node) shouldReply(from mail.Correspondent, now time.Time) bool {
	s := n.keep.view()
	w, ok := s.writer(from.Peer, from.Key)
	if !ok || s.Paused.active(now) || w.Address == "" {
		return false
	}
	if n.reached(from.Peer) {
		return false
	}
	toldJustNow := now.Sub(w.seek.Told) < crossing && slices.Equal(w.seek.Knows, n.ownAddresses())
	return !toldJustNow && (w.seek.Replied.IsZero() || now.Sub(w.seek.Replied) >= replyAgain)
}

// learn keeps where a device says it is, for the next start.
func (s *kept) learn(id p2p.PeerID, list []string) {
	if p := s.peer(id); p != nil {
		p.Told = list
		return
	}
	for i := range s.Invitations {
		if inv := &s.Invitations[i]; inv.State == invOpen && inv.Peer == key(id) {
			inv.Addrs = list
		}
	}
}

// learnNetwork keeps what a device says of its routers.
func (s *kept) learnNetwork(id p2p.PeerID, network string) {
	m := p2p.ParseMapping(network)
	if m == p2p.MappingUnknown {
		return
	}
	if p := s.peer(id); p != nil {
		p.Network = m
	}
	for i := range s.Invitations {
		if inv := &s.Invitations[i]; inv.State == invOpen && inv.Peer == key(id) {
			inv.Network = m
		}
	}
}
