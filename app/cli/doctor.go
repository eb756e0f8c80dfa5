package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
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
				_, err = io.WriteString(s.out, shownText(app.ListFindings(list, s.verbose)))
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

// writeReport writes what may be shown to strangers.
func (s *session) writeReport(name string, list []app.Finding) error {
	text := shownText(app.Report(list, time.Now()))
	if name == "-" {
		_, err := io.WriteString(s.out, text)
		return err
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		return app.Errorf(app.CodeFailed, "write the report: %v", err)
	}
	s.say("The report is in %s. Look through it before you show it to anybody.", name)
	return nil
}
