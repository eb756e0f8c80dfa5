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
	imap, smtp, user, ca, passwordFile string
}

func (s *session) mailboxCmd() *cobra.Command {
	c := &cobra.Command{
		Use:   "mailbox [set|test|forget|mails]",
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
			if err := t.print(); err != nil {
				return err
			}
			s.say("The password is %s.", keptIn(st.Mailbox))
			return nil
		}),
	}
	c.AddCommand(s.mailboxSetCmd(), s.mailboxTestCmd(), s.mailboxForgetCmd(), s.mailsCmd())
	return c
}

func (s *session) mailboxSetCmd() *cobra.Command {
	var f mailboxFlags
	c := &cobra.Command{
		Use:   "set ADDRESS",
		Short: "Log in to an account and keep it if that works",
		Long: `Log in to an account and keep it if that works. The servers are found by the
address unless you give them: in a list of large providers, by what the
address's own domain says, or by trying the usual names. The password is asked
for, or read from the first line of a file: many providers want an app password,
not your usual one. It is kept in the desktop's keyring, else in a file that
only you can read.`,
		Example: `  foldpost mailbox set ada@example.org
  foldpost mailbox set ada@example.org --imap mail.example.org:993 --smtp mail.example.org:465 --user ada
  pass show mail/ada | foldpost mailbox set ada@example.org --password-file -`,
		Args: args(cobra.ExactArgs(1)),
		RunE: s.with(func(ctx context.Context, svc app.Service, a []string) error {
			return s.mailboxSet(ctx, svc, a[0], f)
		}),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	c.Flags().StringVar(&f.imap, "imap", "", "`HOST:PORT` to receive; 993 is TLS at once, 143 STARTTLS")
	c.Flags().StringVar(&f.smtp, "smtp", "", "`HOST:PORT` to send; 465 is TLS at once, 587 STARTTLS")
	c.Flags().StringVar(&f.user, "user", "", "`NAME` to log in with, if it is not the address")
	c.Flags().StringVar(&f.ca, "ca", "", "PEM `FILE` of a private certificate authority")
	c.Flags().StringVar(&f.passwordFile, "password-file", "", "`FILE` whose first line is the password, - for standard input")
	return c
}

func (s *session) mailboxSet(ctx context.Context, svc app.Service, address string, f mailboxFlags) error {
	if !isAddress(address) {
		return app.Errorf(app.CodeUsage, "%q is no e-mail address: give one like ada@example.org", address)
	}
	m := app.MailboxSettings{Address: address, IMAP: f.imap, SMTP: f.smtp, User: f.user}
	if f.imap == "" && f.smtp == "" {
		if err := s.findMailbox(ctx, svc, &m); err != nil {
			return err
		}
	}
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
	return s.done("The mailbox %s works and is kept; its password is %s. Next: foldpost share DIR WHO", address, keptIn(svc.State().Mailbox))
}

// keptIn says where the password is.
func keptIn(m *app.MailboxState) string {
	if m == nil || m.Kept == "" || m.Kept == "keyring" {
		return "in the desktop's keyring"
	}
	return "in the file " + m.Kept
}

// findMailbox fills in what is known of the address's servers, and says what
// they want.
func (s *session) findMailbox(ctx context.Context, svc app.Service, m *app.MailboxSettings) error {
	s.say("Looking for the servers of %s …", m.Address)
	g, err := svc.FindMailbox(ctx, m.Address)
	if err != nil {
		return app.Errorf(app.CodeOf(err), "%v By hand: --imap HOST:PORT --smtp HOST:PORT", err)
	}
	name := g.Provider
	if name == "" {
		_, name, _ = strings.Cut(m.Address, "@")
	}
	if g.Login == app.LoginNone {
		return app.Errorf(app.CodeFailed, "%s lets no program in with a password. You need none: send invitations with your own mail program, foldpost pair ADDRESS --by-hand", shown(name))
	}
	servers := fmt.Sprintf("%s to receive, %s to send", g.IMAP, g.SMTP)
	if g.Confirm {
		if err := s.confirmServers(ctx, name, servers, g); err != nil {
			return err
		}
	} else {
		s.say("%s: %s.", name, servers)
	}
	if g.Login == app.LoginAppPassword {
		s.say("%s wants an app password, not your usual one.", name)
	}
	if g.Hint != "" {
		s.say("%s", g.Hint)
	}
	if g.Help != "" {
		s.say("More at %s", g.Help)
	}
	m.IMAP, m.SMTP = g.IMAP, g.SMTP
	if m.User == "" {
		m.User = g.User
	}
	return nil
}

// confirmServers asks a person whether a password may go to servers that
// nothing vouches for. Without a person the answer is no, whatever --yes says:
// who knows the servers can name them.
func (s *session) confirmServers(ctx context.Context, name, servers string, g app.MailboxGuess) error {
	named := app.Errorf(app.CodeQuestion, "Only DNS says that %s uses %s, which are not its own. If they are right, name them: --imap %s --smtp %s", shown(name), servers, g.IMAP, g.SMTP)
	if !s.canAsk() {
		return named
	}
	s.say("Only DNS says that %s uses %s, which are not its own.", name, servers)
	text, err := s.ask(ctx, "Are these the servers of your provider? [y/N]")
	if err != nil && err != io.EOF {
		return err
	}
	if a := strings.ToLower(text); a != "y" && a != "yes" {
		return named
	}
	return nil
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
