package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"foldpost/app"
	"foldpost/p2p/wire"
)

// The window's own files in the home directory. Who holds the lock owns the
// socket; the lock ends with its process, however that ends.
const (
	windowSocket = "window.sock"
	windowLock   = "window.lock"
)

const (
	maxShow = 8 << 10 // a request to a window
	maxLink = 4 << 10
	maxFile = 64 << 10 // no invitation is larger

	// takeTimeout is ample for a window that is drawing its first screen.
	takeTimeout = 10 * time.Second
)

// ErrWindow says that a window is open for the home already.
var ErrWindow = errors.New("a window is open for this home already: use that one")

// A WindowRequest is what a start of the program asks of the window that is
// open already.
type WindowRequest struct {
	Open   string // an invite link or the absolute path of an invitation's file; "" for none
	Hidden bool   // it need not come to the front
}

// A showRequest is a WindowRequest on its way.
type showRequest struct {
	Version uint64 `wire:"1"`
	Open    string `wire:"2"`
	Hidden  bool   `wire:"3"`
}

// Show hands a request to the window that is open for home. If there is none
// the error's code is [app.CodeNotRunning].
func Show(ctx context.Context, home string, r WindowRequest) error {
	open, err := CheckOpen(r.Open)
	if err != nil {
		return err
	}
	conn, err := connect(ctx, home, windowSocket)
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), isMissing(err):
		return app.Errorf(app.CodeNotRunning, "no window is open for %s", home)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, errForeign):
		return app.Errorf(app.CodeFailed, "the window of %s belongs to another user: start foldpost as that user", home)
	default:
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := conn.SetDeadline(time.Now().Add(takeTimeout + requestTimeout)); err != nil {
		return err
	}
	if err := wire.Write(conn, maxShow, &showRequest{version, open, r.Hidden}); err != nil {
		return app.Errorf(app.CodeNotRunning, "the window of %s has just been closed", home)
	}
	_, _, err = readPiece(conn)
	var op *net.OpError
	switch {
	case errors.Is(err, errDone):
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return app.Errorf(app.CodeFailed, "the window of %s does not answer: end it and start it again", home)
	case isEnd(err), errors.As(err, &op):
		return app.Errorf(app.CodeNotRunning, "the window of %s has just been closed", home)
	}
	return err
}

// CheckOpen returns what a window may be asked to open: an invite link as it
// is, or the absolute path of a small file. The text comes from the system's
// file manager, a browser or a mail program, so it may come from anybody:
// nothing else is taken.
func CheckOpen(what string) (string, error) {
	if what == "" {
		return "", nil
	}
	if strings.HasPrefix(what, wire.Name+":") {
		if len(what) > maxLink || strings.ContainsFunc(what, isNoLink) {
			return "", app.Errorf(app.CodeUsage, "this link is no invitation: ask for a new one")
		}
		return what, nil
	}
	path, err := localPath(what)
	if err != nil {
		return "", err
	}
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", app.Errorf(app.CodeNotFound, "there is no file %s", path)
	case err != nil:
		return "", fmt.Errorf("look at the invitation: %w", err)
	case !st.Mode().IsRegular() || st.Size() > maxFile:
		return "", app.Errorf(app.CodeUsage, "%s is no invitation: those are files of at most %d KiB", path, maxFile>>10)
	case len(path) > maxLink:
		return "", app.Errorf(app.CodeUsage, "the path of the invitation is too long: move the file, then open it again")
	}
	return path, nil
}

// isNoLink is true for what a link never has in it.
func isNoLink(r rune) bool { return r <= ' ' || r == '"' || r == '\\' || r > '~' }

// localPath makes a path absolute. Desktops also hand over file: URIs.
func localPath(what string) (string, error) {
	if strings.HasPrefix(what, "file:") {
		u, err := url.Parse(what)
		if err != nil || u.Host != "" && u.Host != "localhost" || !strings.HasPrefix(u.Path, "/") {
			return "", app.Errorf(app.CodeUsage, "%q is no file of this computer", what)
		}
		what = u.Path
		if runtime.GOOS == "windows" {
			what = filepath.FromSlash(strings.TrimPrefix(what, "/"))
		}
	}
	path, err := filepath.Abs(what)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", what, err)
	}
	return path, nil
}

// A WindowServer listens for later starts of the program for a home: there is
// one window.
type WindowServer struct {
	home string
	log  *slog.Logger
	lock *flock.Flock
	l    *net.UnixListener
}

// ListenWindow makes this process the one with home's window, which must be
// the home of a running foldpost. It fails with [ErrWindow] if there is a
// window already. From now on later starts wait to be answered: Run must
// follow.
func ListenWindow(ctx context.Context, home string, log *slog.Logger) (*WindowServer, error) {
	lock := flock.New(filepath.Join(home, windowLock), flock.SetPermissions(0o600))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock window of %s: %w", home, err)
	}
	if !ok {
		return nil, ErrWindow
	}
	if err := removeStale(ctx, home, windowSocket); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	l, err := bind(home, windowSocket)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &WindowServer{home: home, log: log, lock: lock, l: l}, nil
}

// Run hands on what later starts ask until ctx is done, which is no error.
func (s *WindowServer) Run(ctx context.Context, requests chan<- WindowRequest) error {
	defer s.lock.Close()
	return accept(ctx, s.l, filepath.Join(s.home, windowSocket), func(conn *net.UnixConn) {
		if err := s.take(ctx, conn, requests); err != nil {
			s.log.Debug("control: start of another window ended", "err", err)
		}
	})
}

// take reads the one request of a connection and hands it on.
func (s *WindowServer) take(ctx context.Context, conn *net.UnixConn, requests chan<- WindowRequest) error {
	if err := checkPeer(conn, mayCall); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := conn.SetDeadline(time.Now().Add(requestTimeout)); err != nil {
		return err
	}
	var q showRequest
	if err := wire.Read(conn, maxShow, &q); err != nil {
		return fmt.Errorf("read request: %w", err)
	}
	out := &reply{conn}
	if q.Version != version {
		return out.end(app.Errorf(app.CodeFailed, "the window that is open is of another version of foldpost: close it, then start foldpost again"))
	}
	open, err := CheckOpen(q.Open)
	if err != nil {
		return out.end(err)
	}
	ctx, cancel := context.WithTimeout(ctx, takeTimeout)
	defer cancel()
	select {
	case requests <- WindowRequest{Open: open, Hidden: q.Hidden}:
		err = nil
	case <-ctx.Done():
		err = app.Errorf(app.CodeFailed, "the window of %s does not answer: end it and start it again", s.home)
	}
	if err := conn.SetDeadline(time.Now().Add(requestTimeout)); err != nil {
		return err
	}
	return out.end(err)
}
