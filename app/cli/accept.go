package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"foldpost/app"
)

func (s *session) acceptCmd() *cobra.Command {
	var w waiting
	c := &cobra.Command{
		Use:   "accept [LINK|FILE|WHO|NEARBY|-]",
		Short: "Take an invitation",
		Long: `Take an invitation: an invite link, a .foldpost file, a whole message, or one
that came by mail (WHO is the address it says it is from, or its id). Six words
are asked for where the invitation needs them. NEARBY is a device in this
network that wants to be linked: it is let go on to the three words.

Without an argument an invitation that came by mail is taken: the words tell
which. If there is none, and with "-", the invitation is read from the terminal
or from standard input, so that it does not stay in the history of the shell.
Not on a terminal the first line is a link or the name of a file, or the message
itself, and the line after it has the words.`,
		Example: `  foldpost accept "Invitation from Ada.foldpost"
  foldpost pair --link | ssh nas foldpost accept -
  printf '%s\n' invitation.foldpost "$words" | foldpost accept -`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: s.with(func(ctx context.Context, svc app.Service, a []string) error {
			ctx, cancel := w.begin(ctx)
			defer cancel()
			word := ""
			if len(a) == 1 {
				word = a[0]
			}
			return s.accept(ctx, svc, word, w.not)
		}),
		ValidArgsFunction: s.completeWith(func(st app.State) []string {
			var ids []string
			for _, q := range st.Questions {
				switch q.Kind {
				case app.AskInvitation:
					ids = append(ids, string(q.Invitation))
				case app.AskNearby:
					ids = append(ids, q.Name)
				}
			}
			return ids
		}, cobra.ShellCompDirectiveDefault),
	}
	w.flags(c)
	return c
}

// An invitationText is what was given as invitation.
type invitationText struct {
	input string // for Look and Accept
	words string // if they came along
}

func (s *session) accept(ctx context.Context, svc app.Service, word string, noWait bool) error {
	if q, ok := nearbyAsks(svc.State(), word); ok {
		return s.choose(ctx, svc, q, app.ChoiceOpen)
	}
	given, err := s.findInvitation(ctx, svc, word)
	if err != nil {
		return err
	}
	p, err := svc.Look(ctx, given.input)
	if err != nil {
		return err
	}
	s.sayProposal(svc.State(), p)
	if !p.NeedsWords && !p.Accepted {
		ok, err := s.confirm(ctx, "Accept?")
		if err != nil || !ok {
			return err
		}
	}
	c := &chase{with: from(p)}
	before := svc.State()
	c.look(before) // the devices there are now
	if c.id, err = s.acceptWith(ctx, svc, p, given); err != nil {
		return err
	}
	old, _ := findInvite(before, c.id)
	if !p.Accepted || old.Step == app.StepFailed {
		c.await(ctx, svc, app.Received, old)
	}
	if noWait || p.Accepted && !isOpen(svc.State(), c.id) {
		return s.accepted(svc.State(), p, c)
	}
	err = until(ctx, svc, "for "+from(p), func(st app.State) (bool, error) {
		return s.follow(ctx, svc, c, st)
	})
	if errors.Is(err, context.Canceled) {
		s.say("The invitation is accepted, and foldpost goes on looking by itself. Next: foldpost status")
	}
	if err != nil {
		return err
	}
	return s.accepted(svc.State(), p, c)
}

func isOpen(st app.State, id app.InvitationID) bool {
	_, ok := findInvite(st, id)
	return ok
}

func findInvite(st app.State, id app.InvitationID) (app.OpenInvitation, bool) {
	i := slices.IndexFunc(st.Invitations, func(o app.OpenInvitation) bool { return o.ID == id })
	if i < 0 {
		return app.OpenInvitation{}, false
	}
	return st.Invitations[i], true
}

// acceptWith asks for the words, again and again on a terminal: wrong ones
// cost nothing.
func (s *session) acceptWith(ctx context.Context, svc app.Service, p app.Proposal, given invitationText) (app.InvitationID, error) {
	for {
		words, err := s.words(ctx, p, given.words)
		if err != nil {
			return "", err
		}
		a, err := svc.Accept(ctx, app.AcceptRequest{Input: given.input, Words: words})
		if app.CodeOf(err) == app.CodeWords && err != nil && s.canAsk() {
			s.say("%v", err)
			given.words = ""
			continue
		}
		if a.Heard != "" {
			s.say("Heard %q, but %q fits.", a.Heard, a.Fits)
		}
		return a.ID, err
	}
}

func (s *session) words(ctx context.Context, p app.Proposal, given string) (string, error) {
	if !p.NeedsWords || given != "" {
		return given, nil
	}
	var text string
	var err error
	if s.canAsk() {
		text, err = s.ask(ctx, "The six words that "+from(p)+" told you:")
	} else {
		text, err = s.nextLine(ctx)
	}
	if errors.Is(err, io.EOF) || err == nil && text == "" {
		return "", app.Errorf(app.CodeUsage, "this invitation needs its six words: put them on the line after it")
	}
	return text, err
}

// accepted says what is so now and what comes next.
func (s *session) accepted(st app.State, p app.Proposal, c *chase) error {
	if s.json {
		return s.emit(struct {
			V          int              `json:"v"`
			Invitation app.InvitationID `json:"invitation"`
			Device     app.DeviceID     `json:"device,omitempty"`
		}{app.StateVersion, c.id, c.device})
	}
	if c.device == "" {
		s.say("The invitation of %s is accepted. Next: foldpost status", from(p))
		return nil
	}
	next := "foldpost folders"
	for _, o := range p.Folders {
		next = "foldpost join " + quoted(o.Name)
	}
	for _, o := range st.Offers {
		if o.From == c.device {
			next = "foldpost join " + quoted(o.Name)
		}
	}
	s.say("Next: %s", next)
	return nil
}

func (s *session) sayProposal(st app.State, p app.Proposal) {
	if inv, ok := findInvite(st, p.ID); ok && inv.Direction == app.Sent {
		s.say("The answer to your invitation %s.", inviteLabel(inv))
		return
	}
	if p.From == "" && p.Name == "" {
		s.say("An invitation%s.", untilText(p))
	} else {
		s.say("An invitation that says it is from %s%s.", from(p), untilText(p))
	}
	for _, o := range p.Folders {
		s.say("It offers the folder %s (%s).", o.Name, files(o.Files, o.Bytes))
	}
}

func untilText(p app.Proposal) string {
	if p.Expires.IsZero() {
		return ""
	}
	return ", good until " + day(p.Expires)
}

// from names who an invitation says it is from.
func from(p app.Proposal) string {
	switch {
	case p.Name != "" && p.From != "":
		return p.Name + " <" + p.From + ">"
	case p.Name != "":
		return p.Name
	case p.From != "":
		return p.From
	}
	return "the other device"
}

// findInvitation finds what word means, or reads it where there is none.
func (s *session) findInvitation(ctx context.Context, svc app.Service, word string) (invitationText, error) {
	mailed := letters(ctx, svc, svc.State())
	if word != "" && word != "-" {
		return named(mailed, word)
	}
	if s.canAsk() {
		if word == "" && len(mailed) > 0 {
			return invitationText{}, nil // Look("") is any of them
		}
		s.say("Paste the invite link or the whole message, or give the name of the file:")
	}
	first, err := s.nextLine(ctx)
	if errors.Is(err, io.EOF) {
		return invitationText{}, app.Errorf(app.CodeUsage, "there is no invitation on standard input: give a link, a file name or a whole message")
	}
	if err != nil {
		return invitationText{}, err
	}
	if isSixWords(first) && len(mailed) > 0 {
		return invitationText{words: first}, nil
	}
	if got, err := named(mailed, first); err == nil {
		return got, nil
	}
	return s.pasted(ctx, first)
}

// named finds an invitation by one word: a link, a file, or one that came by
// mail.
func named(mailed []meaning[app.OpenInvitation], word string) (invitationText, error) {
	if isLink(word) {
		return invitationText{input: word}, nil
	}
	if f, err := os.Open(word); err == nil {
		defer f.Close()
		b, err := io.ReadAll(io.LimitReader(f, maxInput+1))
		if err != nil {
			return invitationText{}, app.Errorf(app.CodeFailed, "read %s: %v", word, err)
		}
		if len(b) > maxInput {
			return invitationText{}, app.Errorf(app.CodeUsage, "%s is too large for an invitation: look for the right file", word)
		}
		return invitationText{input: string(b)}, nil
	}
	inv, err := resolve(aLetterHere, word, mailed)
	if err != nil {
		return invitationText{}, app.Errorf(app.CodeUsage, "%s is no invite link, no file that can be read, and no invitation that came here: `foldpost status` lists those", word)
	}
	return invitationText{input: string(inv.ID)}, nil
}

// nextLine returns the next line that is not empty.
func (s *session) nextLine(ctx context.Context) (string, error) {
	for {
		text, err := s.line(ctx)
		if text = strings.TrimSpace(text); text != "" || err != nil {
			return text, err
		}
	}
}

// pasted reads a whole message that begins with first: to the end of its code,
// which stands between two lines of dashes, or to the end of the input. What
// then has six words is not part of it.
func (s *session) pasted(ctx context.Context, first string) (invitationText, error) {
	lines := []string{first}
	marks := 0
	for {
		if isMark(lines[len(lines)-1]) {
			if marks++; marks == 2 {
				return invitationText{input: strings.Join(lines, "\n")}, nil
			}
		}
		line, err := s.line(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return invitationText{}, err
		}
		lines = append(lines, line)
	}
	last := len(lines) - 1
	for last > 0 && strings.TrimSpace(lines[last]) == "" {
		last--
	}
	if last > 0 && isSixWords(lines[last]) {
		return invitationText{input: strings.Join(lines[:last], "\n"), words: strings.TrimSpace(lines[last])}, nil
	}
	return invitationText{input: strings.Join(lines, "\n")}, nil
}

// isMark is true for the lines around the code in a message, quoted or not.
func isMark(line string) bool {
	line = strings.TrimLeft(line, "> \t")
	return strings.HasPrefix(line, "----") && strings.Trim(line, "- \t") == ""
}

func isSixWords(line string) bool {
	f := strings.Fields(line)
	for _, w := range f {
		if strings.Trim(strings.ToLower(w), "abcdefghijklmnopqrstuvwxyz-") != "" {
			return false
		}
	}
	return len(f) == 6
}
