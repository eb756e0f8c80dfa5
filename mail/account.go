package mail

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// Security is how a connection to a mail server becomes encrypted. There is no
// value for "not at all".
type Security int

const (
	// AutoTLS tries ImplicitTLS, and StartTLS where the server talks first.
	AutoTLS Security = iota
	// ImplicitTLS begins with TLS (ports 993, 465).
	ImplicitTLS
	// StartTLS begins in clear and upgrades before anything is said that
	// matters (ports 143, 587).
	StartTLS
)

// A Server is the address of an IMAP or SMTP server.
type Server struct {
	Host     string
	Port     int
	Security Security
}

func (s Server) String() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// ParseServer reads HOST:PORT. The usual ports say how TLS begins, others are
// tried.
func ParseServer(hostPort string) (Server, error) {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil || host == "" || strings.ContainsAny(host, " /\t\r\n@") {
		return Server{}, fmt.Errorf("read mail server %q: it has the form HOST:PORT", hostPort)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return Server{}, fmt.Errorf("read mail server %q: the port is a number from 1 to 65535", hostPort)
	}
	s := Server{Host: host, Port: int(n)}
	switch n {
	case 993, 465:
		s.Security = ImplicitTLS
	case 143, 587:
		s.Security = StartTLS
	}
	return s, nil
}

// A Secret is a password. However it is printed or logged, it shows as ***;
// string(s) is the password itself.
type Secret string

// Format prints ***, for every verb.
func (Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, "***") }

// String is ***.
func (Secret) String() string { return "***" }

// LogValue is ***.
func (Secret) LogValue() slog.Value { return slog.StringValue("***") }

// MarshalText gives ***: a password is stored only by who converts it to a
// string on purpose.
func (Secret) MarshalText() ([]byte, error) { return []byte("***"), nil }

// An Account is what it takes to use a mailbox.
type Account struct {
	Address  string // bare, as [ParseAddress] gives it
	IMAP     Server
	SMTP     Server
	User     string // login name, "" if it is Address
	Password Secret

	// RootCAs are trusted in place of the system's, if set.
	RootCAs *x509.CertPool
	// Dial replaces the network, if set.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Guess names the servers of an address that the table knows, else those that
// an address most often has. It asks nobody.
func Guess(address string) Account {
	name, domain := cutLastAt(address)
	if p := providerOf(domain); p != nil && p.login != LoginNone {
		s := p.found(name)
		return Account{Address: address, IMAP: s.IMAP, SMTP: s.SMTP, User: s.User}
	}
	return Account{
		Address: address,
		IMAP:    Server{Host: "imap." + domain, Port: 993, Security: ImplicitTLS},
		SMTP:    Server{Host: "smtp." + domain, Port: 465, Security: ImplicitTLS},
	}
}

func (a Account) user() string {
	if a.User != "" {
		return a.User
	}
	return a.Address
}

// redact takes the password out of what a server said: some repeat what they
// were sent.
func (a Account) redact(err error) error {
	if err == nil || a.Password == "" {
		return err
	}
	password := string(a.Password)
	plain := "\x00" + a.user() + "\x00" + password
	text := err.Error()
	clean := strings.NewReplacer(
		base64.StdEncoding.EncodeToString([]byte(plain)), "***",
		base64.StdEncoding.EncodeToString([]byte(password)), "***",
		password, "***",
	).Replace(text)
	if clean == text {
		return err
	}
	return errors.New(clean)
}

// ParseAddress reads a bare e-mail address such as a person types. Its error
// is a *Problem. The domain comes back in lower case, one with other letters
// than a to z in the form that DNS and every mail server know (xn--).
func ParseAddress(s string) (string, error) {
	s = strings.TrimSpace(s)
	bad := func(reason string) (string, error) {
		err := fmt.Errorf("read e-mail address %.80q: %s", s, reason)
		text := fmt.Sprintf("%.80q is not an e-mail address. It looks like name@example.org.", s)
		return "", &Problem{Kind: NotAnAddress, Text: text, Err: err}
	}
	if len(s) > 254 { // RFC 5321, section 4.5.3.1.3
		return bad("longer than 254 bytes")
	}
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || at == len(s)-1 {
		return bad("no name or domain at an @")
	}
	a, err := netmail.ParseAddress(s)
	if err != nil || a.Address != s || strings.ContainsAny(s, "<>\"'`,;: \t\r\n\x00()[]\\") {
		return bad("characters that do not belong there")
	}
	if err := oneLine(s); err != nil {
		return bad(err.Error())
	}
	domain, err := idna.Lookup.ToASCII(s[at+1:])
	if err != nil {
		return bad(err.Error())
	}
	return s[:at] + "@" + domain, nil
}
