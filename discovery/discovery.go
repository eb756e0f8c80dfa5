// Package discovery finds out where paired devices might be, and which devices
// nearby show themselves. What it finds are hints: it proves nothing and
// decides nothing, links are made in package p2p. The networks' ways of being
// found are its to know (PROTOCOL.md); mail, folders and people are not.
package discovery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"foldpost/p2p"
)

// A Source hears of peers by itself.
type Source interface {
	// Name is the source of its candidates: "lan", "mail".
	Name() string
	// Run works until ctx is done and returns when all of it has ended. Found
	// is called, under no lock of the source, with each candidate that became
	// known or was renewed.
	Run(ctx context.Context, found func(p2p.Candidate, p2p.Metadata)) error
	// Publish says where this device is; it returns at once, and may be
	// called at any time, with the same announcement too.
	Publish(p2p.Announcement)
}

// A Seeker is a [Source] that can be asked for one peer.
type Seeker interface {
	Source
	// Seek asks; what it finds comes by Run's found. A nil error says that
	// the question is on its way, not that anything will be found.
	Seek(ctx context.Context, id p2p.PeerID) error
}

// A Neighbour is a device in one of our networks that shows its name to
// everyone. Name and addresses are claims of whoever is there.
type Neighbour struct {
	Instance string // random, new every hour: names the device for that long
	Name     string // safe to show
	Addrs    []netip.AddrPort
	Seen     time.Time
}

// A Finder runs sources.
type Finder struct {
	log     *slog.Logger
	sources []Source
}

// NewFinder makes a Finder of sources that nobody else runs.
func NewFinder(log *slog.Logger, sources ...Source) *Finder {
	return &Finder{log: log, sources: sources}
}

// Run runs all sources until ctx is done, each again when it fails.
func (f *Finder) Run(ctx context.Context, found func(p2p.Candidate, p2p.Metadata)) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, s := range f.sources {
		wg.Go(func() { f.keepRunning(ctx, s, found) })
	}
	<-ctx.Done()
	return ctx.Err()
}

// Pauses before a source that failed runs again.
const (
	firstPause = time.Second
	maxPause   = time.Minute
)

func (f *Finder) keepRunning(ctx context.Context, s Source, found func(p2p.Candidate, p2p.Metadata)) {
	pause := firstPause
	for ctx.Err() == nil {
		began := time.Now()
		if err := s.Run(ctx, found); err != nil && ctx.Err() == nil {
			f.log.Debug("find peers", "source", s.Name(), "err", err)
		}
		if time.Since(began) > maxPause {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause + rand.N(pause/4)):
			pause = min(2*pause, maxPause)
		}
	}
}

// Publish tells all sources where this device is.
func (f *Finder) Publish(a p2p.Announcement) {
	for _, s := range f.sources {
		s.Publish(a)
	}
}

// errNoSeeker reports that no source can be asked.
var errNoSeeker = errors.New("no source can be asked for a peer")

// Seek asks the seekers in their order until one has taken the question.
func (f *Finder) Seek(ctx context.Context, id p2p.PeerID) error {
	err := errNoSeeker
	for _, s := range f.sources {
		seeker, ok := s.(Seeker)
		if !ok {
			continue
		}
		if err = seeker.Seek(ctx, id); err == nil {
			return nil
		}
		err = fmt.Errorf("seek %s by %s: %w", id.Short(), s.Name(), err)
	}
	return err
}
