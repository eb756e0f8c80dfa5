package p2p

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"foldpost/p2p/wire"
)

// Times after which a link that says nothing is asked, and doubted.
const (
	busyTime   = 5 * time.Second // after data went over it, a link is in use
	askSilent  = time.Second     // one in use that says nothing is asked
	doubtAfter = 4 * time.Second // it did not answer: another one is looked for

	// By TCP, a write that had to wait and then went on says that the peer takes
	// what was sent: on a slow line a ping may be behind more than doubtAfter of
	// data. QUIC has no such queue, and goes on writing when it probes.
	waitedWrite = 50 * time.Millisecond
)

// pulse is when a link was heard and used last.
type pulse struct {
	heard atomic.Int64  // unix ns: something came that only the peer can have sent
	used  atomic.Int64  // unix ns: data went over it
	begin chan struct{} // capacity 1: it is in use again
}

func newPulse(now time.Time) *pulse {
	p := &pulse{begin: make(chan struct{}, 1)}
	p.heard.Store(now.UnixNano())
	return p
}

func (p *pulse) hear() { p.heard.Store(time.Now().UnixNano()) }

func (p *pulse) use() {
	now := time.Now().UnixNano()
	if before := p.used.Swap(now); now-before > int64(busyTime) {
		select {
		case p.begin <- struct{}{}:
		default:
		}
	}
}

func (p *pulse) lastHeard() time.Time { return time.Unix(0, p.heard.Load()) }

func (p *pulse) busy(now time.Time) bool { return now.Sub(time.Unix(0, p.used.Load())) < busyTime }

// A watch decides when a link is asked whether it lives, and when it is doubted.
type watch struct {
	asked   time.Time // without an answer; zero: none
	pinged  time.Time // last
	stalled bool
}

// step returns whether to send a ping now and when to look again.
func (w *watch) step(now, heard time.Time, busy bool) (ping bool, next time.Time) {
	if !heard.Before(w.asked) {
		w.asked = time.Time{}
	}
	w.stalled = !w.asked.IsZero() && now.Sub(w.asked) >= doubtAfter
	due := w.pinged.Add(keepAlive)
	if silent := heard.Add(askSilent); busy && w.asked.IsZero() && silent.Before(due) {
		due = silent
	}
	if ping = !now.Before(due); ping {
		w.pinged = now
		if w.asked.IsZero() {
			w.asked = now
		}
		due = now.Add(keepAlive)
	}
	if !w.asked.IsZero() && !w.stalled {
		if doubt := w.asked.Add(doubtAfter); doubt.Before(due) {
			due = doubt
		}
	}
	if busy || w.stalled {
		if soon := now.Add(askSilent); soon.Before(due) {
			due = soon
		}
	}
	return ping, due
}

// writeControl writes control frames until the link ends, and pings so that it
// stays open in routers on the way, a peer that lost it says so, and a path
// that carries nothing any more is noticed.
func (e *Endpoint) writeControl(ctx context.Context, l *link) {
	w := watch{pinged: time.Now()}
	next := w.pinged.Add(keepAlive)
	for {
		var c control
		timer := time.NewTimer(time.Until(next))
		select {
		case c = <-l.out:
			timer.Stop()
		case <-timer.C:
		case <-l.pulse.begin:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return
		}
		var ping bool
		now, was := time.Now(), w.stalled
		ping, next = w.step(now, l.pulse.lastHeard(), l.pulse.busy(now))
		if w.stalled != was {
			e.silent(l, w.stalled)
		}
		if ping {
			e.askBulk(l)
		}
		if c.Type != 0 && !l.write(c) || ping && !l.write(newPing(0)) {
			return
		}
	}
}

// write writes a control frame. Where it fails the link is closed.
func (l *link) write(c control) bool {
	err := wire.Write(l.control, wire.MaxControl, c)
	if err != nil && l.conn.err() == nil {
		l.close(codeFor(err))
	}
	return err == nil
}

// linkStream is a stream whose use shows that its link carries data.
type linkStream struct {
	carried
	pulse *pulse
}

func (s linkStream) Read(b []byte) (int, error) {
	n, err := s.carried.Read(b)
	if n > 0 {
		s.pulse.use()
		s.pulse.hear()
	}
	return n, ended(err)
}

func (s linkStream) Write(b []byte) (int, error) {
	s.pulse.use()
	began := time.Now()
	n, err := s.carried.Write(b)
	s.pulse.use()
	if _, queues := s.carried.(*muxStream); queues && n > 0 && time.Since(began) >= waitedWrite {
		s.pulse.hear()
	}
	return n, ended(err)
}

func (s linkStream) SetDeadline(t time.Time) error { return ended(s.carried.SetDeadline(t)) }

func (s linkStream) CloseWrite() error { return ended(s.carried.CloseWrite()) }

// ended marks what is no fault of a stream but the end of its link.
func ended(err error) error {
	if _, ok := errors.AsType[*StreamError](err); ok || err == nil || err == io.EOF || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrLinkEnded, err)
}
