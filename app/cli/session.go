package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"foldpost/app"
)

// A session is one command line at work: its streams and its flags.
type session struct {
	Deps
	in       *bufio.Reader
	out, err io.Writer
	inFD     int // of the terminal that standard input is, else -1
	outTerm  bool
	errTerm  bool

	home                                       string
	homeGiven                                  bool // by --home
	json, quiet, verbose, yes, noInput, hidden bool
}

func newSession(d Deps, stdin io.Reader, stdout, stderr io.Writer) *session {
	s := &session{Deps: d, in: bufio.NewReader(io.LimitReader(stdin, maxInput)), out: stdout, err: stderr, inFD: -1}
	if isTerminal(stdin) {
		s.inFD = int(stdin.(*os.File).Fd())
	}
	s.outTerm, s.errTerm = isTerminal(stdout), isTerminal(stderr)
	return s
}

// maxInput bounds what is read from standard input or from a file that is
// said to be an invitation.
const maxInput = 1 << 20

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// with connects to what runs and calls do.
func (s *session) with(do func(ctx context.Context, svc app.Service, args []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		svc, conn, err := s.Connect(c.Context(), s.home)
		if err != nil {
			return err
		}
		defer conn.Close()
		return do(c.Context(), svc, args)
	}
}

// nextIs begins the hint at the next command in what say tells.
const nextIs = "Next: foldpost "

// say tells a person what is so now or goes on.
func (s *session) say(format string, args ...any) {
	if s.quiet {
		return
	}
	text := fmt.Sprintf(format, args...)
	if s.homeGiven { // the next command is about the same home
		text = strings.Replace(text, nextIs, nextIs+"--home "+quoted(s.home)+" ", 1)
	}
	fmt.Fprintln(s.err, shownText(text))
}

// emit prints a result as JSON: one object in one line.
func (s *session) emit(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %T: %w", v, err)
	}
	_, err = fmt.Fprintf(s.out, "%s\n", b)
	return err
}

// done ends a command that changed something: in words, or with --json as an
// object.
func (s *session) done(format string, args ...any) error {
	s.say(format, args...)
	if s.json {
		return s.emit(struct {
			V    int  `json:"v"`
			Done bool `json:"done"`
		}{app.StateVersion, true})
	}
	return nil
}

// canAsk is true where a person is there to answer.
func (s *session) canAsk() bool { return s.inFD >= 0 && s.errTerm && !s.noInput }

// line reads one line, without its end. It returns io.EOF only if there is
// none left.
func (s *session) line(ctx context.Context) (string, error) {
	type result struct {
		text string
		err  error
	}
	ch := make(chan result, 1)
	go func() { // a read of a terminal cannot be interrupted: it ends with the process
		text, err := s.in.ReadString('\n')
		ch <- result{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", ended(ctx)
	case r := <-ch:
		if errors.Is(r.err, io.EOF) && r.text != "" {
			r.err = nil
		}
		return strings.TrimRight(r.text, "\r\n"), r.err
	}
}

// ask puts a question to a person.
func (s *session) ask(ctx context.Context, prompt string) (string, error) {
	fmt.Fprint(s.err, shownText(prompt)+" ")
	text, err := s.line(ctx)
	return strings.TrimSpace(text), err
}

// confirm asks for a yes. Where nobody can be asked, the command was the yes.
func (s *session) confirm(ctx context.Context, prompt string) (bool, error) {
	if s.yes || !s.canAsk() {
		return true, nil
	}
	text, err := s.ask(ctx, prompt+" [Y/n]")
	if err != nil {
		return false, err
	}
	switch strings.ToLower(text) {
	case "", "y", "yes":
		return true, nil
	}
	return false, nil
}

// password asks for one without showing it.
func (s *session) password(ctx context.Context, prompt string) (string, error) {
	fmt.Fprint(s.err, shownText(prompt)+" ")
	defer fmt.Fprintln(s.err)
	before, err := term.GetState(s.inFD)
	if err != nil {
		return "", fmt.Errorf("look at the terminal: %w", err)
	}
	type result struct {
		text []byte
		err  error
	}
	ch := make(chan result, 1)
	go func() { // as in line
		text, err := term.ReadPassword(s.inFD)
		ch <- result{text, err}
	}()
	select {
	case <-ctx.Done():
		term.Restore(s.inFD, before)
		return "", ended(ctx)
	case r := <-ch:
		return string(r.text), r.err
	}
}

// waiting is how long a command waits until what it began has happened.
type waiting struct {
	not   bool
	limit duration
}

func (w *waiting) flags(c *cobra.Command) {
	c.Flags().BoolVar(&w.not, "no-wait", false, "return at once; it goes on")
	c.Flags().Var(&w.limit, "timeout", "wait at most this long, then exit with 3; it goes on")
}

// begin returns ctx with the limit, whose cause is then errNotYet.
func (w *waiting) begin(ctx context.Context) (context.Context, context.CancelFunc) {
	if w.limit == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, time.Duration(w.limit), errNotYet)
}

// ended returns errNotYet, or that ctx was cancelled; nil while it goes on.
func ended(ctx context.Context) error {
	if context.Cause(ctx) == errNotYet {
		return errNotYet
	}
	return ctx.Err()
}

// until watches the State until goal is reached. What says in a few words what
// is waited for.
func until(ctx context.Context, svc app.Service, what string, goal func(app.State) (bool, error)) error {
	for st := range svc.Watch(ctx) {
		reached, err := goal(st)
		if reached || err != nil {
			return err
		}
	}
	switch err := ended(ctx); {
	case err == errNotYet:
		return fmt.Errorf("waiting %s: %w", what, errNotYet)
	case err != nil:
		return err
	}
	return app.Errorf(app.CodeNotRunning, "foldpost ended while this waited %s: start it with `foldpost run`, then do this again", what)
}

// showTimeout is ample for the State to catch up with a call.
const showTimeout = 3 * time.Second

// shows lets the State catch up with a call that has returned, so that the
// next command sees what this one did. It is false where that takes too long,
// or where it was undone meanwhile.
func shows(ctx context.Context, svc app.Service, changed func(app.State) bool) bool {
	ctx, cancel := context.WithTimeout(ctx, showTimeout)
	defer cancel()
	for st := range svc.Watch(ctx) {
		if changed(st) {
			return true
		}
	}
	return false
}

// A duration is a flag: Go's form, and days and weeks.
type duration time.Duration

func (d *duration) String() string {
	if *d == 0 {
		return ""
	}
	return time.Duration(*d).String()
}

// Type is what the help text calls it.
func (d *duration) Type() string { return "D" }

// Set reads "90s", "2h30m", "7d" or "1w".
func (d *duration) Set(text string) error {
	v, err := parseDuration(text)
	*d = duration(v)
	return err
}

// maxDuration keeps days and weeks from overflowing.
const maxDuration = 10 * 365 * 24 * time.Hour

func parseDuration(text string) (time.Duration, error) {
	bad := fmt.Errorf("%q is no duration above zero: write 90s, 2h30m, 7d or 1w", text)
	unit := time.Duration(0)
	number, isDays := strings.CutSuffix(text, "d")
	if isDays {
		unit = 24 * time.Hour
	} else if number, _ = strings.CutSuffix(text, "w"); number != text {
		unit = 7 * 24 * time.Hour
	}
	if unit == 0 {
		v, err := time.ParseDuration(text)
		if err != nil || v <= 0 || v > maxDuration {
			return 0, bad
		}
		return v, nil
	}
	n, err := strconv.ParseUint(number, 10, 16)
	v := time.Duration(n) * unit
	if err != nil || v <= 0 || v > maxDuration {
		return 0, bad
	}
	return v, nil
}
