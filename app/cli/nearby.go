package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"foldpost/app"
)

// Times of `foldpost nearby`.
const (
	nearbyLook  = 3 * time.Second  // how long it looks before it says that nobody is there
	nearbyAfter = 10 * time.Minute // how long this device stays visible for who typed it on both
)

func (s *session) nearbyCmd() *cobra.Command {
	var watch bool
	c := &cobra.Command{
		Use:   "nearby",
		Short: "List the devices in this network that want to be linked",
		Long: `List the devices in this network that let themselves be found, and let this one
be found: for ten minutes they see its name and may ask to be linked. Type it on
both devices, then link them from either one with "foldpost pair NAME".

With --watch the list is shown again after each change, and this device is found
until Ctrl-C.`,
		Example: `  foldpost nearby
  foldpost pair "Bob's laptop"`,
		Args: args(cobra.NoArgs),
		RunE: s.with(func(ctx context.Context, svc app.Service, _ []string) error {
			if watch {
				return s.watchNearby(ctx, svc)
			}
			return s.nearby(ctx, svc)
		}),
	}
	c.Flags().BoolVar(&watch, "watch", false, "show it again after each change, until Ctrl-C")
	return c
}

// openNearby holds the door for devices nearby open while do runs, and for so
// long after it. It ends do where the door is closed for safety.
func openNearby(ctx context.Context, svc app.Service, after time.Duration, do func(context.Context) error) error {
	holding, leave := context.WithCancel(ctx)
	defer leave()
	doing, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := svc.OpenNearby(holding, after); err != nil && holding.Err() == nil {
			stop(err)
		}
	}()
	err := do(doing)
	leave()
	<-ended
	if cause := context.Cause(doing); cause != nil && ctx.Err() == nil && err != nil {
		return cause
	}
	return err
}

func (s *session) nearby(ctx context.Context, svc app.Service) error {
	return openNearby(ctx, svc, nearbyAfter, func(ctx context.Context) error {
		looking, cancel := context.WithTimeout(ctx, nearbyLook)
		defer cancel()
		var st app.State
		for st = range svc.Watch(looking) {
			if len(st.Nearby) > 0 {
				break
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.showNearby(st); err != nil || len(st.Nearby) > 0 || s.json {
			return err
		}
		return s.sayWhyNobody(ctx, svc)
	})
}

// sayWhyNobody says what this device knows of the reason.
func (s *session) sayWhyNobody(ctx context.Context, svc app.Service) error {
	list, err := svc.Doctor(ctx)
	for _, f := range list {
		if f.Area == app.AreaNearby && f.Reason != app.FoundNearby && f.Reason != app.FoundNearbySoon {
			s.say("%s", strings.TrimSpace(f.Text+" "+f.Advice))
		}
	}
	return err
}

func (s *session) watchNearby(ctx context.Context, svc app.Service) error {
	return openNearby(ctx, svc, 0, func(ctx context.Context) error {
		return s.watch(ctx, svc, s.showNearby)
	})
}

func (s *session) showNearby(st app.State) error {
	if s.json {
		return s.emit(struct {
			V      int          `json:"v"`
			Nearby []app.Nearby `json:"nearby"`
		}{st.V, st.Nearby})
	}
	if len(st.Nearby) == 0 {
		s.say("No device is found nearby. This one is visible as %q now: open foldpost on the other device in the same network, or type `foldpost nearby` there, then here again.", st.Device.Name)
		return nil
	}
	if err := s.nearbyTable(st); err != nil {
		return err
	}
	s.say("Next: foldpost pair %s", quoted(st.Nearby[0].Name))
	return nil
}

func (s *session) nearbyTable(st app.State) error {
	t := newTable(s.out)
	for _, d := range st.Nearby {
		t.row(abbr(neighbours(st), string(d.ID)), d.Name)
	}
	return t.print()
}

// neighbours are the devices nearby. A name that looks like an address is not
// one to be called by.
func neighbours(st app.State) []meaning[app.Nearby] {
	var all []meaning[app.Nearby]
	for _, d := range st.Nearby {
		name := d.Name
		if isAddress(name) {
			name = ""
		}
		all = append(all, meaning[app.Nearby]{value: d, id: string(d.ID), names: names(name), label: d.Name})
	}
	return all
}
