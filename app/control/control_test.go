package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"foldpost/app"
	"foldpost/app/apptest"
	"foldpost/p2p/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs s for home until the test ends.
func serve(t *testing.T, home string, s app.Service) {
	t.Helper()
	srv, err := Listen(t.Context(), home, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("Listen(%s) = %v", home, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- srv.Run(ctx, s) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
		if _, err := os.Lstat(filepath.Join(home, socketName)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("after Run the socket is still there: %v", err)
		}
	})
}

func dial(t *testing.T, home string) app.Service {
	t.Helper()
	s, _, err := Dial(t.Context(), home)
	if err != nil {
		t.Fatalf("Dial(%s) = %v", home, err)
	}
	return s
}

func TestService(t *testing.T) {
	apptest.TestService(t, func(t *testing.T) app.Service {
		home := t.TempDir()
		serve(t, home, apptest.NewFake())
		return dial(t, home)
	})
}

// Every method of Service travels.
func TestMethods(t *testing.T) {
	service := reflect.TypeFor[app.Service]()
	for i := range service.NumMethod() {
		if name := service.Method(i).Name; methods[name] == nil {
			t.Errorf("methods[%q] is missing", name)
		}
	}
	if len(methods) != service.NumMethod() {
		t.Errorf("%d methods travel, Service has %d", len(methods), service.NumMethod())
	}
}

func TestSocketIsPrivate(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	serve(t, home, apptest.NewFake())
	for path, want := range map[string]os.FileMode{home: 0o700, filepath.Join(home, socketName): 0o600} {
		st, err := os.Stat(path)
		if err != nil || st.Mode().Perm() != want {
			t.Errorf("mode of %s = %v, %v, want %v", path, st.Mode().Perm(), err, want)
		}
	}
}

func TestLongPath(t *testing.T) {
	home := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	serve(t, home, apptest.NewFake())
	if got := dial(t, home).State().Device.Name; got != "here" {
		t.Errorf("State().Device.Name = %q, want here", got)
	}
}

func TestNotRunning(t *testing.T) {
	home := t.TempDir()
	if _, _, err := Dial(t.Context(), home); app.CodeOf(err) != app.CodeNotRunning {
		t.Errorf("Dial where nothing ever ran = %v (%s), want %s", err, app.CodeOf(err), app.CodeNotRunning)
	}
	stale(t, home)
	if _, _, err := Dial(t.Context(), home); app.CodeOf(err) != app.CodeNotRunning {
		t.Errorf("Dial of a stale socket = %v (%s), want %s", err, app.CodeOf(err), app.CodeNotRunning)
	}
}

// stale leaves a socket that nobody answers at.
func stale(t *testing.T, home string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(home, socketName), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
}

func TestStaleSocketIsReplaced(t *testing.T) {
	home := t.TempDir()
	stale(t, home)
	serve(t, home, apptest.NewFake())
	dial(t, home)
}

func TestSecondInstance(t *testing.T) {
	home := t.TempDir()
	serve(t, home, apptest.NewFake())
	err := Serve(t.Context(), home, apptest.NewFake(), slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "runs already") {
		t.Errorf("Serve beside another = %v, want that it runs already", err)
	}
	dial(t, home) // the first one is still there
}

func TestForeignFileStays(t *testing.T) {
	home := t.TempDir()
	name := filepath.Join(home, socketName)
	if err := os.WriteFile(name, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Serve(t.Context(), home, apptest.NewFake(), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("Serve over a file = nil, want an error")
	}
	if b, err := os.ReadFile(name); string(b) != "precious" {
		t.Errorf("file is %q, %v, want as it was", b, err)
	}
}

func TestErrorsKeepTheirKind(t *testing.T) {
	home := t.TempDir()
	fake := apptest.NewFake()
	serve(t, home, fake)
	s := dial(t, home)
	for _, want := range []error{
		app.Errorf(app.CodeQuestion, "61 files are gone: answer q1"),
		app.Errorf(app.CodeWords, "wrong"),
		errors.New("plain"),
	} {
		fake.Fail("Leave", want)
		err := s.Leave(t.Context(), "x")
		if err == nil || err.Error() != want.Error() || app.CodeOf(err) != app.CodeOf(want) {
			t.Errorf("Leave = %v (%s), want %v (%s)", err, app.CodeOf(err), want, app.CodeOf(want))
		}
	}
}

func TestRestoreBytes(t *testing.T) {
	home := t.TempDir()
	fake := apptest.NewFake()
	fake.Update(func(s *app.State) {
		s.Folders = append(s.Folders, app.Folder{ID: "f", Members: []app.Member{}})
	})
	content := strings.Repeat("0123456789", 30_000) // several pieces
	fake.Keep("f", "a", time.Now(), content)
	serve(t, home, fake)
	var out bytes.Buffer
	if err := dial(t, home).Restore(t.Context(), app.RestoreRequest{Folder: "f", Path: "a"}, &out); err != nil {
		t.Fatalf("Restore = %v", err)
	}
	if out.String() != content {
		t.Errorf("Restore wrote %d bytes, want the %d of the file", out.Len(), len(content))
	}
}

// A foldpost that is stopped takes connections and says nothing.
func TestSilent(t *testing.T) {
	home := t.TempDir()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(home, socketName), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := dialWithin(t.Context(), home, 20*time.Millisecond); app.CodeOf(err) != app.CodeFailed || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("Dial of a silent foldpost = %v (%s), want that it does not answer", err, app.CodeOf(err))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Dial(ctx, home); !errors.Is(err, context.Canceled) {
		t.Errorf("Dial with a done context = %v, want %v", err, context.Canceled)
	}
}

// A Watch ends when foldpost does, and calls say so.
func TestEndInBetween(t *testing.T) {
	home := t.TempDir()
	srv, err := Listen(t.Context(), home, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error)
	go func() { done <- srv.Run(ctx, apptest.NewFake()) }()
	s := dial(t, home)
	for range s.Watch(t.Context()) {
		cancel()
	}
	if err := <-done; err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
	if err := s.Leave(t.Context(), "f"); app.CodeOf(err) != app.CodeNotRunning {
		t.Errorf("Leave after the end = %v (%s), want %s", err, app.CodeOf(err), app.CodeNotRunning)
	}
	if got := s.State().Device.Name; got != "here" {
		t.Errorf("State() after the end has name %q, want the last known one", got)
	}
}

func TestMayCall(t *testing.T) {
	for _, c := range []struct {
		peer, own   int
		call, serve bool
	}{
		{1000, 1000, true, true},
		{0, 1000, true, false},
		{1001, 1000, false, false},
		{1001, 0, false, true},
	} {
		if mayCall(c.peer, c.own) != c.call || mayServe(c.peer, c.own) != c.serve {
			t.Errorf("peer %d, own %d: mayCall %v, mayServe %v, want %v, %v", c.peer, c.own, mayCall(c.peer, c.own), mayServe(c.peer, c.own), c.call, c.serve)
		}
	}
}

// FuzzRequest: whatever comes as a request is answered or dropped.
func FuzzRequest(f *testing.F) {
	frame := func(q request) []byte {
		var b bytes.Buffer
		if err := wire.Write(&b, maxRequest, &q); err != nil {
			f.Fatal(err)
		}
		return b.Bytes()
	}
	f.Add(frame(request{version, "State", []byte("{}")}))
	f.Add(frame(request{version, "Answer", []byte(`{"ID":"q","Choice":"yes"}`)}))
	f.Add(frame(request{version, "Pause", []byte(`{"Folder":"f","For":-1}`)}))
	f.Add(frame(request{version, "Look", []byte(`{"Input":"` + strings.Repeat("x", 1000) + `"}`)}))
	f.Add(frame(request{version + 1, "Leave", []byte(`[]`)}))
	f.Add([]byte{0, 0, 0, 5, 0xdd, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := readRequest(bytes.NewReader(b))
		if err != nil || q.Method == "Watch" || q.Method == "Share" {
			return // one has no end, one looks at the disk
		}
		var out bytes.Buffer
		if err := answer(t.Context(), apptest.NewFake(), q, &reply{&out}); err != nil {
			t.Fatalf("answer(%s %q) = %v", q.Method, q.Args, err)
		}
		for {
			piece, last, err := readPiece(&out)
			if err != nil {
				if errors.Is(err, io.EOF) {
					t.Fatalf("answer to %s has no end", q.Method)
				}
				return
			}
			if last && len(piece) > 0 && !json.Valid(piece) {
				t.Fatalf("answer to %s: %q is not JSON", q.Method, piece)
			}
		}
	})
}
