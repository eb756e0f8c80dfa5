package node

import (
	"context"
	"io"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A limit bounds what all transfers of one direction move in a second. A nil
// limit has no bound.
type limit struct {
	mu      sync.Mutex
	bucket  *rate.Limiter // nil: no bound
	piece   int           // bytes that are waited for at once
	changed chan struct{} // closed, and replaced, by set
}

// Pieces are small beside a second's worth, so that many transfers at once each
// move on before the other side takes them for dead.
const (
	pieceShare = 32
	minPiece   = 512
	maxPiece   = 64 << 10
)

func newLimit() *limit { return &limit{piece: maxPiece, changed: make(chan struct{})} }

// set changes the bytes per second, 0 for no bound, also for who waits already.
func (l *limit) set(perSecond int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if perSecond == 0 && l.bucket == nil || l.bucket != nil && l.bucket.Limit() == rate.Limit(perSecond) {
		return
	}
	l.bucket, l.piece = nil, maxPiece
	if perSecond > 0 {
		l.piece = int(min(max(perSecond/pieceShare, minPiece), maxPiece))
		l.bucket = rate.NewLimiter(rate.Limit(perSecond), l.piece)
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

// part is how many of n bytes may be asked for at once; all where there is no
// bound.
func (l *limit) part(n int) int {
	if l == nil {
		return n
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bucket == nil {
		return n
	}
	return min(n, l.piece)
}

// wait returns when n more bytes may be moved, or with ctx's error.
func (l *limit) wait(ctx context.Context, n int) error {
	if l == nil {
		return nil
	}
	for n > 0 {
		l.mu.Lock()
		bucket, changed, part := l.bucket, l.changed, min(n, l.piece)
		l.mu.Unlock()
		if bucket == nil {
			return nil
		}
		turn := bucket.ReserveN(time.Now(), part)
		t := time.NewTimer(turn.Delay())
		select {
		case <-t.C:
			n -= part
		case <-changed: // what is left is waited for by the new rule
		case <-ctx.Done():
			t.Stop()
			turn.Cancel()
			return ctx.Err()
		}
		t.Stop()
	}
	return nil
}

// limited writes no faster than wait allows.
type limited struct {
	to   io.Writer
	by   *limit
	wait func(n int) error
}

func (w limited) Write(b []byte) (n int, err error) {
	for n < len(b) {
		part := b[n : n+w.by.part(len(b)-n)]
		if err := w.wait(len(part)); err != nil {
			return n, err
		}
		m, err := w.to.Write(part)
		n += m
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
