package mailtest

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// pipeBuffer is how many unread bytes make a writer wait.
const pipeBuffer = 256 << 10

// Pipe makes two ends of a connection in memory. Unlike with net.Pipe, writing
// does not wait for the reader at once: both sides of a mail connection may
// begin to talk.
func Pipe() (a, b net.Conn) {
	x, y := newFlow(), newFlow()
	return &end{in: x, out: y}, &end{in: y, out: x}
}

// end is one end of a pipe.
type end struct{ in, out *flow }

func (e *end) Read(b []byte) (int, error)  { return e.in.read(b) }
func (e *end) Write(b []byte) (int, error) { return e.out.write(b) }

func (e *end) Close() error {
	e.in.close()
	e.out.close()
	return nil
}

func (e *end) LocalAddr() net.Addr  { return address{} }
func (e *end) RemoteAddr() net.Addr { return address{} }

func (e *end) SetDeadline(t time.Time) error     { return e.SetReadDeadline(t) }
func (e *end) SetWriteDeadline(time.Time) error  { return nil } // nobody here needs it
func (e *end) SetReadDeadline(t time.Time) error { e.in.setDeadline(t); return nil }

// flow is one direction.
type flow struct {
	mu      sync.Mutex
	changed *sync.Cond
	bytes   []byte
	closed  bool
	late    bool // the reader's deadline has passed
	timer   *time.Timer
}

func newFlow() *flow {
	f := new(flow)
	f.changed = sync.NewCond(&f.mu)
	return f
}

func (f *flow) read(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.bytes) == 0 && !f.closed && !f.late {
		f.changed.Wait()
	}
	switch {
	case f.late:
		return 0, os.ErrDeadlineExceeded
	case len(f.bytes) == 0:
		return 0, io.EOF
	}
	n := copy(b, f.bytes)
	f.bytes = f.bytes[n:]
	f.changed.Broadcast()
	return n, nil
}

func (f *flow) write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.bytes) > pipeBuffer && !f.closed {
		f.changed.Wait()
	}
	if f.closed {
		return 0, io.ErrClosedPipe
	}
	f.bytes = append(f.bytes, b...)
	f.changed.Broadcast()
	return len(b), nil
}

func (f *flow) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	if f.timer != nil {
		f.timer.Stop()
	}
	f.changed.Broadcast()
}

func (f *flow) setDeadline(t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.timer != nil {
		f.timer.Stop()
		f.timer = nil
	}
	f.late = !t.IsZero() && !time.Now().Before(t)
	if !t.IsZero() && !f.late && !f.closed {
		var timer *time.Timer
		timer = time.AfterFunc(time.Until(t), func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.timer == timer {
				f.late = true
				f.changed.Broadcast()
			}
		})
		f.timer = timer
	}
	f.changed.Broadcast()
}
