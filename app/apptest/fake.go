// Package apptest has what tests of a [app.Service] and of its users need: a
// Fake that does in memory what the program does, and TestService, which any
// Service passes. It knows the vocabulary of app and no machinery.
package apptest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"foldpost/app"
)

// Words open every invitation that a Fake makes.
const Words = "violin rocket umbrella canyon mango drift"

// A Fake is a Service without disk, network and mail. A test plays the other
// side: it changes the State with Update, and calls PairWith, Finish and Ask.
type Fake struct {
	mu          sync.Mutex
	state       app.State
	changed     chan struct{} // closed at each change
	invitations map[app.InvitationID]app.Invitation
	received    map[string]received // by input
	comparison  app.Comparison
	conflicts   map[app.FolderID][]app.Conflict
	trash       map[app.FolderID][]kept
	settings    []app.Setting
	guesses     map[string]app.MailboxGuess // by domain
	measures    map[string]app.Measure      // by directory
	recent      map[app.FolderID][]app.Change
	leftOut     map[app.FolderID][]app.LeftOut
	mails       []app.Mail
	findings    []app.Finding
	fail        map[string]error
	calls       []string
	drawn       map[string]int // ids given, by kind
	open        int            // calls of OpenNearby
	away        bool           // nobody answers PairNearby
	after       bool           // one of them wanted it to last
}

type received struct {
	proposal app.Proposal
	words    string
}

type kept struct {
	app.Kept
	content string
}

// NewFake returns a Fake of a device called "here", without a mailbox.
func NewFake() *Fake {
	return &Fake{
		state: app.State{
			V:           app.StateVersion,
			Device:      app.ThisDevice{ID: "hereid", Name: "here", Version: "test", Port: 4000, Addresses: []string{"192.0.2.1:4000"}},
			Questions:   []app.Question{},
			Invitations: []app.OpenInvitation{},
			Devices:     []app.Device{},
			Folders:     []app.Folder{},
			Offers:      []app.Offer{},
			Nearby:      []app.Nearby{},
		},
		changed:     make(chan struct{}),
		invitations: map[app.InvitationID]app.Invitation{},
		received:    map[string]received{},
		conflicts:   map[app.FolderID][]app.Conflict{},
		trash:       map[app.FolderID][]kept{},
		settings:    settings(),
		guesses:     map[string]app.MailboxGuess{},
		measures:    map[string]app.Measure{},
		recent:      map[app.FolderID][]app.Change{},
		leftOut:     map[app.FolderID][]app.LeftOut{},
		fail:        map[string]error{},
		drawn:       map[string]int{},
	}
}

// Update changes the State.
func (f *Fake) Update(change func(*app.State)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.update(change)
}

func (f *Fake) update(change func(*app.State)) {
	s := clone(f.state)
	change(&s)
	f.state = s
	close(f.changed)
	f.changed = make(chan struct{})
}

// Fail lets each later call of a method fail; nil ends that.
func (f *Fake) Fail(method string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail[method] = err
}

// Calls returns the calls that changed something, as "Method argument …".
func (f *Fake) Calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// Receive makes an input known to Look and Accept. Words are wanted unless "".
func (f *Fake) Receive(input string, p app.Proposal, words string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p.NeedsWords = words != ""
	f.received[input] = received{p, words}
}

// PairWith lets an invitation lead to a device. Folders that follow it get
// the device as a member.
func (f *Fake) PairWith(id app.InvitationID, d app.Device) {
	f.Update(func(s *app.State) {
		s.Devices = append(s.Devices, d)
		for i := range s.Invitations {
			inv := &s.Invitations[i]
			if inv.ID != id {
				continue
			}
			inv.Step, inv.Device = app.StepPaired, d.ID
			for j := range s.Folders {
				if slices.Contains(inv.Folders, s.Folders[j].ID) {
					s.Folders[j].Members = append(s.Folders[j].Members, app.Member{Device: d.ID, Role: "read-write"})
				}
			}
		}
	})
}

// Finish says that this device and all members of a folder have everything.
func (f *Fake) Finish(id app.FolderID) {
	f.Update(func(s *app.State) {
		for i := range s.Folders {
			fo := &s.Folders[i]
			if fo.ID != id {
				continue
			}
			fo.Files, fo.Bytes = fo.Files+fo.NeedFiles, fo.Bytes+fo.NeedBytes
			fo.NeedFiles, fo.NeedBytes, fo.State = 0, 0, app.FolderIdle
			for j := range fo.Members {
				m := &fo.Members[j]
				m.Joined, m.HasAll, m.NeedBytes = true, true, 0
			}
		}
	})
}

// Ask adds a question.
func (f *Fake) Ask(q app.Question) {
	f.Update(func(s *app.State) { s.Questions = append(s.Questions, q) })
}

// Differ says what Compare finds.
func (f *Fake) Differ(c app.Comparison) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.comparison = c
}

// Conflict adds a conflict to a folder.
func (f *Fake) Conflict(id app.FolderID, c app.Conflict) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conflicts[id] = append(f.conflicts[id], c)
}

// Keep puts a file into a folder's trash.
func (f *Fake) Keep(id app.FolderID, path string, at time.Time, content string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := kept{app.Kept{Path: path, At: at, Size: int64(len(content))}, content}
	f.trash[id] = append([]kept{k}, f.trash[id]...)
	slices.SortStableFunc(f.trash[id], func(a, b kept) int { return b.At.Compare(a.At) })
}

// KeepAll puts files into a folder's trash, newest first and empty.
func (f *Fake) KeepAll(id app.FolderID, files []app.Kept) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, k := range files {
		f.trash[id] = append(f.trash[id], kept{k, ""})
	}
}

// State returns what Update left.
func (f *Fake) State() app.State {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state
}

// Watch yields the State and its changes.
func (f *Fake) Watch(ctx context.Context) iter.Seq[app.State] {
	return func(yield func(app.State) bool) {
		for ctx.Err() == nil {
			f.mu.Lock()
			s, changed := f.state, f.changed
			f.mu.Unlock()
			if !yield(s) {
				return
			}
			select {
			case <-ctx.Done():
			case <-changed:
			}
		}
	}
}

// begin notes a call and returns the error that the test wants of it. The
// caller holds the mutex.
func (f *Fake) begin(ctx context.Context, method string, args ...any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := f.fail[method]; err != nil {
		return err
	}
	f.calls = append(f.calls, strings.TrimSpace(method+" "+strings.TrimSuffix(fmt.Sprintln(args...), "\n")))
	return nil
}

func (f *Fake) draw(kind string) string {
	f.drawn[kind]++
	return fmt.Sprintf("%s%d", kind, f.drawn[kind])
}

// Invite makes an invitation, mailed if there is a mailbox.
func (f *Fake) Invite(ctx context.Context, r app.InviteRequest) (app.Invitation, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "Invite", r.To, r.ByHand, r.Expires); err != nil {
		return app.Invitation{}, err
	}
	return f.invite(r)
}

func (f *Fake) invite(r app.InviteRequest) (app.Invitation, error) {
	if r.To != "" {
		if _, err := mail.ParseAddress(r.To); err != nil {
			return app.Invitation{}, app.Errorf(app.CodeUsage, "%q is no e-mail address", r.To)
		}
		for _, inv := range f.invitations {
			if strings.EqualFold(inv.To, r.To) {
				return inv, nil
			}
		}
		if f.state.Mailbox == nil && !r.ByHand {
			return app.Invitation{}, app.Errorf(app.CodeFailed, "there is no mailbox to send the invitation: give one with `foldpost mailbox set`, or use --by-hand")
		}
	}
	inv := app.Invitation{ID: app.InvitationID(f.draw("inv")), To: r.To, Expires: time.Now().Add(cmp.Or(r.Expires, 24*time.Hour)).Round(0)}
	if r.To == "" {
		inv.Link = "foldpost:1/" + string(inv.ID)
	} else {
		inv.Words, inv.Mailed = Words, !r.ByHand
		inv.Subject, inv.Text = "An invitation", "Hello.\n"+r.Note+"\n----\n"+string(inv.ID)+"\n----\n"
		inv.Mailto, inv.File = "mailto:"+r.To, []byte("foldpost letter 1\n"+string(inv.ID)+"\n")
	}
	f.invitations[inv.ID] = inv
	f.update(func(s *app.State) {
		o := app.OpenInvitation{ID: inv.ID, With: r.To, Direction: app.Sent, Step: app.StepWaiting, Created: time.Now().Round(0), Expires: inv.Expires}
		if inv.Mailed {
			o.Sent = o.Created
		}
		s.Invitations = append(s.Invitations, o)
	})
	return inv, nil
}

// Look knows what Receive told.
func (f *Fake) Look(ctx context.Context, input string) (app.Proposal, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "Look"); err != nil {
		return app.Proposal{}, err
	}
	r, ok := f.received[strings.TrimSpace(input)]
	if !ok {
		return app.Proposal{}, app.Errorf(app.CodeUsage, "this is no invitation: copy the whole message and try again")
	}
	return r.proposal, nil
}

// Accept takes what Receive told. A word that begins like the right one was
// misheard, if all others are right.
func (f *Fake) Accept(ctx context.Context, a app.AcceptRequest) (app.Accepted, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "Accept", a.Words); err != nil {
		return app.Accepted{}, err
	}
	input := strings.TrimSpace(a.Input)
	r, ok := f.received[input]
	if !ok {
		return app.Accepted{}, app.Errorf(app.CodeUsage, "this is no invitation: copy the whole message and try again")
	}
	out := app.Accepted{ID: r.proposal.ID}
	if r.words != "" && a.Words != r.words {
		if out.Heard, out.Fits = misheard(a.Words, r.words); out.Heard == "" {
			return app.Accepted{}, app.Errorf(app.CodeWords, "these words do not open this invitation: compare them one by one")
		}
	}
	if r.proposal.Accepted {
		return out, nil
	}
	r.proposal.Accepted = true
	f.received[input] = r
	f.update(func(s *app.State) {
		s.Invitations = slices.DeleteFunc(s.Invitations, func(o app.OpenInvitation) bool { return o.ID == r.proposal.ID })
		s.Invitations = append(s.Invitations, app.OpenInvitation{ID: r.proposal.ID, With: r.proposal.From, Direction: app.Received, Step: app.StepLooking, Expires: r.proposal.Expires})
	})
	return out, nil
}

func misheard(typed, right string) (heard, fits string) {
	a, b := strings.Fields(typed), strings.Fields(right)
	for i := range a {
		switch {
		case len(a) != len(b) || a[i] != b[i] && (heard != "" || a[i][0] != b[i][0]):
			return "", ""
		case a[i] != b[i]:
			heard, fits = a[i], b[i]
		}
	}
	return heard, fits
}

// Letter returns an invitation that Invite made, or an answer.
func (f *Fake) Letter(ctx context.Context, id app.InvitationID) (app.Invitation, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "Letter", id); err != nil {
		return app.Invitation{}, err
	}
	if inv, ok := f.invitations[id]; ok {
		return inv, nil
	}
	i := slices.IndexFunc(f.state.Invitations, func(o app.OpenInvitation) bool { return o.ID == id })
	if i < 0 {
		return app.Invitation{}, app.Errorf(app.CodeNotFound, "no invitation %s is open", id)
	}
	return app.Invitation{ID: id, To: f.state.Invitations[i].With, Text: "answer to " + string(id)}, nil
}

// Withdraw takes an invitation from the list.
func (f *Fake) Withdraw(ctx context.Context, id app.InvitationID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "Withdraw", id); err != nil {
		return err
	}
	if !slices.ContainsFunc(f.state.Invitations, func(o app.OpenInvitation) bool { return o.ID == id }) {
		return app.Errorf(app.CodeNotFound, "no invitation %s is open", id)
	}
	delete(f.invitations, id)
	f.update(func(s *app.State) {
		s.Invitations = slices.DeleteFunc(s.Invitations, func(o app.OpenInvitation) bool { return o.ID == id })
	})
	return nil
}

// Unpair takes a device from all lists.
func (f *Fake) Unpair(ctx context.Context, id app.DeviceID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "Unpair", id); err != nil {
		return err
	}
	if !slices.ContainsFunc(f.state.Devices, func(d app.Device) bool { return d.ID == id }) {
		return app.Errorf(app.CodeNotFound, "no device %s is linked", id)
	}
	f.update(func(s *app.State) {
		s.Devices = slices.DeleteFunc(s.Devices, func(d app.Device) bool { return d.ID == id })
		for i := range s.Folders {
			s.Folders[i].Members = slices.DeleteFunc(s.Folders[i].Members, func(m app.Member) bool { return m.Device == id })
		}
	})
	return nil
}

// Relay notes whether this device relays for another.
func (f *Fake) Relay(ctx context.Context, id app.DeviceID, on bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "Relay", id, on); err != nil {
		return err
	}
	i := slices.IndexFunc(f.state.Devices, func(d app.Device) bool { return d.ID == id })
	if i < 0 {
		return app.Errorf(app.CodeNotFound, "no device %s is linked", id)
	}
	f.update(func(s *app.State) { s.Devices[i].Relay = on })
	return nil
}

// Answer takes a question from the list.
func (f *Fake) Answer(ctx context.Context, id app.QuestionID, choice string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "Answer", id, choice); err != nil {
		return err
	}
	i := slices.IndexFunc(f.state.Questions, func(q app.Question) bool { return q.ID == id })
	if i < 0 {
		return app.Errorf(app.CodeNotFound, "no question %s is open", id)
	}
	if !slices.ContainsFunc(f.state.Questions[i].Choices, func(c app.Choice) bool { return c.ID == choice }) {
		return app.Errorf(app.CodeUsage, "question %s has no choice %q", id, choice)
	}
	f.update(func(s *app.State) { s.Questions = slices.Delete(s.Questions, i, i+1) })
	return nil
}

// SetMailbox believes everything.
func (f *Fake) SetMailbox(ctx context.Context, m app.MailboxSettings) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "SetMailbox", m.Address, m.IMAP, m.SMTP, len(m.Password), len(m.CA), m.User); err != nil {
		return err
	}
	f.update(func(s *app.State) { s.Mailbox = &app.MailboxState{Address: m.Address, State: "ok", Kept: "keyring"} })
	return nil
}

// TestMailbox works if there is a mailbox.
func (f *Fake) TestMailbox(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "TestMailbox"); err != nil {
		return err
	}
	if f.state.Mailbox == nil {
		return app.Errorf(app.CodeNotFound, "there is no mailbox: give one with `foldpost mailbox set ADDRESS`")
	}
	return nil
}

// ForgetMailbox takes it from the State.
func (f *Fake) ForgetMailbox(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "ForgetMailbox"); err != nil {
		return err
	}
	f.update(func(s *app.State) { s.Mailbox = nil })
	return nil
}

// Config lists all settings.
func (f *Fake) Config(ctx context.Context) ([]app.Setting, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "Config"); err != nil {
		return nil, err
	}
	return slices.Clone(f.settings), nil
}

// SetConfig changes a setting. A name shows in the State.
func (f *Fake) SetConfig(ctx context.Context, key, value string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "SetConfig", key, value); err != nil {
		return err
	}
	i := slices.IndexFunc(f.settings, func(s app.Setting) bool { return s.Key == key })
	if i < 0 {
		return app.Errorf(app.CodeNotFound, "there is no setting %q", key)
	}
	if allowed := f.settings[i].Values; len(allowed) > 0 && !slices.Contains(allowed, value) {
		return app.Errorf(app.CodeUsage, "%s is one of %v", key, allowed)
	}
	f.settings[i].Value = value
	if key == "name" {
		f.update(func(s *app.State) { s.Device.Name = value })
	}
	return nil
}

// clone copies a State with everything in it.
func clone(s app.State) app.State {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a State is plain data
	}
	var c app.State
	if err := json.Unmarshal(b, &c); err != nil {
		panic(err)
	}
	return c
}

// checkDir fails as the program does for what cannot be shared.
func checkDir(dir string) error {
	if !filepath.IsAbs(dir) {
		return app.Errorf(app.CodeUsage, "%s is not an absolute path", dir)
	}
	st, err := os.Stat(dir)
	if err != nil || !st.IsDir() {
		return app.Errorf(app.CodeFailed, "%s is no directory: make it first, or give another one", dir)
	}
	return nil
}
