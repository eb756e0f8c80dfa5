//go:build nogui

package main

import (
	"context"

	"foldpost/app/cli"
	"foldpost/app/demo"
)

// openWindow is nil: this build has no window.
var openWindow func(context.Context, cli.WindowOptions) error

// atLogin is what starts this program without a window.
const atLogin = "run"

// runDemo shows the demo in the terminal.
func runDemo(ctx context.Context, o demo.Options) error { return demo.Run(ctx, o) }

// takeBack does nothing: only a window tells the system of itself.
func takeBack() error { return nil }
