package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"foldpost/app"
	"foldpost/mail"
	"foldpost/p2p"
	"foldpost/p2p/wire"
)

// arrived is an invitation that came by mail and nobody has opened yet.
type arrived struct {
	mail.Unopened
	at time.Time // when it was seen here
}

func (a arrived) id() app.InvitationID {
	h := sha256.Sum256(a.Message.Letter)
	return app.InvitationID(hex.EncodeToString(h[:6]))
}

func (a arrived) question() app.Question {
	return app.Question{
		ID: app.QuestionID("invitation-" + string(a.id())), Kind: app.AskInvitation, Invitation: a.id(), Since: a.at, Address: shownAddress(a.Message.From),
		Text: fmt.Sprintf("An invitation came that says it is from %s. The six words will prove it: ask for them by phone or chat.", shownName(a.Message.From)),
		Choices: []app.Choice{
			{ID: "accept", Text: "Accept", Command: wire.Name + " accept " + string(a.id())},
			{ID: "decline", Text: "Ignore it"},
		},
	}
}

// letterSeen tells whether this user has decided on a letter already.
func (s *kept) letterSeen(id app.InvitationID) bool {
	return slices.ContainsFunc(s.Seen, func(l seenLetter) bool { return l.ID == id })
}

func (s *kept) seeLetter(id app.InvitationID, now time.Time) {
	s.Seen = slices.DeleteFunc(s.Seen, func(l seenLetter) bool { return now.Sub(l.At) > maxExpires })
	if !s.letterSeen(id) {
		s.Seen = append(s.Seen, seenLetter{id, now})
	}
}

// dismiss takes a letter that came by mail off the list, for good.
func (n *Node) dismiss(id app.InvitationID) bool {
	n.mu.Lock()
	i := slices.IndexFunc(n.inbox, func(a arrived) bool { return a.id() == id })
	if i >= 0 {
		n.inbox = slices.Delete(n.inbox, i, i+1)
	}
	n.mu.Unlock()
	if i >= 0 {
		n.change("remember an ignored invitation", func(s *kept) { s.seeLetter(id, time.Now()) })
	}
	return i >= 0
}

// input is what a user gave to accept: a link, or letters to try words on.
type input struct {
	link    *mail.InviteLink
	letters []arrived
}

// find reads what the user gave. Nothing leaves this device for it.
func (n *Node) find(text string) (input, error) {
	n.mu.Lock()
	inbox := slices.Clone(n.inbox)
	n.mu.Unlock()
	if text == "" {
		if len(inbox) == 0 {
			return input{}, app.Errorf(app.CodeNotFound, "no invitation came by mail: give the link, the file, or paste the message")
		}
		return input{letters: inbox}, nil
	}
	for _, a := range inbox {
		if len(text) >= 4 && strings.HasPrefix(string(a.id()), strings.ToLower(text)) {
			return input{letters: []arrived{a}}, nil
		}
	}
	f, err := mail.Find([]byte(text))
	switch {
	case err != nil:
		return input{}, app.Errorf(app.CodeUsage, "%v", err)
	case f.Link != nil:
		return input{link: f.Link}, nil
	}
	u, err := mail.NewUnopened(f.Letter)
	if err != nil {
		return input{}, app.Errorf(app.CodeUsage, "%v", err)
	}
	return input{letters: []arrived{{u, time.Now()}}}, nil
}

// Look implements [app.Service].
func (n *Node) Look(_ context.Context, text string) (app.Proposal, error) {
	if a, ok, err := n.readAnswer(text); ok {
		return app.Proposal{
			ID: n.answeredID(a.Salt), From: shownAddress(a.Payload.From), Name: shownAddress(a.Payload.Person), Accepted: true,
		}, err
	}
	in, err := n.find(text)
	if err != nil {
		return app.Proposal{}, err
	}
	if in.link == nil {
		if len(in.letters) > 1 {
			return app.Proposal{NeedsWords: true}, nil // the words tell which
		}
		a := in.letters[0]
		prop := app.Proposal{ID: a.id(), From: shownAddress(a.Message.From), NeedsWords: true}
		s := n.keep.view()
		if inv := s.opened(a.Salt); inv != nil {
			prop.ID, prop.Name, prop.Accepted = inv.id(), inv.Name, true
		}
		return prop, nil
	}
	p := in.link.Payload
	if err := n.checkPayload(p); err != nil {
		return app.Proposal{}, err
	}
	s := n.keep.view()
	inv := s.received(p.Token)
	prop := app.Proposal{
		ID: (&invitation{Token: tokenKey(p.Token)}).id(), From: shownAddress(p.From), Name: shownName(p.Person),
		Expires: p.Expires, Accepted: inv != nil && inv.State != invCancelled,
	}
	for _, f := range p.Folders {
		prop.Folders = append(prop.Folders, app.Offer{
			ID: folderID(f.ID), Folder: folderID(f.ID), Name: shownName(f.Name), Files: int(min(f.Files, 1<<40)), Bytes: int64(min(f.Bytes, 1<<60)), Role: roleName(f.Role),
		})
	}
	return prop, nil
}

// readAnswer reads an answer letter that came by hand, where text holds one: it
// says where the other device is, and proves nothing. An answer that was taken
// before has no token.
func (n *Node) readAnswer(text string) (a mail.Answer, isAnswer bool, err error) {
	f, err := mail.Find([]byte(text))
	if err != nil || f.Letter == nil || f.Head.Pattern != mail.PatternAnswer {
		return mail.Answer{}, false, nil
	}
	a, err = mail.ReadAnswer(keyring{n}, n.replay, f.Letter, time.Now())
	switch {
	case errors.Is(err, mail.ErrReplayed):
		return mail.Answer{Salt: f.Head.Salt}, true, nil
	case err != nil:
		return mail.Answer{}, true, app.Errorf(app.CodeFailed, "this answer can not be used: %v", err)
	}
	return a, true, nil
}

// takeAnswer acts on an answer that came by hand.
func (n *Node) takeAnswer(a mail.Answer) (app.InvitationID, error) {
	id := n.answeredID(a.Salt)
	if a.Payload.Token == (p2p.Token{}) {
		return id, nil // was so already
	}
	n.answered(a, mail.Message{})
	return id, n.replay.Add(a.Payload)
}

func (n *Node) answeredID(salt mail.Salt) app.InvitationID {
	s := n.keep.view()
	for i := range s.Invitations {
		if s.Invitations[i].Salt == tokenKey(salt) {
			return s.Invitations[i].id()
		}
	}
	return ""
}

func shownAddress(s string) string {
	if s == "" {
		return ""
	}
	return shownName(s)
}

// checkPayload refuses an invitation that can not be accepted here.
func (n *Node) checkPayload(p mail.Payload) error {
	err := p.Check(time.Now())
	switch {
	case errors.Is(err, mail.ErrExpired):
		return app.Errorf(app.CodeFailed, "this invitation has expired: ask %s for a new one", shownName(p.Person))
	case errors.Is(err, mail.ErrFromFuture):
		return app.Errorf(app.CodeFailed, "%v: check date and time of this computer", err)
	case err != nil:
		return app.Errorf(app.CodeFailed, "%v: ask for a new invitation", err)
	case p.Peer() == n.identity.ID():
		return app.Errorf(app.CodeUsage, "this is your own invitation: it is accepted on the other computer")
	}
	return nil
}

// Accept implements [app.Service].
func (n *Node) Accept(ctx context.Context, r app.AcceptRequest) (app.Accepted, error) {
	if a, ok, err := n.readAnswer(r.Input); err != nil {
		return app.Accepted{}, err
	} else if ok {
		id, err := n.takeAnswer(a)
		return app.Accepted{ID: id}, err
	}
	var out app.Accepted
	in, err := n.find(r.Input)
	if err != nil {
		return app.Accepted{}, err
	}
	inv := invitation{Direction: app.Received, State: invOpen, Via: p2p.ViaLink}
	var p mail.Payload
	var letter *arrived
	if in.link != nil {
		p = in.link.Payload
		inv.PSK, inv.Salt = key(in.link.PSK()), tokenKey(in.link.Salt)
	} else {
		o, heard, err := openWith(ctx, r.Words, in.letters)
		if err != nil {
			return app.Accepted{}, err
		}
		out.Heard, out.Fits = heard.heard, heard.fits
		p, letter = o.Payload, &arrived{Unopened: o.Unopened}
		inv.Via, inv.PSK, inv.Salt, inv.MessageID = p2p.ViaWords, key(o.PSK), tokenKey(o.Salt), o.Message.ID
	}
	if err := n.checkPayload(p); err != nil {
		return app.Accepted{}, err
	}
	inv.Name = shownAddress(p.Person)
	inv.With, inv.Token, inv.Peer, inv.Static = p.From, tokenKey(p.Token), key(p.Peer()), p.Static
	if letter != nil && letter.Message.From != "" {
		inv.With = letter.Message.From // the one that was shown; the letter may name another
	}
	inv.Network = p2p.ParseMapping(p.Network)
	inv.Created, inv.Expires, inv.Taken = p.Created, p.Expires, time.Now()
	inv.Addrs = candidateTexts(p.Candidates(sourceOf(inv.Via)))
	if letter != nil {
		inv.Addrs = candidateTexts(candidatesIn(p, letter.Message))
	}
	out.ID, err = n.take(inv, letter)
	return out, err
}

// take keeps an accepted invitation; the loop does the rest.
func (n *Node) take(inv invitation, letter *arrived) (app.InvitationID, error) {
	anew := false // with another secret, of a link that was damaged before, or other addresses
	err := n.update(func(s *kept) error {
		if letter != nil {
			s.seeLetter(letter.id(), time.Now())
		}
		old := s.received(p2p.Token(inv.Token))
		switch {
		case old == nil:
			s.Invitations = append(s.Invitations, inv)
		case old.State == invOpen && s.halfPaired(inv.Token):
			return nil // it is being saved
		case old.State == invOpen:
			if anew = old.PSK != inv.PSK || !slices.Equal(old.Addrs, inv.Addrs); old.PSK == inv.PSK {
				inv.Answered, inv.AnswerToken = old.Answered, old.AnswerToken
			}
			*old = inv
		case old.State == invUsed && s.peer(p2p.PeerID(inv.Peer)) != nil:
			return nil // was so already
		case old.State == invUsed:
			return app.Errorf(app.CodeFailed, "this invitation has been used: ask for a new one")
		default:
			*old = inv // tried before; this is a new yes
		}
		return nil
	})
	n.mu.Lock()
	if letter != nil {
		n.inbox = slices.DeleteFunc(n.inbox, func(a arrived) bool { return a.id() == letter.id() })
	}
	if task := n.pairing[p2p.Token(inv.Token)]; anew && err == nil && task != nil {
		task.cancel() // the loop starts it again
	}
	n.mu.Unlock()
	return inv.id(), err
}

// misheard is a word that was typed, and the one that was said.
type misheard struct{ heard, fits string }

// openWith tries words on letters, the newest first. Words that nearly fit are
// repaired: one of six is often misheard.
func openWith(ctx context.Context, typed string, inbox []arrived) (mail.Opened, misheard, error) {
	var m misheard
	if strings.TrimSpace(typed) == "" {
		return mail.Opened{}, m, app.Errorf(app.CodeWords, "the invitation needs its six words: ask the person who sent it, by phone or chat")
	}
	words, err := p2p.ParseWords(typed)
	if err != nil {
		return mail.Opened{}, m, app.Errorf(app.CodeWords, "%v", err)
	}
	letters := make([]mail.Unopened, len(inbox))
	for i, a := range inbox {
		letters[len(inbox)-1-i] = a.Unopened // the inbox has the oldest first
	}
	o, err := mail.TryWords(ctx, words, letters)
	if errors.Is(err, mail.ErrWrongWords) && len(letters) == 1 {
		right, ok := p2p.Repair(words, func(w p2p.Words) bool {
			o, err = mail.TryWords(ctx, w, letters)
			return err == nil
		})
		if ok {
			m = difference(words, right)
		}
	}
	switch {
	case errors.Is(err, mail.ErrWrongWords):
		return o, m, app.Errorf(app.CodeWords, "these words do not open the invitation: compare them one by one with the person who sent it; you can try as often as you like")
	case err != nil:
		return o, m, app.Errorf(app.CodeFailed, "the invitation can not be used: %v; ask for a new one", err)
	}
	return o, m, nil
}

// difference is the one word in which a repair differs.
func difference(typed, right p2p.Words) misheard {
	a, b := strings.Fields(typed.Reveal()), strings.Fields(right.Reveal())
	for i := range a {
		if a[i] != b[i] {
			return misheard{a[i], b[i]}
		}
	}
	return misheard{}
}
