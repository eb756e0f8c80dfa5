//go:build !nogui && !linux && !freebsd && !openbsd && !netbsd

package desktop

import (
	"context"
	"log/slog"

	"fyne.io/fyne/v2"

	"foldpost/ui"
)

// These systems have a tray, always.
func mayHaveTray(context.Context) bool { return true }
func hasTray(context.Context) bool     { return true }

// A notifier shows notices as Fyne does.
type notifier struct{ app fyne.App }

func newNotifier(a fyne.App, _ *slog.Logger) *notifier { return &notifier{a} }

func (n *notifier) show(notice ui.Notice) {
	n.app.SendNotification(fyne.NewNotification(inScript(notice.Title), inScript(notice.Text)))
}

// Run does nothing: these notifications cannot be clicked.
func (n *notifier) Run(ctx context.Context, _ func(ui.Notice)) { <-ctx.Done() }
