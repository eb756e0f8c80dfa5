// Package control is an [app.Service] over a local socket: the command line
// talks by it to the program that runs for the same home directory.
//
// It knows the methods of Service, how they travel, and who may call: the user
// whose home it is. It knows nothing of what they do.
//
// Each call is a connection of its own. The client sends one request; the
// server answers with values in pieces, a result or a stream of them, and ends
// with "done" or an error. Whoever closes the connection ends the call.
package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"foldpost/app"
	"foldpost/p2p/wire"
)

// version of the requests. Methods and keys are only ever added to one.
const version = 1

// socketName is the socket's file in the home directory.
const socketName = "control.sock"

const (
	maxRequest = 4 << 20 // a pasted message is the largest
	maxPiece   = 64 << 10
	maxValue   = 256 << 20 // a list of a million names
)

// A request calls one method.
type request struct {
	Version uint64 `wire:"1"`
	Method  string `wire:"2"`
	Args    []byte `wire:"3"` // JSON
}

// The kinds of response frames.
const (
	kindPiece = 1 // a piece of a value
	kindValue = 2 // the last piece of a value, which may be empty
	kindDone  = 3
	kindError = 4
)

type response struct {
	Kind  uint64 `wire:"1"`
	Bytes []byte `wire:"2"`
	Code  string `wire:"3"`
	Text  string `wire:"4"`
}

// limit of one response frame: a piece and its head.
const maxResponse = maxPiece + 1024

// readRequest reads what a client asks.
func readRequest(r io.Reader) (request, error) {
	var q request
	if err := wire.Read(r, maxRequest, &q); err != nil {
		return q, err
	}
	if q.Version != version {
		return q, app.Errorf(app.CodeFailed, "this command and the foldpost that runs are of different versions: restart foldpost")
	}
	return q, nil
}

// A reply is the server's side of one call.
type reply struct {
	w io.Writer
}

// Write sends b as pieces of a value.
func (r *reply) Write(b []byte) (int, error) {
	n := 0
	for len(b) > 0 {
		piece := b[:min(len(b), maxPiece)]
		if err := wire.Write(r.w, maxResponse, &response{Kind: kindPiece, Bytes: piece}); err != nil {
			return n, err
		}
		n += len(piece)
		b = b[len(piece):]
	}
	return n, nil
}

// value sends v as JSON.
func (r *reply) value(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %T: %w", v, err)
	}
	if _, err := r.Write(b); err != nil {
		return err
	}
	return wire.Write(r.w, maxResponse, &response{Kind: kindValue})
}

// end sends how the call ended.
func (r *reply) end(err error) error {
	if err == nil {
		return wire.Write(r.w, maxResponse, &response{Kind: kindDone})
	}
	end := response{Kind: kindError, Text: err.Error()}
	if e, ok := errors.AsType[*app.Error](err); ok {
		end.Code = string(e.Code)
	}
	if len(end.Text) > maxPiece {
		end.Text = "the error is too long to be told"
	}
	return wire.Write(r.w, maxResponse, &end)
}

// errDone is the end of a call that went well.
var errDone = errors.New("done")

// readPiece reads one frame of an answer; last says that it completes a value.
// The call's end is errDone or the error that the server told.
func readPiece(r io.Reader) (piece []byte, last bool, err error) {
	var p response
	if err := wire.Read(r, maxResponse, &p); err != nil {
		return nil, false, err
	}
	switch p.Kind {
	case kindPiece:
		return p.Bytes, false, nil
	case kindValue:
		return p.Bytes, true, nil
	case kindDone:
		return nil, false, errDone
	case kindError:
		if p.Code == "" {
			return nil, false, &told{p.Text}
		}
		return nil, false, &app.Error{Code: app.ErrorCode(p.Code), Text: p.Text}
	}
	return nil, false, fmt.Errorf("answer of kind %d: not known", p.Kind)
}

// told is a server's error without a code.
type told struct{ text string }

func (t *told) Error() string { return t.text }

// readValue reads one whole value.
func readValue(r io.Reader) ([]byte, error) {
	var b bytes.Buffer
	for {
		piece, last, err := readPiece(r)
		if err != nil {
			return nil, err
		}
		if b.Len()+len(piece) > maxValue {
			return nil, fmt.Errorf("answer is larger than %d bytes", maxValue)
		}
		b.Write(piece)
		if last {
			return b.Bytes(), nil
		}
	}
}
