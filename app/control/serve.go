package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"foldpost/app"
)

// requestTimeout is ample for a request: the client is on this machine.
const requestTimeout = 10 * time.Second

// Serve lets the commands of home's user call s until ctx is done. It makes
// the socket, fails if another foldpost answers there, and returns when every
// call has ended and the socket is gone.
func Serve(ctx context.Context, home string, s app.Service, log *slog.Logger) error {
	srv, err := Listen(ctx, home, log)
	if err != nil {
		return err
	}
	return srv.Run(ctx, s)
}

// A Server listens for the commands of one home directory.
type Server struct {
	home string
	log  *slog.Logger
	l    *net.UnixListener
}

// Listen makes the socket: from now on commands wait to be answered. Run must
// follow.
func Listen(ctx context.Context, home string, log *slog.Logger) (*Server, error) {
	l, err := listen(ctx, home)
	if err != nil {
		return nil, err
	}
	return &Server{home: home, log: log, l: l}, nil
}

// Run answers until ctx is done, which is no error.
func (srv *Server) Run(ctx context.Context, s app.Service) error {
	return accept(ctx, srv.l, filepath.Join(srv.home, socketName), func(conn *net.UnixConn) {
		if err := serveConn(ctx, conn, s); err != nil {
			srv.log.Debug("control: call ended", "err", err)
		}
	})
}

// accept handles each connection in a goroutine of its own until ctx is done,
// which is no error. When it returns all of them have ended, and the socket's
// file is gone.
func accept(ctx context.Context, l *net.UnixListener, file string, handle func(*net.UnixConn)) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	defer os.Remove(file)
	defer context.AfterFunc(ctx, func() { l.Close() })()
	defer l.Close()
	for {
		conn, err := l.AcceptUnix()
		if ctx.Err() != nil {
			if err == nil {
				conn.Close()
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept at %s: %w", file, err)
		}
		wg.Go(func() {
			defer conn.Close()
			handle(conn)
		})
	}
}

// serveConn answers the one call of a connection. What it returns is of
// interest to nobody but a log.
func serveConn(ctx context.Context, conn *net.UnixConn, s app.Service) error {
	if err := checkPeer(conn, mayCall); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()

	if err := conn.SetReadDeadline(time.Now().Add(requestTimeout)); err != nil {
		return err
	}
	out := &reply{conn}
	q, err := readRequest(conn)
	if err != nil {
		if _, ok := errors.AsType[*app.Error](err); ok {
			return out.end(err)
		}
		return fmt.Errorf("read request: %w", err)
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	var wg sync.WaitGroup
	wg.Go(func() { // the client's end of the call
		io.Copy(io.Discard, conn)
		cancel()
	})
	err = answer(ctx, s, q, out)
	conn.Close()
	wg.Wait()
	return err
}

// answer runs q and tells how it ended.
func answer(ctx context.Context, s app.Service, q request, out *reply) error {
	m, ok := methods[q.Method]
	if !ok {
		return out.end(app.Errorf(app.CodeUsage, "the foldpost that runs does not know %q: it is older than this command; restart it", q.Method))
	}
	if !json.Valid(q.Args) {
		return out.end(app.Errorf(app.CodeUsage, "arguments of %s: not JSON", q.Method))
	}
	return out.end(m(ctx, s, q.Args, out))
}
