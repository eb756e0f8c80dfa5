package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"foldpost/app"
)

type mailboxFlags struct {
	imap, smtp, ca, passwordFile string
}

func (s *session) mailboxCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "mailbox [set|test|forget]",
		Short: "Show, set, test or forget your e-mail account",
		Long: `Show, set, test or forget the e-mail account that carries invitations. You need
none to receive invitations, nor to send them with your own mail program.`,
		Example: "  foldpost mailbox set ada@example.org",
		Args:    args(cobra.NoArgs),
		RunE: s.with(func(_ context.Context, svc app.Service, _ []string) error {
			st := svc.State()
			if s.json {
				return s.emit(struct {
					V       int               `json:"v"`
					Mailbox *app.MailboxState `json:"mailbox,omitempty"`
				}{st.V, st.Mailbox})
			}
			if st.Mailbox == nil {
				s.say("There is no mailbox. Next: foldpost mailbox set ADDRESS")
				return nil
			}
			t := newTable(s.out)
			t.row(st.Mailbox.Address, st.Mailbox.State, st.Mailbox.Problem)
			return t.print()
		}),
	}
	c.AddCommand(s.mailboxSetCmd(), s.mailboxTestCmd(), s.mailboxForgetCmd())
	return c
}

func (s *session) mailboxSetCmd() *cobra.Command {
	var f mailboxFlags
	c := &cobra.Command{
		Use:   "set ADDRESS",
		Short: "Log in to an account and keep it if that works",
		Long: `Log in to an account and keep it if that works. The servers are guessed from the
address unless you give them. The password is asked for, or read from the first
line of a file: many providers want an app password, not your usual one.`,
		Example: `  foldpost mailbox set ada@example.org
  pass show mail/ada | foldpost mailbox set ada@example.org --password-file -`,
		Args: args(cobra.ExactArgs(1)),
		RunE: s.with(func(ctx context.Context, svc app.Service, a []string) error {
			return s.mailboxSet(ctx, svc, a[0], f)
		}),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	c.Flags().StringVar(&f.imap, "imap", "", "`HOST:PORT` to receive; 993 is TLS at once, 143 STARTTLS")
	c.Flags().StringVar(&f.smtp, "smtp", "", "`HOST:PORT` to send; 465 is TLS at once, 587 STARTTLS")
	c.Flags().StringVar(&f.ca, "ca", "", "PEM `FILE` of a private certificate authority")
	c.Flags().StringVar(&f.passwordFile, "password-file", "", "`FILE` whose first line is the password, - for standard input")
	return c
}

func (s *session) mailboxSet(ctx context.Context, svc app.Service, address string, f mailboxFlags) error {
	if !isAddress(address) {
		return app.Errorf(app.CodeUsage, "%q is no e-mail address: give one like ada@example.org", address)
	}
	m := app.MailboxSettings{Address: address, IMAP: f.imap, SMTP: f.smtp}
	if f.ca != "" {
		b, err := readFile(f.ca)
		if err != nil {
			return err
		}
		m.CA = b
	}
	var err error
	if m.Password, err = s.mailPassword(ctx, address, f.passwordFile); err != nil {
		return err
	}
	s.say("Logging in …")
	if err := svc.SetMailbox(ctx, m); err != nil {
		return err
	}
	return s.done("The mailbox %s works and is kept. Next: foldpost share DIR WHO", address)
}

func (s *session) mailPassword(ctx context.Context, address, file string) (string, error) {
	var text string
	var err error
	switch {
	case file == "-":
		text, err = s.line(ctx)
	case file != "":
		var b []byte
		b, err = readFile(file)
		text, _, _ = strings.Cut(string(b), "\n")
		text = strings.TrimSuffix(text, "\r")
	case s.canAsk():
		text, err = s.password(ctx, "Password (or app password) of "+address+":")
	default:
		return "", app.Errorf(app.CodeUsage, "there is no terminal to ask for the password: use --password-file FILE, or - for standard input")
	}
	if err != nil && err != io.EOF {
		return "", err
	}
	if text == "" {
		return "", app.Errorf(app.CodeUsage, "the password is empty")
	}
	return text, nil
}

// readFile reads a file that a flag names.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, app.Errorf(app.CodeUsage, "%v: give another file", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxInput+1))
	if err == nil && len(b) > maxInput {
		err = fmt.Errorf("read %s: larger than %d bytes", name, maxInput)
	}
	if err != nil {
		return nil, app.Errorf(app.CodeUsage, "%v: give another file", err)
	}
	return b, nil
}

func (s *session) mailboxTestCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "test",
		Short:   "Log in to both servers",
		Long:    "Log in to both servers of the account and say whether that works.",
		Example: "  foldpost mailbox test",
		Args:    args(cobra.NoArgs),
		RunE: s.with(func(ctx context.Context, svc app.Service, _ []string) error {
			if err := svc.TestMailbox(ctx); err != nil {
				return err
			}
			return s.done("The mailbox works.")
		}),
	}
}

func (s *session) mailboxForgetCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "forget",
		Short:   "Forget the account and its password",
		Long:    "Forget the account and its password on this device. Links and folders stay.",
		Example: "  foldpost mailbox forget",
		Args:    args(cobra.NoArgs),
		RunE: s.with(func(ctx context.Context, svc app.Service, _ []string) error {
			if err := svc.ForgetMailbox(ctx); err != nil {
				return err
			}
			return s.done("The mailbox is forgotten; links and folders stay. Next: foldpost status")
		}),
	}
}
