package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"foldpost/app"
)

// dialTimeout is ample: the other end is on this machine.
const dialTimeout = 5 * time.Second

// errForeign says that the other end belongs to somebody else.
var errForeign = errors.New("the other end of the socket belongs to another user")

// connect opens a connection to whoever listens at a socket in home.
func connect(ctx context.Context, home, socket string) (*net.UnixConn, error) {
	path, done, err := reach(home, socket)
	if err != nil {
		return nil, err
	}
	defer done()
	d := net.Dialer{Timeout: dialTimeout}
	c, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	conn := c.(*net.UnixConn)
	if err := checkPeer(conn, mayServe); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// checkPeer lets trust decide about the user at the other end, where the
// system tells who that is.
func checkPeer(c *net.UnixConn, trust func(peer, own int) bool) error {
	peer, known, err := peerUID(c)
	if err != nil {
		return fmt.Errorf("ask who is at the other end of the socket: %w", err)
	}
	if known && !trust(peer, os.Getuid()) {
		return errForeign
	}
	return nil
}

// mayCall: root may ask the foldpost of any user.
func mayCall(peer, own int) bool { return peer == own || peer == 0 }

// mayServe: and is answered by that user.
func mayServe(peer, own int) bool { return peer == own || own == 0 }

// listen makes the socket in home, which becomes this user's alone. A socket
// file that nobody answers at is replaced.
func listen(ctx context.Context, home string) (*net.UnixListener, error) {
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, fmt.Errorf("make home directory: %w", err)
	}
	if err := os.Chmod(home, 0o700); err != nil {
		return nil, fmt.Errorf("close home directory to others: %w", err)
	}
	if err := removeStale(ctx, home, socketName); err != nil {
		return nil, err
	}
	return bind(home, socketName)
}

// bind makes a socket in home that only its user may use.
func bind(home, socket string) (*net.UnixListener, error) {
	path, done, err := reach(home, socket)
	if err != nil {
		return nil, err
	}
	defer done()
	name := filepath.Join(home, socket)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", name, err)
	}
	l.SetUnlinkOnClose(false) // by its real name, in Run
	if err := os.Chmod(name, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("close %s to others: %w", name, err)
	}
	return l, nil
}

func removeStale(ctx context.Context, home, socket string) error {
	name := filepath.Join(home, socket)
	st, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at socket: %w", err)
	}
	// Windows shows its sockets as reparse points, Go as irregular files.
	if st.Mode()&(fs.ModeSocket|fs.ModeIrregular) == 0 {
		return app.Errorf(app.CodeFailed, "%s is not a socket: move it away, then start again", name)
	}
	conn, err := connect(ctx, home, socket)
	if err == nil {
		conn.Close()
	}
	if err == nil || errors.Is(err, errForeign) {
		return app.Errorf(app.CodeFailed, "foldpost runs already for %s: stop it first, or use another --home", home)
	}
	if err := os.Remove(name); err != nil {
		return fmt.Errorf("remove stale socket: %w", err)
	}
	return nil
}

// maxPath is what every system takes as a socket's address (darwin: 104 with
// its end).
const maxPath = 103
