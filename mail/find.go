package mail

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Time limits of finding servers.
const (
	askTime   = 5 * time.Second // what the domain says of itself
	probeTime = 5 * time.Second // whether servers of the usual names are there
)

// A Finder finds the mail servers of an address. It asks the address's own
// domain and the servers that this names, nobody else, and tells nobody the
// address. The zero Finder uses the system's network.
type Finder struct {
	Transport http.RoundTripper // to the domain's web servers
	Resolver  *net.Resolver
	RootCAs   *x509.CertPool // trusted in place of the system's when servers are probed
	Dial      func(ctx context.Context, network, addr string) (net.Conn, error)
}

// A Source says where it is known from which servers an address has.
type Source string

// The sources, the surest first.
const (
	FromTable      Source = "table" // also by the domain's mail exchanger
	FromAutoconfig Source = "autoconfig"
	FromDNS        Source = "dns" // RFC 6186, RFC 8314
	FromGuess      Source = "guess"
)

// Servers are what is known of an address's mail servers.
type Servers struct {
	Provider   string // for people, as it calls itself; "" if not known
	IMAP, SMTP Server // zero if Login is LoginNone
	User       string // login name, "" if it is the address
	Login      Login
	Help       string // https page where an app password is made, or programs are let in
	Hint       string // what to know before the password is typed
	Source     Source

	// Confirm: nothing but DNS, which anybody between may answer, says that
	// these servers are the address's. A person must see their names before
	// they are given a password.
	Confirm bool
}

// Find returns the servers of an address, after at most ten seconds. Errors
// are a *Problem, or ctx's.
func (f Finder) Find(ctx context.Context, address string) (Servers, error) {
	address, err := ParseAddress(address)
	if err != nil {
		return Servers{}, err
	}
	name, domain := cutLastAt(address)
	if p := providerOf(domain); p != nil {
		return p.found(name), nil
	}
	found, ok := f.ask(ctx, name, domain)
	if !ok && ctx.Err() == nil {
		found, err = f.guess(ctx, domain)
	}
	if ctx.Err() != nil {
		return Servers{}, ctx.Err()
	}
	return found, err
}

func cutLastAt(address string) (name, domain string) {
	i := strings.LastIndexByte(address, '@')
	return address[:max(i, 0)], address[i+1:]
}

func (p *provider) found(name string) Servers {
	f := Servers{Provider: p.name, IMAP: p.imap, SMTP: p.smtp, Login: p.login, Help: p.help, Hint: p.hint, Source: FromTable}
	if p.nameOnly {
		f.User = name
	}
	return f
}

// known adds what the table knows of servers that came from elsewhere.
func (s Servers) known() Servers {
	if p := providerOfServer(s.IMAP); p != nil && s.Login != LoginNone {
		s.Provider, s.Login, s.Help, s.Hint = p.name, p.login, p.help, p.hint
	}
	return s
}

// ask takes what the domain says of itself: in a file that its certificate
// vouches for, else by its mail exchanger, else by service records. Before all
// of them goes an exchanger whose provider lets no program in: many such
// domains still have the file of who keeps their web pages.
func (f Finder) ask(ctx context.Context, name, domain string) (Servers, bool) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	file, exchanger, records := make(chan *Servers, 1), make(chan *provider, 1), make(chan *Servers, 1)
	wg.Go(func() { file <- f.autoconfig(ctx, name, domain) })
	wg.Go(func() { exchanger <- f.exchanger(ctx, domain) })
	wg.Go(func() { records <- f.records(ctx, domain) })

	p := <-exchanger
	if p != nil && p.login == LoginNone {
		return p.found(name), true
	}
	if found := <-file; found != nil {
		return found.known(), true
	}
	if p != nil {
		found := p.found(name)
		found.Confirm = true
		return found, true
	}
	if found := <-records; found != nil {
		return found.known(), true
	}
	return Servers{}, false
}

func (f Finder) resolver() *net.Resolver {
	if f.Resolver != nil {
		return f.Resolver
	}
	return net.DefaultResolver
}

func (f Finder) exchanger(ctx context.Context, domain string) *provider {
	all, _ := f.resolver().LookupMX(ctx, domain+".")
	for _, mx := range all { // sorted by preference
		if p := providerOfMX(mx.Host); p != nil {
			return p
		}
	}
	return nil
}

// records reads the domain's SRV records.
func (f Finder) records(ctx context.Context, domain string) *Servers {
	var wg sync.WaitGroup
	var imaps, imap, submissions, submission *Server
	wg.Go(func() { imaps = f.record(ctx, "imaps", domain, ImplicitTLS) })
	wg.Go(func() { imap = f.record(ctx, "imap", domain, StartTLS) })
	wg.Go(func() { submissions = f.record(ctx, "submissions", domain, ImplicitTLS) })
	wg.Go(func() { submission = f.record(ctx, "submission", domain, StartTLS) })
	wg.Wait()
	if imaps == nil {
		imaps = imap
	}
	if submissions == nil {
		submissions = submission
	}
	if imaps == nil || submissions == nil {
		return nil
	}
	return &Servers{
		IMAP: *imaps, SMTP: *submissions, Login: LoginPassword, Source: FromDNS,
		Confirm: !within(imaps.Host, domain) || !within(submissions.Host, domain),
	}
}

// record returns the first usable server of a service, nil if there is none.
func (f Finder) record(ctx context.Context, service, domain string, security Security) *Server {
	_, all, _ := f.resolver().LookupSRV(ctx, service, "tcp", domain+".")
	for _, r := range all { // sorted by priority, drawn by weight
		if s, ok := namedServer(strings.TrimSuffix(r.Target, "."), int(r.Port), security); ok {
			return &s
		}
	}
	return nil
}

// namedServer checks a server that somebody else named. It must have a host
// name, and a port that [ParseServer] reads as the same security.
func namedServer(host string, port int, security Security) (Server, bool) {
	s := Server{Host: strings.ToLower(host), Port: port, Security: security}
	if !isHostName(s.Host) || port < 1 || port > 65535 {
		return Server{}, false
	}
	usual, err := ParseServer(s.String())
	return s, err == nil && (usual.Security == AutoTLS || usual.Security == security)
}

func isHostName(s string) bool {
	if len(s) > 253 || !strings.Contains(s, ".") || net.ParseIP(s) != nil {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// guess looks whether servers of the usual names answer.
func (f Finder) guess(ctx context.Context, domain string) (Servers, error) {
	probing, cancel := context.WithTimeout(ctx, probeTime)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	probe := func(d dialect, greeting string, servers ...Server) func() (Server, error) {
		results := make([]chan error, len(servers))
		for i, s := range servers {
			results[i] = make(chan error, 1)
			wg.Go(func() { results[i] <- f.probe(probing, s, d, greeting) })
		}
		return func() (Server, error) {
			var errs []error
			for i := range servers {
				err := <-results[i]
				if err == nil {
					return servers[i], nil
				}
				errs = append(errs, err)
			}
			return Server{}, worst(errs)
		}
	}
	imap := probe(imapDialect, "* ",
		Server{"imap." + domain, 993, ImplicitTLS}, Server{"mail." + domain, 993, ImplicitTLS},
		Server{"imap." + domain, 143, StartTLS}, Server{"mail." + domain, 143, StartTLS})
	smtp := probe(smtpDialect, "220",
		Server{"smtp." + domain, 465, ImplicitTLS}, Server{"mail." + domain, 465, ImplicitTLS},
		Server{"smtp." + domain, 587, StartTLS}, Server{"mail." + domain, 587, StartTLS})
	found := Servers{Login: LoginPassword, Source: FromGuess}
	var err error
	if found.IMAP, err = imap(); err != nil {
		return Servers{}, notFound(domain, "receive", err)
	}
	if found.SMTP, err = smtp(); err != nil {
		return Servers{}, notFound(domain, "send", err)
	}
	return found, nil
}

// probe is nil if a mail server with a right certificate greets at s.
func (f Finder) probe(ctx context.Context, s Server, d dialect, greeting string) error {
	conn, err := Account{RootCAs: f.RootCAs, Dial: f.Dial}.connect(ctx, s, d)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	line, err := readLine(conn)
	if err == nil && !strings.HasPrefix(line, greeting) {
		err = fmt.Errorf("the server greeted with %.60q", line)
	}
	return err
}

// worst picks the error that helps a person most: a certificate often tells
// the right name.
func worst(errs []error) error {
	for _, err := range errs {
		if p, ok := errors.AsType[*Problem](err); ok && (p.Kind == WrongCertificate || p.Kind == NoEncryption) {
			return p
		}
	}
	return errors.Join(errs...)
}

func notFound(domain, to string, err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok && p.Kind == WrongCertificate {
		return p
	}
	text := fmt.Sprintf("No mail server to %s with was found for %s. Check the address and whether this computer is online; then ask your provider for the names of its servers, and give them by hand.", to, domain)
	return &Problem{Kind: Unreachable, Text: text, Err: fmt.Errorf("find the servers of %s: %w", domain, err)}
}
