package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"foldpost/app"
)

func (s *session) relayCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "relay DEVICE on|off",
		Short: "Say whether this device relays for another",
		Long: `Say whether this device relays for another: between it and a third one that is
linked with this device too, where the two can not reach each other. This device
can read nothing of what it passes on. It does so for your own devices unless
you say otherwise, and for others only if you say so, within the settings
relay-limit and relay-rate. "foldpost devices" tells for whom it does.`,
		Example: "  foldpost relay \"Bob's laptop\" on",
		Args:    args(cobra.ExactArgs(2)),
		RunE: s.with(func(ctx context.Context, svc app.Service, a []string) error {
			if a[1] != "on" && a[1] != "off" {
				return app.Errorf(app.CodeUsage, "%q is neither on nor off", a[1])
			}
			d, err := resolve(aDevice, a[0], devices(svc.State()))
			if err != nil {
				return err
			}
			on := a[1] == "on"
			if err := svc.Relay(ctx, d.ID, on); err != nil {
				return err
			}
			if on {
				return s.done("This device relays for %s now. Next: foldpost status", titled(d))
			}
			return s.done("This device does not relay for %s. Next: foldpost devices", titled(d))
		}),
		ValidArgsFunction: func(c *cobra.Command, a []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(a) == 1 {
				return []string{"on", "off"}, cobra.ShellCompDirectiveNoFileComp
			}
			return s.complete(func(st app.State) []string { return words(devices(st)) })(c, a, typed)
		},
	}
}

// relayText says what this device does for another.
func relayText(d app.Device) string {
	if d.Relay {
		return "relays for it"
	}
	return ""
}

// relayTable lists what goes through this device.
func (s *session) relayTable(st app.State) error {
	t := newTable(s.out)
	for _, r := range st.Relays {
		var names []string
		for _, id := range r.Between {
			names = append(names, deviceName(st, id))
		}
		t.row(strings.Join(names, " with "), size(r.Bytes), fmt.Sprintf("since %s", day(r.Since)))
	}
	return t.print()
}
