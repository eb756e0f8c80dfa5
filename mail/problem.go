package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
)

// ProblemKind is what is wrong with a mailbox, as far as it decides what a
// person or the program does next.
type ProblemKind int

// The kinds of problems.
const (
	Unreachable      ProblemKind = iota + 1 // no connection; tried again
	Hanging                                 // connected, but no answer in time; tried again
	OddServer                               // an answer that no mail server should give; tried again
	WrongPassword                           // needs the person
	WrongCertificate                        // needs the person; the password was not sent
	NoEncryption                            // needs the person; the password was not sent
	NotAnAddress                            // needs the person
	Rejected                                // this message, for good
	Full                                    // a mailbox, ours or theirs, has no room
	Later                                   // the server asks to try again in some minutes
)

var kindNames = [...]string{
	Unreachable: "unreachable", Hanging: "hanging", OddServer: "odd server", WrongPassword: "wrong password",
	WrongCertificate: "wrong certificate", NoEncryption: "no encryption", NotAnAddress: "not an address",
	Rejected: "rejected", Full: "full", Later: "later",
}

func (k ProblemKind) String() string {
	if k <= 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("ProblemKind(%d)", int(k))
	}
	return kindNames[k]
}

// A Problem is an error of a mailbox. It never contains the password.
type Problem struct {
	Kind ProblemKind
	Text string // for a person: what happened, then what to do
	Err  error  // what was tried on what, for details and logs

	again bool // the server asked to try again
}

func (p *Problem) Error() string { return fmt.Sprintf("%s: %v", p.Kind, p.Err) }

func (p *Problem) Unwrap() error { return p.Err }

// Temporary says that the same again may work without a person doing anything.
func (p *Problem) Temporary() bool {
	switch p.Kind {
	case Unreachable, Hanging, OddServer, Later:
		return true
	}
	return p.again
}

var (
	errNoEncryption = errors.New("no STARTTLS offered")
	errTimeout      = errors.New("no answer in time")
)

// connectProblem explains why no trusted connection to s came about.
func connectProblem(s Server, err error) *Problem {
	p := &Problem{Err: fmt.Errorf("connect to %s: %w", s, err)}
	var (
		host      x509.HostnameError
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
		dns       *net.DNSError
		record    tls.RecordHeaderError
		opErr     *net.OpError
	)
	const unsent = " The password was not sent."
	switch {
	case errors.Is(err, errNoEncryption):
		p.Kind = NoEncryption
		p.Text = fmt.Sprintf("%s offers no encryption on port %d, and without it your password would be readable on the way.%s Ask your provider for the port with TLS; usual are 993 for receiving and 465 for sending.", s.Host, s.Port, unsent)
	case errors.As(err, &host):
		p.Kind = WrongCertificate
		p.Text = fmt.Sprintf("%s answered with the certificate of %s.%s Check the server's name in the mailbox settings; if it is right, somebody may be in between.", s.Host, namesOf(host.Certificate), unsent)
	case errors.As(err, &authority):
		p.Kind = WrongCertificate
		p.Text = fmt.Sprintf("The certificate of %s was made by nobody this computer trusts.%s If it is your own server, give its CA file in the mailbox settings.", s.Host, unsent)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		p.Kind = WrongCertificate
		p.Text = fmt.Sprintf("The certificate of %s is not valid today.%s Check this computer's date; if it is right, tell your provider.", s.Host, unsent)
	case errors.As(err, &invalid):
		p.Kind = WrongCertificate
		p.Text = fmt.Sprintf("The certificate of %s cannot be trusted.%s Tell your provider.", s.Host, unsent)
	case errors.As(err, &dns):
		p.Kind = Unreachable
		p.Text = fmt.Sprintf("There is no server %s, or this computer is offline. Check the name in the mailbox settings.", s.Host)
	case isTimeout(err):
		p.Kind = Hanging
		p.Text = fmt.Sprintf("%s does not answer on port %d. It is tried again; if it stays so, check server and port in the mailbox settings.", s.Host, s.Port)
	case errors.As(err, &record):
		p.Kind = OddServer
		p.Text = fmt.Sprintf("What answers at %s, port %d, is not a mail server with TLS. Check server and port in the mailbox settings.", s.Host, s.Port)
	case errors.Is(err, syscall.ECONNREFUSED), errors.As(err, &opErr):
		p.Kind = Unreachable
		p.Text = fmt.Sprintf("%s cannot be reached on port %d. It is tried again; if it stays so, check server and port in the mailbox settings.", s.Host, s.Port)
	default:
		p.Kind = Unreachable
		p.Text = fmt.Sprintf("%s broke off before the connection was safe. It is tried again; if it stays so, check server and port in the mailbox settings.", s.Host)
	}
	return p
}

func namesOf(c *x509.Certificate) string {
	if len(c.DNSNames) == 0 {
		return "another server"
	}
	names := c.DNSNames[:min(len(c.DNSNames), 3)]
	return strings.Join(names, ", ")
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.Is(err, errTimeout) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.As(err, &ne) && ne.Timeout()
}

func passwordProblem(a Account, s Server, err error) *Problem {
	return &Problem{Kind: WrongPassword, Text: passwordText(a, s), Err: fmt.Errorf("log in to %s as %s: %w", s, a.user(), a.redact(err))}
}

// passwordText says what the provider wants, where that is known.
func passwordText(a Account, s Server) string {
	p := providerOfServer(s)
	if p == nil {
		return fmt.Sprintf("%s did not accept this password for %s. Most providers want an app password here, not your usual one: make one in the security settings of your mail account, then enter it again.", s.Host, a.user())
	}
	text := fmt.Sprintf("%s did not accept this password for %s.", p.name, a.user())
	switch {
	case p.login == LoginNone:
		return text + " It lets no program in with a password. You need none: send the invitation with your own mail program."
	case p.login == LoginAppPassword:
		text += " It wants an app password, not your usual one."
	}
	if p.hint != "" {
		text += " " + p.hint
	}
	if p.help != "" {
		text += " More at " + p.help
	}
	return text
}

func hangingProblem(s Server, err error) *Problem {
	text := fmt.Sprintf("%s stopped answering. It is tried again by itself.", s.Host)
	return &Problem{Kind: Hanging, Text: text, Err: err}
}

func lostProblem(s Server, err error) *Problem {
	text := fmt.Sprintf("The connection to %s was lost. It is tried again by itself.", s.Host)
	return &Problem{Kind: Unreachable, Text: text, Err: err}
}

func oddProblem(s Server, err error) *Problem {
	text := fmt.Sprintf("%s sent something odd. It is tried again, less often; letters may come some minutes late.", s.Host)
	return &Problem{Kind: OddServer, Text: text, Err: err}
}
