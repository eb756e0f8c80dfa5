package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"foldpost/app"
)

func (s *session) mailsCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "mails",
		Short:   "List the messages that foldpost sent and read",
		Long:    "List the messages that foldpost sent and read in the mailbox, newest first. It\nreads and sends no others, and keeps nothing of their content.",
		Example: "  foldpost mailbox mails",
		Args:    args(cobra.NoArgs),
		RunE: s.with(func(ctx context.Context, svc app.Service, _ []string) error {
			all, err := svc.Mails(ctx)
			if err != nil {
				return err
			}
			if s.json {
				return s.emit(struct {
					V     int        `json:"v"`
					Mails []app.Mail `json:"mails"`
				}{app.StateVersion, append([]app.Mail{}, all...)})
			}
			if len(all) == 0 {
				s.say("No message was sent or read yet.")
			}
			t := newTable(s.out)
			for _, m := range all {
				t.row(m.At.Local().Format(time.RFC3339), string(m.Direction), m.With, m.Subject)
			}
			return t.print()
		}),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
}
