package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"foldpost/app"
)

func (s *session) statusCmd() *cobra.Command {
	var watch bool
	c := &cobra.Command{
		Use:   "status",
		Short: "Show device, mailbox, links, invitations, folders and questions",
		Long: `Show this device, its mailbox, linked devices, open invitations, folders, and
every question that waits for you. There are no secrets in it: the words of an
invitation are shown again by the command that made it.`,
		Example: `  foldpost status --watch
  foldpost status --json | jq '.folders[] | {name, state, need_bytes}'`,
		Args: args(cobra.NoArgs),
		RunE: s.with(func(ctx context.Context, svc app.Service, _ []string) error {
			if !watch {
				return s.showState(svc.State())
			}
			return s.watch(ctx, svc, s.showState)
		}),
	}
	c.Flags().BoolVar(&watch, "watch", false, "show it again after each change, until Ctrl-C")
	return c
}

// watch shows each State: on a terminal in the place of the one before.
func (s *session) watch(ctx context.Context, svc app.Service, show func(app.State) error) error {
	first := true
	return until(ctx, svc, "for a change", func(st app.State) (bool, error) {
		var err error
		switch {
		case s.json:
		case s.outTerm:
			_, err = io.WriteString(s.out, "\x1b[H\x1b[2J")
		case !first:
			_, err = io.WriteString(s.out, "\n")
		}
		first = false
		if err != nil {
			return false, err
		}
		return false, show(st)
	})
}

func (s *session) showState(st app.State) error {
	if s.json {
		return s.emit(st)
	}
	if err := s.showDevice(st); err != nil {
		return err
	}
	if len(st.Questions) > 0 {
		s.head("Questions")
		for _, q := range st.Questions {
			id := abbr(questions(st), string(q.ID))
			fmt.Fprintf(s.out, "%s  %s  (foldpost answer %s)\n", id, shown(q.Text), id)
		}
	}
	if len(st.Invitations) > 0 {
		s.head("Invitations")
		t := newTable(s.out)
		for _, i := range st.Invitations {
			if i.Step == app.StepPaired {
				t.row(abbr(invitations(st), string(i.ID)), inviteLabel(i), "used by "+deviceName(st, i.Device), "not the right one? foldpost unpair "+short(string(i.Device)))
				continue
			}
			t.row(abbr(invitations(st), string(i.ID)), inviteLabel(i), string(i.Step), "until "+day(i.Expires), inviteProblem(i))
		}
		if err := t.print(); err != nil {
			return err
		}
	}
	if len(st.Devices) > 0 {
		s.head("Devices")
		if err := s.deviceTable(st); err != nil {
			return err
		}
	}
	if len(st.Relays) > 0 {
		s.head("Relayed by this device, for")
		if err := s.relayTable(st); err != nil {
			return err
		}
	}
	if len(st.Nearby) > 0 {
		s.head("Nearby")
		if err := s.nearbyTable(st); err != nil {
			return err
		}
	}
	if len(st.Folders)+len(st.Offers) > 0 {
		s.head("Folders")
		return s.folderTable(st)
	}
	return nil
}

// inviteProblem is why an invitation goes no further, as far as that is known.
func inviteProblem(i app.OpenInvitation) string {
	if i.Problem == "" && i.Why != nil {
		return i.Why.Text
	}
	return i.Problem
}

func (s *session) head(text string) { fmt.Fprintf(s.out, "\n%s\n", s.strong(text)) }

func (s *session) showDevice(st app.State) error {
	d := st.Device
	fmt.Fprintln(s.out, s.strong(shown(d.Name)))
	t := newTable(s.out)
	t.row("id", string(d.ID))
	t.row("version", d.Version)
	t.row("port", strconv.Itoa(d.Port))
	if d.Visible {
		t.row("visible", "devices nearby see its name")
	}
	if len(d.Addresses) > 0 {
		t.row("addresses", strings.Join(d.Addresses, ", "))
	}
	switch m := st.Mailbox; {
	case m == nil:
		t.row("mailbox", "none")
	case m.Problem != "":
		t.row("mailbox", m.Address, m.State+": "+m.Problem)
	default:
		t.row("mailbox", m.Address, m.State)
	}
	for _, f := range st.Findings {
		t.row(string(f.Area), f.Text, "see `foldpost doctor`")
	}
	if st.Paused {
		t.row("paused", "everything; go on with `foldpost resume`")
	}
	return t.print()
}
