// Command foldpost keeps folders in sync directly between devices and people.
// It is a thin start: what commands there are is in app/cli, what they do in
// app/node; app/doc.go says in which order to read.
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/adrg/xdg"

	"foldpost/app/cli"
	"foldpost/app/control"
	"foldpost/app/demo"
	"foldpost/app/node"
)

var version = "devel" // set by the Makefile

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, cli.Deps{
		Version: version,
		Home:    func() string { return filepath.Join(xdg.DataHome, "foldpost") },
		Connect: control.Dial,
		Run:     run,
		Demo: func(ctx context.Context, o cli.DemoOptions) error {
			return demo.Run(ctx, demo.Options{Exit: o.Exit, Out: o.Out, Terminal: o.Terminal, Verbose: o.Verbose, Version: version})
		},
	}, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program without a window: a node, and the socket that commands
// reach it by.
func run(ctx context.Context, o cli.RunOptions) error {
	log := slog.New(slog.NewTextHandler(o.Log, &slog.HandlerOptions{Level: map[bool]slog.Level{true: slog.LevelDebug}[o.Verbose]}))
	c := node.Config{Home: o.Home, Listen: o.Listen, Version: version, Log: log, Ready: o.Ready}
	if !o.NoKeyring {
		c.Keyring = node.SystemKeyring()
	}
	n, err := node.New(c)
	if err != nil {
		return err
	}
	socket, err := control.Listen(ctx, o.Home, log)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- socket.Run(ctx, n) }()
	err = n.Run(ctx)
	cancel()
	return errors.Join(err, <-served)
}
