package p2p

import (
	"errors"
	"io"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
)

// How much is written at once: yamux sends what its streams write in turn, and
// nothing overtakes a piece on a slow line.
const (
	firstPiece = 16 << 10
	leastPiece = 4 << 10
	largePiece = 128 << 10
	quickPiece = 5 * time.Millisecond
	tardyPiece = 50 * time.Millisecond
)

// errWriteEnded reports a write after CloseWrite.
var errWriteEnded = errors.New("write after the end of the stream")

// muxStream is a Stream of a mux.
type muxStream struct {
	mux   *mux
	y     *yamux.Stream
	flow  *flow
	piece int // bytes; of who writes

	reader sync.Mutex // of y

	mu        sync.Mutex
	read      error // no more is read
	write     error // no more is written
	finishing bool  // our end is sent or about to be
	draining  bool
}

func (s *muxStream) hurry() {}

func (s *muxStream) Read(b []byte) (int, error) {
	if err := s.failed(&s.read); err != nil || len(b) == 0 {
		return 0, err
	}
	s.reader.Lock()
	n, err := s.y.Read(b)
	s.reader.Unlock()
	if n > 0 {
		s.mux.guard.wasRead(s.flow, n)
		return n, nil // what is wrong is said next time
	}
	if e := s.failed(&s.read); e != nil {
		return 0, e
	}
	if err == io.EOF {
		if s.mux.guard.whole(s.flow) {
			return 0, io.EOF
		}
		return 0, s.mux.end() // yamux takes a lost connection for an end in order
	}
	return 0, s.mux.broken(err)
}

func (s *muxStream) Write(b []byte) (int, error) {
	total := 0
	for total < len(b) {
		if err := s.failed(&s.write); err != nil {
			return total, err
		}
		began := time.Now()
		n, err := s.y.Write(b[total:min(len(b), total+s.piece)])
		total += n
		if err != nil {
			if e := s.failed(&s.write); e != nil {
				return total, e
			}
			return total, s.mux.broken(err)
		}
		switch took := time.Since(began); {
		case took < quickPiece:
			s.piece = min(2*s.piece, largePiece)
		case took > tardyPiece:
			s.piece = max(s.piece/2, leastPiece)
		}
	}
	return total, nil
}

// failed returns the error of one direction, or of the connection.
func (s *muxStream) failed(direction *error) error {
	s.mu.Lock()
	err := *direction
	s.mu.Unlock()
	if err == nil {
		err = s.mux.err()
	}
	return err
}

func (s *muxStream) CloseWrite() error {
	if !s.finish(errWriteEnded) {
		return s.mux.err()
	}
	_ = s.y.Close() // says nothing
	return s.mux.err()
}

// finish tells whether our end is still to be sent, once.
func (s *muxStream) finish(why error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.finishing {
		return false
	}
	s.finishing = true
	if s.write == nil {
		s.write = why
	}
	return true
}

func (s *muxStream) Close() error {
	s.giveUp(&StreamError{Code: StreamCancelled})
	return s.CloseWrite()
}

func (s *muxStream) Reset(c StreamCode) {
	s.giveUp(&StreamError{Code: c})
	if s.finish(&StreamError{Code: c}) {
		s.mux.guard.resets(s.flow, c)
		s.wake()
		s.mux.do(func() { _ = s.y.Close() })
	}
}

// giveUp stops reading: the other side is told, unless it has ended, and what
// is still on its way is dropped.
func (s *muxStream) giveUp(why *StreamError) {
	if s.mux.guard.whole(s.flow) || !s.drop(why) {
		return
	}
	s.mux.do(func() {
		_ = s.mux.guard.frame(newMuxHeader(muxWindow, muxStop, s.y.StreamID(), uint32(why.Code)))
	})
}

// drop reads and forgets what comes until the stream's end; false if that goes
// on already.
func (s *muxStream) drop(why error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return false
	}
	s.draining = true
	if s.read == nil {
		s.read = why
	}
	_ = s.y.SetReadDeadline(past) // who reads now must leave first
	s.mux.do(func() {
		s.reader.Lock()
		defer s.reader.Unlock()
		_ = s.y.SetReadDeadline(time.Time{})
		b := make([]byte, 4<<10)
		for {
			n, err := s.y.Read(b)
			s.mux.guard.wasRead(s.flow, n)
			if err != nil {
				return
			}
		}
	})
	return true
}

// stopped ends our direction because the other side does not read on. The
// guard calls it; it does not block.
func (s *muxStream) stopped(why *StreamError) {
	if !s.finish(why) {
		return
	}
	s.wake()
	s.mux.do(func() { _ = s.y.Close() })
}

// wasReset fails reading because the other side reset its direction.
func (s *muxStream) wasReset(why *StreamError) {
	s.drop(why)
}

// past is a deadline that is over in simulated time too.
var past = time.Unix(1, 0)

// wake ends blocked calls in a direction that failed.
func (s *muxStream) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	dead := s.mux.err() != nil
	if s.write != nil || dead {
		_ = s.y.SetWriteDeadline(past)
	}
	if dead && !s.draining {
		_ = s.y.SetReadDeadline(past)
	}
}

func (s *muxStream) SetDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.read == nil && s.mux.err() == nil {
		_ = s.y.SetReadDeadline(t)
	}
	if s.write == nil && s.mux.err() == nil {
		_ = s.y.SetWriteDeadline(t)
	}
	return s.mux.err()
}
