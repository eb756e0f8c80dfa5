package mail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits of a [Post].
const (
	MaxUnopened   = 20 // invitations kept until their words are typed
	MaxSentPerDay = 20 // mails; a day is the last 24 hours
	trialsPerMin  = 200
	trialsAtOnce  = 20
	sentDay       = 24 * time.Hour
)

// ErrSendBudget reports that a mail was not sent because of how many were.
var ErrSendBudget = fmt.Errorf("%d mails were sent within a day: the next one has to wait", MaxSentPerDay)

// A Delivery is what a [Post] received: exactly one of these.
type Delivery struct {
	Invitation *Unopened
	Answer     *Answer
	Peer       *PeerLetter
	Bounce     *Bounce
	Problem    error   // the mailbox does not work at the moment; Run goes on
	Message    Message // that brought it; zero with Problem
}

// Stats counts what a [Post] did since it was made.
type Stats struct {
	Messages  int
	Delivered int
	Dropped   map[string]int // by reason
}

// A Post ties a mailbox to the invitations that are open on this device. It
// sorts out what concerns them and drops everything else in silence.
type Post struct {
	box     Mailbox
	keys    Keyring
	seen    *ReplayTable
	log     *slog.Logger
	trials  *rate.Limiter
	sending chan struct{} // holds a value while a mail is being sent

	mu       sync.Mutex
	unopened []Unopened // oldest first
	sent     map[string]*decision
	stats    Stats
}

// A decision is one mail that a person decided on, however often it is tried.
type decision struct {
	first time.Time
	done  bool
}

// NewPost returns a post that does nothing until Run or Send is called.
func NewPost(box Mailbox, keys Keyring, seen *ReplayTable, log *slog.Logger) *Post {
	return &Post{
		box: box, keys: keys, seen: seen, log: log,
		trials:  rate.NewLimiter(rate.Every(time.Minute/(trialsPerMin-trialsAtOnce)), trialsAtOnce),
		sending: make(chan struct{}, 1),
		sent:    make(map[string]*decision),
		stats:   Stats{Dropped: make(map[string]int)},
	}
}

// Run reads the mailbox until ctx is done and passes on what concerns this
// device, one delivery after another. An answer or a letter of another device
// counts as taken when deliver has returned: what must survive a restart has
// to be on disk by then.
func (p *Post) Run(ctx context.Context, deliver func(Delivery)) error {
	for m, err := range p.box.Messages(ctx) {
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			deliver(Delivery{Problem: err})
			continue
		}
		d, err := p.read(ctx, m)
		p.count(err)
		if err != nil {
			p.log.Debug("letter dropped", "reason", err)
			continue
		}
		deliver(d)
		if err := p.remember(d); err != nil {
			p.log.Warn("letter not remembered", "reason", err)
		}
	}
	if ctx.Err() == nil {
		return errors.New("read mail: the mailbox ended by itself")
	}
	return ctx.Err()
}

// remember notes a letter that was acted on.
func (p *Post) remember(d Delivery) error {
	switch {
	case d.Answer != nil:
		return p.seen.Add(d.Answer.Payload)
	case d.Peer != nil:
		return p.seen.Add(d.Peer.Payload)
	}
	return nil
}

// read makes a delivery of a message, or says why it is dropped.
func (p *Post) read(ctx context.Context, m Message) (Delivery, error) {
	if m.Bounce != nil {
		return Delivery{Bounce: m.Bounce, Message: m}, nil
	}
	head, err := ReadHead(m.Letter)
	if errors.Is(err, ErrNotLetter) { // some gateways turn attachments into text
		if f, findErr := Find(m.Letter); findErr == nil && f.Letter != nil {
			m.Letter, head, err = f.Letter, f.Head, nil
		}
	}
	if err != nil {
		return Delivery{}, err
	}
	if head.Pattern == PatternInvitation {
		u, err := p.keep(Unopened{Message: m, Salt: head.Salt})
		return Delivery{Invitation: u, Message: m}, err
	}
	if head.Pattern == PatternPeer {
		l, err := p.readPeer(ctx, m)
		return Delivery{Peer: l, Message: m}, err
	}
	if _, ok := p.keys.Invitation(head.Salt); !ok {
		return Delivery{}, ErrNoInvitation // before the limit: others' letters cost no trial
	}
	if err := p.trials.Wait(ctx); err != nil {
		return Delivery{}, err
	}
	a, err := ReadAnswer(p.keys, p.seen, m.Letter, time.Now())
	if err != nil {
		return Delivery{}, err
	}
	if !a.Payload.SentTo(p.box.Address()) {
		return Delivery{}, ErrNotForUs
	}
	return Delivery{Answer: &a, Message: m}, nil
}

// keep remembers an invitation among the newest MaxUnopened.
func (p *Post) keep(u Unopened) (*Unopened, error) {
	if p.keys.OwnSalt(u.Salt) {
		return nil, ErrOwn
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if slices.ContainsFunc(p.unopened, func(o Unopened) bool { return bytes.Equal(o.Message.Letter, u.Message.Letter) }) {
		return nil, ErrReplayed
	}
	if len(p.unopened) == MaxUnopened {
		p.unopened = slices.Delete(p.unopened, 0, 1)
	}
	p.unopened = append(p.unopened, u)
	return &u, nil
}

func (p *Post) count(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Messages++
	if err == nil {
		p.stats.Delivered++
		return
	}
	p.stats.Dropped[reason(err)]++
}

// reason is the sentinel in err, so that the number of reasons is bounded.
func reason(err error) string {
	for _, known := range []error{
		ErrNotLetter, ErrWrongKey, ErrPayload, ErrExpired, ErrFromFuture,
		ErrNoInvitation, ErrNoCorrespondent, ErrReplayed, ErrOwn, ErrNotForUs,
	} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "other"
}

// Stats returns a copy of the counters.
func (p *Post) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Dropped = maps.Clone(s.Dropped)
	return s
}

// Unopened returns the invitations that arrived and are not forgotten, newest
// first, at most MaxUnopened.
func (p *Post) Unopened() []Unopened {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := slices.Clone(p.unopened)
	slices.Reverse(list)
	return list
}

// Forget drops the invitations with a salt, which were accepted or declined.
// They come again after a restart, as long as they are in the mailbox.
func (p *Post) Forget(salt Salt) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unopened = slices.DeleteFunc(p.unopened, func(u Unopened) bool { return u.Salt == salt })
}

// Send mails m, one mail for each decision of a person: m.ID names the
// decision. A message that was sent is not sent again, and one whose sending
// was interrupted is tried again under the same ID without counting twice.
// It fails with [ErrSendBudget] beyond MaxSentPerDay.
func (p *Post) Send(ctx context.Context, m Message) error {
	if m.ID == "" {
		return errors.New("send mail: without a message id")
	}
	select {
	case p.sending <- struct{}{}:
		defer func() { <-p.sending }()
	case <-ctx.Done():
		return ctx.Err()
	}
	d, err := p.decide(m.ID)
	if err != nil || d.done {
		return err
	}
	if err := p.box.Send(ctx, m); err != nil {
		return err
	}
	d.done = true // guarded by sending
	return nil
}

// decide returns the decision that an id names, a new one within the budget.
func (p *Post) decide(id string) (*decision, error) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if d, ok := p.sent[id]; ok {
		return d, nil
	}
	recent := 0
	for known, d := range p.sent {
		if now.Sub(d.first) < sentDay {
			recent++
		} else {
			delete(p.sent, known)
		}
	}
	if recent >= MaxSentPerDay {
		return nil, ErrSendBudget
	}
	d := &decision{first: now}
	p.sent[id] = d
	return d, nil
}
