//go:build !nogui

package main

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"foldpost/app"
	"foldpost/app/cli"
	"foldpost/app/control"
	"foldpost/app/demo"
	"foldpost/app/node"
	"foldpost/ui/desktop"
	_ "foldpost/ui/hush" // until init
)

func init() { log.SetOutput(os.Stderr) }

// atLogin is what starts this program in the tray.
const atLogin = "--hidden"

// takeBack takes back what the window told the system.
func takeBack() error { return desktop.Forget() }

// openWindow shows the window of a home until its user quits it. If there is
// one already, that one is shown and opens what this start was given.
func openWindow(ctx context.Context, o cli.WindowOptions) error {
	h := &host{home: o.Home, log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	open, problem := control.CheckOpen(o.Open)
	socket, s, err := h.take(ctx, control.WindowRequest{Open: open, Hidden: o.Hidden && problem == nil})
	if err != nil || socket == nil {
		return tell(ctx, errors.Join(problem, err))
	}
	ctx, cancel := context.WithCancel(ctx)
	asked, requests, served := make(chan control.WindowRequest), make(chan desktop.Request), make(chan error, 1)
	go func() { served <- socket.Run(ctx, asked); close(asked) }()
	go func() {
		defer close(requests)
		for r := range asked {
			select {
			case requests <- desktop.Request(r):
			case <-ctx.Done():
			}
		}
	}()
	err = desktop.Run(ctx, desktop.Options{
		Service: s, Open: open, Hidden: o.Hidden && problem == nil, Problem: problem,
		Requests: requests, Reach: h.reach, Why: h.why, Log: h.log,
	})
	cancel()
	return errors.Join(err, <-served, h.end())
}

// tell shows an error in a window if nobody reads it in a terminal.
func tell(ctx context.Context, err error) error {
	if err != nil && ctx.Err() == nil && !term.IsTerminal(int(os.Stderr.Fd())) {
		desktop.RunProblem(ctx, err)
	}
	return err
}

// A host finds the program that a window shows: in another process, or else
// in this one.
type host struct {
	home string
	log  *slog.Logger

	mu  sync.Mutex
	own *own // what runs in this process, or did; nil if nothing
}

// own is a program in this process.
type own struct {
	stop  context.CancelFunc
	ended chan struct{}
	err   error // why it has ended, once ended is closed
}

// Another start of the program at the same time is waited for this long.
const (
	startPause = 200 * time.Millisecond
	startTries = 50
)

// take makes this process the one with the home's window. The socket is nil if
// another one has it; then that was asked to do what r says.
func (h *host) take(ctx context.Context, r control.WindowRequest) (*control.WindowServer, app.Service, error) {
	var last error
	for range startTries {
		if err := control.Show(ctx, h.home, r); app.CodeOf(err) != app.CodeNotRunning {
			return nil, nil, err
		}
		if err := desktop.CheckDisplay(); err != nil {
			return nil, nil, err
		}
		s, err := h.reach(ctx, true)
		if err == nil {
			var socket *control.WindowServer
			if socket, err = control.ListenWindow(ctx, h.home, h.log); err == nil {
				return socket, s, nil
			}
			err = errors.Join(err, h.end())
		}
		if !errors.Is(err, node.ErrRunning) && !errors.Is(err, control.ErrWindow) {
			return nil, nil, err
		}
		last = err
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(startPause):
		}
	}
	return nil, nil, last
}

// reach finds the program of the home, and with start makes it run in this
// process if it runs in no other.
func (h *host) reach(ctx context.Context, begin bool) (app.Service, error) {
	s, _, err := control.Dial(ctx, h.home)
	if err == nil || !begin || app.CodeOf(err) != app.CodeNotRunning {
		return s, err
	}
	if err := h.end(); err != nil {
		h.log.Warn("foldpost had ended", "err", err)
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	n, wait, err := start(run, cli.RunOptions{Home: h.home, Log: os.Stderr})
	if err != nil {
		stop()
		return nil, err
	}
	o := &own{stop: stop, ended: make(chan struct{})}
	go func() {
		o.err = wait()
		close(o.ended)
	}()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.own = o
	return n, nil
}

// why returns why what ran in this process has ended, nil if it has not.
func (h *host) why() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.own == nil {
		return nil
	}
	select {
	case <-h.own.ended:
		return h.own.err
	default:
		return nil
	}
}

// end ends what runs in this process.
func (h *host) end() error {
	h.mu.Lock()
	o := h.own
	h.own = nil
	h.mu.Unlock()
	if o == nil {
		return nil
	}
	o.stop()
	<-o.ended
	return o.err
}

// runDemo shows the demo in the terminal, and where there is a display also in
// a window for each device.
func runDemo(ctx context.Context, o demo.Options) error {
	if o.Exit || desktop.CheckDisplay() != nil {
		return demo.Run(ctx, o)
	}
	return desktop.RunStage(ctx, func(ctx context.Context, stage *desktop.Stage) error {
		o.Show = stage.Open
		return demo.Run(ctx, o)
	})
}
