package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"foldpost/app"
)

// A chase follows one invitation until it has led to a device.
type chase struct {
	id    app.InvitationID
	with  string // for talk
	letIn bool   // this command lets in who uses the link

	done   bool
	device app.DeviceID // that it led to, if that is known

	known    []app.DeviceID // devices there were at the first look
	looks    int
	last     app.OpenInvitation // as it was seen last
	answered app.QuestionID
	answer   bool      // the answer was shown, to be sent by hand
	since    time.Time // of that question: a new attempt asks anew
}

// await lets the State show the invitation, not as it failed before: a new yes
// begins anew. Where it does not, the invitation was used before that.
func (c *chase) await(ctx context.Context, svc app.Service, d app.Direction, old app.OpenInvitation) {
	ok := shows(ctx, svc, func(st app.State) bool {
		inv, ok := findInvite(st, c.id)
		return ok && (inv.Step != app.StepFailed || inv.Problem != old.Problem)
	})
	if !ok {
		c.last = app.OpenInvitation{ID: c.id, Direction: d, With: c.with}
	}
}

// A move is what a look at the State leads to.
type move struct {
	paired bool
	answer app.QuestionID // let this device in
	say    string
	letter bool // show the answer that must go by hand
	err    error
}

// look decides about one State.
func (c *chase) look(st app.State) move {
	m := c.decide(st)
	c.done = c.done || m.paired
	return m
}

func (c *chase) decide(st app.State) move {
	if c.looks++; c.looks == 1 {
		for _, d := range st.Devices {
			c.known = append(c.known, d.ID)
		}
	}
	if c.done {
		return move{paired: true}
	}
	inv, ok := findInvite(st, c.id)
	if !ok {
		return c.gone(st)
	}
	before := c.last
	c.last = inv
	if inv.Step == app.StepPaired {
		c.device = inv.Device
		return move{paired: true, say: c.linked(st)}
	}
	if inv.Step == app.StepFailed {
		return move{err: app.Errorf(app.CodeFailed, "the invitation %s came to nothing: %s", c.label(inv), inv.Problem)}
	}
	if m, ok := c.question(st, inv); ok {
		return m
	}
	m := move{letter: inv.AnswerByHand && !c.answer}
	c.answer = c.answer || m.letter
	if inv.Step != before.Step {
		m.say = stepText(inv, c.with)
	}
	if f := inv.Why; f != nil && (before.Why == nil || f.Text != before.Why.Text) {
		m.say = strings.TrimSpace(f.Text + " " + f.Advice)
	}
	if inv.Problem != "" && inv.Problem != before.Problem {
		m.say = inv.Problem
	}
	return m
}

func (c *chase) label(inv app.OpenInvitation) string {
	if inv.Direction == app.Received && inv.With == "" && c.with != "" {
		return "from " + c.with
	}
	return inviteLabel(inv)
}

// question finds what stands in the way of the invitation.
func (c *chase) question(st app.State, inv app.OpenInvitation) (move, bool) {
	for _, q := range st.Questions {
		switch {
		case q.Kind == app.AskPairing && q.Invitation == c.id && c.letIn:
			if q.ID == c.answered && q.Since.Equal(c.since) {
				return move{}, true
			}
			c.answered, c.since = q.ID, q.Since
			return move{answer: q.ID, say: q.Text}, true
		case q.Invitation == c.id && q.Kind != app.AskInvitation:
			return move{err: mustAnswer(st, q)}, true
		case q.Kind == app.AskMailbox && inv.Step == app.StepSending:
			return move{err: mustAnswer(st, q)}, true
		}
	}
	return move{}, false
}

// gone: an invitation leaves the list soon after it was used, and a look may
// come too late to see it there.
func (c *chase) gone(st app.State) move {
	for _, d := range st.Devices {
		if !slices.Contains(c.known, d.ID) {
			c.device = d.ID
			return move{paired: true, say: c.linked(st)}
		}
	}
	switch {
	case c.last.ID == "":
		return move{} // not in the list yet
	case c.last.Direction == app.Received, c.last.Step == app.StepSaving, c.answered != "":
		return c.usedAgain(st) // only this user could have withdrawn it
	}
	for _, d := range st.Devices {
		if d.Owner != "" && strings.EqualFold(d.Owner, c.last.With) {
			c.device = d.ID
			return c.usedAgain(st)
		}
	}
	return move{err: app.Errorf(app.CodeFailed, "the invitation of %s has ended before it led to a device: `foldpost status` shows what is open", c.with)}
}

// usedAgain: it led to a device that was linked before.
func (c *chase) usedAgain(st app.State) move {
	if c.device == "" {
		return move{paired: true, say: "Linked. They were linked before."}
	}
	return move{paired: true, say: c.linked(st)}
}

func (c *chase) linked(st app.State) string {
	return "Linked with " + deviceName(st, c.device) + "."
}

func stepText(i app.OpenInvitation, with string) string {
	if with == "" {
		with = "the other device"
	}
	switch i.Step {
	case app.StepSending:
		return "Sending the mail to " + with + " …"
	case app.StepWaiting:
		return "Waiting for " + with + " until " + day(i.Expires) + ". Both computers must be on at the same time."
	case app.StepLooking:
		return "Looking for the computer of " + with + " … Ctrl-C ends only this waiting."
	case app.StepReserved:
		return "Linked with " + with + ". Files start when both computers are on."
	case app.StepSaving:
		return "Found. Both sides have the right secret …"
	}
	return ""
}

func mustAnswer(st app.State, q app.Question) error {
	return app.Errorf(app.CodeQuestion, "%s Answer with `foldpost answer %s`", q.Text, abbr(questions(st), string(q.ID)))
}

// follow does what look says and tells whether the pairing is done.
func (s *session) follow(ctx context.Context, svc app.Service, c *chase, st app.State) (bool, error) {
	m := c.look(st)
	if m.say != "" {
		s.say("%s", m.say)
	}
	if m.letter {
		if err := s.sayAnswer(ctx, svc, c); err != nil {
			return false, err
		}
	}
	if m.answer != "" {
		if err := svc.Answer(ctx, m.answer, app.ChoiceYes); err != nil && app.CodeOf(err) != app.CodeNotFound {
			return false, err
		}
	}
	return m.paired, m.err
}

// sayAnswer shows the answer letter: who has no mailbox sends it himself.
func (s *session) sayAnswer(ctx context.Context, svc app.Service, c *chase) error {
	l, err := svc.Letter(ctx, c.id)
	if err != nil {
		return err
	}
	s.say("The computer of %s does not answer: it may be off, or have moved. Send this answer, and leave foldpost running:\n\n%s", c.with, l.Text)
	return nil
}
