package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"foldpost/app"
)

// errFound: the doctor has said what is wrong; there is nothing to add.
var errFound = errors.New("")

func (s *session) doctorCmd() *cobra.Command {
	var report string
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Show what works and what does not, on whose side, and what helps",
		Long: `Look at this device, its network, its mailbox, the link to each device and the
folders: what works, on whose side it fails, and what to do. Nothing is changed
and nothing is sent. Addresses are shortened; --verbose adds what was tried.

--report writes the same to a file that may be shown to strangers: without
names of devices, folders and files, without mail addresses and secrets.

It exits with 1 if something is wrong, with 0 when a report is written.`,
		Example: `  foldpost doctor
  foldpost doctor --report report.txt
  foldpost doctor --json | jq '.findings[] | select(.ok | not)'`,
		Args: args(cobra.NoArgs),
		RunE: s.with(func(ctx context.Context, svc app.Service, _ []string) error {
			list, err := svc.Doctor(ctx)
			if err != nil {
				return err
			}
			if report != "" {
				return s.writeReport(report, list)
			}
			if s.json {
				err = s.emit(struct {
					V        int           `json:"v"`
					Findings []app.Finding `json:"findings"`
				}{app.StateVersion, append([]app.Finding{}, list...)})
			} else {
				err = showFindings(s.out, list, s.verbose)
			}
			if err == nil && slices.ContainsFunc(list, func(f app.Finding) bool { return !f.OK }) {
				err = errFound
			}
			return err
		}),
	}
	c.Flags().StringVar(&report, "report", "", "write it to `FILE` (-: standard output), fit to be shown to strangers")
	return c
}

// showFindings prints findings by area: what is wrong with its side, and what
// helps below it.
func showFindings(w io.Writer, list []app.Finding, details bool) error {
	var b strings.Builder
	area := app.Area("")
	for _, f := range list {
		if f.Area != area {
			if area = f.Area; b.Len() > 0 {
				b.WriteString("\n")
			}
			b.WriteString(areaTitle(area) + "\n")
		}
		mark := "  ok  "
		if !f.OK {
			mark = "  !!  "
		}
		b.WriteString(mark + f.Text + sideText(f) + "\n")
		if f.Advice != "" {
			b.WriteString("      -> " + f.Advice + "\n")
		}
		if details {
			for line := range strings.Lines(f.Detail) {
				b.WriteString("      " + strings.TrimSuffix(line, "\n") + "\n")
			}
		}
	}
	_, err := io.WriteString(w, shownText(b.String()))
	return err
}

func areaTitle(a app.Area) string {
	switch a {
	case app.AreaDevice:
		return "This device"
	case app.AreaNetwork:
		return "Network"
	case app.AreaNearby:
		return "Nearby"
	case app.AreaMailbox:
		return "Mailbox"
	case app.AreaLink:
		return "Devices"
	case app.AreaFolder:
		return "Folders"
	}
	return string(a)
}

func sideText(f app.Finding) string {
	if f.OK {
		return ""
	}
	switch f.Side {
	case app.SideHere:
		return " [this side]"
	case app.SideThere:
		return " [the other side]"
	case app.SideNetwork:
		return " [the network]"
	}
	return ""
}

// writeReport writes what may be shown to strangers.
func (s *session) writeReport(name string, list []app.Finding) error {
	out := make([]app.Finding, len(list))
	for i, f := range list {
		out[i] = f.ForReport()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Report of foldpost doctor, %s\n\n", time.Now().UTC().Format(time.RFC3339))
	if err := showFindings(&b, out, true); err != nil {
		return err
	}
	if name == "-" {
		_, err := io.WriteString(s.out, b.String())
		return err
	}
	if err := os.WriteFile(name, []byte(b.String()), 0o600); err != nil {
		return app.Errorf(app.CodeFailed, "write the report: %v", err)
	}
	s.say("The report is in %s. Look through it before you show it to anybody.", name)
	return nil
}
