package discovery

import (
	"context"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A fakeSystem is a network that the test changes.
type fakeSystem struct {
	mu     sync.Mutex
	view   view
	asleep time.Duration
	tell   chan link
	deaf   bool
}

func (s *fakeSystem) watcher(changed func()) *watcher {
	return &watcher{
		changed: changed, wake: make(chan struct{}, 1),
		look: func() view {
			s.mu.Lock()
			defer s.mu.Unlock()
			return view{links: maps.Clone(s.view.links), routes: s.view.routes}
		},
		wall: func() time.Time {
			s.mu.Lock()
			defer s.mu.Unlock()
			return time.Now().Add(s.asleep)
		},
		notices: func(ctx context.Context, notice func(link)) error {
			for !s.deaf {
				select {
				case l := <-s.tell:
					notice(l)
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return context.Canceled
		},
	}
}

// becomes changes the network, and tells of nothing.
func (s *fakeSystem) becomes(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func TestWatchNetwork(t *testing.T) {
	for _, tt := range []struct {
		name    string
		deaf    bool
		happens func(s *fakeSystem)
		want    int           // calls
		within  time.Duration // of the last
	}{
		{"nothing", false, func(*fakeSystem) {}, 0, time.Minute},
		{"an address comes", false, func(s *fakeSystem) {
			s.becomes(func() { s.view.links[2] = "eth0 192.0.2.8/24" })
			s.tell <- 0
			s.tell <- 0
			s.tell <- 0
		}, 1, coalesce},
		{"a refreshed address", false, func(s *fakeSystem) { s.tell <- 0 }, 0, time.Minute},
		{"a route comes", false, func(s *fakeSystem) { s.becomes(func() { s.view.routes = "tun0" }); s.tell <- 0 }, 1, coalesce},
		{"a lost carrier is back at once", false, func(s *fakeSystem) { s.tell <- 2; s.tell <- 0 }, 1, coalesce},
		{"a link without addresses goes", false, func(s *fakeSystem) { s.tell <- 7 }, 0, time.Minute},
		{"sleep", false, func(s *fakeSystem) { s.becomes(func() { s.asleep = time.Hour }) }, 1, lookEvery},
		{"the clock is set back", false, func(s *fakeSystem) { s.becomes(func() { s.asleep = -time.Hour }) }, 1, lookEvery},
		{"an address comes, the system tells nothing", true, func(s *fakeSystem) { s.becomes(func() { s.view.links[3] = "wlan0 192.0.2.9/24" }) }, 1, lookEvery},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakeSystem{view: view{links: map[link]string{2: "eth0 192.0.2.7/24"}, routes: "eth0"}, tell: make(chan link), deaf: tt.deaf}
				ctx, cancel := context.WithCancel(t.Context())
				var calls []time.Time
				done := make(chan struct{})
				go func() {
					defer close(done)
					s.watcher(func() { calls = append(calls, time.Now()) }).run(ctx)
				}()
				synctest.Wait()
				began := time.Now()
				tt.happens(s)
				time.Sleep(2 * time.Minute) // of the bubble
				cancel()
				<-done
				if len(calls) != tt.want {
					t.Fatalf("changed was called %d times, want %d", len(calls), tt.want)
				}
				if tt.want > 0 && calls[len(calls)-1].Sub(began) > tt.within {
					t.Errorf("changed was called after %v, want within %v", calls[len(calls)-1].Sub(began), tt.within)
				}
			})
		})
	}
}
