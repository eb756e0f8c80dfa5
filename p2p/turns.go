package p2p

import (
	"context"
	"net"
	"sync"
)

// turns runs the hooks of a [Manager]: those about one peer one after another
// in the order they were added, those about different peers at the same time.
// What is added before open waits for it; what is added after close is dropped.
type turns struct {
	mu     sync.Mutex
	open   bool
	closed bool
	queues map[PeerID][]func() // a key exists while a goroutine works on it
	wg     sync.WaitGroup
}

func newTurns() *turns { return &turns{queues: make(map[PeerID][]func())} }

// start lets hooks run.
func (t *turns) start() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open = true
	for id := range t.queues {
		t.wg.Go(func() { t.work(id) })
	}
}

// finish runs what was added before it and returns when no hook runs any more.
func (t *turns) finish() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.wg.Wait()
}

// add puts f at the end of a peer's queue. It never blocks. It tells whether f
// will run.
func (t *turns) add(id PeerID, f func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	_, working := t.queues[id]
	t.queues[id] = append(t.queues[id], f)
	if t.open && !working {
		t.wg.Go(func() { t.work(id) })
	}
	return true
}

// do runs f in the peer's turn and returns when it ended. It returns without f
// if ctx is done before the turn comes. Called from a hook about the same peer
// it would wait for itself.
func (t *turns) do(ctx context.Context, id PeerID, f func()) error {
	var mu sync.Mutex
	var given, taken bool
	done := make(chan struct{})
	ok := t.add(id, func() {
		defer close(done)
		mu.Lock()
		taken = !given
		mu.Unlock()
		if taken {
			f()
		}
	})
	if !ok {
		return net.ErrClosed
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	mu.Lock()
	given = !taken
	mu.Unlock()
	if given {
		return ctx.Err()
	}
	<-done // it began: its result counts
	return nil
}

// now runs f at once, beside any turn: for questions that must be answered
// soon. It tells whether f ran.
func (t *turns) now(f func()) bool {
	t.mu.Lock()
	if t.closed || !t.open {
		t.mu.Unlock()
		return false
	}
	t.wg.Add(1)
	t.mu.Unlock()
	defer t.wg.Done()
	f()
	return true
}

func (t *turns) work(id PeerID) {
	for {
		t.mu.Lock()
		q := t.queues[id]
		if len(q) == 0 {
			delete(t.queues, id)
			t.mu.Unlock()
			return
		}
		t.queues[id] = q[1:]
		t.mu.Unlock()
		q[0]()
	}
}
