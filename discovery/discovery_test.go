package discovery

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/p2p"
)

// faulty is a source that finds one candidate each time it runs and then
// fails, and a seeker that fails until it was asked often enough.
type faulty struct {
	name      string
	runs      []time.Time
	refusals  int
	asked     int
	published []p2p.Announcement
}

var errFaulty = errors.New("broken")

func (s *faulty) Name() string { return s.name }

func (s *faulty) Run(_ context.Context, found func(p2p.Candidate, p2p.Metadata)) error {
	s.runs = append(s.runs, time.Now())
	found(p2p.Candidate{Source: s.name}, p2p.Metadata{})
	return errFaulty
}

func (s *faulty) Publish(a p2p.Announcement) { s.published = append(s.published, a) }

func (s *faulty) Seek(context.Context, p2p.PeerID) error {
	if s.asked++; s.asked <= s.refusals {
		return errFaulty
	}
	return nil
}

// deaf is a source that only listens.
type deaf struct{ Source }

func TestFinderRunsAFailedSourceAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &faulty{name: "a"}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var found int
		err := NewFinder(slog.New(slog.DiscardHandler), s).Run(ctx, func(p2p.Candidate, p2p.Metadata) { found++ })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Run = %v, want %v", err, context.DeadlineExceeded)
		}
		// 1+2+4+8+16+32+60… seconds and up to a quarter more each.
		if n := len(s.runs); n < 13 || n > 17 || found != n {
			t.Errorf("in 10 minutes it ran %d times and found %d, want 13 to 17 of both", n, found)
		}
	})
}

func TestFinderSeeksInOrder(t *testing.T) {
	tests := []struct {
		name    string
		sources []Source
		asked   []int
		want    error
	}{
		{"the first that can", []Source{deaf{&faulty{}}, &faulty{name: "a"}, &faulty{name: "b"}}, []int{0, 1, 0}, nil},
		{"the next where one fails", []Source{&faulty{name: "a", refusals: 1}, &faulty{name: "b"}}, []int{1, 1}, nil},
		{"all fail", []Source{&faulty{name: "a", refusals: 1}, &faulty{name: "b", refusals: 1}}, []int{1, 1}, errFaulty},
		{"nobody can be asked", []Source{deaf{&faulty{}}}, []int{0}, errNoSeeker},
	}
	for _, tt := range tests {
		f := NewFinder(slog.New(slog.DiscardHandler), tt.sources...)
		if err := f.Seek(t.Context(), p2p.PeerID{1}); !errors.Is(err, tt.want) {
			t.Errorf("%s: Seek = %v, want %v", tt.name, err, tt.want)
		}
		var asked []int
		for _, s := range tt.sources {
			if d, ok := s.(deaf); ok {
				s = d.Source
			}
			asked = append(asked, s.(*faulty).asked)
		}
		if !slices.Equal(asked, tt.asked) {
			t.Errorf("%s: asked %v times, want %v", tt.name, asked, tt.asked)
		}
	}
}

func TestFinderPublishesToAll(t *testing.T) {
	a, b := &faulty{}, &faulty{}
	NewFinder(slog.New(slog.DiscardHandler), a, b).Publish(p2p.Announcement{Peer: p2p.PeerID{7}})
	for i, s := range []*faulty{a, b} {
		if len(s.published) != 1 || s.published[0].Peer != (p2p.PeerID{7}) {
			t.Errorf("source %d was told %v, want the announcement once", i, s.published)
		}
	}
}
