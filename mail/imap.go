package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// How often a server is bothered.
const (
	minBackoff   = 2 * time.Second
	maxBackoff   = 80 * time.Second
	refusedPause = 30 * time.Minute // after a wrong password: providers lock accounts
	pollPause    = 6 * time.Minute  // between looks where IDLE does not work
	steadyAfter  = time.Minute      // a connection that lasted so long did not flap
	junkPause    = time.Minute      // between looks into the junk folder

	loginsPerHour    = 10
	headersPerMinute = 200
	bodiesPerMinute  = 50

	oddBeforePoll = 3    // connections in a row that end in an answer we cannot read
	maxRemembered = 4096 // messages that are known to have been yielded
)

// IMAP is a [Mailbox] on an IMAP and an SMTP server.
type IMAP struct {
	account Account
	log     *slog.Logger
	logins  *rate.Limiter
	headers *rate.Limiter
	bodies  *rate.Limiter

	mu      sync.Mutex
	junk    bool
	wake    chan struct{} // closed when waiting should end: by WatchJunk, Retry
	problem *Problem
	known   bool          // whether problem was ever set
	changed chan struct{} // closed when problem changes or becomes known

	since, alive time.Time // of the connection in use: made, and answered last
}

var _ Mailbox = (*IMAP)(nil)

// NewIMAP makes a mailbox of a. It connects to nothing yet.
func NewIMAP(a Account, log *slog.Logger) *IMAP {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &IMAP{
		account: a,
		log:     log,
		logins:  rate.NewLimiter(rate.Every(time.Hour/loginsPerHour), loginsPerHour),
		headers: rate.NewLimiter(rate.Every(time.Minute/headersPerMinute), headersPerMinute),
		bodies:  rate.NewLimiter(rate.Every(time.Minute/bodiesPerMinute), bodiesPerMinute),
		wake:    make(chan struct{}),
		changed: make(chan struct{}),
	}
}

// Address is the account's bare address.
func (m *IMAP) Address() string { return m.account.Address }

// WatchJunk says whether the junk folder is searched too, read-only, as it
// should be while an invitation is open. It is off at first.
func (m *IMAP) WatchJunk(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.junk == on {
		return
	}
	m.junk = on
	m.wakeLocked()
}

// Retry makes Messages check its connection, or make a new one, at once: when
// the network changed, the computer slept, or a person asks for it.
func (m *IMAP) Retry() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wakeLocked()
}

func (m *IMAP) wakeLocked() {
	close(m.wake)
	m.wake = make(chan struct{})
}

func (m *IMAP) watchesJunk() (on bool, wake <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.junk, m.wake
}

// State is what keeps Messages from working at the moment, nil if nothing is
// known to, and a channel that is closed when this changes, or when it turns
// out for the first time that Messages works.
func (m *IMAP) State() (*Problem, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.problem, m.changed
}

// Connection tells since when the connection to the server exists, and when
// the server last answered on it; zero: there is none. A connection outlives no
// change of the address at which the server sees this computer.
func (m *IMAP) Connection() (since, alive time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.since, m.alive
}

func (m *IMAP) setConnection(since, alive time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.since, m.alive = since, alive
}

func (m *IMAP) setState(p *Problem) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known && m.problem == nil && p == nil {
		return
	}
	m.problem, m.known = p, true
	close(m.changed)
	m.changed = make(chan struct{})
}

// Test logs in to both servers and out again. Its error is a *Problem, or
// ctx's.
func (m *IMAP) Test(ctx context.Context) error {
	s, err := m.login(ctx)
	if err == nil {
		err = s.logout()
		s.close()
	}
	if err == nil {
		err = m.account.submit(ctx, nil)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// Messages implements [Mailbox].
func (m *IMAP) Messages(ctx context.Context) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		r := &receiver{IMAP: m, yield: yield, folders: map[string]*place{}, tries: map[attempt]int{}}
		for ctx.Err() == nil && !r.stopped {
			began := time.Now()
			err := r.connection(ctx)
			if ctx.Err() != nil || r.stopped {
				return
			}
			_, wake := r.watchesJunk()
			pause := r.judge(err, time.Since(began))
			if r.stopped || sleep(ctx, pause, wake) != nil {
				return
			}
		}
	}
}

// A receiver is one call of Messages, over all its connections.
type receiver struct {
	*IMAP
	yield   func(Message, error) bool
	stopped bool // yield returned false

	folders map[string]*place
	seen    remembered
	tries   map[attempt]int // fetches of a message that ended its connection

	worked  bool // the last connection got as far as waiting
	odd     int  // connections in a row that ended in an answer we cannot read
	losses  int  // connections in a row that did not last
	backoff time.Duration
}

// errPolled ends a connection that was made for one look.
var errPolled = errors.New("looked once")

// judge decides, after a connection ended with err, what to tell and how long
// to wait.
func (r *receiver) judge(err error, lasted time.Duration) time.Duration {
	if errors.Is(err, errPolled) {
		r.losses, r.backoff = 0, 0
		return pollPause
	}
	if errors.Is(err, errStranded) {
		r.log.Info("mail connection is made anew", "reason", err)
		return 0 // an address changes rarely, and not by the server's doing
	}
	var p *Problem
	if !errors.As(err, &p) {
		p = lostProblem(r.account.IMAP, err)
	}
	r.log.Info("mail connection ended", "kind", p.Kind.String(), "after", lasted.Round(time.Second))
	r.log.Debug("mail connection ended", "error", p.Err) // servers like to say whose
	if p.Kind == OddServer {
		r.odd++
	} else if r.worked {
		r.odd = 0
	}
	if r.worked && lasted >= steadyAfter {
		r.losses, r.backoff = 0, 0
	}
	r.losses++
	quiet := r.worked && r.losses == 1 // servers restart, networks change: the next try tells more
	if !quiet {
		r.setState(p)
		r.stopped = !r.yield(Message{}, p)
	}
	r.backoff = min(max(2*r.backoff, minBackoff), maxBackoff)
	if p.Kind == WrongPassword {
		return refusedPause
	}
	if r.polls() {
		return pollPause
	}
	return r.backoff/2 + rand.N(r.backoff/2+1)
}

// polls says that waiting with IDLE is given up: the server says things in it
// that cannot be read.
func (r *receiver) polls() bool { return r.odd >= oddBeforePoll }

// connection logs in, looks and waits until something breaks.
func (r *receiver) connection(ctx context.Context) error {
	r.worked = false
	if err := r.mayLogin(ctx); err != nil {
		return err
	}
	began := time.Now()
	s, err := r.login(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	defer r.setConnection(time.Time{}, time.Time{})
	err = r.work(ctx, s, began)
	if err != nil && !errors.Is(err, errPolled) && !errors.Is(err, errStranded) {
		return s.explain(err)
	}
	return err
}

// mayLogin waits until there was not too many a login in the last hour.
func (m *IMAP) mayLogin(ctx context.Context) error {
	if missing := 1 - m.logins.Tokens(); missing > 0 {
		return sleep(ctx, time.Duration(missing*float64(time.Hour/loginsPerHour)), nil)
	}
	return nil
}

// work looks and waits on a connection that was begun at a time.
func (r *receiver) work(ctx context.Context, s *session, began time.Time) error {
	for {
		junk, wake := r.watchesJunk()
		if junk {
			if err := r.lookAtJunk(ctx, s); err != nil || r.stopped {
				return err
			}
		}
		if err := r.examine(ctx, s, "INBOX", false); err != nil || r.stopped {
			return err
		}
		r.worked = true
		r.setConnection(began, time.Now())
		r.setState(nil)
		if r.polls() {
			s.logout()
			return errPolled
		}
		until := time.Now().Add(longestIdle)
		if junk {
			until = time.Now().Add(junkPause)
		}
		if err := r.wait(ctx, s, until, wake); err != nil || r.stopped {
			return err
		}
	}
}

// wait looks at INBOX whenever the server says that something came, until the
// given time or until woken.
func (r *receiver) wait(ctx context.Context, s *session, until time.Time, wake <-chan struct{}) error {
	for time.Now().Before(until) {
		news, err := s.idle(ctx, until, wake)
		if err != nil {
			return err
		}
		if !news {
			return s.noop()
		}
		if err := r.look(ctx, s, r.folders["INBOX"], 0); err != nil || r.stopped {
			return err
		}
		select {
		case <-wake:
			return nil
		default:
		}
	}
	return nil
}

func (r *receiver) lookAtJunk(ctx context.Context, s *session) error {
	name, err := s.junkFolder()
	if err != nil || name == "" {
		return err
	}
	return r.examine(ctx, s, name, true)
}

func sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-wake:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// explain makes a *Problem of what ended a connection.
func (s *session) explain(err error) error {
	var p *Problem
	if errors.As(err, &p) {
		return err
	}
	cause := s.cause()
	if cause == nil {
		cause = err
	}
	server := s.account.IMAP
	cause = fmt.Errorf("read mail at %s: %w", server, s.account.redact(cause))
	switch {
	case s.timedOut.Load() || isTimeout(cause):
		return hangingProblem(server, cause)
	case errors.Is(cause, io.EOF) || errors.Is(cause, io.ErrUnexpectedEOF) || isNetwork(cause):
		return lostProblem(server, cause)
	}
	return oddProblem(server, cause)
}
