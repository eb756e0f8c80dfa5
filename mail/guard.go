package mail

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// Limits of what an IMAP server may send. go-imap has none of its own: eight
// megabytes of "(" end the process, a literal may fill the memory, silence
// lasts for ever.
const (
	maxDepth      = 64       // nested parentheses in one response
	maxResponse   = 64 << 10 // bytes of one response outside its literals
	maxLiterals   = 1 << 20  // bytes of all literals of one response
	maxPerMinute  = 10 << 20 // bytes: what bodiesPerMinute and headersPerMinute allow, and some
	maxResponses  = 20_000   // in a minute; each costs the parser some hundred bytes
	maxSilence    = 6 * time.Minute
	maxTokenBytes = 32 // of a response's first words, as far as they matter
)

var errHostile = errors.New("the server's answer breaks a limit")

// A guard is a connection that ends when what is read from it would hurt an
// IMAP parser. It follows the grammar only as far as it must to tell literals
// and quoted strings from the rest, and refuses what could make the parser see
// the borders elsewhere.
//
// One goroutine reads. Deadlines may be set from others.
type guard struct {
	net.Conn
	scan scanner

	minute time.Time // begin of the minute that is counted
	bytes  int       // read since then

	mu  sync.Mutex
	err error // why nothing is read any more
}

func newGuard(conn net.Conn) *guard {
	g := &guard{Conn: conn}
	g.SetReadDeadline(time.Time{})
	return g
}

// SetReadDeadline takes "none" for maxSilence from now.
func (g *guard) SetReadDeadline(t time.Time) error {
	limit := time.Now().Add(maxSilence)
	if t.IsZero() || t.After(limit) {
		t = limit
	}
	return g.Conn.SetReadDeadline(t)
}

func (g *guard) Read(b []byte) (int, error) {
	if err := g.Err(); err != nil {
		return 0, err
	}
	n, err := g.Conn.Read(b)
	if bad := g.check(b[:n]); bad != nil {
		n, err = 0, bad
	}
	if err != nil {
		g.fail(err)
	}
	return n, err
}

// Err is why reading ended, nil while it goes on.
func (g *guard) Err() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

func (g *guard) fail(err error) {
	g.mu.Lock()
	if g.err == nil {
		g.err = err
	}
	g.mu.Unlock()
	g.Conn.Close()
}

func (g *guard) check(b []byte) error {
	if now := time.Now(); now.Sub(g.minute) >= time.Minute {
		g.minute, g.bytes, g.scan.responses = now, 0, 0
	}
	g.bytes += len(b)
	if g.bytes > maxPerMinute {
		return fmt.Errorf("%w: more than %d bytes in a minute", errHostile, maxPerMinute)
	}
	if err := g.scan.feed(b); err != nil {
		return err
	}
	if g.scan.responses > maxResponses {
		return fmt.Errorf("%w: more than %d responses in a minute", errHostile, maxResponses)
	}
	return nil
}

// scanner finds the borders of IMAP responses, literals and quoted strings.
type scanner struct {
	state     scanState
	words     []byte // the response's first words, to tell its kind
	depth     int
	responses int  // that have ended
	response  int  // bytes outside literals
	literals  int  // bytes of literals
	literal   int  // bytes still to come of this one
	open      bool // status text: a [ that is not closed yet
	begun     bool // status text: anything after the type
}

type scanState int

const (
	inWords   scanState = iota // before the response's type is known
	inStatus                   // free text: neither literals nor strings here
	inData                     // the grammar of lists, strings and atoms
	inQuoted                   // "…"
	inEscape                   // after \ in "…"
	inSize                     // {…
	afterSize                  // {…} before the line's end
	inLiteral
)

func (s *scanner) feed(b []byte) error {
	for i := 0; i < len(b); {
		if s.state == inLiteral {
			n := min(s.literal, len(b)-i)
			i += n
			if s.literal -= n; s.literal == 0 {
				s.state = inData
			}
			continue
		}
		if s.response++; s.response > maxResponse {
			return fmt.Errorf("%w: more than %d bytes in a response", errHostile, maxResponse)
		}
		if err := s.next(b[i]); err != nil {
			return err
		}
		i++
	}
	return nil
}

func (s *scanner) next(c byte) error {
	switch s.state {
	case inWords:
		return s.word(c)
	case inStatus:
		return s.status(c)
	case inData:
		return s.data(c)
	case inQuoted, inEscape:
		return s.quoted(c)
	}
	return s.size(c)
}

// word collects the words up to the response's type: "*" or a tag, perhaps a
// number, the type.
func (s *scanner) word(c byte) error {
	switch {
	case c == '\n':
		s.reset()
		return nil
	case c == '+' && len(s.words) == 0: // a continuation: text
		s.state, s.begun = inStatus, true
		return nil
	case c != ' ' && c != '\r' && c != '(' && c != '[':
		if len(s.words) >= maxTokenBytes {
			return fmt.Errorf("%w: a response begins with %.40q", errHostile, s.words)
		}
		s.words = append(s.words, c)
		return nil
	}
	words := strings.Fields(string(s.words))
	s.words = append(s.words, ' ')
	if len(words) < 2 {
		if c == '(' || c == '[' {
			return fmt.Errorf("%w: a response begins with %.40q", errHostile, s.words)
		}
		return nil
	}
	kind := words[1]
	if words[0] == "*" && kind[0] >= '0' && kind[0] <= '9' {
		if len(words) < 3 {
			return nil
		}
		kind = words[2]
	}
	s.state = inData
	switch strings.ToUpper(kind) {
	case "OK", "NO", "BAD", "BYE", "PREAUTH":
		s.state = inStatus
	}
	if words[0] != "*" {
		s.state = inStatus
	}
	return s.next(c)
}

// status reads free text. A code in brackets must end on its line: the parser
// looks for the ] beyond it.
func (s *scanner) status(c byte) error {
	switch {
	case c == '\n':
		if s.open {
			return fmt.Errorf("%w: a response code without end", errHostile)
		}
		s.reset()
	case c == '[' && !s.begun:
		s.open, s.begun = true, true
	case c == ']':
		s.open = false
	case c != ' ':
		s.begun = true
	}
	return s.nest(c)
}

func (s *scanner) data(c byte) error {
	switch c {
	case '\n':
		s.reset()
	case '"':
		s.state = inQuoted
	case '{':
		s.state, s.literal = inSize, 0
	}
	return s.nest(c)
}

func (s *scanner) nest(c byte) error {
	switch c {
	case '(':
		if s.depth++; s.depth > maxDepth {
			return fmt.Errorf("%w: nested deeper than %d", errHostile, maxDepth)
		}
	case ')':
		s.depth = max(s.depth-1, 0)
	}
	return nil
}

func (s *scanner) quoted(c byte) error {
	switch {
	case c == '\n' || c == '\r':
		return fmt.Errorf("%w: a line ends inside a quoted string", errHostile)
	case s.state == inEscape:
		s.state = inQuoted
	case c == '\\':
		s.state = inEscape
	case c == '"':
		s.state = inData
	}
	return nil
}

// size reads a literal's size and the end of its line.
func (s *scanner) size(c byte) error {
	switch {
	case s.state == inSize && c >= '0' && c <= '9':
		s.literal = 10*s.literal + int(c-'0')
		if s.literals+s.literal > maxLiterals {
			return fmt.Errorf("%w: literals of more than %d bytes", errHostile, maxLiterals)
		}
	case s.state == inSize && c == '}':
		s.state = afterSize
	case s.state == afterSize && (c == ' ' || c == '\r'):
	case s.state == afterSize && c == '\n':
		s.literals += s.literal
		s.state = inLiteral
		if s.literal == 0 {
			s.state = inData
		}
	default:
		return fmt.Errorf("%w: a literal without size", errHostile)
	}
	return nil
}

func (s *scanner) reset() {
	*s = scanner{words: s.words[:0], responses: s.responses + 1}
}
