package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"

	"github.com/spf13/cobra"

	"foldpost/app"
)

func (s *session) runCmd() *cobra.Command {
	var listen []string
	var noKeyring bool
	c := &cobra.Command{
		Use:   "run",
		Short: "Run foldpost without a window, until SIGTERM",
		Long: `Run foldpost without a window until SIGTERM or Ctrl-C. It logs on standard
error and tells systemd when it is ready. There is one foldpost for each home
directory.

Without --listen it uses one port on all addresses, the same after each start:
"foldpost config port" shows it.`,
		Example: `  foldpost run
  foldpost run --listen 192.0.2.7:4000 --listen [2001:db8::7]:4000`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			addrs, err := listenAddrs(listen)
			if err != nil {
				return err
			}
			ctx := c.Context()
			err = s.Run(ctx, RunOptions{Home: s.home, Listen: addrs, Log: s.err, Verbose: s.verbose, NoKeyring: noKeyring, Ready: func() {
				s.say("foldpost runs for %s. Next: foldpost status", s.home)
				if err := notifyReady(os.Getenv("NOTIFY_SOCKET")); err != nil {
					s.say("tell systemd: %v", err)
				}
			}})
			return stoppedBy(ctx, err)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	c.Flags().StringArrayVar(&listen, "listen", nil, "`HOST:PORT` to listen at, at most one of IPv4 and one of IPv6")
	c.Flags().BoolVar(&noKeyring, "no-keyring", false, "keep the e-mail password in a file that only you can read, not in the desktop's keyring")
	return c
}

// stoppedBy: a program that runs until it is told to end has done so.
func stoppedBy(ctx context.Context, err error) error {
	if ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx))) {
		return nil
	}
	return err
}

// listenAddrs reads the addresses of --listen: at most one per family.
func listenAddrs(texts []string) ([]netip.AddrPort, error) {
	var all []netip.AddrPort
	for _, text := range texts {
		found, err := listenAddr(text)
		if err != nil {
			return nil, err
		}
		for _, a := range found {
			for _, b := range all {
				if a.Addr().Is4() == b.Addr().Is4() {
					return nil, app.Errorf(app.CodeUsage, "--listen %s: there is %s of the same family already; give at most one of IPv4 and one of IPv6", text, b)
				}
			}
			all = append(all, a)
		}
	}
	return all, nil
}

func listenAddr(text string) ([]netip.AddrPort, error) {
	bad := app.Errorf(app.CodeUsage, "--listen %s: write an address of this machine and a port, like 192.0.2.7:4000, [::]:4000 or :4000", text)
	host, portText, err := net.SplitHostPort(text)
	if err != nil {
		return nil, bad
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, bad
	}
	switch host {
	case "", "*":
		return []netip.AddrPort{
			netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(port)),
			netip.AddrPortFrom(netip.IPv6Unspecified(), uint16(port)),
		}, nil
	case "localhost":
		host = "127.0.0.1"
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.IsMulticast() {
		return nil, bad
	}
	return []netip.AddrPort{netip.AddrPortFrom(addr.Unmap(), uint16(port))}, nil
}

// notifyReady tells systemd that a service is up (sd_notify(3)).
func notifyReady(socket string) error {
	if socket == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte("READY=1"))
	return err
}

func (s *session) demoCmd() *cobra.Command {
	var exit bool
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show two devices and a mail server on this machine",
		Long: `Show two devices and a mail server on this machine, step by step: an invitation
by mail, six words, a link, files that arrive, a conflict, the trash. It uses
directories of its own and touches nothing of yours. Then both folders stay in
sync until Ctrl-C, to play with.`,
		Example: "  foldpost demo --exit",
		Args:    args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			ctx := c.Context()
			err := s.Demo(ctx, DemoOptions{Exit: exit, Out: s.out, Terminal: s.outTerm, Verbose: s.verbose})
			if exit {
				return err
			}
			return stoppedBy(ctx, err)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	c.Flags().BoolVar(&exit, "exit", false, "end when both folders are equal: 0 if that worked, else 1")
	return c
}

func (s *session) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Long:    "Print the version of this program.",
		Example: "  foldpost version --json",
		Args:    args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if s.json {
				return s.emit(struct {
					V       int    `json:"v"`
					Version string `json:"version"`
					Go      string `json:"go"`
					System  string `json:"system"`
				}{app.StateVersion, s.Version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH})
			}
			_, err := fmt.Fprintf(s.out, "foldpost %s\n", s.Version)
			return err
		},
	}
}
