package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"foldpost/p2p"
)

// How long a reset waits: for folders to end, and for who asked for it to hear
// that it is done.
const (
	endFolders = 30 * time.Second
	hearOfEnd  = 2 * time.Second
)

// Reset implements [app.Service]. What only the end of the program can take
// away, it takes away then: Run forgets the home.
func (n *Node) Reset(ctx context.Context) error {
	err := n.ForgetMailbox(ctx)
	var peers []p2p.PeerID
	if uerr := n.update(func(s *kept) error {
		peers = nil
		for _, p := range s.Peers {
			peers = append(peers, p2p.PeerID(p.Peer))
		}
		*s = firstState()
		return nil
	}); uerr != nil {
		return errors.Join(err, uerr)
	}
	n.tellMembers()
	for _, p := range peers {
		n.endpoint.Unpair(p)
	}
	n.mu.Lock()
	n.inbox = nil
	n.mu.Unlock()
	n.waitForFolders(ctx)
	if n.cfg.Autostart != nil {
		if on, _ := n.cfg.Autostart.On(); on {
			err = errors.Join(err, n.cfg.Autostart.Set(false))
		}
	}
	if n.cfg.Forget != nil {
		err = errors.Join(err, n.cfg.Forget())
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.reset || n.ctx == nil || n.ctx.Err() != nil {
		return err
	}
	n.reset = true
	n.tasks.Go(func() {
		select {
		case <-ctx.Done(): // the call has been answered
		case <-n.ctx.Done():
		case <-time.After(hearOfEnd):
		}
		n.stop()
	})
	return err
}

// waitForFolders returns when the loop has ended all folders.
func (n *Node) waitForFolders(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, endFolders)
	defer cancel()
	for {
		n.mu.Lock()
		left, changed := len(n.folders), n.begun
		n.mu.Unlock()
		if left == 0 {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// forgetHome removes what a node keeps, the keys first, and the home itself
// unless something else is in it.
func (n *Node) forgetHome() error {
	home := n.cfg.Home
	errs := []error{os.RemoveAll(filepath.Join(home, "identity"))}
	entries, err := os.ReadDir(home)
	errs = append(errs, err)
	for _, e := range entries {
		if isNamed(e.Name(), homeNames) && e.Name() != "lock" {
			errs = append(errs, os.RemoveAll(filepath.Join(home, e.Name())))
		}
	}
	os.Remove(filepath.Join(home, "lock")) // some systems keep what is open
	os.Remove(home)
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("forget what is in %s: %w", home, err)
	}
	return nil
}
