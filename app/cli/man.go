package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manHome stands for the platform's directory in the page, which is read on
// other machines.
const manHome = "~/.local/share/foldpost"

func (s *session) manCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "man",
		Short:   "Print the manual page",
		Long:    "Print foldpost(1), made from the texts of this help.",
		Example: "  foldpost man | man -l -",
		Hidden:  true, // packages need it, people have man
		Args:    args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			page := manPage(c.Root(), s.Version)
			_, err := io.WriteString(s.out, strings.ReplaceAll(page, roff(s.Home()), roff(manHome)))
			return err
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
}

// manPage is one page for all commands, in the man macros of roff.
func manPage(root *cobra.Command, version string) string {
	var b strings.Builder
	name := root.Name()
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"%s %s\" \"User Commands\"\n", strings.ToUpper(name), name, roff(version))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", name, roff(strings.ToLower(root.Short[:1])+root.Short[1:]))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n.br\n.B %s COMMAND\n[ARGUMENT...] [OPTION...]\n", roff(root.Use), name)
	b.WriteString(".SH DESCRIPTION\n")
	manText(&b, root.Long, ".PP")
	for _, g := range root.Groups() {
		fmt.Fprintf(&b, ".SH %s\n", strings.ToUpper(roff(strings.TrimSuffix(g.Title, ":"))))
		for _, c := range root.Commands() {
			if c.GroupID == g.ID && c.IsAvailableCommand() {
				manCommand(&b, c)
			}
		}
	}
	b.WriteString(".SH OPTIONS\n")
	manFlags(&b, root.LocalNonPersistentFlags())
	manFlags(&b, root.PersistentFlags())
	b.WriteString(".SH EXAMPLES\n")
	manText(&b, root.Example, ".PP")
	b.WriteString(".SH ENVIRONMENT\n.TP\n.B FOLDPOST_HOME\nthe directory of keys and state, where \\-\\-home is not given\n" +
		".TP\n.B NO_COLOR\nif set, nothing is printed in bold or colour\n")
	return b.String()
}

func manCommand(b *strings.Builder, c *cobra.Command) {
	use := strings.TrimSuffix(c.UseLine(), " [flags]")
	fmt.Fprintf(b, ".TP\n.B %s\n", roff(use))
	manText(b, c.Long, ".IP")
	if c.HasAvailableLocalFlags() {
		b.WriteString(".RS\n")
		manFlags(b, c.LocalFlags())
		b.WriteString(".RE\n")
	}
	if c.Example != "" {
		b.WriteString(".IP\nExample:\n")
		manText(b, c.Example, ".IP")
	}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			manCommand(b, sub)
		}
	}
}

func manFlags(b *strings.Builder, flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		term := `\-\-` + roff(f.Name)
		if f.Shorthand != "" {
			term = `\-` + f.Shorthand + ", " + term
		}
		if value != "" {
			term += " " + roff(value)
		}
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", term, roff(usage))
	})
}

// manText writes paragraphs. Lines that begin with blanks stay lines.
func manText(b *strings.Builder, text, between string) {
	for i, par := range strings.Split(strings.Trim(text, "\n"), "\n\n") {
		if i > 0 {
			b.WriteString(between + "\n")
		}
		asIs := false
		for line := range strings.SplitSeq(par, "\n") {
			if is := strings.HasPrefix(line, "  "); is != asIs {
				asIs = is
				b.WriteString(map[bool]string{true: between + "\n.nf\n", false: ".fi\n"}[is])
			}
			b.WriteString(roff(line) + "\n")
		}
		if asIs {
			b.WriteString(".fi\n")
		}
	}
}

// roff is text as roff takes it: nothing in it is a request or an escape, and a
// hyphen is one that can be copied.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
