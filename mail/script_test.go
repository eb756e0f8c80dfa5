package mail_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"

	"foldpost/mail"
	"foldpost/mail/mailtest"
)

// script plays a server by hand on one connection.
type script struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

// played is bob's account on a server that play plays; n counts its
// connections from 1. With ImplicitTLS the TLS handshake comes before play.
func played(t *testing.T, security mail.Security, play func(n int, s *script)) mail.Account {
	t.Helper()
	return playedFor(t, bob, security, play)
}

func playedFor(t *testing.T, address string, security mail.Security, play func(n int, s *script)) mail.Account {
	t.Helper()
	provider := mailtest.New(address)
	a := provider.Account(address)
	a.IMAP.Security, a.SMTP.Security = security, security
	var wg sync.WaitGroup
	var mu sync.Mutex
	n := 0
	ctx, cancel := context.WithCancel(context.Background())
	a.Dial = func(context.Context, string, string) (net.Conn, error) {
		mu.Lock()
		n++
		number := n
		mu.Unlock()
		ours, theirs := mailtest.Pipe()
		context.AfterFunc(ctx, func() { theirs.Close() })
		wg.Go(func() {
			defer theirs.Close()
			s := &script{t: t, conn: theirs, r: bufio.NewReader(theirs)}
			if security == mail.ImplicitTLS {
				s.upgrade(provider.TLS())
			}
			play(number, s)
		})
		return ours, nil
	}
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return a
}

func (s *script) upgrade(config *tls.Config) *tls.Conn {
	c := tls.Server(s.conn, config)
	if c.Handshake() != nil {
		runtime.Goexit() // the client went away
	}
	s.conn, s.r = c, bufio.NewReader(c)
	return c
}

// say sends lines.
func (s *script) say(lines ...string) {
	for _, l := range lines {
		s.raw(l + "\r\n")
	}
}

func (s *script) raw(text string) {
	if _, err := io.WriteString(s.conn, text); err != nil {
		runtime.Goexit()
	}
}

// hear reads a line that must contain want, and gives its tag.
func (s *script) hear(want string) string {
	line, err := s.r.ReadString('\n')
	if err != nil {
		runtime.Goexit()
	}
	if !strings.Contains(line, want) {
		s.t.Errorf("the client said %q, want %s", line, want)
		runtime.Goexit()
	}
	tag, _, _ := strings.Cut(line, " ")
	return tag
}

// silence hears and says nothing more until the client goes.
func (s *script) silence() { io.Copy(io.Discard, s.r) }

const caps = "[CAPABILITY IMAP4rev1 IDLE]"

// login plays up to the end of a good login.
func (s *script) login() {
	s.say("* OK " + caps + " ready")
	s.say(s.hear("LOGIN") + " OK " + caps + " logged in")
}

// examine plays an EXAMINE of a folder of exists messages.
func (s *script) examine(exists, validity, next int) {
	tag := s.hear("EXAMINE")
	s.say(fmt.Sprintf("* %d EXISTS", exists), fmt.Sprintf("* OK [UIDVALIDITY %d] ok", validity))
	if next > 0 {
		s.say(fmt.Sprintf("* OK [UIDNEXT %d] ok", next))
	}
	s.say(tag + " OK [READ-ONLY] done")
}

// search answers a UID SEARCH.
func (s *script) search(uids string) {
	tag := s.hear("UID SEARCH")
	s.say("* SEARCH"+uids, tag+" OK done")
}

const ourHeader = "Foldpost-Version: 1\r\n\r\n"

// header is the answer about the header of a message.
func header(seq, uid int, fields string) string {
	return fmt.Sprintf("* %d FETCH (UID %d RFC822.SIZE 900 BODY[HEADER.FIELDS (Foldpost-Version Content-Type From)]<0> {%d}\r\n%s)", seq, uid, len(fields), fields)
}

// body is the answer with a whole message.
func body(seq, uid int, raw string) string {
	return fmt.Sprintf("* %d FETCH (UID %d RFC822.SIZE 900 BODY[] {%d}\r\n%s)", seq, uid, len(raw), raw)
}

// raw is a plain message of this program.
func rawLetter(id string) string {
	return "From: alice@a.test\r\nTo: bob@b.test\r\nMessage-ID: <" + id + "@a.test>\r\nSubject: hi\r\n" +
		"Foldpost-Version: 1\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
}

// deliver plays the fetches of one message that is ours.
func (s *script) deliver(seq, uid int, id string) {
	tag := s.hear("UID FETCH")
	s.say(header(seq, uid, ourHeader), tag+" OK done")
	tag = s.hear("BODY.PEEK[]")
	s.say(body(seq, uid, rawLetter(id)), tag+" OK done")
}

// idle plays the begin of IDLE.
func (s *script) idle() (tag string) {
	tag = s.hear("IDLE")
	s.say("+ idling")
	return tag
}

func (s *script) line() string {
	line, err := s.r.ReadString('\n')
	if err != nil {
		runtime.Goexit()
	}
	return line
}
