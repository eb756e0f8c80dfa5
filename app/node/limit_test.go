package node

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/app/folder"
)

// took is how long something takes in simulated time.
func took(f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}

func between(d, low, high time.Duration) bool { return low <= d && d <= high }

// TestLimit: many transfers together move what the limit allows, and each of
// them moves on.
func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimit()
		var wg sync.WaitGroup
		send := func(n int) {
			w := limited{io.Discard, l, func(n int) error { return l.wait(t.Context(), n) }}
			if m, err := w.Write(make([]byte, n)); m != n || err != nil {
				t.Errorf("Write = %d, %v, want %d", m, err, n)
			}
		}
		if d := took(func() { send(100 << 20) }); d != 0 {
			t.Errorf("without a limit it took %v", d)
		}
		l.set(100 << 10)
		var first [10]time.Duration
		began := time.Now()
		d := took(func() {
			for i := range first {
				wg.Go(func() {
					send(1)
					first[i] = time.Since(began)
					send(100<<10 - 1)
				})
			}
			wg.Wait()
		})
		if !between(d, 9*time.Second, 11*time.Second) {
			t.Errorf("10 times 100 KiB at 100 KiB/s took %v, want about 10 s", d)
		}
		for i, d := range first {
			if d > time.Second {
				t.Errorf("transfer %d moved on after %v, want at once", i, d)
			}
		}
	})
}

// TestLimitChanges: a new limit is that of who waits already, too.
func TestLimitChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimit()
		l.set(1 << 10)
		done := make(chan time.Duration)
		go func() { done <- took(func() { l.wait(t.Context(), 1<<20) }) }()
		<-time.After(10 * time.Second) // at this pace it takes 17 minutes
		l.set(512 << 10)
		if d := <-done; !between(d, 11*time.Second, 13*time.Second) {
			t.Errorf("1 MiB, with 512 KiB/s from the 10th second on, took %v, want about 12 s", d)
		}
		l.set(1)
		go func() { done <- took(func() { l.wait(t.Context(), 1<<20) }) }()
		<-time.After(time.Second)
		l.set(0)
		if d := <-done; d > 2*time.Second {
			t.Errorf("1 MiB, without a limit from the first second on, took %v", d)
		}
	})
}

// TestLimitEnds: who waits ends with its context.
func TestLimitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimit()
		l.set(1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var err error
		if d := took(func() { err = l.wait(ctx, 1<<20) }); d != time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("wait = %v after %v, want the context's error after 1 s", err, d)
		}
	})
}

// TestRemoteIsLimited in both directions.
func TestRemoteIsLimited(t *testing.T) {
	for _, side := range []string{"up", "down"} {
		synctest.Test(t, func(t *testing.T) {
			l := newLimit()
			l.set(64 << 10)
			up, down := (*limit)(nil), l
			if side == "up" {
				up, down = l, nil
			}
			data := bytes.Repeat([]byte("x"), 640<<10)
			r, _ := connectSlowly(t, shelf{contents: map[folder.Path][]byte{"a": data}}, true, up, down)
			var got []byte
			d := took(func() {
				c, err := r.Read(t.Context(), folder.Want{Path: "a"})
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				got, _ = io.ReadAll(c)
			})
			r.close()
			if !bytes.Equal(got, data) || !between(d, 9*time.Second, 12*time.Second) {
				t.Errorf("limit %s: %d of %d bytes at 64 KiB/s took %v, want about 10 s", side, len(got), len(data), d)
			}
		})
	}
}
