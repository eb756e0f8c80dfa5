// Package cli is the command line: it turns arguments into calls of an
// [app.Service] and its State into text, JSON and exit codes. It knows the
// vocabulary of app and how terminals and scripts want to be talked to. How
// the program is started or reached it is told by [Deps].
//
// Results go to standard output; talk, questions and progress to standard
// error. Secrets are read from the terminal or standard input, never from
// arguments or the environment.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"foldpost/app"
)

// Deps is what the commands need of the program.
type Deps struct {
	Version string
	Home    func() string // the platform's directory, used if neither --home nor $FOLDPOST_HOME is given

	// Connect reaches the foldpost that runs for home. If there is none its
	// error has the code app.CodeNotRunning.
	Connect func(ctx context.Context, home string) (app.Service, io.Closer, error)
	// Run is foldpost without a window until ctx is done, which is no error.
	Run func(ctx context.Context, o RunOptions) error
	// Demo shows two devices and a mail server until ctx is done, which is no
	// error.
	Demo func(ctx context.Context, o DemoOptions) error
	// Window opens the window; nil in a build without one.
	Window func(ctx context.Context, o WindowOptions) error
}

// RunOptions are those of `foldpost run`.
type RunOptions struct {
	Home      string
	Listen    []netip.AddrPort // at most one per address family; none: the kept port on all addresses
	Log       io.Writer
	Verbose   bool
	NoKeyring bool   // passwords stay in Home
	Ready     func() // to be called once when commands are answered
}

// DemoOptions are those of `foldpost demo`.
type DemoOptions struct {
	Exit     bool // end when both folders are equal
	Out      io.Writer
	Terminal bool // Out shows a progress bar well
	Verbose  bool
}

// WindowOptions are those of foldpost without a command.
type WindowOptions struct {
	Home   string
	Open   string // an invite link or the path of a .foldpost file; "" for none
	Hidden bool   // tray icon only
}

// Exit codes. Scripts rely on them.
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2
	exitNotYet   = 3
	exitQuestion = 4
	exitNotRuns  = 5
	exitBroken   = 130 // Ctrl-C
)

// errNotYet is the cause of a context whose --timeout has passed.
var errNotYet = errors.New("time ran out; it goes on")

// Main runs one command line, without the program's name, and returns its exit
// code. It ends early when ctx is done.
func Main(ctx context.Context, d Deps, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	s := newSession(d, stdin, stdout, stderr)
	root := s.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	code := exitCode(ctx, err)
	if code != exitBroken && err != errFound {
		fmt.Fprintln(stderr, "foldpost: "+errorText(err))
	}
	return code
}

func exitCode(ctx context.Context, err error) int {
	switch {
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return exitBroken
	case errors.Is(err, errNotYet), errors.Is(err, context.DeadlineExceeded):
		return exitNotYet
	}
	switch app.CodeOf(err) {
	case app.CodeUsage, app.CodeNotFound:
		return exitUsage
	case app.CodeQuestion:
		return exitQuestion
	case app.CodeNotRunning:
		return exitNotRuns
	}
	return exitFailed
}

func errorText(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return errNotYet.Error()
	}
	return shownText(err.Error())
}

// The groups of commands in the help text.
const (
	groupPeople  = "people"
	groupFolders = "folders"
	groupProgram = "program"
)

func (s *session) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "foldpost [LINK|FILE]",
		Short: "Keep folders in sync between devices and people, without a server",
		Long: `Foldpost keeps folders in sync directly between devices and people. There is
no server and no account but the e-mail address you already have. Both
computers must be on at the same time.

Start it with "foldpost run"; the other commands talk to what runs.

Results go to standard output, everything else to standard error. Exit codes:
  0    done, or it was so already
  1    failed: one line says what was tried and what to do
  2    wrong usage, or a name that fits nothing or more than one thing
  3    time ran out; it goes on
  4    a person must answer: "foldpost answer" shows what
  5    foldpost does not run for this home
  130  Ctrl-C`,
		Example: `  foldpost run &
  foldpost share ~/Photos bob@example.org
  foldpost pair --link | ssh nas foldpost accept -
  foldpost wait --with nas --timeout 2h Photos && rm -r ~/Photos.old`,
		Args:              s.rootArgs,
		RunE:              s.window,
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
	}
	f := root.PersistentFlags()
	f.StringVar(&s.home, "home", "", "`DIR` of keys and state (else $FOLDPOST_HOME, else "+s.Home()+")")
	f.BoolVar(&s.json, "json", false, "print one JSON object (\"status --watch\": one per line)")
	f.BoolVarP(&s.quiet, "quiet", "q", false, "say nothing but results and errors")
	f.BoolVarP(&s.verbose, "verbose", "v", false, "say more")
	f.BoolVarP(&s.yes, "yes", "y", false, "answer yes to what would be asked")
	f.BoolVar(&s.noInput, "no-input", false, "ask nothing")
	root.Flags().BoolVar(&s.hidden, "hidden", false, "start in the tray, without a window")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return app.Errorf(app.CodeUsage, "%v: see `%s --help`", err, c.CommandPath())
	})
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return s.findHome() }
	root.AddGroup(
		&cobra.Group{ID: groupPeople, Title: "People and devices:"},
		&cobra.Group{ID: groupFolders, Title: "Folders:"},
		&cobra.Group{ID: groupProgram, Title: "The program:"},
	)
	add := func(group string, cmds ...*cobra.Command) {
		for _, c := range cmds {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add(groupPeople, s.shareCmd(), s.pairCmd(), s.acceptCmd(), s.withdrawCmd(), s.answerCmd(), s.nearbyCmd(), s.devicesCmd(), s.relayCmd(), s.unpairCmd())
	add(groupFolders, s.foldersCmd(), s.joinCmd(), s.leaveCmd(), s.unshareCmd(), s.moveCmd(), s.pauseCmd(), s.resumeCmd(), s.waitCmd(), s.recentCmd(), s.conflictsCmd(), s.resolveCmd(), s.trashCmd(), s.restoreCmd())
	add(groupProgram, s.runCmd(), s.demoCmd(), s.statusCmd(), s.doctorCmd(), s.configCmd(), s.mailboxCmd(), s.resetCmd(), s.versionCmd(), s.manCmd())
	root.SetHelpCommandGroupID(groupProgram)
	root.SetCompletionCommandGroupID(groupProgram)
	root.SetHelpCommand(helpCmd(root))
	return root
}

// helpCmd is cobra's but for the exit code of a command that does not exist.
func helpCmd(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Explain a command",
		Long:    "Explain a command, or list all.",
		Example: "  foldpost help share",
		GroupID: groupProgram,
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil || c == root && len(rest) > 0 {
				return app.Errorf(app.CodeUsage, "there is no command %q: `foldpost help` lists all", args[0])
			}
			c.InitDefaultHelpFlag()
			return c.Help()
		},
	}
}

// rootArgs tells an invitation, which the window opens, from a mistyped
// command.
func (s *session) rootArgs(c *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case len(args) == 1 && (isLink(args[0]) || filepath.Ext(args[0]) == ".foldpost"):
		return nil
	}
	text := fmt.Sprintf("there is no command %q: `foldpost help` lists all", args[0])
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		text = fmt.Sprintf("there is no command %q: did you mean `foldpost %s`?", args[0], near[0])
	}
	return app.Errorf(app.CodeUsage, "%s", text)
}

func (s *session) window(c *cobra.Command, args []string) error {
	if s.Window == nil {
		if len(args) == 1 {
			return app.Errorf(app.CodeFailed, "this build of foldpost has no window: start it with `foldpost run`, then take the invitation with `foldpost accept`")
		}
		return app.Errorf(app.CodeFailed, "this build of foldpost has no window: start it with `foldpost run`; `foldpost help` lists the commands")
	}
	o := WindowOptions{Home: s.home, Hidden: s.hidden}
	if len(args) == 1 {
		o.Open = args[0]
	}
	return s.Window(c.Context(), o)
}

// findHome settles which home directory this command is about.
func (s *session) findHome() error {
	s.homeGiven = s.home != ""
	if s.home == "" {
		s.home = os.Getenv("FOLDPOST_HOME")
	}
	if s.home == "" {
		s.home = s.Home()
	}
	abs, err := filepath.Abs(s.home)
	if err != nil {
		return app.Errorf(app.CodeFailed, "find home directory %s: %v", s.home, err)
	}
	s.home = abs
	return nil
}

// args makes a usage error of what cobra says about the number of arguments.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, a []string) error {
		if err := check(c, a); err != nil {
			return app.Errorf(app.CodeUsage, "usage: %s; see `%s --help`", c.UseLine(), c.CommandPath())
		}
		return nil
	}
}
