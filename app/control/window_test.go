package control

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"foldpost/app"
	"foldpost/p2p/wire"
)

// window is home's until the test ends; it returns what it is asked.
func window(t *testing.T, home string) <-chan WindowRequest {
	t.Helper()
	l, err := ListenWindow(t.Context(), home, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("ListenWindow(%s) = %v", home, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	requests, done := make(chan WindowRequest, 8), make(chan error)
	go func() { done <- l.Run(ctx, requests) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
		if _, err := os.Lstat(filepath.Join(home, windowSocket)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("after Run the window's socket is still there: %v", err)
		}
	})
	return requests
}

func invitationFile(t *testing.T, size int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "Invitation from Ada.foldpost")
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestShow(t *testing.T) {
	home := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	requests := window(t, home)
	file := invitationFile(t, maxFile)
	for _, r := range []WindowRequest{{}, {Hidden: true}, {Open: "foldpost:1/abc"}, {Open: file}} {
		if err := Show(t.Context(), home, r); err != nil {
			t.Fatalf("Show(%+v) = %v", r, err)
		}
		if got := <-requests; got != r {
			t.Errorf("Show(%+v) asked the window for %+v", r, got)
		}
	}
	st, err := os.Stat(filepath.Join(home, windowSocket))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode of the window's socket = %v, %v, want 0600", st.Mode().Perm(), err)
	}
}

func TestShowWithoutWindow(t *testing.T) {
	home := t.TempDir()
	if err := Show(t.Context(), home, WindowRequest{}); app.CodeOf(err) != app.CodeNotRunning {
		t.Errorf("Show where no window ever was = %v (%s), want %s", err, app.CodeOf(err), app.CodeNotRunning)
	}
	l, err := bind(home, windowSocket)
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // as if its process was killed
	if err := Show(t.Context(), home, WindowRequest{}); app.CodeOf(err) != app.CodeNotRunning {
		t.Errorf("Show at a stale socket = %v (%s), want %s", err, app.CodeOf(err), app.CodeNotRunning)
	}
	requests := window(t, home)
	if err := Show(t.Context(), home, WindowRequest{}); err != nil {
		t.Errorf("Show after the stale socket was replaced = %v", err)
	}
	<-requests
}

// Of any number of starts at the same time one gets the window.
func TestOneWindow(t *testing.T) {
	home := t.TempDir()
	var mu sync.Mutex
	var won []*WindowServer
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			l, err := ListenWindow(t.Context(), home, slog.New(slog.DiscardHandler))
			if err != nil && !errors.Is(err, ErrWindow) {
				t.Errorf("ListenWindow = %v, want nil or ErrWindow", err)
			}
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, l)
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Errorf("%d of 8 starts at the same time have a window, want 1", len(won))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, l := range won {
		if err := l.Run(ctx, nil); err != nil {
			t.Errorf("Run = %v", err)
		}
	}
	window(t, home) // the lock ended with Run
}

func TestCheckOpen(t *testing.T) {
	file := invitationFile(t, 10)
	t.Chdir(filepath.Dir(file))
	tests := []struct{ open, want string }{
		{"", ""},
		{"foldpost:1/abc#x=1", "foldpost:1/abc#x=1"},
		{file, file},
		{filepath.Base(file), file},
		{"file://" + strings.ReplaceAll(file, " ", "%20"), file},
		{"file://localhost" + strings.ReplaceAll(file, " ", "%20"), file},
	}
	for _, test := range tests {
		if got, err := CheckOpen(test.open); got != test.want || err != nil {
			t.Errorf("CheckOpen(%q) = %q, %v, want %q", test.open, got, err, test.want)
		}
	}
	for _, bad := range []string{
		"foldpost:" + strings.Repeat("x", maxLink),
		`foldpost:1/x" --home "\\evil\share`,
		"foldpost:1/x\ny",
		"file://other.example" + file,
		"file:relative",
		"https://example.org/x.foldpost",
		"missing.foldpost",
		filepath.Dir(file),
		os.DevNull,
		invitationFile(t, maxFile+1),
	} {
		if got, err := CheckOpen(bad); err == nil {
			t.Errorf("CheckOpen(%.40q) = %q, want an error", bad, got)
		}
	}
}

// A window takes nothing but what CheckOpen lets through, whoever asks.
func TestWindowChecks(t *testing.T) {
	home := t.TempDir()
	requests := window(t, home)
	for _, q := range []showRequest{
		{Version: version, Open: "https://example.org"},
		{Version: version, Open: "/etc"},
		{Version: version + 1},
	} {
		conn, err := connect(t.Context(), home, windowSocket)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := wire.Write(conn, maxShow, &q); err != nil {
			t.Fatal(err)
		}
		if _, _, err := readPiece(conn); err == nil || errors.Is(err, errDone) {
			t.Errorf("a window asked for %+v said %v, want an error", q, err)
		}
	}
	select {
	case r := <-requests:
		t.Errorf("the window was asked for %+v, want nothing", r)
	default:
	}
}

func FuzzCheckOpen(f *testing.F) {
	for _, s := range []string{"foldpost:1/abc", "file:///etc/passwd", "file://%zz", "x.foldpost", "\x00", "foldpost:\u202e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, what string) {
		got, err := CheckOpen(what)
		if err != nil || what == "" {
			return
		}
		if strings.HasPrefix(got, wire.Name+":") {
			if got != what || len(got) > maxLink || strings.ContainsAny(got, "\" \n\\") {
				t.Errorf("CheckOpen(%q) = %q", what, got)
			}
			return
		}
		if st, err := os.Stat(got); !filepath.IsAbs(got) || err != nil || !st.Mode().IsRegular() {
			t.Errorf("CheckOpen(%q) = %q, want the absolute path of a file", what, got)
		}
	})
}
