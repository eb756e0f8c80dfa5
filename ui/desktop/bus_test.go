//go:build linux

package desktop

import (
	"bufio"
	"context"
	"log/slog"
	"os/exec"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"

	"foldpost/ui"
)

// bus is a session bus of the test's own.
func bus(t *testing.T) *dbus.Conn {
	t.Helper()
	if _, err := exec.LookPath("dbus-daemon"); err != nil {
		t.Skip("no dbus-daemon is installed")
	}
	cmd := exec.CommandContext(t.Context(), "dbus-daemon", "--session", "--nofork", "--print-address")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", strings.TrimSpace(address))
	conn, err := openBus(t.Context())
	if err != nil {
		t.Fatalf("openBus() = %v", err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// own makes conn the owner of a well-known name.
func own(t *testing.T, conn *dbus.Conn, name string) {
	t.Helper()
	if r, err := conn.RequestName(name, dbus.NameFlagDoNotQueue); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("RequestName(%s) = %v, %v", name, r, err)
	}
}

// A service is a notification service as the specification has it.
type service struct {
	calls chan note
	ids   uint32
}

type note struct {
	replaces    uint32
	title, text string
	actions     []string
	expire      int32
	id          uint32
}

func (s *service) GetCapabilities() ([]string, *dbus.Error) {
	return []string{"body", "body-markup", "actions"}, nil
}

func (s *service) Notify(_ string, replaces uint32, _, title, text string, actions []string, _ map[string]dbus.Variant, expire int32) (uint32, *dbus.Error) {
	id := replaces
	if id == 0 {
		s.ids++
		id = s.ids
	}
	s.calls <- note{replaces, title, text, actions, expire, id}
	return id, nil
}

func TestNotifier(t *testing.T) {
	conn := bus(t)
	s := &service{calls: make(chan note, 8)}
	if err := conn.Export(s, notifyPath, notifyName); err != nil {
		t.Fatal(err)
	}
	own(t, conn, notifyName)

	n := newNotifier(nil, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	opened, done := make(chan ui.Notice, 1), make(chan struct{})
	go func() { defer close(done); n.Run(ctx, func(x ui.Notice) { opened <- x }) }()
	defer func() { cancel(); <-done }()

	n.show(ui.Notice{Key: "a", Title: "An <b>invitation</b> came", Text: `<a href="x">Ada</a> & Co`})
	first := <-s.calls
	if first.text != "&lt;a href=&#34;x&#34;&gt;Ada&lt;/a&gt; &amp; Co" || first.title != "An <b>invitation</b> came" {
		t.Errorf("shown: %q, %q, want the text escaped and the title as it is", first.title, first.text)
	}
	if first.expire != -1 || len(first.actions) == 0 || first.actions[0] != "default" {
		t.Errorf("shown with time-out %d and actions %q, want the service's own and a default action", first.expire, first.actions)
	}
	n.show(ui.Notice{Key: "b", Title: "other"})
	if other := <-s.calls; other.replaces != 0 {
		t.Errorf("a notice with another key replaces %d", other.replaces)
	}
	n.show(ui.Notice{Key: "a", Title: "again"})
	if again := <-s.calls; again.replaces != first.id {
		t.Errorf("a notice with the same key replaces %d, want %d", again.replaces, first.id)
	}

	for _, id := range []uint32{77, first.id} { // somebody else's first
		if err := conn.Emit(notifyPath, notifyName+".ActionInvoked", id, "default"); err != nil {
			t.Fatal(err)
		}
	}
	if got := <-opened; got.Title != "again" {
		t.Errorf("a click opened %q, want %q", got.Title, "again")
	}
	if err := conn.Emit(notifyPath, notifyName+".NotificationClosed", first.id, uint32(2)); err != nil {
		t.Fatal(err)
	}
	// A third notice is shown after the signal was heard, or before: then it
	// replaces nothing that is on screen. Both are right, so none is asked.
}

// A watcher is a tray host's.
type watcher struct{ there bool }

func (w watcher) Get(_, _ string) (dbus.Variant, *dbus.Error) {
	return dbus.MakeVariant(w.there), nil
}

func TestHasTray(t *testing.T) {
	conn := bus(t)
	if hasTray(t.Context()) {
		t.Error("hasTray() = true where nothing shows tray icons")
	}
	own(t, conn, "org.kde.StatusNotifierWatcher")
	for _, there := range []bool{false, true} {
		if err := conn.Export(watcher{there}, "/StatusNotifierWatcher", "org.freedesktop.DBus.Properties"); err != nil {
			t.Fatal(err)
		}
		if got := hasTray(t.Context()); got != there {
			t.Errorf("hasTray() = %v, want %v", got, there)
		}
	}
}

func TestNoBus(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
	if hasTray(t.Context()) {
		t.Error("hasTray() without a bus = true")
	}
}
