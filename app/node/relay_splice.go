package node

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"foldpost/p2p"
)

// errRelayLimit reports a relay that carried as much, or lasted as long, as it
// may.
var errRelayLimit = errors.New("the relay's limit is reached")

// A splice copies bytes between two streams and can make nothing of them.
type splice struct {
	re   *relaying
	most int64 // bytes of both directions, below zero without a bound
	wait func(ctx context.Context, bytes int) error
}

// spliceBuffers are for one direction each.
var spliceBuffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// run copies until both directions have ended in order, one breaks, or a limit
// is reached. The peers see the limit as such.
func (s *splice) run(ctx context.Context, a, b p2p.Stream) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if !s.re.own {
		over := time.AfterFunc(relayTime, func() { cancel(errRelayLimit) })
		defer over.Stop()
	}
	end := func() {
		code := p2p.StreamCancelled
		if errors.Is(context.Cause(ctx), errRelayLimit) {
			code = p2p.StreamLimit
		}
		a.Reset(code)
		b.Reset(code)
	}
	stop := context.AfterFunc(ctx, end)
	defer stop()
	var wg sync.WaitGroup
	copyTo := func(to, from p2p.Stream) {
		if err := s.copy(ctx, to, from); err != nil {
			cancel(err)
		}
	}
	wg.Go(func() { copyTo(b, a) })
	wg.Go(func() { copyTo(a, b) })
	wg.Wait()
	return context.Cause(ctx)
}

// copy moves one direction until its end.
func (s *splice) copy(ctx context.Context, to, from p2p.Stream) error {
	pooled := spliceBuffers.Get().(*[64 << 10]byte)
	defer spliceBuffers.Put(pooled)
	buf := pooled[:]
	for {
		if err := from.SetDeadline(time.Now().Add(relayIdle)); err != nil {
			return err
		}
		n, err := from.Read(buf)
		if n > 0 {
			if all := s.re.bytes.Add(int64(n)); s.most >= 0 && all > s.most {
				return errRelayLimit
			}
			if err := s.wait(ctx, n); err != nil {
				return err
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return to.CloseWrite()
		case err != nil:
			return err
		}
	}
}
