package mail_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/mail"
	"foldpost/mail/mailtest"

	"go.uber.org/goleak"
)

// stranger is a mail that has nothing to do with us.
func stranger(n int) []byte {
	return fmt.Appendf(nil, "From: eve@e.test\r\nTo: bob@b.test\r\nMessage-ID: <%d@e.test>\r\nSubject: Foldpost-Version: 1\r\n\r\nhello %d\r\n", n, n)
}

func deliver(t *testing.T, s *mailtest.Server, raw []byte) {
	t.Helper()
	if err := s.Deliver(bob, raw); err != nil {
		t.Fatal(err)
	}
}

func TestWhatWaitedComesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := provider(t)
		for i := range 5 {
			send(t, box(s, alice), letter(i))
			deliver(t, s, stranger(i))
		}
		events := receive(t, box(s, bob))
		for i := range 5 {
			if m := expectMessage(t, events, time.Second); m.ID != letter(i).ID {
				t.Errorf("message %d is %q, want %q", i, m.ID, letter(i).ID)
			}
		}
		for i := 5; i < 60; i++ {
			send(t, box(s, alice), letter(i))
		}
		for i := 5; i < 60; i++ {
			if m := expectMessage(t, events, 2*time.Minute); m.ID != letter(i).ID {
				t.Errorf("message %d is %q, want %q", i, m.ID, letter(i).ID)
			}
		}
		expectNothing(t, events, time.Hour)
		if n := s.Touched(); n != 0 {
			t.Errorf("%d commands touched the mailbox, want none", n)
		}
	})
}

func TestOldMailIsNotLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := provider(t)
		send(t, box(s, alice), letter(1))
		time.Sleep(10 * 24 * time.Hour)
		send(t, box(s, alice), letter(2))
		events := receive(t, box(s, bob))
		if m := expectMessage(t, events, time.Second); m.ID != letter(2).ID {
			t.Errorf("Messages yielded %q, want only the recent %q", m.ID, letter(2).ID)
		}
		expectNothing(t, events, time.Second)
	})
}

func TestBodiesOfOthersAreNotFetched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := played(t, mail.ImplicitTLS, func(_ int, s *script) {
			s.login()
			s.examine(6, 7, 7)
			s.search(" 1 2 3 4 5 6")
			tag := s.hear("UID FETCH 1:6 (UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (\"Foldpost-Version\" \"Content-Type\" \"From\")]<0.4096>)")
			large := strings.Replace(header(5, 5, ourHeader), "900", "70000", 1)
			s.say(header(1, 1, "From: a@b\r\n\r\n"), header(2, 2, "\r\n"), header(3, 3, "From: MAILER-DAEMON@x\r\n\r\n"),
				header(4, 4, "Content-Type: multipart/report;\r\n report-type=delivery-status\r\n\r\n"), large, header(6, 6, ourHeader), tag+" OK done")
			for _, uid := range []string{"3", "4"} { // might be bounces: does the server find our header in them?
				tag = s.hear("UID SEARCH UID " + uid + " TEXT \"Foldpost-Version\"")
				s.say("* SEARCH", tag+" OK done")
			}
			tag = s.hear("UID FETCH 6 (UID RFC822.SIZE BODY.PEEK[])")
			s.say(body(6, 6, rawLetter("x")), tag+" OK done")
			s.idle()
			s.silence()
		})
		events := receive(t, mail.NewIMAP(a, nil))
		expectMessage(t, events, time.Second)
		expectNothing(t, events, time.Second)
	})
}

func TestBounceArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := provider(t)
		s.SetFaults(mailtest.Faults{Bounce: true})
		events := receive(t, box(s, alice))
		m := letter(1)
		m.To = "nobody@c.test"
		send(t, box(s, alice), m)
		got := expectMessage(t, events, time.Second)
		want := mail.Bounce{ID: m.ID, Recipient: m.To, Reason: "550 5.1.1 no such mailbox"}
		if got.Bounce == nil || *got.Bounce != want {
			t.Errorf("bounce %+v, want %+v", got.Bounce, want)
		}
	})
}

func TestConnectionsThatBreakAreReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := provider(t)
		b := box(s, bob)
		_, works := b.State()
		events := receive(t, b)
		<-works
		if p, _ := b.State(); p != nil {
			t.Errorf("State() = %v, want nil", p)
		}
		time.Sleep(2 * time.Minute)
		s.Cut()
		send(t, box(s, alice), letter(1))
		expectMessage(t, events, 3*time.Second) // and no problem: it worked again at once
		time.Sleep(2 * time.Minute)

		s.SetFaults(mailtest.Faults{Refuse: true})
		s.Cut()
		expectKind(t, "Messages", expectProblem(t, events, 10*time.Second), mail.Unreachable)
		p, changed := b.State()
		if p == nil || p.Kind != mail.Unreachable {
			t.Errorf("State() = %v, want a problem %v", p, mail.Unreachable)
		}
		time.Sleep(10 * time.Minute)
		s.SetFaults(mailtest.Faults{})
		<-changed
		for len(events) > 0 {
			expectKind(t, "Messages", (<-events).err, mail.Unreachable)
		}
		began := time.Now()
		send(t, box(s, alice), letter(2))
		for e := range events {
			if e.err == nil {
				break
			}
		}
		if d := time.Since(began); d > 81*time.Second {
			t.Errorf("the letter came %v after the server, want at most 80s", d)
		}
		synctest.Wait() // the letter is handed over before the look that found it has ended
		if p, _ := b.State(); p != nil {
			t.Errorf("State() = %v, want nil", p)
		}
	})
}

func TestRetryDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := provider(t)
		b := box(s, bob)
		s.SetFaults(mailtest.Faults{WrongPassword: true})
		events := receive(t, b)
		expectKind(t, "Messages", expectProblem(t, events, time.Second), mail.WrongPassword)
		s.SetFaults(mailtest.Faults{})
		send(t, box(s, alice), letter(1))
		expectNothing(t, events, 10*time.Minute) // not the same password again and again
		b.Retry()
		expectMessage(t, events, time.Second)

		time.Sleep(time.Minute)
		s.SetFaults(mailtest.Faults{Hang: true})
		b.Retry()
		synctest.Wait()
		time.Sleep(35 * time.Second)
		s.SetFaults(mailtest.Faults{})
		began := time.Now()
		send(t, box(s, alice), letter(2))
		for e := range events {
			if e.err == nil {
				break
			}
		}
		if d := time.Since(began); d > 20*time.Second {
			t.Errorf("the letter came after %v, want at most 20s", d)
		}
	})
}

func TestHangingServerIsFoundOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := provider(t)
		events := receive(t, box(s, bob))
		time.Sleep(time.Minute)
		s.SetFaults(mailtest.Faults{Hang: true})
		p := expectProblem(t, events, 7*time.Minute)
		if p.Kind != mail.Hanging {
			t.Errorf("problem %v, want %v", p.Kind, mail.Hanging)
		}
		s.SetFaults(mailtest.Faults{})
		send(t, box(s, alice), letter(1))
		for e := range events {
			if e.err == nil {
				break
			}
		}
	})
}

// dials counts the connections of an account.
func dials(a *mail.Account) *atomic.Int64 {
	n := new(atomic.Int64)
	dial := a.Dial
	a.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		n.Add(1)
		return dial(ctx, network, addr)
	}
	return n
}

func TestFlappingServerSeesFewLogins(t *testing.T) {
	for name, play := range map[string]func(*script){
		"after login": func(s *script) { s.login(); s.say("* BYE") },
		"in idle":     func(s *script) { s.login(); s.examine(0, 7, 0); s.search(""); s.idle(); s.say("* BYE") },
		"odd":         func(s *script) { s.login(); s.say("* WHAT") },
		"password":    func(s *script) { s.say("* OK " + caps); s.say(s.hear("LOGIN") + " NO [AUTHENTICATIONFAILED] no") },
		"limit":       func(s *script) { s.say("* OK " + caps); s.say(s.hear("LOGIN") + " NO [LIMIT] too many") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := played(t, mail.ImplicitTLS, func(_ int, s *script) { play(s) })
				n := dials(&a)
				receive(t, mail.NewIMAP(a, nil))
				time.Sleep(time.Hour)
				first := n.Load()
				time.Sleep(time.Hour)
				if first > 21 || n.Load()-first > 11 || // one at the border
					n.Load() < 2 {
					t.Errorf("%d logins in the first hour, %d in the second; want at most 20 and 10, and one at each border", first, n.Load()-first)
				}
			})
		})
	}
}

func TestMailBomb(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := provider(t)
		events := receive(t, box(s, bob))
		synctest.Wait()
		began := time.Now()
		for i := range 1000 {
			deliver(t, s, stranger(i))
		}
		send(t, box(s, alice), letter(1))
		expectMessage(t, events, 5*time.Minute)
		t.Logf("found among 1000 after %v", time.Since(began))
		for i := range 200 {
			deliver(t, s, []byte(strings.ReplaceAll(rawLetter(fmt.Sprint(i)), "Hello", fmt.Sprint("Hello ", i))))
		}
		began = time.Now()
		for range 200 {
			expectMessage(t, events, 5*time.Minute)
		}
		if d := time.Since(began); d < 2*time.Minute {
			t.Errorf("200 letters were fetched in %v, want at most 50 a minute after the first 50", d)
		}
	})
}

func TestFaultsOfDelivery(t *testing.T) {
	for name, c := range map[string]struct {
		faults mailtest.Faults
		want   []int // letters as they come, after 1 and 2 were sent
		within time.Duration
	}{
		"none":      {mailtest.Faults{}, []int{1, 2}, 0},
		"delay":     {mailtest.Faults{Delay: 10 * time.Minute}, []int{1, 2}, 10 * time.Minute},
		"drop":      {mailtest.Faults{Drop: true}, nil, 0},
		"reorder":   {mailtest.Faults{Reorder: true}, []int{2, 1}, time.Millisecond},
		"duplicate": {mailtest.Faults{Duplicate: true}, []int{1, 2}, 0}, // the same bytes are yielded once
		"late":      {mailtest.Faults{Delay: time.Hour, Reorder: true, Duplicate: true}, []int{1, 2}, time.Hour + time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := provider(t)
				s.SetFaults(c.faults)
				events := receive(t, box(s, bob))
				synctest.Wait()
				for n := 1; n <= 2; n++ {
					send(t, box(s, alice), letter(n))
				}
				time.Sleep(c.within + time.Second)
				var got []int
				for len(events) > 0 {
					e := <-events
					for n := 1; n <= 2; n++ {
						if e.m.ID == letter(n).ID {
							got = append(got, n)
						}
					}
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("letters came as %v, want %v", got, c.want)
				}
			})
		})
	}
}

func TestMessagesStopsWhenTheCallerStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := provider(t)
		send(t, box(s, alice), letter(1))
		for m, err := range box(s, bob).Messages(t.Context()) {
			if err != nil || m.ID != letter(1).ID {
				t.Errorf("Messages yielded %v, %v", m.ID, err)
			}
			break
		}
	})
}

func TestOverLoopback(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	s := mailtest.New(alice, bob)
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	run(t, s)
	b := mail.NewIMAP(s.Account(bob), nil)
	if err := b.Test(t.Context()); err != nil {
		t.Fatal(err)
	}
	events := receive(t, b)
	from := s.StartTLSAccount(alice)
	from.SMTP.Security = mail.AutoTLS
	for i := range 3 {
		began := time.Now()
		send(t, mail.NewIMAP(from, nil), letter(i))
		expectMessage(t, events, 5*time.Second)
		t.Logf("sent and received in %v", time.Since(began))
	}
}

func TestServerWithoutIdleIsAskedEveryMinute(t *testing.T) {
	for name, says := range map[string]string{"not offered": "[CAPABILITY IMAP4rev1]", "refused": caps} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := played(t, mail.ImplicitTLS, func(_ int, s *script) {
					s.say("* OK " + says)
					s.say(s.hear("LOGIN") + " OK " + says)
					s.examine(0, 7, 1)
					s.search("")
					if says == caps {
						s.say(s.hear("IDLE") + " BAD what")
					}
					s.say(s.hear("NOOP") + " OK")
					s.examine(1, 7, 2)
					s.search(" 1")
					s.deliver(1, 1, "x")
					s.silence()
				})
				expectMessage(t, receive(t, mail.NewIMAP(a, nil)), 61*time.Second)
			})
		})
	}
}

func TestMessageThatCannotBeFetchedIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := played(t, mail.ImplicitTLS, func(_ int, s *script) {
			s.login()
			line := s.line()
			for !strings.Contains(line, "LOGOUT") { // UIDs 1 to 3, of which 2 cannot be shown
				tag, command, _ := strings.Cut(line, " ")
				switch {
				case strings.HasPrefix(command, "EXAMINE"):
					s.say("* 3 EXISTS", "* OK [UIDVALIDITY 7] ok", tag+" OK done")
				case strings.HasPrefix(command, "UID SEARCH"):
					s.say("* SEARCH 1 2 3", tag+" OK done")
				case strings.HasPrefix(command, "UID FETCH 1:3"), strings.HasPrefix(command, "UID FETCH 2"):
					s.say("* 2 FETCH (UID 2 BROKEN yes)")
				case strings.Contains(command, "BODY.PEEK[]"):
					uid := int(command[len("UID FETCH ")] - '0')
					s.say(body(uid, uid, rawLetter(fmt.Sprint(uid))), tag+" OK done")
				case strings.HasPrefix(command, "UID FETCH"):
					uids := command[len("UID FETCH "):]
					for uid := range 4 {
						if strings.Contains(uids[:strings.Index(uids, " ")], fmt.Sprint(uid)) {
							s.say(header(uid, uid, ourHeader))
						}
					}
					s.say(tag + " OK done")
				case strings.HasPrefix(command, "IDLE"):
					s.say("+ ok")
				default:
					s.say(tag + " OK done")
				}
				line = s.line()
			}
		})
		events := receive(t, mail.NewIMAP(a, nil))
		var got []string
		for len(got) < 2 {
			select {
			case e := <-events:
				if e.err == nil {
					got = append(got, e.m.ID)
				}
			case <-time.After(3 * time.Hour):
				t.Fatalf("Messages yielded %q in three hours, want 1 and 3", got)
			}
		}
		if !slices.Equal(got, []string{"1@a.test", "3@a.test"}) {
			t.Errorf("Messages yielded %q, want 1 and 3", got)
		}
	})
}
