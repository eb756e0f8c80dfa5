package node

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"foldpost/app"
	"foldpost/app/folder"
	"foldpost/p2p"
)

// State implements [app.Service].
func (n *Node) State() app.State {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state
}

// Watch implements [app.Service].
func (n *Node) Watch(ctx context.Context) iter.Seq[app.State] {
	return func(yield func(app.State) bool) {
		changed := make(chan struct{}, 1)
		n.mu.Lock()
		n.watchers[changed] = struct{}{}
		s := n.state
		n.mu.Unlock()
		defer func() {
			n.mu.Lock()
			delete(n.watchers, changed)
			n.mu.Unlock()
		}()
		for yield(s) {
			select {
			case <-ctx.Done():
				return
			case _, ok := <-changed:
				if !ok {
					return
				}
			}
			s = n.State()
		}
	}
}

// buildState puts together what is known. Lists are never nil, and sorted, so
// that equal worlds give equal states.
func (n *Node) buildState() app.State {
	s := n.keep.view()
	now := time.Now()
	st := app.State{
		V: app.StateVersion,
		Device: app.ThisDevice{
			ID: deviceID(key(n.identity.ID())), Name: s.Name, Version: n.cfg.Version, Port: int(n.port), Addresses: []string{},
		},
		Questions: []app.Question{}, Invitations: []app.OpenInvitation{}, Devices: []app.Device{}, Folders: []app.Folder{}, Offers: []app.Offer{}, Nearby: []app.Nearby{},
		Paused: s.Paused.active(now),
	}
	for _, a := range n.addrs() {
		st.Device.Addresses = append(st.Device.Addresses, a.String())
	}
	st.Device.Visible = n.nearbyOpen(now)
	st.Nearby = append(st.Nearby, n.nearbyDevices()...)
	st.Mailbox = n.mailboxState(s)
	for i := range s.Invitations {
		if inv := &s.Invitations[i]; inv.shown(now) {
			o := inv.open(&s, now)
			if f, ok := n.whyReserved(&s, inv, now); ok {
				o.Why = &f
			}
			st.Invitations = append(st.Invitations, o)
		}
	}
	st.Devices, st.Relays = n.devices(&s, now), n.relays.shown()
	st.Findings = n.networkTrouble(st.Devices, now)
	var questions []app.Question
	for i := range s.Folders {
		f, qs := n.folderState(&s, &s.Folders[i], now)
		st.Folders = append(st.Folders, f)
		questions = append(questions, qs...)
	}
	for _, o := range n.openOffers(&s) {
		st.Offers = append(st.Offers, o.shown())
	}
	st.Questions = append(st.Questions, n.questions(&s, st.Offers)...)
	st.Questions = append(st.Questions, questions...)
	slices.SortStableFunc(st.Questions, func(a, b app.Question) int { return a.Since.Compare(b.Since) })
	return st
}

// open is an invitation without its secrets.
func (inv *invitation) open(s *kept, now time.Time) app.OpenInvitation {
	o := app.OpenInvitation{
		ID: inv.id(), With: inv.With, Direction: inv.Direction, Expires: inv.ends(), Created: inv.Created, Problem: inv.Problem,
		Name: inv.Name, Sent: inv.SentAt,
	}
	if p := s.peer(p2p.PeerID(inv.Peer)); inv.Direction == app.Sent && p != nil {
		o.Name = shownName(p.Metadata.Name)
	}
	for _, f := range inv.Folders {
		o.Folders = append(o.Folders, folderID(f.ID))
	}
	switch {
	case inv.State != invOpen && inv.State != invUsed:
		o.Step = app.StepFailed
	case s.halfPaired(inv.Token):
		o.Step = app.StepSaving
	case inv.State == invUsed:
		o.Step, o.Device = app.StepPaired, deviceID(inv.Peer)
	case inv.settled(now):
		o.Step = app.StepReserved
	case inv.Direction == app.Received:
		o.Step = app.StepLooking
		byHand := inv.Via == p2p.ViaWords && (s.Mailbox == nil || inv.With == "") && inv.Answered == mailNone
		o.AnswerByHand = byHand && now.Sub(inv.Taken) >= byHandAfter
	case inv.Mailed == mailDue:
		o.Step = app.StepSending
	default:
		o.Step = app.StepWaiting
	}
	return o
}

func (s *kept) halfPaired(t tokenKey) bool {
	return slices.ContainsFunc(s.Peers, func(p keptPeer) bool { return p.Token == t && p.State != p2p.Paired })
}

func (n *Node) devices(s *kept, now time.Time) []app.Device {
	list := []app.Device{}
	for i := range s.Peers {
		p := &s.Peers[i]
		if p.State == p2p.Pending || s.peer(p2p.PeerID(p.Peer)) != p {
			continue
		}
		d := app.Device{
			ID: deviceID(p.Peer), Name: shownName(p.Metadata.Name), Owner: p.Owner, Version: p.Metadata.Version,
			LastSeen: p.LastSeen, Verified: string(p.Via), Linked: p.Created,
		}
		d.Relay = s.relaysFor(p)
		if l, ok := n.endpoint.Link(p2p.PeerID(p.Peer)); ok {
			d.Connected, d.Link = true, l.Kind
			if l.Addr.IsValid() {
				d.Address = l.Addr.String()
			}
			if l.Through != (p2p.PeerID{}) {
				d.Through = deviceID(key(l.Through))
			}
			d.Local = l.Kind != "relay" && n.onOwnNetwork(l.Addr.Addr())
			d.RTTms = float64(l.RTT.Round(100*time.Microsecond)) / float64(time.Millisecond)
			d.Name, d.Version = shownName(l.Metadata.Name), l.Metadata.Version
		} else {
			n.sayWhy(s, p, &d, now)
		}
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b app.Device) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return list
}

func (n *Node) folderState(s *kept, k *keptFolder, now time.Time) (app.Folder, []app.Question) {
	f := app.Folder{ID: folderID(k.ID), Name: shownName(k.Name), Path: k.Path, Role: k.Role, State: app.FolderScanning, Members: []app.Member{}}
	n.mu.Lock()
	r := n.folders[k.ID]
	n.mu.Unlock()
	var st folder.Status
	if r != nil && r.folder != nil {
		st = r.folder.Status()
		f.State = app.FolderState(st.State)
	}
	f.Files, f.Bytes, f.NeedFiles, f.NeedBytes = st.Files, st.Bytes, st.NeedFiles, st.NeedBytes
	f.Conflicts, f.LeftOut, f.Problem = st.Conflicts, st.LeftOut, st.Problem
	f.Cause = knownCause(st.Cause)
	f.Changed, f.PausedUntil = st.Changed, pausedUntil(now, s.Paused, k.Paused)
	for _, m := range st.Moving {
		f.Moving = append(f.Moving, app.Moving{Path: string(m.Path), From: deviceIDOf(m.From), Bytes: m.Bytes, Done: m.Done})
	}
	if f.Rate = int64(st.Rate); f.Rate > 0 && st.NeedBytes > 0 {
		f.ETAms = st.NeedBytes * 1000 / f.Rate
	}
	switch {
	case r != nil && r.failed():
		f.State = app.FolderStopped
		if f.Problem == "" {
			f.Problem, f.Cause = r.problem()
			st.Since = r.lost
		}
	case s.Paused.active(now) || k.Paused.active(now):
		f.State = app.FolderPaused
	}
	f.Problem = strings.ReplaceAll(f.Problem, "\n", "; ") // of joined errors
	for _, m := range k.Members {
		f.Members = append(f.Members, n.withProgress(k.ID, m.Peer, memberState(m, st), now))
	}
	questions := causeQuestions(f, st, now)
	for _, q := range st.Questions {
		aq := app.Question{
			ID: app.QuestionID(string(f.ID) + "-" + q.ID), Kind: questionKind(q.Kind), Text: f.Name + ": " + q.Text, Folder: f.ID, Since: q.Since, Paths: q.Paths,
		}
		if aq.Kind == app.AskDeletions {
			aq.Loss = &app.Loss{There: q.Kind != "deletions-here", Deleted: q.Loss.Deleted, Overwritten: q.Loss.Overwritten, Of: q.Loss.Of, Told: q.Loss.Told}
		}
		for _, c := range q.Choices {
			aq.Choices = append(aq.Choices, app.Choice{ID: c.ID, Text: c.Text})
		}
		if aq.Kind == app.AskRoot {
			aq.Choices = append(aq.Choices, moveChoice(f.ID))
		}
		questions = append(questions, aq)
	}
	return f, questions
}

func knownCause(cause string) app.Cause {
	switch c := app.Cause(cause); c {
	case app.CauseRoot, app.CauseSpace:
		return c
	}
	return ""
}

// causeQuestions are about problems that go away by themselves once a person
// has done something about them, or has said where the directory is now.
func causeQuestions(f app.Folder, st folder.Status, now time.Time) []app.Question {
	if f.State == app.FolderPaused {
		return nil
	}
	switch f.Cause {
	case app.CauseRoot:
		if len(st.Questions) > 0 || now.Sub(st.Since) < missingLong {
			return nil // another directory is there: that is asked
		}
		return []app.Question{missingQuestion(f, st.Since)}
	case app.CauseSpace:
		return []app.Question{{
			ID: app.QuestionID(string(f.ID) + "-" + string(f.Cause)), Kind: app.AskDisk, Text: f.Name + ": " + f.Problem,
			Choices: []app.Choice{moveChoice(f.ID)}, Folder: f.ID, Since: st.Since,
		}}
	}
	return nil
}

func questionKind(kind string) app.QuestionKind {
	if strings.HasPrefix(kind, string(app.AskDeletions)) { // here or there
		return app.AskDeletions
	}
	return app.QuestionKind(kind)
}

func memberState(m keptMember, st folder.Status) app.Member {
	am := app.Member{Device: deviceID(m.Peer), Role: m.Role, Joined: m.Joined, NeedBytes: st.Bytes}
	for _, ms := range st.Members {
		if ms.Device == folder.DeviceID(m.Peer) {
			am.HasAll, am.NeedBytes = m.Joined && ms.HasAll, ms.NeedBytes
		}
	}
	return am
}

// questions are those of the node itself: what a running call asks, what came
// by mail, what is offered, what the mailbox needs.
func (n *Node) questions(s *kept, offers []app.Offer) []app.Question {
	var list []app.Question
	n.mu.Lock()
	defer n.mu.Unlock()
	list = append(list, n.askedNow()...)
	list = append(list, n.nearby.ends...)
	for _, a := range n.inbox {
		list = append(list, a.question())
	}
	for _, o := range offers {
		since := time.Time{}
		if p := s.peer(peerIDOf(o.From)); p != nil {
			since = p.Created
		}
		text := fmt.Sprintf("%s shares the folder %s with you.", n.deviceName(s, o.From), o.Name)
		if slices.ContainsFunc(s.Folders, func(k keptFolder) bool { return folderID(k.ID) == o.Folder }) {
			text = fmt.Sprintf("%s wants to take part in the folder %s, which is here already: it would see and may change everything in it.", n.deviceName(s, o.From), o.Name)
		}
		list = append(list, app.Question{
			ID: app.QuestionID("offer-" + string(o.ID)), Kind: app.AskOffer, Device: o.From, Since: since, Text: text,
			Choices: []app.Choice{
				{ID: "join", Text: "Keep it here", Command: "foldpost join " + string(o.ID)},
				{ID: "decline", Text: "Decline"},
			},
		})
	}
	if t := n.mailboxTrouble(s.Mailbox); t.permanent {
		list = append(list, app.Question{
			ID: "mailbox", Kind: app.AskMailbox, Text: t.problem, Since: t.since,
			Choices: []app.Choice{{ID: "set", Text: "Set it up again", Command: "foldpost mailbox set " + s.Mailbox.Address}, {ID: "forget", Text: "Use no e-mail account"}},
		})
	}
	slices.SortFunc(list, func(a, b app.Question) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

func (n *Node) deviceName(s *kept, d app.DeviceID) string {
	p := s.peer(peerIDOf(d))
	if p == nil {
		return "A device"
	}
	if p.Owner != "" {
		return fmt.Sprintf("%s (%s)", p.Owner, shownName(p.Metadata.Name))
	}
	return shownName(p.Metadata.Name)
}

func peerIDOf(d app.DeviceID) p2p.PeerID {
	id, err := p2p.ParsePeerID(string(d))
	if err != nil {
		return p2p.PeerID{} // nobody's
	}
	return id
}
