package mailtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
)

// Faults are what goes wrong, all of it at once. The zero value is a provider
// without faults.
type Faults struct {
	Delay     time.Duration // between taking a message and delivering it
	Duplicate bool          // each message comes twice
	Reorder   bool          // of two messages to a mailbox within a minute the second comes first
	Drop      bool          // messages are taken and lost
	Junk      bool          // messages go to the junk folder
	Bounce    bool          // messages are taken and come back as undeliverable

	Full          bool // recipients' mailboxes have no room
	Greylist      bool // the first try between two addresses is put off
	WrongPassword bool // no password is right
	Refuse        bool // no connection is taken; those that exist go on
	Hang          bool // the servers say nothing any more
}

// SetFaults sets what goes wrong from now on.
func (s *Server) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
	switch {
	case f.Hang && s.resume == nil:
		s.resume = make(chan struct{})
	case !f.Hang && s.resume != nil:
		close(s.resume)
		s.resume = nil
	}
}

// Intercept has f see each message that is sent from now on: what it returns
// goes on instead of raw, nil does not.
func (s *Server) Intercept(f func(from, to string, raw []byte) []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.intercept = f
}

func (s *Server) now() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

func (s *Server) login(username, password string) *user {
	u := s.users[strings.ToLower(username)]
	if u == nil || s.now().WrongPassword {
		return nil
	}
	if subtle.ConstantTimeCompare([]byte(password), []byte(u.password)) != 1 {
		return nil
	}
	return u
}

// rcpt tells whether a message to an address is taken.
func (s *Server) rcpt(from, to string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users[strings.ToLower(to)] == nil && !s.faults.Bounce {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox here"}
	}
	if s.faults.Full {
		return &smtp.SMTPError{Code: 552, EnhancedCode: smtp.EnhancedCode{5, 2, 2}, Message: "mailbox full"}
	}
	pair := from + "\n" + to
	if s.faults.Greylist && !s.tried[pair] {
		s.tried[pair] = true
		return &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted, try again later"}
	}
	return nil
}

// parcel is a message on its way.
type parcel struct {
	at     time.Time
	to     string
	folder string
	raw    []byte
	held   bool // waits for another to overtake it
}

// send takes a message from a sender and delivers it as the faults say.
func (s *Server) send(from, to string, raw []byte) {
	s.mu.Lock()
	f, intercept := s.faults, s.intercept
	s.mu.Unlock()
	if intercept != nil {
		raw = intercept(from, to, raw)
	}
	if f.Drop || raw == nil {
		return
	}
	if f.Bounce {
		raw, to = bounce(from, to, raw), from
	}
	p := parcel{at: time.Now().Add(f.Delay), to: to, folder: "INBOX", raw: raw}
	if f.Junk {
		p.folder = JunkFolder
	}
	copies := 1
	if f.Duplicate {
		copies = 2
	}
	if f.Delay == 0 && !f.Reorder {
		for range copies {
			s.put(p.to, p.folder, p.raw)
		}
		return
	}
	s.mu.Lock()
	for range copies {
		s.enqueue(p, f.Reorder)
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// enqueue is called with mu held.
func (s *Server) enqueue(p parcel, reorder bool) {
	if reorder {
		held := slices.IndexFunc(s.queue, func(q parcel) bool { return q.held && q.to == p.to })
		if held < 0 {
			p.held = true
			p.at = p.at.Add(time.Minute)
		} else {
			s.queue[held].held = false
			s.queue[held].at = p.at.Add(time.Millisecond)
		}
	}
	s.queue = append(s.queue, p)
	slices.SortStableFunc(s.queue, func(a, b parcel) int { return a.at.Compare(b.at) })
}

// deliverLoop delivers what waits in the queue when its time has come.
func (s *Server) deliverLoop(ctx context.Context) {
	for {
		due, next := s.dequeue(time.Now())
		for _, p := range due {
			s.put(p.to, p.folder, p.raw)
		}
		var alarm <-chan time.Time
		if !next.IsZero() {
			alarm = time.After(time.Until(next))
		}
		select {
		case <-alarm:
		case <-s.wake:
		case <-ctx.Done():
			return
		}
	}
}

// dequeue takes what is due out of the queue, and tells when more will be.
func (s *Server) dequeue(now time.Time) (due []parcel, next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for n < len(s.queue) && !s.queue[n].at.After(now) {
		n++
	}
	due = slices.Clone(s.queue[:n])
	s.queue = slices.Delete(s.queue, 0, n)
	if len(s.queue) > 0 {
		next = s.queue[0].at
	}
	return due, next
}

// bounce is the report that raw could not be delivered (RFC 3464).
func bounce(from, to string, raw []byte) []byte {
	head, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	boundary := rand.Text()
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: Mail Delivery System <MAILER-DAEMON@mail.test>\r\nTo: %s\r\nSubject: Undelivered Mail Returned to Sender\r\n", from)
	fmt.Fprintf(&b, "Date: %s\r\nMessage-ID: <%s@mail.test>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n", time.Now().Format(time.RFC1123Z), rand.Text())
	fmt.Fprintf(&b, "Content-Type: multipart/report; report-type=delivery-status; boundary=%s\r\n", boundary)
	fmt.Fprintf(&b, "\r\n--%s\r\nContent-Type: text/plain\r\n\r\nYour message could not be delivered.\r\n", boundary)
	fmt.Fprintf(&b, "\r\n--%s\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.test\r\n\r\n", boundary)
	fmt.Fprintf(&b, "Final-Recipient: rfc822; %s\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no such mailbox\r\n", to)
	fmt.Fprintf(&b, "\r\n--%s\r\nContent-Type: text/rfc822-headers\r\n\r\n%s\r\n", boundary, head)
	fmt.Fprintf(&b, "\r\n--%s--\r\n", boundary)
	return b.Bytes()
}
