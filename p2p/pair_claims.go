package p2p

import (
	"sync"
	"time"
)

// claimTime is how long a right proof keeps an invitation from others while
// its exchange goes on.
const claimTime = 90 * time.Second

// claims are the invitations that an exchange has proved to know and is about
// to use up. They live in memory: after a restart none is claimed.
type claims struct {
	mu    sync.Mutex
	taken map[Token]claim
}

type claim struct {
	by     *exchange
	until  time.Time
	saving bool // being written: no longer ends by itself
}

// take claims an invitation for an exchange. It is one atomic step: of several
// exchanges exactly one succeeds.
func (c *claims) take(t Token, by *exchange, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if other, ok := c.taken[t]; ok && (other.saving || now.Before(other.until)) {
		return false
	}
	if c.taken == nil {
		c.taken = make(map[Token]claim)
	}
	c.taken[t] = claim{by: by, until: now.Add(claimTime)}
	return true
}

// hold makes a claim last until release, if it has not ended yet.
func (c *claims) hold(t Token, by *exchange, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	mine, ok := c.taken[t]
	if !ok || mine.by != by || !now.Before(mine.until) {
		return false
	}
	mine.saving = true
	c.taken[t] = mine
	return true
}

// release ends a claim, if it is still by's.
func (c *claims) release(t Token, by *exchange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.taken[t].by == by {
		delete(c.taken, t)
	}
}
