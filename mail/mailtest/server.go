// Package mailtest is a mail provider in one process: IMAP with IDLE and SMTP
// submission, both with TLS by a CA of its own, in memory or on loopback, and
// with the faults that mail has, settable while it runs.
//
// It knows nothing of letters. It keeps nothing on disk and sends nothing out
// of the process.
package mailtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"iter"
	"log"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"foldpost/mail"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-smtp"
)

// JunkFolder is the folder with the attribute \Junk.
const JunkFolder = "Junk"

var loopback4 = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// Ports of the four services in memory; on loopback the system chooses.
const (
	imapsPort = 993
	imapPort  = 143
	smtpsPort = 465
	smtpPort  = 587
)

// A Server is a mail provider for a few addresses.
type Server struct {
	users map[string]*user
	names []string // in its certificate
	ca    authority
	tls   *tls.Config
	imap  *imapserver.Server
	smtp  *smtp.Server

	memory   map[int]*listener // by port
	loopback map[int][]net.Listener

	wake chan struct{} // the queue changed; one place

	mu        sync.Mutex
	faults    Faults
	intercept func(from, to string, raw []byte) []byte // nil: nobody does
	resume    chan struct{}                            // closed when Hang ends
	conns     map[*conn]bool
	queue     []parcel
	tried     map[string]bool // sender and recipient, for Greylist
	touched   int
	closed    bool
	open      int        // IMAP sessions: the library does not wait for them
	ended     *sync.Cond // one of them ended
}

type user struct {
	address  string
	password string
	box      *imapmemserver.User

	// Guarded by Server.mu.
	got  [][]byte
	idle map[chan struct{}]bool // sessions that wait for news
}

// New makes a provider with a mailbox and a random password for each address.
// It serves nothing before Run.
func New(addresses ...string) *Server {
	s := &Server{
		users:  make(map[string]*user),
		memory: make(map[int]*listener),
		wake:   make(chan struct{}, 1),
		conns:  make(map[*conn]bool),
		tried:  make(map[string]bool),
	}
	for _, address := range addresses {
		u := &user{address: address, password: rand.Text(), idle: make(map[chan struct{}]bool)}
		u.box = imapmemserver.NewUser(address, u.password)
		for _, folder := range []string{"INBOX", JunkFolder} {
			if err := u.box.Create(folder, nil); err != nil {
				panic(err) // in an empty map of folders
			}
		}
		s.users[strings.ToLower(address)] = u
		domain := domainOf(address)
		s.names = append(s.names, "imap."+domain, "smtp."+domain, "mail."+domain)
	}
	s.ended = sync.NewCond(&s.mu)
	s.names = append(s.names, "localhost")
	s.ca = newAuthority()
	s.tls = s.ca.issue(s.names, []netip.Addr{loopback4}, validFrom, validUntil)
	for _, port := range []int{imapsPort, imapPort, smtpsPort, smtpPort} {
		s.memory[port] = newListener()
	}
	quiet := log.New(io.Discard, "", 0)
	s.imap = imapserver.New(&imapserver.Options{
		NewSession: s.newIMAPSession,
		TLSConfig:  s.tls,
		Logger:     quiet,
	})
	s.smtp = smtp.NewServer(smtp.BackendFunc(s.newSMTPSession))
	s.smtp.Domain = "mail.test"
	s.smtp.TLSConfig = s.tls
	s.smtp.ErrorLog = quiet
	s.smtp.MaxMessageBytes = 1 << 20
	s.smtp.MaxRecipients = 10
	return s
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// Listen opens ports on 127.0.0.1, so that other processes and accounts
// without Dial reach the provider too. It is called before Run.
func (s *Server) Listen() error { return s.ListenAt(loopback4) }

// ListenAt is Listen on other addresses, in the network namespace of the
// calling thread. Accounts name the first one; the ports are the same on all.
func (s *Server) ListenAt(addrs ...netip.Addr) error {
	s.tls.Certificates = s.ca.issue(s.names, addrs, validFrom, validUntil).Certificates
	open := make(map[int][]net.Listener)
	for port := range s.memory {
		at := 0 // the system chooses
		for _, addr := range addrs {
			l, err := net.Listen("tcp", netip.AddrPortFrom(addr, uint16(at)).String())
			if err != nil {
				for l := range each(open) {
					l.Close()
				}
				return fmt.Errorf("open mail port: %w", err)
			}
			open[port] = append(open[port], l)
			at = l.Addr().(*net.TCPAddr).Port
		}
	}
	s.loopback = open
	return nil
}

func each(listeners map[int][]net.Listener) iter.Seq[net.Listener] {
	return func(yield func(net.Listener) bool) {
		for _, list := range listeners {
			for _, l := range list {
				if !yield(l) {
					return
				}
			}
		}
	}
}

// Account is what a program needs to use the mailbox of an address, with TLS
// from the first byte: over loopback after Listen, else in memory. It panics
// for an address that New was not given.
func (s *Server) Account(address string) mail.Account {
	return s.account(address, imapsPort, smtpsPort, mail.ImplicitTLS)
}

// StartTLSAccount is Account with STARTTLS.
func (s *Server) StartTLSAccount(address string) mail.Account {
	return s.account(address, imapPort, smtpPort, mail.StartTLS)
}

func (s *Server) account(address string, imapPort, smtpPort int, security mail.Security) mail.Account {
	u := s.users[strings.ToLower(address)]
	if u == nil {
		panic("mailtest: no mailbox for " + address) // a mistake in the caller's source
	}
	a := mail.Account{Address: u.address, Password: mail.Secret(u.password), RootCAs: s.ca.pool()}
	if s.loopback == nil {
		a.IMAP = mail.Server{Host: "imap." + domainOf(address), Port: imapPort, Security: security}
		a.SMTP = mail.Server{Host: "smtp." + domainOf(address), Port: smtpPort, Security: security}
		a.Dial = s.dial
		return a
	}
	at := func(n int) mail.Server {
		l := s.loopback[n][0].Addr().(*net.TCPAddr)
		return mail.Server{Host: l.IP.String(), Port: l.Port, Security: security}
	}
	a.IMAP, a.SMTP = at(imapPort), at(smtpPort)
	return a
}

// CA is the certificate, in PEM, that signs the provider's own.
func (s *Server) CA() []byte { return s.ca.pem() }

// Run serves until ctx is done, and returns when all its goroutines ended.
func (s *Server) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	serve := func(port int, l net.Listener) {
		l = &tracked{Listener: l, server: s}
		if port == imapsPort || port == smtpsPort {
			l = tls.NewListener(l, s.tls)
		}
		wg.Go(func() {
			if port == imapsPort || port == imapPort {
				s.imap.Serve(l)
			} else {
				s.smtp.Serve(l)
			}
		})
	}
	for port, l := range s.memory {
		serve(port, l)
	}
	for port, list := range s.loopback {
		for _, l := range list {
			serve(port, l)
		}
	}
	wg.Go(func() { s.deliverLoop(ctx) })
	<-ctx.Done()
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	for _, l := range s.memory {
		l.Close()
	}
	for l := range each(s.loopback) {
		l.Close()
	}
	wg.Wait() // from here on no connection is taken
	s.Cut()   // before Close, which would say goodbye to clients that no longer listen
	s.imap.Close()
	s.smtp.Shutdown(context.Background())
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.open > 0 {
		s.ended.Wait()
	}
	return ctx.Err()
}

// Deliver puts raw into the INBOX of an address, as a stranger's server may
// do, whatever the faults are.
func (s *Server) Deliver(to string, raw []byte) error {
	return s.put(to, "INBOX", raw)
}

// DeliverJunk is Deliver into the junk folder.
func (s *Server) DeliverJunk(to string, raw []byte) error {
	return s.put(to, JunkFolder, raw)
}

func (s *Server) put(to, folder string, raw []byte) error {
	u := s.users[strings.ToLower(to)]
	if u == nil {
		return fmt.Errorf("deliver to %s: no such mailbox", to)
	}
	s.mu.Lock()
	u.got = append(u.got, bytes.Clone(raw))
	s.mu.Unlock()
	_, err := u.box.Append(folder, literal{bytes.NewReader(raw)}, &imap.AppendOptions{Time: time.Now()})
	if err != nil {
		return fmt.Errorf("deliver to %s: %w", to, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for news := range u.idle {
		select {
		case news <- struct{}{}:
		default:
		}
	}
	return nil
}

// literal is a message on its way into a mailbox.
type literal struct{ *bytes.Reader }

func (l literal) Size() int64 { return l.Reader.Size() }

// Messages are all messages that were put into the mailbox of an address, in
// that order, whatever folder.
func (s *Server) Messages(address string) [][]byte {
	u := s.users[strings.ToLower(address)]
	if u == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(u.got)
}

// Renumber empties the INBOX of an address and puts its messages back, with
// another UIDVALIDITY and new UIDs, as after a restored backup.
func (s *Server) Renumber(address string) error {
	u := s.users[strings.ToLower(address)]
	if u == nil {
		return fmt.Errorf("renumber %s: no such mailbox", address)
	}
	if err := u.box.Delete("INBOX"); err != nil {
		return fmt.Errorf("renumber %s: %w", address, err)
	}
	if err := u.box.Create("INBOX", nil); err != nil {
		return fmt.Errorf("renumber %s: %w", address, err)
	}
	for _, raw := range s.Messages(address) {
		if _, err := u.box.Append("INBOX", literal{bytes.NewReader(raw)}, &imap.AppendOptions{}); err != nil {
			return fmt.Errorf("renumber %s: %w", address, err)
		}
	}
	return nil
}

// Touched is how many commands came that mark, move, copy, add or delete
// messages or folders, or fetch in a way that marks.
func (s *Server) Touched() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.touched
}

// TLS is the provider's own certificate and key, for a test that plays a
// server by hand.
func (s *Server) TLS() *tls.Config { return s.tls }
