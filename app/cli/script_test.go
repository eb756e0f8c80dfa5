package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"foldpost/app"
	"foldpost/app/apptest"
)

// A stage is a Fake and what happens to it, one event after each State that
// Watch has yielded.
type stage struct {
	*apptest.Fake

	mu      sync.Mutex
	events  []func()
	stopped bool             // no foldpost runs
	ended   bool             // it ended in between
	late    app.InvitationID // the State does not show at once that it was accepted
	shown   app.State        // that Watch has yielded last

	interrupt func() // the command that runs
}

func (s *stage) Watch(ctx context.Context) iter.Seq[app.State] {
	return func(yield func(app.State) bool) {
		for st := range s.Fake.Watch(ctx) {
			if s.ended || !yield(st) {
				return
			}
			s.mu.Lock()
			s.shown = st
			var next func()
			if len(s.events) > 0 {
				next, s.events = s.events[0], s.events[1:]
			}
			s.mu.Unlock()
			if next != nil {
				next()
			}
		}
	}
}

// Accept leaves the State as it is for an invitation that is late.
func (s *stage) Accept(ctx context.Context, r app.AcceptRequest) (app.Accepted, error) {
	before := s.State()
	a, err := s.Fake.Accept(ctx, r)
	if a.ID == s.late {
		s.Update(func(st *app.State) { *st = before })
	}
	return a, err
}

func (s *stage) deps() Deps {
	return Deps{
		Version: "1.2.3",
		Home:    func() string { return "/home/of/tests" },
		Connect: func(_ context.Context, home string) (app.Service, io.Closer, error) {
			if s.stopped {
				return nil, nil, app.Errorf(app.CodeNotRunning, "foldpost does not run for %s: start it with `foldpost run`", home)
			}
			return s, io.NopCloser(nil), nil
		},
		Run: func(ctx context.Context, o RunOptions) error {
			if s.stopped {
				return app.Errorf(app.CodeFailed, "foldpost runs already for %s", o.Home)
			}
			o.Ready()
			for _, a := range o.Listen {
				io.WriteString(o.Log, "listening at "+a.String()+"\n")
			}
			return nil
		},
		Demo: func(_ context.Context, o DemoOptions) error {
			io.WriteString(o.Out, "demo, exit "+strconv.FormatBool(o.Exit)+"\n")
			if s.stopped {
				return errors.New("the trees differ")
			}
			return nil
		},
	}
}

// Scripts run the real command line on a Fake:
//
//	foldpost [=CODE] [<FILE] ARG…   exits with CODE, else 0
//	now EVENT…   then EVENT…        happens at once, or after the next State
//	calls CALL                      this was the last call
//	state FILE                      the State is this JSON
func TestScripts(t *testing.T) {
	t.Setenv("FOLDPOST_HOME", "")
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Values["stage"] = &stage{Fake: apptest.NewFake()}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"foldpost": runLine,
			"now":      func(ts *testscript.TestScript, _ bool, args []string) { event(ts, args)() },
			"then": func(ts *testscript.TestScript, _ bool, args []string) {
				s := stageOf(ts)
				s.events = append(s.events, event(ts, args))
			},
			"calls": func(ts *testscript.TestScript, neg bool, args []string) {
				all := stageOf(ts).Calls()
				if got := all[max(0, len(all)-1)]; (got == args[0]) == neg {
					ts.Fatalf("last call %q, want %q; all: %q", got, args[0], all)
				}
			},
			"state": func(ts *testscript.TestScript, _ bool, args []string) {
				stageOf(ts).Update(func(st *app.State) { ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), st)) })
			},
		},
	})
}

func stageOf(ts *testscript.TestScript) *stage { return ts.Value("stage").(*stage) }

func runLine(ts *testscript.TestScript, _ bool, args []string) {
	want := 0
	stdin := ""
	if len(args) > 0 && strings.HasPrefix(args[0], "=") {
		n, err := strconv.Atoi(args[0][1:])
		ts.Check(err)
		want, args = n, args[1:]
	}
	if len(args) > 0 && strings.HasPrefix(args[0], "<") {
		stdin, args = strings.ReplaceAll(ts.ReadFile(args[0][1:]), "$WORK", ts.Getenv("WORK")), args[1:]
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second) // only if it hangs
	defer cancel()
	stageOf(ts).interrupt = cancel
	got := Main(ctx, stageOf(ts).deps(), args, strings.NewReader(stdin), ts.Stdout(), ts.Stderr())
	if got != want {
		ts.Fatalf("foldpost %q = %d, want %d", args, got, want)
	}
}

// event makes what the other side, or the program by itself, does.
func event(ts *testscript.TestScript, a []string) func() {
	s := stageOf(ts)
	switch a[0] {
	case "end": // of the foldpost that runs
		return func() { s.ended = true; s.Update(func(*app.State) {}) }
	case "stop":
		return func() { s.stopped = true }
	case "device": // ID NAME OWNER
		return func() {
			s.Update(func(st *app.State) { st.Devices = append(st.Devices, device(a)) })
		}
	case "pair": // ID NAME OWNER INVITATION
		return func() { s.PairWith(app.InvitationID(a[4]), device(a)) }
	case "offer": // ID NAME FROM
		return func() {
			s.Update(func(st *app.State) {
				st.Offers = append(st.Offers, app.Offer{ID: app.FolderID(a[1]), Name: a[2], From: app.DeviceID(a[3]), Files: 3, Bytes: 4000, Role: "read-write"})
			})
		}
	case "finish": // FOLDER
		return func() { s.Finish(app.FolderID(a[1])) }
	case "ask": // ID KIND INVITATION FOLDER TEXT
		return func() {
			s.Ask(app.Question{
				ID: app.QuestionID(a[1]), Kind: app.QuestionKind(a[2]), Invitation: app.InvitationID(a[3]), Folder: app.FolderID(a[4]), Text: a[5],
				Choices: []app.Choice{{ID: app.ChoiceYes, Text: "Yes"}, {ID: app.ChoiceNo, Text: "No"}},
			})
		}
	case "folder": // ID STATE
		return func() {
			s.Update(func(st *app.State) {
				for i := range st.Folders {
					if string(st.Folders[i].ID) == a[1] {
						st.Folders[i].State = app.FolderState(a[2])
					}
				}
			})
		}
	case "step": // INVITATION STEP PROBLEM
		return func() {
			s.Update(func(st *app.State) {
				for i := range st.Invitations {
					if string(st.Invitations[i].ID) == a[1] {
						st.Invitations[i].Step, st.Invitations[i].Problem = app.Step(a[2]), a[3]
					}
				}
			})
		}
	case "why": // INVITATION TEXT
		return func() {
			s.Update(func(st *app.State) {
				for i := range st.Invitations {
					if string(st.Invitations[i].ID) == a[1] {
						st.Invitations[i].Why = &app.Finding{Text: a[2], Advice: "Do this."}
					}
				}
			})
		}
	case "interrupt": // by its user
		return func() { s.interrupt() }
	case "find": // REASON DEVICE NAME VALUE …
		return func() {
			f := app.Found(app.Reason(a[1]), a[3:]...)
			f.Device, f.Detail = app.DeviceID(a[2]), "tried 203.0.x.x\n"
			s.Find(f)
		}
	case "failed": // INVITATION PROBLEM: a received one is in the list so, whatever Accept does
		return func() {
			s.Update(func(st *app.State) {
				st.Invitations = append(st.Invitations, app.OpenInvitation{ID: app.InvitationID(a[1]), Direction: app.Received, Step: app.StepFailed, Problem: a[2]})
			})
			s.late = app.InvitationID(a[1])
		}
	case "withdrawn": // INVITATION
		return func() { ts.Check(s.Withdraw(context.Background(), app.InvitationID(a[1]))) }
	case "letter": // INPUT ID FROM WORDS
		return func() {
			s.Receive(a[1], app.Proposal{ID: app.InvitationID(a[2]), From: a[3], Name: "Ada"}, a[4])
		}
	case "keep": // FOLDER PATH TIME CONTENT
		return func() {
			at, err := time.Parse(time.RFC3339Nano, a[3])
			ts.Check(err)
			s.Keep(app.FolderID(a[1]), a[2], at, a[4])
		}
	case "fail": // METHOD CODE TEXT
		return func() { s.Fail(a[1], app.Errorf(app.ErrorCode(a[2]), "%s", a[3])) }
	case "guess": // DOMAIN "PROVIDER LOGIN HELP CONFIRM IMAP SMTP"
		return func() { s.Guess(a[1], guess(strings.Fields(a[2]))) }
	case "changed": // FOLDER PATH DEVICE TIME
		return func() {
			at, err := time.Parse(time.RFC3339, a[4])
			ts.Check(err)
			s.Happen(app.FolderID(a[1]), app.Change{Path: a[2], What: app.Changed, Device: app.DeviceID(a[3]), At: at})
		}
	case "near": // ID NAME
		return func() {
			s.Update(func(st *app.State) {
				st.Nearby = append(st.Nearby, app.Nearby{ID: app.NearbyID(a[1]), Name: a[2]})
			})
		}
	case "request": // ID NAME: of a device nearby
		return func() {
			s.Ask(app.Question{
				ID: app.QuestionID(a[1]), Kind: app.AskNearby, Name: a[2], Text: a[2] + " wants to be linked.",
				Choices: []app.Choice{{ID: app.ChoiceOpen, Text: "Compare words"}, {ID: app.ChoiceNo, Text: "Refuse"}},
			})
		}
	case "same": // ID NAME: words to be compared
		return func() { s.Ask(apptest.SameWords(app.QuestionID(a[1]), a[2])) }
	case "broke": // NAME TEXT
		return func() {
			s.Ask(app.Question{ID: "broke", Kind: app.AskBrokenOff, Name: a[1], Text: a[2], Choices: []app.Choice{{ID: app.ChoiceSeen}}})
		}
	case "compared": // CHOICE: somebody answers the words elsewhere, once they were shown here
		return func() { s.compared(ts, a[1]) }
	case "mail": // WITH SUBJECT
		return func() { s.Mail(app.Mail{Direction: app.Sent, With: a[1], Subject: a[2]}) }
	case "conflict": // FOLDER PATH COPY…
		return func() { s.Conflict(app.FolderID(a[1]), app.Conflict{Path: a[2], Copies: a[3:]}) }
	case "differ": // EQUAL HERE THERE DIFFERENT
		return func() {
			n := func(i int) app.Count { v, _ := strconv.Atoi(a[i]); return app.Count{Files: v, Bytes: int64(10 * v)} }
			s.Differ(app.Comparison{Equal: n(1), OnlyHere: n(2), OnlyThere: n(3), Different: n(4), Examples: []string{"a b", "c\x1b[2J"}})
		}
	}
	ts.Fatalf("no event %q", a[0])
	return nil
}

// compared answers a question about words, as soon as one was shown.
func (s *stage) compared(ts *testscript.TestScript, choice string) {
	s.mu.Lock()
	q, ok := sameWords(s.shown)
	if !ok {
		s.events = append([]func(){func() { s.compared(ts, choice) }}, s.events...)
	}
	s.mu.Unlock()
	if ok {
		ts.Check(s.Answer(context.Background(), q.ID, choice))
	}
}

func guess(a []string) app.MailboxGuess {
	for i := range a {
		a[i] = strings.TrimPrefix(a[i], "-")
	}
	return app.MailboxGuess{Provider: a[0], Login: app.MailboxLogin(a[1]), Help: a[2], Confirm: a[3] != "", IMAP: a[4], SMTP: a[5]}
}

func device(a []string) app.Device {
	return app.Device{ID: app.DeviceID(a[1]), Name: a[2], Owner: a[3], Verified: "words"}
}

func TestListenAddrs(t *testing.T) {
	for _, c := range []struct {
		in   string
		want string // "" for an error
	}{
		{"192.0.2.7:4000", "192.0.2.7:4000"},
		{"[2001:db8::7]:4000", "[2001:db8::7]:4000"},
		{"127.0.0.1:0 [::1]:0", "127.0.0.1:0 [::1]:0"},
		{":4000", "0.0.0.0:4000 [::]:4000"},
		{"localhost:4000", "127.0.0.1:4000"},
		{"[::ffff:192.0.2.7]:1", "192.0.2.7:1"},
		{"192.0.2.7:1 192.0.2.8:2", ""},
		{":4000 [::1]:4000", ""},
		{"192.0.2.7", ""},
		{"192.0.2.7:70000", ""},
		{"nas:4000", ""},
		{"224.0.0.1:1", ""},
	} {
		got, err := listenAddrs(strings.Fields(c.in))
		var want []netip.AddrPort
		for f := range strings.FieldsSeq(c.want) {
			want = append(want, netip.MustParseAddrPort(f))
		}
		if (err != nil) != (c.want == "") || len(got) != len(want) {
			t.Errorf("listenAddrs(%q) = %v, %v, want %q", c.in, got, err, c.want)
			continue
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("listenAddrs(%q) = %v, want %q", c.in, got, c.want)
			}
		}
	}
}

// On a terminal wrong words are asked for again.
func TestWordsAgain(t *testing.T) {
	s := &stage{Fake: apptest.NewFake()}
	s.Receive("foldpost letter", app.Proposal{ID: "inv9", Name: "Ada"}, apptest.Words)
	var out, talk bytes.Buffer
	ses := newSession(s.deps(), strings.NewReader("a b c d e f\n"+apptest.Words+"\n"), &out, &talk)
	ses.inFD, ses.errTerm = 0, true
	id, err := ses.acceptWith(t.Context(), s, app.Proposal{NeedsWords: true, Name: "Ada"}, invitationText{input: "foldpost letter"})
	if err != nil || id != "inv9" {
		t.Errorf("acceptWith = %q, %v, want inv9", id, err)
	}
	if n := strings.Count(talk.String(), "six words"); n != 2 {
		t.Errorf("asked %d times, want 2: %s", n, talk.String())
	}
}

// A context that ends is Ctrl-C.
func TestInterrupted(t *testing.T) {
	s := &stage{Fake: apptest.NewFake()}
	ctx, cancel := context.WithCancel(t.Context())
	s.events = append(s.events, cancel)
	var out, talk bytes.Buffer
	if code := Main(ctx, s.deps(), []string{"pair", "--link", "-q"}, strings.NewReader(""), &out, &talk); code != exitBroken {
		t.Errorf("interrupted pair = %d, want %d", code, exitBroken)
	}
	if out.String() != "foldpost:1/inv1\n" {
		t.Errorf("interrupted pair printed %q, want the link", out.String())
	}
}

// Watching prints each State as one line, until Ctrl-C.
func TestStatusWatch(t *testing.T) {
	s := &stage{Fake: apptest.NewFake()}
	ctx, cancel := context.WithCancel(t.Context())
	s.events = append(s.events, func() { s.Update(func(st *app.State) { st.Device.Name = "second" }) }, cancel)
	var out, talk bytes.Buffer
	if code := Main(ctx, s.deps(), []string{"status", "--watch", "--json"}, strings.NewReader(""), &out, &talk); code != exitBroken {
		t.Errorf("interrupted status --watch = %d, want %d", code, exitBroken)
	}
	var got []string
	for line := range strings.Lines(out.String()) {
		var st app.State
		if err := json.Unmarshal([]byte(line), &st); err != nil {
			t.Errorf("status --watch --json printed %q: %v", line, err)
		}
		got = append(got, st.Device.Name)
	}
	if strings.Join(got, " ") != "here second" {
		t.Errorf("status --watch --json printed %v, want here, second", got)
	}
	if talk.Len() > 0 {
		t.Errorf("status --watch --json said %q", talk.String())
	}
}

// What comes on standard input is an invitation, and the words after it.
func TestFindInvitation(t *testing.T) {
	file := filepath.Join(t.TempDir(), "Ada.foldpost")
	if err := os.WriteFile(file, []byte("foldpost letter 1\nAAAA\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const sixWords = "violin rocket umbrella canyon mango drift"
	for _, c := range []struct{ name, in, input, words string }{ // words: those found, then those asked for
		{"link", "foldpost:1/AAAA\n", "foldpost:1/AAAA", ""},
		{"link without end", "foldpost:1/AAAA", "foldpost:1/AAAA", ""},
		{"link after blanks", "\n  \n foldpost:1/AAAA \n", "foldpost:1/AAAA", ""},
		{"file, then words", file + "\n" + sixWords + "\n", "foldpost letter 1\nAAAA\n", sixWords},
		{"id, then words", "mailed\n\n" + sixWords, "mailedid", sixWords},
		{"address, then words", "ada@example.org\n" + sixWords, "mailedid", sixWords},
		{"words alone, for what came by mail", sixWords + "\n", "", sixWords},
		{"message, then words", "Hi Bob,\n\nwords here\n---- \nAAAA\n----\n" + sixWords + "\n", "Hi Bob,\n\nwords here\n---- \nAAAA\n----", sixWords},
		{"quoted message", "> Hi\r\n> ----\r\n> AAAA\r\n> ----\r\n\r\n" + sixWords + "\r\n", "> Hi\n> ----\n> AAAA\n> ----", sixWords},
		{"content of a file, then words", "foldpost letter 1\nAAAA\nBBBB\n\n" + sixWords + "\n\n", "foldpost letter 1\nAAAA\nBBBB\n", sixWords},
		{"content of a file with a link", "foldpost invite 1\nAAAA\n", "foldpost invite 1\nAAAA", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &stage{Fake: apptest.NewFake()}
			s.Ask(app.Question{ID: "q", Kind: app.AskInvitation, Invitation: "mailedid"})
			s.Receive("mailedid", app.Proposal{ID: "mailedid", From: "ada@example.org"}, sixWords)
			ses := newSession(s.deps(), strings.NewReader(c.in), io.Discard, io.Discard)
			got, err := ses.findInvitation(t.Context(), s, "")
			if err != nil || got.input != c.input {
				t.Fatalf("findInvitation(%q) = %q, %v, want %q", c.in, got.input, err, c.input)
			}
			words, err := ses.words(t.Context(), app.Proposal{NeedsWords: c.words != ""}, got.words)
			if err != nil || words != c.words {
				t.Errorf("words after findInvitation(%q) = %q, %v, want %q", c.in, words, err, c.words)
			}
		})
	}
}

// Every command explains itself with an example.
func TestHelpTexts(t *testing.T) {
	s := newSession((&stage{Fake: apptest.NewFake()}).deps(), strings.NewReader(""), io.Discard, io.Discard)
	root := s.root()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			continue
		}
		all := append(c.Commands(), c)
		for _, c := range all {
			if c.Short == "" || c.Long == "" || !strings.Contains(c.Example, "foldpost ") {
				t.Errorf("%s: short %q, long %d bytes, example %q: want all", c.CommandPath(), c.Short, len(c.Long), c.Example)
			}
		}
	}
}
