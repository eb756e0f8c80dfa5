package mail

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"foldpost/p2p"
	"foldpost/p2p/wire"
)

// Limits of a [ReplayTable].
const (
	maxSeen    = 4096
	keepSeen   = 24 * time.Hour // beyond a letter's expiry: clocks differ
	maxSeenLen = 256 << 10      // of the file, in bytes
)

// ErrTooManySeen reports a full replay table. Only who has the keys of an open
// invitation can fill it.
var ErrTooManySeen = errors.New("too many letters at once: wait a day, or withdraw the invitation")

// A ReplayTable remembers, on disk, the tokens of the letters that were taken,
// until a day after they expire: the same letter seen again does nothing. It
// may be used by several goroutines.
type ReplayTable struct {
	path    string
	replace Replace

	mu    sync.Mutex
	until map[p2p.Token]time.Time
}

type seenFile struct {
	Version uint64      `wire:"1"`
	Seen    []seenToken `wire:"2,max=4096"`
}

type seenToken struct {
	Token [16]byte `wire:"1"`
	Until int64    `wire:"2"` // unix seconds
}

// A Replace puts a private file in place of the one at path, so that at any
// moment, also after a power failure, the old or the new one is whole. When it
// returns nil the new one is durable.
type Replace func(path string, content []byte) error

// OpenReplayTable reads the table at a path, or begins one if there is none. A
// damaged file counts as none: without it an old letter can at most bring old
// addresses back.
func OpenReplayTable(path string, replace Replace) (*ReplayTable, error) {
	r := &ReplayTable{path: path, replace: replace, until: make(map[p2p.Token]time.Time)}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return r, nil
	case err != nil:
		return nil, fmt.Errorf("replay table: %w", err)
	case info.Size() > maxSeenLen:
		return r, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("replay table: %w", err)
	}
	var f seenFile
	if wire.Unmarshal(b, &f) != nil || f.Version != 1 {
		return r, nil
	}
	for _, s := range f.Seen {
		r.until[s.Token] = time.Unix(s.Until, 0)
	}
	return r, nil
}

// Seen tells whether a token was added and is still remembered.
func (r *ReplayTable) Seen(token p2p.Token) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, seen := r.until[token]
	return seen
}

// Add remembers a letter that was taken. Once it returns nil the token is on
// disk.
func (r *ReplayTable) Add(p Payload) error {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for token, until := range r.until {
		if !now.Before(until) {
			delete(r.until, token)
		}
	}
	if _, seen := r.until[p.Token]; seen {
		return nil
	}
	if len(r.until) >= maxSeen {
		return ErrTooManySeen
	}
	r.until[p.Token] = p.Expires.Add(keepSeen)
	if err := r.write(); err != nil {
		delete(r.until, p.Token)
		return fmt.Errorf("replay table: %w", err)
	}
	return nil
}

// write replaces the file by what is remembered. The caller holds the lock.
func (r *ReplayTable) write() error {
	f := seenFile{Version: 1}
	for token, until := range r.until {
		f.Seen = append(f.Seen, seenToken{token, until.Unix()})
	}
	slices.SortFunc(f.Seen, func(a, b seenToken) int { return slices.Compare(a.Token[:], b.Token[:]) })
	b, err := wire.Marshal(f)
	if err != nil {
		return err
	}
	return r.replace(r.path, b)
}
