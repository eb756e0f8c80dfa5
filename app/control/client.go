package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"sync"
	"syscall"
	"time"

	"foldpost/app"
	"foldpost/p2p/wire"
)

// stateTimeout is ample for a foldpost that is alive.
const stateTimeout = 10 * time.Second

// errSilent is the cause of a context that waited for one that is not.
var errSilent = errors.New("no answer")

// A Client is the [app.Service] of the foldpost that runs for a home
// directory.
type Client struct {
	home string

	mu   sync.Mutex
	last app.State // the last one that was seen
}

// Dial finds the foldpost that runs for home. If there is none the error's
// code is [app.CodeNotRunning].
func Dial(ctx context.Context, home string) (app.Service, io.Closer, error) {
	c, err := dialWithin(ctx, home, stateTimeout)
	if err != nil {
		return nil, nil, err
	}
	return c, c, nil
}

func dialWithin(ctx context.Context, home string, timeout time.Duration) (*Client, error) {
	c := &Client{home: home}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errSilent)
	defer cancel()
	err := call(ctx, c, "State", none{}, &c.last)
	if err != nil && context.Cause(ctx) == errSilent {
		err = app.Errorf(app.CodeFailed, "the foldpost of %s does not answer: end it and start it again", home)
	}
	return c, err
}

// Close does nothing: each call has a connection of its own.
func (c *Client) Close() error { return nil }

// State returns the last known state if foldpost has ended meanwhile.
func (c *Client) State() app.State {
	ctx, cancel := context.WithTimeout(context.Background(), stateTimeout)
	defer cancel()
	var s app.State
	err := call(ctx, c, "State", none{}, &s)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.last = s
	}
	return c.last
}

// Watch also ends when foldpost ends.
func (c *Client) Watch(ctx context.Context) iter.Seq[app.State] {
	return func(yield func(app.State) bool) {
		conn, err := c.begin(ctx, "Watch", none{})
		if err != nil {
			return
		}
		defer conn.Close()
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		for {
			b, err := readValue(conn)
			if err != nil {
				return
			}
			var s app.State
			if err := json.Unmarshal(b, &s); err != nil {
				return
			}
			c.mu.Lock()
			c.last = s
			c.mu.Unlock()
			if ctx.Err() != nil || !yield(s) {
				return
			}
		}
	}
}

// Invite makes an invitation.
func (c *Client) Invite(ctx context.Context, r app.InviteRequest) (inv app.Invitation, err error) {
	err = call(ctx, c, "Invite", r, &inv)
	return inv, err
}

// Look reads an invitation without acting on it.
func (c *Client) Look(ctx context.Context, input string) (p app.Proposal, err error) {
	err = call(ctx, c, "Look", lookArgs{input}, &p)
	return p, err
}

// Accept takes an invitation.
func (c *Client) Accept(ctx context.Context, r app.AcceptRequest) (a app.Accepted, err error) {
	err = call(ctx, c, "Accept", r, &a)
	return a, err
}

// Letter returns an open invitation again, or our answer to one.
func (c *Client) Letter(ctx context.Context, id app.InvitationID) (app.Invitation, error) {
	var inv app.Invitation
	err := call(ctx, c, "Letter", idArgs{string(id)}, &inv)
	return inv, err
}

// Withdraw cancels an open invitation.
func (c *Client) Withdraw(ctx context.Context, id app.InvitationID) error {
	return call(ctx, c, "Withdraw", idArgs{string(id)}, nil)
}

// OpenNearby lets devices nearby see this one.
func (c *Client) OpenNearby(ctx context.Context, after time.Duration) error {
	return call(ctx, c, "OpenNearby", openArgs{after}, nil)
}

// PairNearby asks a device nearby to be linked.
func (c *Client) PairNearby(ctx context.Context, id app.NearbyID) (d app.DeviceID, err error) {
	err = call(ctx, c, "PairNearby", idArgs{string(id)}, &d)
	return d, err
}

// Unpair removes a device.
func (c *Client) Unpair(ctx context.Context, id app.DeviceID) error {
	return call(ctx, c, "Unpair", idArgs{string(id)}, nil)
}

// Relay says whether the device relays for another.
func (c *Client) Relay(ctx context.Context, id app.DeviceID, on bool) error {
	return call(ctx, c, "Relay", relayArgs{id, on}, nil)
}

// Answer chooses one of a question's choices.
func (c *Client) Answer(ctx context.Context, id app.QuestionID, choice string) error {
	return call(ctx, c, "Answer", pickArgs{string(id), choice}, nil)
}

// Share offers a directory.
func (c *Client) Share(ctx context.Context, r app.ShareRequest) (s app.Shared, err error) {
	err = call(ctx, c, "Share", r, &s)
	return s, err
}

// Unshare takes a folder from one device.
func (c *Client) Unshare(ctx context.Context, f app.FolderID, d app.DeviceID) error {
	return call(ctx, c, "Unshare", shareArgs{f, d}, nil)
}

// Compare tells what joining an offer would meet.
func (c *Client) Compare(ctx context.Context, offer app.FolderID, dir string) (r app.Comparison, err error) {
	err = call(ctx, c, "Compare", joinArgs{offer, dir}, &r)
	return r, err
}

// Join keeps an offered folder in sync here.
func (c *Client) Join(ctx context.Context, offer app.FolderID, dir string) error {
	return call(ctx, c, "Join", joinArgs{offer, dir}, nil)
}

// Leave ends syncing here.
func (c *Client) Leave(ctx context.Context, f app.FolderID) error {
	return call(ctx, c, "Leave", idArgs{string(f)}, nil)
}

// Pause stops a folder or everything.
func (c *Client) Pause(ctx context.Context, f app.FolderID, d time.Duration) error {
	return call(ctx, c, "Pause", pauseArgs{f, d}, nil)
}

// Resume ends a pause.
func (c *Client) Resume(ctx context.Context, f app.FolderID) error {
	return call(ctx, c, "Resume", idArgs{string(f)}, nil)
}

// Rescan looks at the whole folder on disk.
func (c *Client) Rescan(ctx context.Context, f app.FolderID) error {
	return call(ctx, c, "Rescan", idArgs{string(f)}, nil)
}

// Conflicts lists paths with other versions beside them.
func (c *Client) Conflicts(ctx context.Context, f app.FolderID) (r []app.Conflict, err error) {
	err = call(ctx, c, "Conflicts", idArgs{string(f)}, &r)
	return r, err
}

// LeftOut lists paths that are not synced.
func (c *Client) LeftOut(ctx context.Context, f app.FolderID) (r []app.LeftOut, err error) {
	err = call(ctx, c, "LeftOut", idArgs{string(f)}, &r)
	return r, err
}

// Trash lists deleted and replaced files.
func (c *Client) Trash(ctx context.Context, f app.FolderID) (r []app.Kept, err error) {
	err = call(ctx, c, "Trash", idArgs{string(f)}, &r)
	return r, err
}

// SetMailbox keeps an account that works.
func (c *Client) SetMailbox(ctx context.Context, m app.MailboxSettings) error {
	return call(ctx, c, "SetMailbox", m, nil)
}

// TestMailbox logs in to the account.
func (c *Client) TestMailbox(ctx context.Context) error {
	return call(ctx, c, "TestMailbox", none{}, nil)
}

// ForgetMailbox forgets the account.
func (c *Client) ForgetMailbox(ctx context.Context) error {
	return call(ctx, c, "ForgetMailbox", none{}, nil)
}

// Config lists all settings.
func (c *Client) Config(ctx context.Context) (r []app.Setting, err error) {
	err = call(ctx, c, "Config", none{}, &r)
	return r, err
}

// SetConfig changes one.
func (c *Client) SetConfig(ctx context.Context, key, value string) error {
	return call(ctx, c, "SetConfig", settingArgs{key, value}, nil)
}

// Draft returns the mail that would be sent.
func (c *Client) Draft(ctx context.Context, r app.DraftRequest) (d app.Draft, err error) {
	err = call(ctx, c, "Draft", r, &d)
	return d, err
}

// Resend mails an invitation once more.
func (c *Client) Resend(ctx context.Context, id app.InvitationID) error {
	return call(ctx, c, "Resend", idArgs{string(id)}, nil)
}

// Measure counts what is in a directory.
func (c *Client) Measure(ctx context.Context, dir string) (m app.Measure, err error) {
	err = call(ctx, c, "Measure", dirArgs{dir}, &m)
	return m, err
}

// Move tells where a folder is now.
func (c *Client) Move(ctx context.Context, f app.FolderID, dir string) error {
	return call(ctx, c, "Move", moveArgs{f, dir}, nil)
}

// Resolve ends a conflict.
func (c *Client) Resolve(ctx context.Context, f app.FolderID, path, keep string, of ...app.Version) error {
	return call(ctx, c, "Resolve", resolveArgs{f, path, keep, of}, nil)
}

// Recent lists the latest changes.
func (c *Client) Recent(ctx context.Context, f app.FolderID, n int) (r []app.Change, err error) {
	err = call(ctx, c, "Recent", recentArgs{f, n}, &r)
	return r, err
}

// FindMailbox tells which servers an address has.
func (c *Client) FindMailbox(ctx context.Context, address string) (g app.MailboxGuess, err error) {
	err = call(ctx, c, "FindMailbox", addressArgs{address}, &g)
	return g, err
}

// Mails lists the messages that were sent and read.
func (c *Client) Mails(ctx context.Context) (r []app.Mail, err error) {
	err = call(ctx, c, "Mails", none{}, &r)
	return r, err
}

// Doctor looks at what works.
func (c *Client) Doctor(ctx context.Context) (r []app.Finding, err error) {
	err = call(ctx, c, "Doctor", none{}, &r)
	return r, err
}

// Reset forgets everything but the files.
func (c *Client) Reset(ctx context.Context) error {
	return call(ctx, c, "Reset", none{}, nil)
}

// Restore brings a file back.
func (c *Client) Restore(ctx context.Context, r app.RestoreRequest, w io.Writer) error {
	if w == nil {
		return call(ctx, c, "Restore", restoreArgs{r, false}, nil)
	}
	conn, err := c.begin(ctx, "Restore", restoreArgs{r, true})
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	for {
		piece, _, err := readPiece(conn)
		if errors.Is(err, errDone) {
			return nil
		}
		if err != nil {
			return c.explain(ctx, err)
		}
		if _, err := w.Write(piece); err != nil {
			return err
		}
	}
}

// begin connects and sends a request.
func (c *Client) begin(ctx context.Context, name string, args any) (*net.UnixConn, error) {
	b, err := json.Marshal(args)
	if err != nil {
		return nil, fmt.Errorf("encode arguments of %s: %w", name, err)
	}
	conn, err := connect(ctx, c.home, socketName)
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	if err := wire.Write(conn, maxRequest, &request{version, name, b}); err != nil {
		conn.Close()
		if errors.Is(err, wire.ErrTooLarge) {
			return nil, app.Errorf(app.CodeUsage, "what was given is larger than any invitation")
		}
		return nil, c.explain(ctx, err)
	}
	return conn, nil
}

// call runs a method with at most one result, which is decoded into result
// unless that is nil.
func call(ctx context.Context, c *Client, name string, args, result any) error {
	conn, err := c.begin(ctx, name, args)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if result != nil {
		b, err := readValue(conn)
		if err != nil {
			return c.explain(ctx, err)
		}
		if err := json.Unmarshal(b, result); err != nil {
			return fmt.Errorf("decode answer to %s: %w", name, err)
		}
	}
	if _, _, err := readPiece(conn); !errors.Is(err, errDone) {
		return c.explain(ctx, err)
	}
	return nil
}

// explain says what an error of the connection means; what the server told
// stays as it is.
func (c *Client) explain(ctx context.Context, err error) error {
	var op *net.OpError
	var server *told
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &server):
		return err
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), isMissing(err):
		return app.Errorf(app.CodeNotRunning, "foldpost does not run for %s: start it with `foldpost run`", c.home)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, errForeign):
		return app.Errorf(app.CodeFailed, "the foldpost of %s belongs to another user: run this as that user", c.home)
	case isEnd(err), errors.As(err, &op):
		return app.Errorf(app.CodeNotRunning, "foldpost ended in between: start it with `foldpost run`, then do this again")
	case err == nil:
		return errors.New("foldpost sent more than was asked for: restart it")
	}
	return err
}

// isEnd is true where the other end was closed.
func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
