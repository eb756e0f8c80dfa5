package main

import (
	"context"
	"errors"
	"log/slog"

	"foldpost/app/cli"
	"foldpost/app/control"
	"foldpost/app/node"
)

// run is the program without a window.
func run(ctx context.Context, o cli.RunOptions) error {
	_, wait, err := start(ctx, o)
	if err != nil {
		return err
	}
	return wait()
}

// start begins a node, and the socket that commands reach it by. Both end when
// one of them or ctx does; wait returns when they have.
func start(ctx context.Context, o cli.RunOptions) (n *node.Node, wait func() error, err error) {
	log := slog.New(slog.NewTextHandler(o.Log, &slog.HandlerOptions{Level: map[bool]slog.Level{true: slog.LevelDebug}[o.Verbose]}))
	c := node.Config{Home: o.Home, Listen: o.Listen, Version: version, Log: log, Ready: o.Ready, Autostart: autostart(o.Home), Forget: takeBack}
	if !o.NoKeyring {
		c.Keyring = node.SystemKeyring()
	}
	n, err = node.New(c)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	socket, err := control.Listen(ctx, o.Home, log)
	if err != nil {
		cancel()
		return nil, nil, errors.Join(err, n.Run(ctx)) // which lets go of the home
	}
	ended := make(chan error, 2)
	go func() { ended <- socket.Run(ctx, n); cancel() }()
	go func() { ended <- n.Run(ctx); cancel() }()
	return n, func() error { return errors.Join(<-ended, <-ended) }, nil
}

// autostart starts the program at login for the home that it runs for now.
func autostart(home string) node.Autostart {
	if home == usualHome() {
		return node.SystemAutostart(atLogin)
	}
	return node.SystemAutostart(atLogin, "--home", home)
}
