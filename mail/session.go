package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"foldpost/p2p/wire"
)

const (
	longestIdle = 5 * time.Minute  // routers and sleeping laptops forget longer ones
	doneTime    = 15 * time.Second // from DONE to the end of IDLE
	maxFolders  = 2000             // of a LIST answer
)

// A session is one connection to an IMAP server after login. One goroutine
// uses it.
type session struct {
	account Account
	guard   *guard
	client  *imapclient.Client
	release func() bool   // of the watch on ctx
	news    chan struct{} // something about the open folder changed; one place

	timedOut  atomic.Bool
	ended     error  // of the reader, once close has waited for it
	junk      string // name of the junk folder, once looked for
	junkKnown bool
	noIdle    bool // IDLE was refused
}

// login connects and logs in. The session must be closed; it ends with ctx.
func (m *IMAP) login(ctx context.Context) (*session, error) {
	conn, err := m.account.connect(ctx, m.account.IMAP, imapDialect)
	if err != nil {
		return nil, err
	}
	s := &session{account: m.account, guard: newGuard(conn), news: make(chan struct{}, 1)}
	s.release = context.AfterFunc(ctx, func() { conn.Close() })
	s.client = imapclient.New(s.guard, &imapclient.Options{
		// Called by the reader: a command from here would wait for itself.
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{
			Mailbox: func(*imapclient.UnilateralDataMailbox) {
				select {
				case s.news <- struct{}{}:
				default:
				}
			},
		},
	})
	if err := m.authenticate(s); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (m *IMAP) authenticate(s *session) error {
	if err := s.within(connectTime, s.client.WaitGreeting); err != nil {
		return s.explain(err)
	}
	m.logins.Allow() // counts; who logs in again and again waits in mayLogin
	err := s.within(commandTime, func() error {
		return s.client.Login(s.account.user(), string(s.account.Password)).Wait()
	})
	var refused *imap.Error
	if err == nil {
		return s.introduce()
	}
	if !errors.As(err, &refused) {
		return s.explain(err)
	}
	switch refused.Code {
	case imap.ResponseCodeUnavailable, imap.ResponseCodeLimit, imap.ResponseCodeInUse, imap.ResponseCodeServerBug:
		text := fmt.Sprintf("%s takes no more logins at the moment. It is tried again by itself.", s.account.IMAP.Host)
		return &Problem{Kind: Later, Text: text, Err: fmt.Errorf("log in to %s: %w", s.account.IMAP, s.account.redact(err))}
	}
	return passwordProblem(s.account, s.account.IMAP, err)
}

// introduce tells servers that want it which program this is (RFC 2971): they
// show no folder before. Others are not told.
func (s *session) introduce() error {
	p := providerOfServer(s.account.IMAP)
	if p == nil || !p.wantsID {
		return nil
	}
	err := s.within(commandTime, func() error {
		_, err := s.client.ID(&imap.IDData{Name: wire.Name}).Wait()
		return err
	})
	var refused *imap.Error
	if err == nil || errors.As(err, &refused) { // then it may not want it any more
		return nil
	}
	return s.explain(err)
}

// within runs f, which waits for the server, and ends the connection when f
// takes longer than d: go-imap waits without limit.
func (s *session) within(d time.Duration, f func() error) error {
	t := time.AfterFunc(d, func() {
		s.timedOut.Store(true)
		s.guard.Conn.Close()
	})
	defer t.Stop()
	err := f()
	if err != nil && s.timedOut.Load() {
		return errTimeout
	}
	return err
}

// close ends the connection and waits for its reader.
func (s *session) close() {
	s.release()
	s.guard.Conn.Close()
	closed := make(chan error, 1)
	go func() { closed <- s.client.Close() }()
	t := time.NewTimer(5 * time.Second) // the reader cannot hang behind the guard; were it to, we must not
	defer t.Stop()
	select {
	case err := <-closed:
		if !errors.Is(err, net.ErrClosed) {
			s.ended = err
		}
	case <-t.C:
	}
}

// cause closes the session and tells why it ended before: what the guard saw,
// else what the parser did not understand.
func (s *session) cause() error {
	s.close()
	err := s.guard.Err()
	if err == nil || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) {
		return s.ended
	}
	return err
}

func isNetwork(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func (s *session) logout() error {
	err := s.within(doneTime, s.client.Logout().Wait)
	if err != nil && s.timedOut.Load() {
		return s.explain(err)
	}
	return nil // servers hang up in many ways
}

func (s *session) noop() error {
	return s.within(commandTime, func() error { return s.client.Noop().Wait() })
}

// selected is what EXAMINE tells of a folder.
type selected struct {
	validity uint32
	next     imap.UID // 0 if the server does not say
}

// examine opens a folder read-only: no flag changes, whatever is fetched.
func (s *session) examine(folder string) (selected, error) {
	var data *imap.SelectData
	err := s.within(commandTime, func() (err error) {
		data, err = s.client.Select(folder, &imap.SelectOptions{ReadOnly: true}).Wait()
		return err
	})
	if err != nil {
		return selected{}, err
	}
	return selected{validity: data.UIDValidity, next: data.UIDNext}, nil
}

// idle waits until something about the open folder changed (true), until the
// time has come or wake is closed (false). Servers without IDLE are asked
// every minute.
func (s *session) idle(ctx context.Context, until time.Time, wake <-chan struct{}) (news bool, err error) {
	var caps imap.CapSet
	err = s.within(commandTime, func() error {
		caps = s.client.Caps()
		return nil
	})
	if err != nil {
		return false, err
	}
	if s.noIdle || !caps.Has(imap.CapIdle) && !caps.Has(imap.CapIMAP4rev2) {
		return s.pause(ctx, min(time.Until(until), time.Minute), wake)
	}
	select {
	case <-s.news: // came between look and IDLE
		return true, nil
	default:
	}
	var cmd *imapclient.IdleCommand
	err = s.within(commandTime, func() (err error) {
		cmd, err = s.client.Idle()
		return err
	})
	var refused *imap.Error
	if errors.As(err, &refused) {
		s.noIdle = true
		return s.pause(ctx, min(time.Until(until), time.Minute), wake)
	}
	if err != nil {
		return false, err
	}
	news, waitErr := s.pause(ctx, time.Until(until), wake)
	if !news && waitErr == nil && stranded(s.guard.Conn) {
		return false, errStranded
	}
	err = s.within(doneTime, func() error { return errors.Join(cmd.Close(), cmd.Wait()) })
	return news, errors.Join(waitErr, err)
}

func (s *session) pause(ctx context.Context, d time.Duration, wake <-chan struct{}) (news bool, err error) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-s.news:
		return true, nil
	case <-t.C:
		return false, nil
	case <-wake:
		return false, nil
	case <-s.client.Closed():
		return false, io.ErrUnexpectedEOF
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// junkNames are what junk folders are called where the server does not mark
// them, without the prefix of the namespace.
var junkNames = []string{"junk", "spam", "junk e-mail", "junk email", "bulk mail", "bulk", "spamverdacht", "unerwünscht", "courrier indésirable"}

// junkFolder finds the junk folder, "" if there is none.
func (s *session) junkFolder() (string, error) {
	if s.junkKnown {
		return s.junk, nil
	}
	marked, named := "", ""
	err := s.within(commandTime, func() error {
		cmd := s.client.List("", "*", nil)
		n := 0
		for f := cmd.Next(); f != nil; f = cmd.Next() {
			if n++; n > maxFolders {
				s.guard.fail(fmt.Errorf("%w: more than %d folders", errHostile, maxFolders))
			}
			switch {
			case hasAttr(f.Attrs, imap.MailboxAttrNoSelect) || hasAttr(f.Attrs, imap.MailboxAttrNonExistent):
			case hasAttr(f.Attrs, imap.MailboxAttrJunk):
				marked = f.Mailbox
			case named == "" && isJunkName(f.Mailbox, f.Delim):
				named = f.Mailbox
			}
		}
		return cmd.Close()
	})
	if err != nil {
		return "", err
	}
	s.junk, s.junkKnown = marked, true
	if marked == "" {
		s.junk = named
	}
	return s.junk, nil
}

func hasAttr(attrs []imap.MailboxAttr, want imap.MailboxAttr) bool {
	for _, a := range attrs {
		if strings.EqualFold(string(a), string(want)) {
			return true
		}
	}
	return false
}

func isJunkName(folder string, delim rune) bool {
	name := folder
	if delim != 0 {
		name = folder[strings.LastIndex(folder, string(delim))+len(string(delim)):]
		if !strings.Contains(folder, string(delim)) {
			name = folder
		}
	}
	for _, j := range junkNames {
		if strings.EqualFold(name, j) {
			return true
		}
	}
	return false
}
