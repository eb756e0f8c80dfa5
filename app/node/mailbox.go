package node

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"foldpost/app"
	"foldpost/assets"
	"foldpost/mail"
	"foldpost/p2p"
)

// account is the mailbox that runs now.
type account struct {
	settings keptMailbox // with the password
	address  string
	box      *mail.IMAP
	post     *mail.Post
	cancel   context.CancelFunc
	ended    chan struct{}
	sending  map[string]bool // what is under way, by a name of it
	trouble  trouble
	heard    bool // something came from it
}

// trouble is why the mailbox does not work.
type trouble struct {
	problem   string
	permanent bool // it needs the user
	since     time.Time
}

// keyring is the node's invitations as its post needs them.
type keyring struct{ *Node }

// Invitation implements [mail.Keyring].
func (k keyring) Invitation(salt mail.Salt) (mail.OpenInvite, bool) {
	s := k.keep.view()
	for i := range s.Invitations {
		inv := &s.Invitations[i]
		if inv.Direction == app.Sent && inv.Salt == tokenKey(salt) && inv.refusal(time.Now()) == 0 {
			return mail.OpenInvite{PSK: p2p.Secret(inv.PSK), Token: p2p.Token(inv.Token)}, true
		}
	}
	return mail.OpenInvite{}, false
}

// OwnSalt implements [mail.Keyring].
func (k keyring) OwnSalt(salt mail.Salt) bool {
	s := k.keep.view()
	return slices.ContainsFunc(s.Invitations, func(inv invitation) bool {
		return inv.Direction == app.Sent && inv.Salt == tokenKey(salt)
	})
}

// OwnToken implements [mail.Keyring].
func (k keyring) OwnToken(t p2p.Token) bool {
	s := k.keep.view()
	return slices.ContainsFunc(s.Invitations, func(inv invitation) bool {
		return inv.Token == tokenKey(t) && inv.Direction == app.Sent || inv.AnswerToken == tokenKey(t)
	})
}

// matchMailbox runs the account that is kept, and no other.
func (n *Node) matchMailbox(ctx context.Context) {
	s := n.keep.view()
	n.mu.Lock()
	old := n.account
	n.mu.Unlock()
	var want keptMailbox
	wanted := s.Mailbox != nil
	if wanted {
		if want, wanted = n.withPassword(*s.Mailbox); !wanted {
			n.unlock(ctx, want)
		}
	}
	if old != nil && (!wanted || !reflect.DeepEqual(old.settings, want)) {
		old.cancel()
		<-old.ended
		n.mu.Lock()
		n.account, old = nil, nil
		n.mu.Unlock()
	}
	if old == nil && wanted && ctx.Err() == nil {
		n.startMailbox(ctx, want)
	}
	n.mu.Lock()
	a := n.account
	n.mu.Unlock()
	if a != nil {
		a.box.WatchJunk(n.expectsMail(&s))
		n.sendMail(&s, a)
		n.matchSeeks(&s, a)
	}
}

// expectsMail tells whether a letter may come that a filter took for junk: of
// an open invitation, or about where a device is that was asked.
func (n *Node) expectsMail(s *kept) bool {
	if slices.ContainsFunc(s.Invitations, func(inv invitation) bool { return inv.State == invOpen }) {
		return true
	}
	return slices.ContainsFunc(s.Peers, func(p keptPeer) bool {
		_, linked := n.endpoint.Link(p2p.PeerID(p.Peer))
		return p.Seek.Asks > 0 && !linked
	})
}

func (n *Node) startMailbox(ctx context.Context, k keptMailbox) {
	acc, err := n.mailAccount(k)
	if err != nil {
		n.log.Error("e-mail account", "err", err) // it was checked when it was set
		return
	}
	box := mail.NewIMAP(acc, n.log)
	a := &account{
		settings: k, address: k.Address, box: box, post: mail.NewPost(box, keyring{n}, n.replay, n.log),
		ended: make(chan struct{}), sending: map[string]bool{},
	}
	ctx, a.cancel = context.WithCancel(ctx)
	n.mu.Lock()
	n.account = a
	n.mu.Unlock()
	p, changed := box.State() // before the post runs: what it finds is a change
	n.tasks.Go(func() {
		defer close(a.ended)
		if err := a.post.Run(ctx, func(d mail.Delivery) { n.deliver(a, d) }); err != nil && ctx.Err() == nil {
			n.log.Error("e-mail account", "err", err)
		}
	})
	n.tasks.Go(func() { n.followMailbox(ctx, a, p, changed) })
}

// followMailbox notes how the account does.
func (n *Node) followMailbox(ctx context.Context, a *account, p *mail.Problem, changed <-chan struct{}) {
	for {
		n.mu.Lock()
		if p == nil {
			a.trouble = trouble{}
		} else {
			a.trouble.note(p.Text, !p.Temporary())
		}
		n.mu.Unlock()
		n.kick()
		select {
		case <-ctx.Done():
			return
		case <-changed:
			n.mu.Lock()
			a.heard = true
			n.mu.Unlock()
		}
		p, changed = a.box.State()
	}
}

// mailAccount reads kept settings.
func (n *Node) mailAccount(k keptMailbox) (mail.Account, error) {
	a := mail.Guess(k.Address)
	var err error
	if k.IMAP != "" {
		if a.IMAP, err = mail.ParseServer(k.IMAP); err != nil {
			return a, err
		}
	}
	if k.SMTP != "" {
		if a.SMTP, err = mail.ParseServer(k.SMTP); err != nil {
			return a, err
		}
	}
	if k.User != "" || k.IMAP != "" || k.SMTP != "" { // else it goes with the servers
		a.User = k.User
	}
	a.Password, a.Dial = mail.Secret(k.Password), n.cfg.MailDial
	if len(k.CA) > 0 {
		a.RootCAs = x509.NewCertPool()
		if !a.RootCAs.AppendCertsFromPEM(k.CA) {
			return a, errors.New("the file with the certificate authority holds no PEM certificate")
		}
	}
	return a, nil
}

// deliver takes what the post read from the mailbox.
func (n *Node) deliver(a *account, d mail.Delivery) {
	n.mu.Lock()
	a.heard = true
	n.mu.Unlock()
	defer n.kick()
	switch {
	case d.Invitation != nil:
		ar := arrived{*d.Invitation, d.Message.Date}
		s := n.keep.view()
		if s.letterSeen(ar.id()) {
			return
		}
		n.mu.Lock()
		if !slices.ContainsFunc(n.inbox, func(a arrived) bool { return a.id() == ar.id() }) {
			n.inbox = append(n.inbox, ar)
		}
		if len(n.inbox) > mail.MaxUnopened {
			n.inbox = n.inbox[1:]
		}
		n.mu.Unlock()
		n.noteMail(app.Received, d.Message.From, d.Message)
		n.log.Info("an invitation came by mail")
	case d.Answer != nil:
		n.answered(*d.Answer, d.Message)
		n.noteMail(app.Received, d.Message.From, d.Message)
	case d.Peer != nil:
		n.heardFrom(a, *d.Peer, d.Message)
		n.noteMail(app.Received, d.Message.From, d.Message)
	case d.Bounce != nil:
		n.bounced(*d.Bounce)
		n.noteMail(app.Received, d.Message.From, d.Message)
	case d.Problem != nil:
		n.log.Debug("e-mail account", "problem", d.Problem)
	}
}

// answered notes where the device that answered an invitation is. The first
// answer reserves the invitation for its
// device; m is the mail that brought it, zero by hand.
func (n *Node) answered(a mail.Answer, m mail.Message) {
	found := candidatesIn(a.Payload, m)
	peer := a.Payload.Peer()
	taken := false
	n.change("note an answer", func(s *kept) {
		inv := s.sent(a.Payload.InReplyTo)
		if inv == nil || inv.State != invOpen || inv.Peer != (key{}) && inv.Peer != key(peer) {
			return
		}
		taken = true
		inv.Peer = key(peer)
		inv.reserve(a.Payload, m.ID != "", time.Now())
		inv.Addrs, inv.Network = candidateTexts(found), p2p.ParseMapping(a.Payload.Network)
	})
	if taken { // also for a search that is under way
		for _, c := range found {
			n.addCandidate(c)
		}
	}
}

// bounced notes for the user that a mail did not arrive. Anybody can forge
// such a report, so it changes nothing else.
func (n *Node) bounced(b mail.Bounce) {
	n.change("note a bounce", func(s *kept) {
		for _, w := range s.writers() {
			if w.seek.Letter == b.ID && b.ID != "" && !b.Delayed {
				w.seek.Bounced = time.Now()
			}
		}
		for i := range s.Invitations {
			inv := &s.Invitations[i]
			if inv.MessageID == "" || inv.MessageID != b.ID || inv.State != invOpen {
				continue
			}
			if b.Delayed {
				inv.Problem = fmt.Sprintf("The mail to %s is late; the mail server goes on trying.", inv.With)
			} else {
				inv.Problem = fmt.Sprintf("The mail to %s could not be delivered (%s). Check the address, or send the invitation yourself: --by-hand.", inv.With, shownName(b.Reason))
			}
		}
	})
}

// answerAfter is how long an answerer tries to reach the inviter before it
// mails where it is itself.
const answerAfter = 5 * time.Second

// byHandAfter is the same for who has no mailbox: then the user is asked to
// send the answer.
const byHandAfter = 20 * time.Second

// sendMail starts the sending of what is due and not under way.
func (n *Node) sendMail(s *kept, a *account) {
	now := time.Now()
	for _, inv := range s.Invitations {
		if inv.State != invOpen {
			continue
		}
		if inv.Direction == app.Sent && inv.Mailed == mailDue {
			n.sendOne(a, inv, n.sendInvitation)
		}
		n.sendConfirmation(s, a, &inv)
		late := now.Sub(inv.Taken) >= answerAfter
		if inv.Direction == app.Received && inv.Via == p2p.ViaWords && inv.With != "" && inv.Answered == mailNone && late && !s.halfPaired(inv.Token) {
			n.sendOne(a, inv, n.sendAnswer)
		}
	}
}

// sendOne sends a letter in the background, once at a time, with pauses after
// failures.
func (n *Node) sendOne(a *account, inv invitation, send func(context.Context, *account, invitation) error) {
	n.inBackground(a, string(inv.id()), func(ctx context.Context) error {
		err := send(ctx, a, inv)
		if err != nil {
			n.noteUnsent(inv, err)
		}
		return err
	})
}

// inBackground sends what an id names, with a pause after a failure before it
// may be tried again.
func (n *Node) inBackground(a *account, id string, send func(context.Context) error) {
	n.mu.Lock()
	busy := a.sending[id]
	a.sending[id] = true
	n.mu.Unlock()
	if busy {
		return
	}
	n.tasks.Go(func() {
		ctx := n.ctx
		if err := send(ctx); err != nil {
			n.log.Debug("send mail", "err", err)
			select {
			case <-a.ended:
			case <-ctx.Done():
			case <-time.After(resendAfter): // greylisting wants minutes; a lost connection less
			}
		}
		n.mu.Lock()
		delete(a.sending, id)
		n.mu.Unlock()
		n.kick()
	})
}

const resendAfter = 30 * time.Second

func (n *Node) noteUnsent(inv invitation, err error) {
	text := fmt.Sprintf("The mail to %s was not sent yet: %v", inv.With, err)
	p, ok := errors.AsType[*mail.Problem](err)
	if ok {
		text = p.Text
	}
	n.change("note an unsent mail", func(s *kept) {
		k := s.invitation(inv.Direction, p2p.Token(inv.Token))
		if k == nil || k.State != invOpen {
			return
		}
		k.Problem = text
		if ok && (p.Kind == mail.Rejected || p.Kind == mail.NotAnAddress) { // the same again would fail again
			if k.Direction == app.Sent {
				k.Mailed = mailNone
			} else {
				k.Answered = mailSent
			}
		}
	})
}

func (n *Node) sendInvitation(ctx context.Context, a *account, inv invitation) error {
	if inv.MessageID == "" { // kept before it is sent: a second try has the same
		inv.MessageID = mail.NewMessageID(a.address)
		if err := n.update(func(s *kept) error {
			if k := s.sent(p2p.Token(inv.Token)); k != nil {
				k.MessageID = inv.MessageID
			}
			return nil
		}); err != nil {
			return err
		}
	}
	p := n.payload(inv)
	letter, err := mail.SealInvitation(p2p.Secret(inv.PSK), mail.Salt(inv.Salt), p)
	if err != nil {
		return err
	}
	text := assets.InvitationMail(n.invitationText(inv))
	m := mail.Message{
		ID: inv.MessageID, From: a.address, FromName: n.keep.view().Person, To: inv.With, Subject: text.Subject,
		Date: time.Now(), Text: text.Body, Letter: letter, FileName: p.FileName(),
	}
	if err := a.post.Send(ctx, m); err != nil {
		return err
	}
	n.letterLeft()
	n.noteMail(app.Sent, inv.With, m)
	return n.update(func(s *kept) error {
		if k := s.sent(p2p.Token(inv.Token)); k != nil && k.State == invOpen {
			k.Mailed, k.Problem, k.SentAt = mailSent, "", time.Now()
		}
		return nil
	})
}

func (n *Node) sendAnswer(ctx context.Context, a *account, inv invitation) error {
	letter, p, err := n.answer(inv)
	if err != nil {
		return err
	}
	if inv.AnswerID == "" {
		inv.AnswerID = mail.NewMessageID(a.address)
	}
	if err := n.update(func(s *kept) error {
		if k := s.received(p2p.Token(inv.Token)); k != nil {
			k.AnswerToken, k.AnswerID = tokenKey(p.Token), inv.AnswerID
			k.Seek.Knows, k.Seek.Told = n.ownAddresses(), time.Now()
		}
		return nil
	}); err != nil {
		return err
	}
	text := assets.AnswerMail(n.answerText())
	m := mail.Message{
		ID: inv.AnswerID, InReplyTo: inv.MessageID, From: a.address, FromName: n.keep.view().Person, To: inv.With,
		Subject: text.Subject, Date: time.Now(), Text: text.Body, Letter: letter, FileName: p.FileName(), Auto: "auto-replied",
	}
	if err := a.post.Send(ctx, m); err != nil {
		return err
	}
	n.letterLeft()
	n.endpoint.Answered(p2p.PeerID(inv.Peer)) // the checks so far were for one who is near
	n.noteMail(app.Sent, inv.With, m)
	return n.update(func(s *kept) error {
		if k := s.received(p2p.Token(inv.Token)); k != nil && k.State == invOpen {
			k.Answered, k.Problem = mailSent, ""
		}
		return nil
	})
}

// mailboxState is what the user sees of the account.
func (n *Node) mailboxState(s kept) *app.MailboxState {
	if s.Mailbox == nil {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	st := &app.MailboxState{Address: s.Mailbox.Address, State: "connecting", Kept: inKeyring}
	if s.Mailbox.Entry == "" {
		st.Kept = n.keep.path
	}
	if t := n.mailboxTrouble(s.Mailbox); t.problem != "" {
		st.State, st.Problem = "problem", t.problem
	} else if n.account != nil && n.account.heard {
		st.State = "ok"
	}
	return st
}

// mailboxTrouble is why the kept account does not work, with its password or
// without. Its caller holds mu.
func (n *Node) mailboxTrouble(k *keptMailbox) trouble {
	switch {
	case k == nil:
	case k.Entry != "" && n.unlocked != nil && n.unlocked.entry == k.Entry && !n.unlocked.known:
		return n.unlocked.trouble
	case n.account != nil:
		return n.account.trouble
	}
	return trouble{}
}

func (t *trouble) note(problem string, permanent bool) {
	if t.problem == "" {
		t.since = time.Now()
	}
	t.problem, t.permanent = problem, permanent
}

// SetMailbox implements [app.Service].
func (n *Node) SetMailbox(ctx context.Context, m app.MailboxSettings) error {
	address, err := mail.ParseAddress(m.Address)
	if err != nil {
		return app.Errorf(app.CodeUsage, "%q is no e-mail address: it looks like ada@example.org", m.Address)
	}
	k := keptMailbox{Address: address, IMAP: m.IMAP, SMTP: m.SMTP, User: m.User, Password: m.Password, CA: m.CA}
	a, err := n.mailAccount(k)
	if err != nil {
		return app.Errorf(app.CodeUsage, "%v", err)
	}
	a.Password = mail.TypedPassword(a.IMAP, m.Password)
	k.Password = string(a.Password)
	if err := mail.NewIMAP(a, n.log).Test(ctx); err != nil {
		return mailError(err)
	}
	return n.keepMailbox(ctx, k)
}

// TestMailbox implements [app.Service].
func (n *Node) TestMailbox(ctx context.Context) error {
	s := n.keep.view()
	if s.Mailbox == nil {
		return app.Errorf(app.CodeFailed, "no e-mail account is set up: foldpost mailbox set YOUR-ADDRESS")
	}
	k, ok := n.withPassword(*s.Mailbox)
	if !ok {
		return app.Errorf(app.CodeFailed, "The password of %s is in the system's keyring, which is locked. Unlock the keyring, then try again.", k.Address)
	}
	a, err := n.mailAccount(k)
	if err != nil {
		return app.Errorf(app.CodeFailed, "%v", err)
	}
	return mailError(mail.NewIMAP(a, n.log).Test(ctx))
}

// mailError is an error of the mailbox as one line for a person.
func mailError(err error) error {
	if p, ok := errors.AsType[*mail.Problem](err); ok {
		return app.Errorf(app.CodeFailed, "%s", p.Text)
	}
	return err
}
