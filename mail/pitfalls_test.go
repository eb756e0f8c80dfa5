package mail_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/mail"
	"foldpost/mail/mailtest"
)

// What an IMAP library that trusts its server would let happen, one test each.

func expectKind(t *testing.T, what string, err error, want mail.ProblemKind) {
	t.Helper()
	if p := asProblem(t, err); p.Kind != want {
		t.Errorf("%s: problem %v (%v), want %v", what, p.Kind, p.Err, want)
	}
}

func TestPitfall1NestingDoesNotEndTheProcess(t *testing.T) {
	for name, flood := range map[string]string{
		"body structure": "* 1 FETCH (BODYSTRUCTURE ",
		"after quotes":   "* 1 FETCH (X \"(((\" ",
		"number status":  "* 5 FETCH (BODYSTRUCTURE ",
		"behind a code":  "* OK [X\r\n* 1 FETCH (BODY[] {1000000}\r\n] \r\n* 1 FETCH (BODYSTRUCTURE ",
		"behind text":    "* OK {1000000}\r\n* 1 FETCH (BODYSTRUCTURE ",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := played(t, mail.ImplicitTLS, func(_ int, s *script) {
					s.say("* OK ready")
					s.raw(flood)
					for range 8 << 20 / 4096 {
						s.raw(strings.Repeat("(", 4096))
					}
				})
				expectKind(t, "Test", mail.NewIMAP(a, nil).Test(t.Context()), mail.OddServer)
			})
		})
	}
}

func TestPitfall2MemoryIsBounded(t *testing.T) {
	for name, send := range map[string]func(s *script){
		"literal": func(s *script) {
			s.raw("* LIST () \"/\" {268435456}\r\n")
			for range 268435456 / 65536 {
				s.raw(strings.Repeat("x", 65536))
			}
		},
		"many literals": func(s *script) {
			s.raw("* LIST ()")
			for {
				s.raw(" {65536}\r\n" + strings.Repeat("x", 65536))
			}
		},
		"endless line": func(s *script) {
			for {
				s.raw(strings.Repeat("x", 65536))
			}
		},
		"endless quoted string": func(s *script) {
			s.raw("* LIST () \"/\" \"")
			for {
				s.raw("x\r\n")
			}
		},
		"lines without end": func(s *script) {
			lines := strings.Repeat("* 5 EXISTS\r\n", 1000)
			for {
				s.raw(lines)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := played(t, mail.ImplicitTLS, func(_ int, s *script) {
					s.say("* OK " + caps + " ready")
					send(s)
				})
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				expectKind(t, "Test", mail.NewIMAP(a, nil).Test(t.Context()), mail.OddServer)
				runtime.GC()
				runtime.ReadMemStats(&after)
				t.Logf("%d MiB allocated, %d MiB held", (after.TotalAlloc-before.TotalAlloc)>>20, after.HeapAlloc>>20)
				if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 { // garbage included
					t.Errorf("%d MiB allocated, want at most 64", n>>20)
				}
				if n := after.HeapAlloc; n > 64<<20 {
					t.Errorf("%d MiB held, want at most 64", n>>20)
				}
			})
		})
	}
}

func TestPitfall3ASilentServerIsLeft(t *testing.T) {
	t.Run("command", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := played(t, mail.ImplicitTLS, func(_ int, s *script) {
				s.login()
				s.silence()
			})
			events := receive(t, mail.NewIMAP(a, nil))
			expectKind(t, "Messages", expectProblem(t, events, time.Minute), mail.Hanging)
		})
	})
	t.Run("idle", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := played(t, mail.ImplicitTLS, func(n int, s *script) {
				s.login()
				s.examine(n, 7, n)
				s.search("")
				if n == 2 {
					s.idle()
				}
				s.idle()
				s.silence()
			})
			began := time.Now()
			conns := 0
			dial := a.Dial
			back := make(chan time.Duration, 10)
			a.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				if conns++; conns > 1 {
					back <- time.Since(began)
				}
				return dial(ctx, network, addr)
			}
			receive(t, mail.NewIMAP(a, nil))
			if d := <-back; d > 6*time.Minute {
				t.Errorf("called again after %v, want at most 6m", d)
			}
		})
	})
}

func TestPitfall4AServerThatDoesNotGreetIsLeft(t *testing.T) {
	for _, security := range []mail.Security{mail.ImplicitTLS, mail.StartTLS} {
		synctest.Test(t, func(t *testing.T) {
			a := played(t, security, func(_ int, s *script) { s.silence() })
			began := time.Now()
			err := mail.NewIMAP(a, nil).Test(t.Context())
			expectKind(t, "Test", err, mail.Hanging)
			if d := time.Since(began); d > 35*time.Second {
				t.Errorf("Test took %v, want at most 35s", d)
			}
		})
	}
}

func TestPitfall5ClosingDoesNotWaitForTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := played(t, mail.ImplicitTLS, func(_ int, s *script) {
			s.login()
			s.examine(1, 7, 2)
			s.search(" 1")
			tag := s.hear("UID FETCH")
			s.say(header(1, 1, ourHeader), tag+" OK done")
			s.hear("BODY.PEEK[]")
			s.raw("* 1 FETCH (UID 1 BODY[] {1000}\r\nonly so much")
			s.silence()
		})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		for m, err := range mail.NewIMAP(a, nil).Messages(ctx) {
			t.Errorf("Messages yielded %v, %v; want nothing", m, err)
		}
		if d := time.Since(began); d > 11*time.Second {
			t.Errorf("Messages returned after %v, want with its context after 10s", d)
		}
	})
}

func TestPitfall6IdleEndedByTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := played(t, mail.ImplicitTLS, func(_ int, s *script) {
			s.login()
			s.examine(0, 7, 1)
			s.search("")
			tag := s.idle()
			s.say(tag + " OK enough of that")
			s.hear("DONE") // 5 minutes later; a server that follows the letter calls it unknown
			s.say(s.hear("NOOP") + " OK done")
			s.examine(1, 7, 2)
			s.search(" 1")
			s.deliver(1, 1, "x")
			s.silence()
		})
		events := receive(t, mail.NewIMAP(a, nil))
		if m := expectMessage(t, events, 6*time.Minute); m.ID != "x@a.test" {
			t.Errorf("Messages yielded %q, want x@a.test", m.ID)
		}
	})
}

func TestPitfall7NewsInTheMiddleOfACommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := played(t, mail.ImplicitTLS, func(_ int, s *script) {
			s.login()
			s.examine(1, 7, 2)
			tag := s.hear("UID SEARCH")
			for range 500 {
				s.say("* 1 EXISTS", "* FLAGS (\\Seen)", "* 1 EXPUNGE")
			}
			s.say("* SEARCH 1", tag+" OK done")
			s.deliver(1, 1, "x")
			s.silence()
		})
		events := receive(t, mail.NewIMAP(a, nil))
		expectMessage(t, events, time.Second)
	})
}

func TestPitfall8IdleDoesNotBlockTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := provider(t)
		b := box(s, bob)
		events := receive(t, b)
		synctest.Wait()
		s.SetFaults(mailtest.Faults{Junk: true})
		send(t, box(s, alice), letter(1))
		expectNothing(t, events, 2*time.Minute)
		b.WatchJunk(true)
		if m := expectMessage(t, events, time.Second); !m.Junk {
			t.Error("Junk is false for a message from the junk folder")
		}
		send(t, box(s, alice), letter(2))
		expectMessage(t, events, 61*time.Second)
		b.WatchJunk(false)
		send(t, box(s, alice), letter(3))
		expectNothing(t, events, 10*time.Minute)
		if n := s.Touched(); n != 0 {
			t.Errorf("%d commands touched the mailbox, want none", n)
		}
	})
}

func TestPitfall9ATruncatedMessageIsNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := played(t, mail.ImplicitTLS, func(n int, s *script) {
			s.login()
			s.examine(1, 7, 2)
			s.search(" 1")
			if n > 1 {
				s.deliver(1, 1, "x")
				s.silence()
			}
			tag := s.hear("UID FETCH")
			s.say(header(1, 1, ourHeader), tag+" OK done")
			s.hear("BODY.PEEK[]")
			s.raw("* 1 FETCH (UID 1 BODY[] {1000}\r\n" + rawLetter("x"))
		})
		events := receive(t, mail.NewIMAP(a, nil))
		expectKind(t, "Messages", expectProblem(t, events, time.Second), mail.Unreachable)
		if m := expectMessage(t, events, time.Minute); m.Text != "Hello\n" {
			t.Errorf("Messages yielded text %q, want all of it", m.Text)
		}
	})
}

func TestPitfall10UnknownResponsesLeadToPolling(t *testing.T) {
	for _, odd := range []string{"* VANISHED 1:5", "* XFUTURE (a b)", "* 1 FETCH (X-GM-MSGID 5)", "* STATUS INBOX", "+ what"} {
		t.Run(odd, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := played(t, mail.ImplicitTLS, func(n int, s *script) {
					s.login()
					s.examine(n, 7, n+1)
					s.search(map[bool]string{true: " 5"}[n == 5])
					if n == 5 {
						s.deliver(5, 5, "x")
					}
					if n < 4 {
						s.idle()
						s.say(odd)
					}
					s.say(s.hear("LOGOUT") + " OK bye") // polling: no IDLE any more
				})
				b := mail.NewIMAP(a, nil)
				events := receive(t, b)
				// The first is told to nobody: servers restart.
				for range 2 {
					expectKind(t, "Messages", expectProblem(t, events, 10*time.Minute), mail.OddServer)
				}
				if m := expectMessage(t, events, 30*time.Minute); m.ID != "x@a.test" {
					t.Errorf("Messages yielded %q, want x@a.test", m.ID)
				}
			})
		})
	}
}

func TestPitfall11MessagesNobodyAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := played(t, mail.ImplicitTLS, func(_ int, s *script) {
			s.login()
			s.examine(3, 7, 4)
			s.search(" 3")
			tag := s.hear("UID FETCH")
			s.say(header(9, 9, ourHeader), header(1, 0, ourHeader), header(3, 3, ourHeader), header(3, 3, ourHeader), tag+" OK done")
			tag = s.hear("UID FETCH 3 ")
			s.say(body(9, 9, rawLetter("nine")), body(1, 0, rawLetter("zero")), body(3, 3, rawLetter("three")), body(3, 3, rawLetter("again")), tag+" OK done")
			s.idle()
			s.silence()
		})
		events := receive(t, mail.NewIMAP(a, nil))
		if m := expectMessage(t, events, time.Second); m.ID != "three@a.test" {
			t.Errorf("Messages yielded %q, want three@a.test", m.ID)
		}
		expectNothing(t, events, time.Second)
	})
}

func TestPitfall12TheNewestMessageIsNotNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := played(t, mail.ImplicitTLS, func(_ int, s *script) {
			s.login()
			s.examine(1, 7, 6)
			s.search(" 5")
			s.deliver(1, 5, "x")
			tag := s.idle()
			s.say("* 1 EXISTS")
			s.hear("DONE")
			s.say(tag + " OK done")
			tag = s.hear("UID SEARCH UID 6:*")
			s.say("* SEARCH 5", tag+" OK done")
			s.idle() // and no FETCH
			s.silence()
		})
		events := receive(t, mail.NewIMAP(a, nil))
		expectMessage(t, events, time.Second)
		expectNothing(t, events, time.Second)
	})
}

func TestPitfall13RenumberedFolder(t *testing.T) {
	t.Run("validity", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := provider(t)
			events := receive(t, box(s, bob))
			send(t, box(s, alice), letter(1))
			send(t, box(s, alice), letter(2))
			expectMessage(t, events, time.Second)
			expectMessage(t, events, time.Second)
			if err := s.Renumber(bob); err != nil {
				t.Fatal(err)
			}
			send(t, box(s, alice), letter(3))
			if m := expectMessage(t, events, 6*time.Minute); m.ID != letter(3).ID {
				t.Errorf("Messages yielded %q, want only the new %q", m.ID, letter(3).ID)
			}
			expectNothing(t, events, 20*time.Minute)
		})
	})
	for name, next := range map[string]int{"next decreased": 3, "next missing": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := played(t, mail.ImplicitTLS, func(n int, s *script) {
					s.login()
					if n == 1 {
						s.examine(1, 7, 6)
						s.search(" 5")
						s.deliver(1, 5, "x")
						return
					}
					s.examine(2, 7, next)
					if next == 0 {
						s.search(" 6")
						s.deliver(2, 6, "y")
					} else {
						s.search(" 1 2")
						tag := s.hear("UID FETCH")
						s.say(header(1, 1, ourHeader), header(2, 2, ourHeader), tag+" OK done")
						tag = s.hear("UID FETCH 1 ")
						s.say(body(1, 1, rawLetter("x")), tag+" OK done")
						tag = s.hear("UID FETCH 2 ")
						s.say(body(2, 2, rawLetter("y")), tag+" OK done")
					}
					s.idle()
					s.silence()
				})
				events := receive(t, mail.NewIMAP(a, nil))
				expectMessage(t, events, time.Second)
				for {
					e := <-events
					if e.err != nil {
						continue
					}
					if e.m.ID != "y@a.test" {
						t.Errorf("Messages yielded %q, want only the new y@a.test", e.m.ID)
					}
					break
				}
				expectNothing(t, events, time.Second)
			})
		})
	}
}

func TestPitfall14NothingIsMoved(t *testing.T) {
	forbidden(t, "client.Move(", "client.Expunge(", "client.Store(", "client.Copy(", "client.Append(", "ReadOnly: false", "Peek: false")
}

func TestPitfall15NoALPN(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := make(chan []string, 10)
		a := played(t, mail.StartTLS, func(_ int, s *script) {
			config := mailtest.New(bob).TLS()
			config.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
				asked <- h.SupportedProtos
				return nil, nil
			}
			s.upgrade(config)
		})
		a.IMAP.Security = mail.ImplicitTLS
		mail.NewIMAP(a, nil).Test(t.Context())
		if protos := <-asked; len(protos) != 0 {
			t.Errorf("ALPN %q, want none: servers on port 993 refuse what they do not know", protos)
		}
	})
}

func TestPitfall16ThePasswordTravelsEncryptedOrNotAtAll(t *testing.T) {
	type step = func(s *script)
	imap := map[string]step{
		"refused":  func(s *script) { s.say("* OK hi"); s.say(s.hear("STARTTLS") + " BAD what") },
		"preauth":  func(s *script) { s.say("* PREAUTH you are in") },
		"bye":      func(s *script) { s.say("* BYE full") },
		"injected": func(s *script) { s.say("* OK hi"); tag := s.hear("STARTTLS"); s.say(tag+" OK go", "* OK injected") },
		"no tag": func(s *script) {
			s.say("* OK hi")
			s.hear("STARTTLS")
			s.say(strings.Split(strings.Repeat("* OK x\n", 100), "\n")...)
		},
		"long": func(s *script) { s.raw("* OK " + strings.Repeat("x", 10000)) },
	}
	smtp := map[string]step{
		"not offered": func(s *script) { s.say("220 hi"); s.hear("EHLO"); s.say("250-me", "250 AUTH PLAIN") },
		"refused": func(s *script) {
			s.say("220 hi")
			s.hear("EHLO")
			s.say("250-me", "250 STARTTLS")
			s.hear("STARTTLS")
			s.say("454 not today")
		},
		"injected": func(s *script) {
			s.say("220 hi")
			s.hear("EHLO")
			s.say("250 STARTTLS")
			s.hear("STARTTLS")
			s.say("220 go", "250 AUTH PLAIN")
		},
		"endless": func(s *script) {
			for {
				s.say("220-hi")
			}
		},
	}
	try := func(t *testing.T, play step, call func(mail.Account) error) {
		synctest.Test(t, func(t *testing.T) {
			var heard atomic.Int64
			password := ""
			a := played(t, mail.StartTLS, func(_ int, s *script) {
				play(s)
				b := make([]byte, 4096)
				for {
					n, err := s.r.Read(b)
					if bytes.Contains(b[:n], []byte(password)) || bytes.Contains(b[:n], []byte("LOGIN")) || bytes.Contains(b[:n], []byte("AUTH")) {
						heard.Add(1)
					}
					if err != nil {
						return
					}
				}
			})
			password = string(a.Password)
			p := asProblem(t, call(a))
			if heard.Load() != 0 {
				t.Error("the login was readable on the wire")
			}
			if p.Kind == mail.WrongPassword {
				t.Errorf("problem %v (%v)", p.Kind, p.Err)
			}
		})
	}
	for name, play := range imap {
		t.Run("imap "+name, func(t *testing.T) {
			try(t, play, func(a mail.Account) error { return mail.NewIMAP(a, nil).Test(context.Background()) })
		})
	}
	for name, play := range smtp {
		t.Run("smtp "+name, func(t *testing.T) {
			try(t, play, func(a mail.Account) error { return mail.NewIMAP(a, nil).Send(context.Background(), toBob()) })
		})
	}
	forbidden(t, "DialInsecure", "smtp.Dial(", "InsecureSkipVerify", "DebugWriter")
}

// toBob is a message that bob's own account may send.
func toBob() mail.Message {
	m := letter(1)
	m.From = bob
	return m
}

// forbidden fails where a Go file of this package, but for tests, contains one
// of the words.
func forbidden(t *testing.T, words ...string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." {
			return fs.SkipDir
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		for _, w := range words {
			if strings.Contains(string(text), w) {
				t.Errorf("%s contains %s", path, w)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
