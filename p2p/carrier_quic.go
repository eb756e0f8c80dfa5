package p2p

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/netip"
	"time"

	"github.com/quic-go/quic-go"
)

// quicCarrier is a QUIC connection.
type quicCarrier struct {
	c       *quic.Conn
	spare   bool // it is on the spare socket
	relayed bool // a server passes its packets on
}

func (q quicCarrier) open(ctx context.Context) (carried, error) {
	s, err := q.c.OpenStreamSync(ctx)
	if err != nil {
		return nil, linkErr(err)
	}
	return quicStream{s}, nil
}

func (q quicCarrier) accept(ctx context.Context) (carried, error) {
	s, err := q.c.AcceptStream(ctx)
	if err != nil {
		return nil, linkErr(err)
	}
	return quicStream{s}, nil
}

func (q quicCarrier) close(c CloseCode) {
	_ = q.c.CloseWithError(quic.ApplicationErrorCode(c), "")
}

func (q quicCarrier) done() <-chan struct{} { return q.c.Context().Done() }

func (q quicCarrier) err() error { return linkErr(context.Cause(q.c.Context())) }

func (q quicCarrier) kind() string {
	if q.relayed {
		return kindRelay
	}
	return kindQUIC
}

func (q quicCarrier) rtt() time.Duration { return q.c.ConnectionStats().SmoothedRTT }

func (q quicCarrier) remote() netip.AddrPort {
	if q.relayed {
		return netip.AddrPort{}
	}
	return addrPortOf(q.c.RemoteAddr())
}

func (q quicCarrier) state() tls.ConnectionState { return q.c.ConnectionState().TLS }

func (q quicCarrier) sendDatagram(b []byte) error { return q.c.SendDatagram(b) }

func (q quicCarrier) receiveDatagram(ctx context.Context) ([]byte, error) {
	return q.c.ReceiveDatagram(ctx)
}

// quicStream is a Stream on a QUIC connection.
type quicStream struct{ s *quic.Stream }

func (q quicStream) hurry() { q.s.SetPriority(0, false) }

func (q quicStream) Read(b []byte) (int, error) {
	n, err := q.s.Read(b)
	return n, streamErr(err)
}

func (q quicStream) Write(b []byte) (int, error) {
	n, err := q.s.Write(b)
	return n, streamErr(err)
}

func (q quicStream) CloseWrite() error { return streamErr(q.s.Close()) }

func (q quicStream) Close() error {
	q.s.CancelRead(quic.StreamErrorCode(StreamCancelled))
	return streamErr(q.s.Close())
}

func (q quicStream) Reset(c StreamCode) {
	q.s.CancelRead(quic.StreamErrorCode(c))
	q.s.CancelWrite(quic.StreamErrorCode(c))
}

func (q quicStream) SetDeadline(t time.Time) error { return q.s.SetDeadline(t) }

func (q quicStream) SetReadDeadline(t time.Time) error { return q.s.SetReadDeadline(t) }

func (q quicStream) SetWriteDeadline(t time.Time) error { return q.s.SetWriteDeadline(t) }

// streamErr turns what quic-go says of a stream or its connection into our words.
func streamErr(err error) error {
	if err == nil || err == io.EOF { // io.Reader promises io.EOF itself
		return err
	}
	if e, ok := errors.AsType[*quic.StreamError](err); ok {
		return &StreamError{Code: StreamCode(e.ErrorCode), Remote: e.Remote}
	}
	return linkErr(err)
}

// linkErr turns why a connection ended into our words.
func linkErr(err error) error {
	if e, ok := errors.AsType[*quic.ApplicationError](err); ok {
		return &CloseError{Code: CloseCode(e.ErrorCode), Remote: e.Remote}
	}
	return err
}
