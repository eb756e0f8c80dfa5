package mail_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/mail"
	"foldpost/mail/mailtest"
)

const (
	alice = "alice@a.test"
	bob   = "bob@b.test"
)

// provider runs a mail provider in memory until the test ends.
func provider(t *testing.T) *mailtest.Server {
	t.Helper()
	s := mailtest.New(alice, bob)
	run(t, s)
	return s
}

func run(t *testing.T, s *mailtest.Server) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { s.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
}

// event is what Messages yields.
type event struct {
	m   mail.Message
	err error
}

// receive runs Messages until the test ends.
func receive(t *testing.T, b mail.Mailbox) <-chan event {
	t.Helper()
	events := make(chan event, 1000)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for m, err := range b.Messages(ctx) {
			events <- event{m, err}
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return events
}

func expectMessage(t *testing.T, events <-chan event, within time.Duration) mail.Message {
	t.Helper()
	select {
	case e := <-events:
		if e.err != nil {
			t.Fatalf("Messages yielded %v, want a message", e.err)
		}
		return e.m
	case <-time.After(within):
		t.Fatalf("Messages yielded nothing within %v", within)
	}
	panic("unreachable")
}

func expectProblem(t *testing.T, events <-chan event, within time.Duration) *mail.Problem {
	t.Helper()
	select {
	case e := <-events:
		return asProblem(t, e.err)
	case <-time.After(within):
		t.Fatalf("Messages yielded nothing within %v", within)
	}
	panic("unreachable")
}

func asProblem(t *testing.T, err error) *mail.Problem {
	t.Helper()
	var p *mail.Problem
	if !errors.As(err, &p) {
		t.Fatalf("error %v (%T), want a *Problem", err, err)
	}
	if p.Text == "" || p.Err == nil {
		t.Fatalf("problem %#v without text or error", p)
	}
	return p
}

func expectNothing(t *testing.T, events <-chan event, during time.Duration) {
	t.Helper()
	select {
	case e := <-events:
		t.Fatalf("Messages yielded %v, %v; want nothing", e.m.ID, e.err)
	case <-time.After(during):
	}
}

// letter is a message of this program from alice to bob.
func letter(n int) mail.Message {
	return mail.Message{
		ID: fmt.Sprintf("%d-test@a.test", n), From: alice, To: bob, FromName: "Älice Ångström", Subject: "Fünf Fotos für Bob",
		Date: time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC), Text: "Hello Bob,\n\nthese are for you.\n",
		Letter: bytes.Repeat([]byte{1, 1, byte(n), 0xff}, 256), FileName: "Invitation from Älice.foldpost",
	}
}

func box(s *mailtest.Server, address string) *mail.IMAP {
	return boxOf(s.Account(address))
}

func boxOf(a mail.Account) *mail.IMAP { return mail.NewIMAP(a, slog.New(slog.DiscardHandler)) }

func send(t *testing.T, b mail.Mailbox, m mail.Message) {
	t.Helper()
	if err := b.Send(context.Background(), m); err != nil {
		t.Fatalf("Send(%s): %v", m.ID, err)
	}
}

func TestLetterArrives(t *testing.T) {
	for _, way := range []string{"implicit", "starttls", "auto"} {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := provider(t)
				from, to := s.Account(alice), s.Account(bob)
				if way != "implicit" {
					from, to = s.StartTLSAccount(alice), s.StartTLSAccount(bob)
				}
				if way == "auto" {
					from.SMTP.Security, to.IMAP.Security = mail.AutoTLS, mail.AutoTLS
				}
				events := receive(t, mail.NewIMAP(to, nil))
				want := letter(1)
				send(t, mail.NewIMAP(from, nil), want)
				got := expectMessage(t, events, time.Second)
				if !strings.Contains(got.Received, "by mail.test") {
					t.Errorf("Received %q, want the provider's line", got.Received)
				}
				if !got.Date.Equal(want.Date) {
					t.Errorf("Date %v, want %v", got.Date, want.Date)
				}
				got.Received, got.Date = "", want.Date
				if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
					t.Errorf("Messages yielded\n%+v, want\n%+v", got, want)
				}
				if n := s.Touched(); n != 0 {
					t.Errorf("%d commands touched the mailbox, want none", n)
				}
			})
		})
	}
}
