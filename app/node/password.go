package node

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"foldpost/app"
)

// Where the mailbox's password is: in the system's keyring if that opens,
// else in the state file, which only its user can read.

// keyringTime is how long a keyring is waited for while a user waits for us. A
// locked one asks for a password of its own, in a window that may be hidden.
const keyringTime = 3 * time.Second

// retryKeyring is how long a keyring that failed is left alone.
const retryKeyring = 30 * time.Second

// inKeyring is what MailboxState.Kept says of a password there.
const inKeyring = "keyring"

// unlocked is the password that the keyring holds, as far as it is known.
type unlocked struct {
	entry    string // the keyring's account
	password string
	known    bool
	trouble  trouble // why it is not known
}

var (
	errLocked    = errors.New("open keyring: no answer in time")
	errNoKeyring = errors.New("open keyring: this program was started without one")
)

// entry is the keyring's account of an address. Two homes of one user have two.
func (n *Node) entry(address string) string {
	home, err := filepath.Abs(n.cfg.Home)
	if err != nil {
		home = n.cfg.Home
	}
	return home + " " + address
}

// stow puts a password into the keyring, and reads it back. What comes about
// after the time limit is undone: the password is kept elsewhere by then.
func (n *Node) stow(ctx context.Context, entry, password string) error {
	ring := n.cfg.Keyring
	return waitBriefly(ctx, func() error {
		if err := ring.Set(entry, password); err != nil {
			return err
		}
		got, err := ring.Get(entry)
		if err == nil && got != password {
			err = errors.New("the keyring gives another password than it was given")
		}
		return err
	}, func() { ring.Delete(entry) })
}

// discard takes a password out of the keyring.
func (n *Node) discard(ctx context.Context, entry string) error {
	if n.cfg.Keyring == nil {
		return errNoKeyring
	}
	return waitBriefly(ctx, func() error { return n.cfg.Keyring.Delete(entry) }, func() {})
}

// waitBriefly waits for a call to a keyring, which nothing can interrupt, for
// keyringTime at most. late undoes what it did after that.
func waitBriefly(ctx context.Context, call func() error, late func()) error {
	ctx, cancel := context.WithTimeoutCause(ctx, keyringTime, errLocked)
	defer cancel()
	result := make(chan error)
	go func() { // ends with the call, or with the process
		err := call()
		select {
		case result <- err:
		case <-ctx.Done():
			if err == nil {
				late()
			}
		}
	}()
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// withPassword is k with its password, and whether that is known already.
func (n *Node) withPassword(k keptMailbox) (keptMailbox, bool) {
	if k.Entry == "" {
		return k, true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.unlocked == nil || n.unlocked.entry != k.Entry || !n.unlocked.known {
		return k, false
	}
	k.Password = n.unlocked.password
	return k, true
}

// unlock begins to fetch a password from the keyring, once.
func (n *Node) unlock(ctx context.Context, k keptMailbox) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.unlocked != nil && n.unlocked.entry == k.Entry || ctx.Err() != nil {
		return
	}
	u := &unlocked{entry: k.Entry}
	n.unlocked = u
	n.tasks.Go(func() { n.fetchPassword(ctx, k, u) })
}

// fetchPassword asks the keyring until it has given u's password, or until
// nobody wants it any more.
func (n *Node) fetchPassword(ctx context.Context, k keptMailbox, u *unlocked) {
	note := func(err error) (over bool) {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.unlocked != u || u.known {
			return true
		}
		lost := errors.Is(err, ErrNoPassword)
		text := fmt.Sprintf("The password of %s is in the system's keyring, which does not open. Unlock the keyring, or set up the e-mail account again.", k.Address)
		if lost {
			text = fmt.Sprintf("The password of %s is not in the system's keyring any more. Set up the e-mail account again.", k.Address)
		}
		u.trouble.note(text, lost)
		return false
	}
	for {
		password, err := n.askKeyring(ctx, u.entry, note)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			n.mu.Lock()
			if n.unlocked == u {
				u.password, u.known = password, true
			}
			n.mu.Unlock()
			n.kick()
			return
		}
		n.log.Debug("open keyring", "err", err)
		if note(err) {
			return
		}
		n.kick()
		select {
		case <-ctx.Done():
			return
		case <-time.After(retryKeyring):
		}
	}
}

// askKeyring waits for the keyring as long as its user takes to unlock it: to
// ask again meanwhile would only open another window.
func (n *Node) askKeyring(ctx context.Context, entry string, slow func(error) bool) (string, error) {
	if n.cfg.Keyring == nil {
		return "", errNoKeyring
	}
	type result struct {
		password string
		err      error
	}
	results := make(chan result, 1)
	go func() { // ends with the call, or with the process
		password, err := n.cfg.Keyring.Get(entry)
		results <- result{password, err}
	}()
	t := time.NewTimer(keyringTime)
	defer t.Stop()
	for {
		select {
		case r := <-results:
			return r.password, r.err
		case <-ctx.Done():
			return "", ctx.Err()
		case <-t.C:
			slow(errLocked)
			n.kick()
		}
	}
}

// keepMailbox keeps an account whose password works, in the place of the one
// before.
func (n *Node) keepMailbox(ctx context.Context, k keptMailbox) error {
	entry := n.entry(k.Address)
	if n.cfg.Keyring == nil {
		k.Entry = ""
	} else if err := n.stow(ctx, entry, k.Password); err == nil {
		n.mu.Lock()
		n.unlocked = &unlocked{entry: entry, password: k.Password, known: true}
		n.mu.Unlock()
		k.Entry, k.Password = entry, ""
	} else {
		n.log.Info("the e-mail password is kept in a file: the keyring does not work", "err", err)
	}
	var old string
	err := n.update(func(s *kept) error {
		if s.Mailbox != nil {
			old = s.Mailbox.Entry
		}
		s.Mailbox = &k
		return nil
	})
	if err == nil && old != "" && old != k.Entry {
		if err := n.discard(ctx, old); err != nil {
			n.log.Warn("an e-mail password stays in the keyring", "err", err)
			n.log.Debug("an e-mail password stays in the keyring", "account", old)
		}
	}
	return err
}

// ForgetMailbox implements [app.Service].
func (n *Node) ForgetMailbox(ctx context.Context) error {
	var entry string
	err := n.update(func(s *kept) error {
		if s.Mailbox != nil {
			entry = s.Mailbox.Entry
		}
		s.Mailbox = nil
		return nil
	})
	if err != nil || entry == "" {
		return err
	}
	n.mu.Lock()
	n.unlocked = nil
	n.mu.Unlock()
	if err := n.discard(ctx, entry); err != nil {
		n.log.Warn("an e-mail password stays in the keyring", "err", err)
		n.log.Debug("an e-mail password stays in the keyring", "account", entry)
		return app.Errorf(app.CodeFailed, "The account is forgotten, but the system's keyring did not open: remove the entry %q from it by hand.", entry)
	}
	return nil
}
