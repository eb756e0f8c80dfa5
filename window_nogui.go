//go:build nogui

package main

import (
	"context"

	"foldpost/app/cli"
)

// openWindow is nil: this build has no window.
var openWindow func(context.Context, cli.WindowOptions) error

// atLogin is what starts this program without a window.
const atLogin = "run"
