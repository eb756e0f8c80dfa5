package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"foldpost/app"
)

type pairFlags struct {
	link    bool
	byHand  bool
	again   bool
	expires duration
	wait    waiting
}

func (s *session) pairCmd() *cobra.Command {
	var f pairFlags
	c := &cobra.Command{
		Use:   "pair ADDRESS|NEARBY|--link",
		Short: "Link with a person or another device, without a folder",
		Long: `Link with a person or another device of your own, without a folder.

With an ADDRESS the invitation goes by mail and six words are printed. Tell
them to the person by voice or in a chat, not by mail: without them nobody gets
in, not even someone who reads the mail. Your own address invites your other
device. With --by-hand, which needs no mailbox, the invitation is printed below
the words, to be sent with your own mail program.

NEARBY is a device in this network, by the name or id that "foldpost nearby"
shows. Its person opens the request there, with "foldpost nearby" or the window
open, and then both screens show three words: look whether they are the same.

With --link a link is printed, as the only line of standard output. Whoever has
it gets in once: give it to the other device directly. While this command
waits, it lets in the first device that uses the link.

Repeating the command shows the same open invitation; no second mail is sent,
but with --again.`,
		Example: `  foldpost pair bob@example.org
  foldpost pair "Bob's laptop"
  foldpost pair --link | ssh nas foldpost accept -`,
		Args: func(c *cobra.Command, a []string) error {
			if f.again && (f.link || f.byHand) {
				return app.Errorf(app.CodeUsage, "--again sends a mail once more: it goes with an ADDRESS alone")
			}
			if f.link {
				return args(cobra.NoArgs)(c, a)
			}
			if err := args(cobra.ExactArgs(1))(c, a); err != nil {
				return err
			}
			if !isAddress(a[0]) && (f.again || f.byHand || f.expires != 0 || f.wait.not) {
				return app.Errorf(app.CodeUsage, "%q is no e-mail address: give one like bob@example.org, or use --link; a device nearby takes no flags but --timeout", a[0])
			}
			return nil
		},
		RunE: s.with(func(ctx context.Context, svc app.Service, a []string) error {
			if f.link {
				return s.pair(ctx, svc, "", f)
			}
			if !isAddress(a[0]) {
				return s.pairNearby(ctx, svc, a[0], f.wait)
			}
			return s.pair(ctx, svc, a[0], f)
		}),
		ValidArgsFunction: s.complete(func(st app.State) []string { return words(neighbours(st)) }),
	}
	c.Flags().BoolVar(&f.link, "link", false, "make an invite link instead of a mail")
	c.Flags().BoolVar(&f.byHand, "by-hand", false, "send no mail, print the invitation")
	c.Flags().BoolVar(&f.again, "again", false, "mail an open invitation once more")
	c.Flags().Var(&f.expires, "expires", "how long the invitation is good (7d, a link 24h)")
	f.wait.flags(c)
	return c
}

func (s *session) pair(ctx context.Context, svc app.Service, to string, f pairFlags) error {
	ctx, cancel := f.wait.begin(ctx)
	defer cancel()
	c := &chase{with: to, letIn: f.link}
	before := svc.State()
	c.look(before) // the devices there are now
	inv, err := svc.Invite(ctx, app.InviteRequest{To: to, ByHand: f.byHand, Expires: time.Duration(f.expires)})
	if err != nil {
		return err
	}
	wasOpen := func(o app.OpenInvitation) bool { return o.ID == inv.ID }
	if f.again && slices.ContainsFunc(before.Invitations, wasOpen) {
		if err := svc.Resend(ctx, inv.ID); err != nil {
			return err
		}
		inv.Mailed = true
	}
	if err := s.showInvitations([]app.Invitation{inv}); err != nil {
		return err
	}
	c.id = inv.ID
	c.await(ctx, svc, app.Sent, app.OpenInvitation{})
	if f.wait.not {
		s.say("Waiting until %s. Next: foldpost status", day(inv.Expires))
		return nil
	}
	return until(ctx, svc, "for the other side", func(st app.State) (bool, error) {
		return s.follow(ctx, svc, c, st)
	})
}

// invitationJSON is an invitation as --json prints it. It has secrets in it:
// it is the result that was asked for.
type invitationJSON struct {
	ID      app.InvitationID `json:"id"`
	To      string           `json:"to,omitempty"`
	Words   string           `json:"words,omitempty"`
	Link    string           `json:"link,omitempty"`
	Mailed  bool             `json:"mailed"`
	Subject string           `json:"subject,omitempty"`
	Text    string           `json:"text,omitempty"`
	Mailto  string           `json:"mailto,omitempty"`
	File    []byte           `json:"file,omitempty"`
	Expires time.Time        `json:"expires"`
}

// showInvitations prints what must reach the other people: links and words on
// standard output, what to do with them on standard error.
func (s *session) showInvitations(all []app.Invitation) error {
	if s.json {
		list := []invitationJSON{}
		for _, i := range all {
			list = append(list, invitationJSON(i))
		}
		return s.emit(struct {
			V           int              `json:"v"`
			Invitations []invitationJSON `json:"invitations"`
		}{app.StateVersion, list})
	}
	for _, i := range all {
		if err := s.showInvitation(i, len(all) > 1); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) showInvitation(i app.Invitation, named bool) error {
	if i.Link != "" {
		if _, err := fmt.Fprintln(s.out, i.Link); err != nil {
			return err
		}
		s.say("Whoever has this link gets in once, until %s. On the other device: foldpost accept", day(i.Expires))
		return nil
	}
	s.say("Tell %s these six words by phone, in person or in a chat, not by e-mail:", i.To)
	line := s.strong(shown(i.Words))
	if named {
		line = shown(i.To) + ": " + line
	}
	if _, err := fmt.Fprintln(s.out, line); err != nil {
		return err
	}
	s.say("Without them nobody gets in, not even someone who reads the mail.")
	if i.Mailed {
		return nil
	}
	s.say("No mail was sent. Send this with your own mail program:")
	_, err := fmt.Fprintf(s.out, "\nTo: %s\nSubject: %s\n\n%s\n", shown(i.To), shown(i.Subject), shownText(i.Text))
	return err
}

func (s *session) withdrawCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "withdraw WHO",
		Short: "Cancel an open invitation, sent or received",
		Long: `Cancel an open invitation, sent or received. WHO is the address, or the id that
"foldpost status" shows. Nobody gets in with it any more.`,
		Example: "  foldpost withdraw bob@example.org",
		Args:    args(cobra.ExactArgs(1)),
		RunE: s.with(func(ctx context.Context, svc app.Service, a []string) error {
			st := svc.State()
			inv, err := resolve(anInvite, a[0], append(invitations(st), letters(ctx, svc, st)...))
			if err != nil {
				return err
			}
			if err := svc.Withdraw(ctx, inv.ID); err != nil {
				return err
			}
			return s.done("The invitation %s is withdrawn. Next: foldpost status", inviteLabel(inv))
		}),
		ValidArgsFunction: s.complete(func(st app.State) []string { return words(invitations(st)) }),
	}
}

func (s *session) devicesCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "devices",
		Short:   "List linked devices",
		Long:    "List the devices that are linked with this one, and how they are reached.",
		Example: "  foldpost devices --json",
		Args:    args(cobra.NoArgs),
		RunE: s.with(func(_ context.Context, svc app.Service, _ []string) error {
			st := svc.State()
			if s.json {
				return s.emit(struct {
					V       int          `json:"v"`
					Devices []app.Device `json:"devices"`
				}{st.V, st.Devices})
			}
			if len(st.Devices) == 0 {
				s.say("No device is linked yet. Next: foldpost pair ADDRESS, or foldpost pair --link")
			}
			return s.deviceTable(st)
		}),
	}
}

func (s *session) deviceTable(st app.State) error {
	t := newTable(s.out)
	for _, d := range st.Devices {
		t.row(abbr(devices(st), string(d.ID)), d.Name, d.Owner, linkText(st, d), relayText(d), d.Problem)
	}
	return t.print()
}

// linkText says how a device is reached now.
func linkText(st app.State, d app.Device) string {
	switch {
	case d.Connected:
		text := "connected, " + d.Link
		if d.Local {
			text += " in this network"
		}
		if d.Through != "" {
			text += " through " + deviceName(st, d.Through)
		}
		if d.Address != "" {
			text += " " + d.Address
		}
		if d.RTTms > 0 {
			text += fmt.Sprintf(", %.1f ms", d.RTTms)
		}
		return text
	case d.LastSeen.IsZero():
		return "not seen yet"
	}
	return "off or out of reach, last seen " + day(d.LastSeen)
}

func (s *session) unpairCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "unpair DEVICE",
		Short: "Remove a device: its links, keys and shares",
		Long: `Remove a device: its links, keys, shares and open invitations. What it has
already stays on it, and other members who share with it go on.`,
		Example: "  foldpost unpair \"Bob's laptop\"",
		Args:    args(cobra.ExactArgs(1)),
		RunE: s.with(func(ctx context.Context, svc app.Service, a []string) error {
			d, err := resolve(aDevice, a[0], devices(svc.State()))
			if err != nil {
				return err
			}
			ok, err := s.confirm(ctx, fmt.Sprintf("Remove %s? What is on it stays on it.", titled(d)))
			if err != nil || !ok {
				return err
			}
			if err := svc.Unpair(ctx, d.ID); err != nil {
				return err
			}
			return s.done("%s is removed. What is on it stays on it. Next: foldpost devices", titled(d))
		}),
		ValidArgsFunction: s.complete(func(st app.State) []string { return words(devices(st)) }),
	}
}
