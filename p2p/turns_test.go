package p2p

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := PeerID{1}, PeerID{2}
		var mu sync.Mutex
		var got []string
		say := func(s string) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, s)
		}
		u := newTurns()
		u.add(a, func() { say("a1 begins"); time.Sleep(time.Second); say("a1 ends") })
		u.add(a, func() { say("a2") })
		if u.now(func() {}) {
			t.Error("now before start = true, want false")
		}
		synctest.Wait()
		if len(got) != 0 {
			t.Errorf("before start: %q", got)
		}
		u.start()
		synctest.Wait()
		u.add(b, func() { say("b1") })
		synctest.Wait()
		short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := u.do(short, a, func() { say("never") }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("do(short) = %v, want deadline exceeded", err)
		}
		if err := u.do(t.Context(), a, func() { say("a3") }); err != nil {
			t.Errorf("do = %v", err)
		}
		u.add(a, func() { say("a4") })
		u.finish()
		want := []string{"a1 begins", "b1", "a1 ends", "a2", "a3", "a4"}
		if !slices.Equal(got, want) {
			t.Errorf("order = %q, want %q", got, want)
		}
		if u.add(a, func() { say("late") }) || u.now(func() { say("late") }) || !errors.Is(u.do(t.Context(), a, nil), net.ErrClosed) {
			t.Error("after finish something was taken")
		}
	})
}
