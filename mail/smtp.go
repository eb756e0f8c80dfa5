package mail

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// maxReplies is how many bytes a submission server may say in one connection.
const maxReplies = 256 << 10

// Send implements [Mailbox].
func (m *IMAP) Send(ctx context.Context, msg Message) error {
	if msg.From == "" {
		msg.From = m.account.Address
	}
	raw, err := compose(msg)
	if err != nil {
		return err
	}
	err = m.account.submit(ctx, &envelope{to: msg.To, raw: raw})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		m.log.Info("mail not sent", "id", msg.ID)
		m.log.Debug("mail not sent", "id", msg.ID, "error", err) // which names who did not get it
		return err
	}
	m.log.Info("mail sent", "id", msg.ID)
	return nil
}

// envelope is what is submitted: the finished e-mail and where it goes.
type envelope struct {
	to  string
	raw []byte
}

// submit logs in to the submission server, and hands over e unless it is nil.
func (a Account) submit(ctx context.Context, e *envelope) error {
	conn, err := a.connect(ctx, a.SMTP, smtpDialect)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	c := smtp.NewClient(&budget{Conn: conn, left: maxReplies})
	c.CommandTimeout, c.SubmissionTimeout = commandTime, submitTime
	if err := c.Hello(clientName); err != nil {
		return a.smtpProblem("greet", "", err)
	}
	if err := a.authenticate(c); err != nil {
		return err
	}
	if e != nil {
		if err := a.deliver(c, e); err != nil {
			return err
		}
	}
	c.Quit() // what was accepted is accepted, whatever is said now
	return nil
}

func (a Account) authenticate(c *smtp.Client) error {
	var auth sasl.Client
	switch {
	case c.SupportsAuth(sasl.Plain):
		auth = sasl.NewPlainClient("", a.user(), string(a.Password))
	case c.SupportsAuth(sasl.Login):
		auth = sasl.NewLoginClient(a.user(), string(a.Password))
	default:
		err := fmt.Errorf("log in to %s: it takes no password", a.SMTP)
		text := fmt.Sprintf("%s lets no program in with a password. You need none: send the invitation with your own mail program.", a.SMTP.Host)
		return &Problem{Kind: WrongPassword, Text: text, Err: err}
	}
	err := c.Auth(auth)
	var refused *smtp.SMTPError
	if errors.As(err, &refused) && !refused.Temporary() {
		return passwordProblem(a, a.SMTP, err)
	}
	if err != nil {
		return a.smtpProblem("log in", "", err)
	}
	return nil
}

func (a Account) deliver(c *smtp.Client, e *envelope) error {
	opts := &smtp.MailOptions{Size: int64(len(e.raw))}
	for _, r := range a.Address + e.to {
		opts.UTF8 = opts.UTF8 || r > 127
	}
	if err := c.Mail(a.Address, opts); err != nil {
		return a.smtpProblem("send from "+a.Address, "", err)
	}
	if err := c.Rcpt(e.to, nil); err != nil {
		return a.smtpProblem("send to "+e.to, e.to, err)
	}
	w, err := c.Data()
	if err == nil {
		_, err = w.Write(e.raw)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return a.smtpProblem("send to "+e.to, "", err)
	}
	return nil
}

// smtpProblem explains what a submission server answered, or that it did not.
// to is the address it was asked about, "" if none.
func (a Account) smtpProblem(tried, to string, err error) *Problem {
	host := a.SMTP.Host
	p := &Problem{Err: fmt.Errorf("%s at %s: %w", tried, a.SMTP, a.redact(err))}
	var said *smtp.SMTPError
	if !errors.As(err, &said) {
		switch {
		case isTimeout(err):
			return hangingProblem(a.SMTP, p.Err)
		case errors.Is(err, errHostile):
			return oddProblem(a.SMTP, p.Err)
		}
		return lostProblem(a.SMTP, p.Err)
	}
	full := said.Code == 452 || said.Code == 552 || said.EnhancedCode[1] == 2 && said.EnhancedCode[2] == 2
	p.Kind, p.again = Rejected, said.Temporary()
	switch {
	case full && to != "":
		p.Kind = Full
		p.Text = fmt.Sprintf("The mailbox of %s is full. Tell them, or send the invitation another way.", to)
	case full:
		p.Kind = Full
		p.Text = fmt.Sprintf("%s has no room: your mailbox is full, or you sent too much today. Delete something, or try again later.", host)
	case said.Temporary():
		p.Kind = Later
		p.Text = fmt.Sprintf("%s is holding the message back for some minutes. It is sent again by itself.", host)
	case to != "":
		p.Text = fmt.Sprintf("%s takes no mail for %s. Compare the address letter by letter.", host, to)
	default:
		p.Text = fmt.Sprintf("%s did not take the message. Send the invitation with your own mail program.", host)
	}
	return p
}

// budget is a connection from which only so many bytes are read.
type budget struct {
	net.Conn
	left int
}

func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("%w: more than %d bytes of replies", errHostile, maxReplies)
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
