// Command foldpost keeps folders in sync directly between devices and people.
// It is a thin start: what commands there are is in app/cli, what they do in
// app/node; app/doc.go says in which order to read.
package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/adrg/xdg"

	"foldpost/app/cli"
	"foldpost/app/control"
	"foldpost/app/demo"
)

var version = "devel" // set by the Makefile

// usualHome is the platform's directory of keys and state.
func usualHome() string { return filepath.Join(xdg.DataHome, "foldpost") }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, cli.Deps{
		Version: version,
		Home:    usualHome,
		Connect: control.Dial,
		Run:     run,
		Window:  openWindow,
		Demo: func(ctx context.Context, o cli.DemoOptions) error {
			return runDemo(ctx, demo.Options{Exit: o.Exit, Out: o.Out, Terminal: o.Terminal, Verbose: o.Verbose, Version: version})
		},
	}, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
