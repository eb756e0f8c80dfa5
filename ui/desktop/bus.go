//go:build linux || freebsd || openbsd || netbsd

package desktop

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"image"
	"image/draw"
	"image/png"
	"log/slog"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"github.com/godbus/dbus/v5"

	"foldpost/assets"
	"foldpost/ui"
)

// busTimeout is ample for a service of the same session.
const busTimeout = 2 * time.Second

// openBus connects to the session's bus, and starts none.
func openBus(ctx context.Context) (*dbus.Conn, error) {
	conn, err := dbus.SessionBusPrivateNoAutoStartup(dbus.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("connect to session bus: %w", err)
	}
	if err := conn.Auth(nil); err != nil {
		conn.Close()
		return nil, fmt.Errorf("log in to session bus: %w", err)
	}
	if err := conn.Hello(); err != nil {
		conn.Close()
		return nil, fmt.Errorf("greet session bus: %w", err)
	}
	return conn, nil
}

// hasTray is true where something shows tray icons now: a window that hides
// anywhere else could not be had back.
func hasTray(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, busTimeout)
	defer cancel()
	conn, err := openBus(ctx)
	if err != nil {
		return false
	}
	defer conn.Close()
	v, err := conn.Object("org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher").
		GetProperty("org.kde.StatusNotifierWatcher.IsStatusNotifierHostRegistered")
	if err != nil {
		return false
	}
	there, _ := v.Value().(bool)
	return there
}

const (
	notifyName = "org.freedesktop.Notifications"
	notifyPath = "/org/freedesktop/Notifications"
)

// A notifier shows notices by the desktop's own service, as the Desktop
// Notifications Specification 1.2 says.
type notifier struct {
	icon imageData
	log  *slog.Logger

	notices chan ui.Notice
}

func newNotifier(_ fyne.App, log *slog.Logger) *notifier {
	img, err := png.Decode(bytes.NewReader(assets.Icon(64)))
	if err != nil {
		panic(err) // it is in the program, and a test shows it
	}
	return &notifier{icon: imageOf(img), log: log, notices: make(chan ui.Notice, 16)}
}

// show queues a notice; where too many wait it is dropped.
func (n *notifier) show(notice ui.Notice) {
	select {
	case n.notices <- notice:
	default:
	}
}

// Run shows what is queued until ctx is done. opened is told of each notice
// that is clicked.
func (n *notifier) Run(ctx context.Context, opened func(ui.Notice)) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case first := <-n.notices: // no bus is needed before
			if err := n.serve(ctx, first, opened); err != nil && ctx.Err() == nil {
				n.log.Info("notifications are not shown", "err", err)
			}
		}
	}
}

// serve shows notices over one connection until that ends.
func (n *notifier) serve(ctx context.Context, first ui.Notice, opened func(ui.Notice)) error {
	conn, err := openBus(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.AddMatchSignal(dbus.WithMatchInterface(notifyName), dbus.WithMatchObjectPath(notifyPath)); err != nil {
		return fmt.Errorf("listen to clicks: %w", err)
	}
	signals := make(chan *dbus.Signal, 16)
	conn.Signal(signals)
	b := board{n: n, obj: conn.Object(notifyName, notifyPath), shown: map[uint32]ui.Notice{}}
	if err := b.show(ctx, first); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case notice := <-n.notices:
			if err := b.show(ctx, notice); err != nil {
				return err
			}
		case s, ok := <-signals:
			if !ok {
				return dbus.ErrClosed
			}
			if notice, ok := b.heard(s); ok {
				opened(notice)
			}
		}
	}
}

// A board is what one connection has shown.
type board struct {
	n      *notifier
	obj    dbus.BusObject
	markup *bool // the service reads the text as markup; nil if not asked yet
	shown  map[uint32]ui.Notice
}

func (b *board) show(ctx context.Context, notice ui.Notice) error {
	ctx, cancel := context.WithTimeout(ctx, busTimeout)
	defer cancel()
	if b.markup == nil {
		var can []string
		if err := b.obj.CallWithContext(ctx, notifyName+".GetCapabilities", 0).Store(&can); err != nil {
			return fmt.Errorf("ask notification service: %w", err)
		}
		reads := slices.Contains(can, "body-markup")
		b.markup = &reads
	}
	text := notice.Text
	if *b.markup {
		text = html.EscapeString(text)
	}
	replaces := uint32(0)
	for id, old := range b.shown {
		if old.Key == notice.Key {
			replaces = id
		}
	}
	hints := map[string]dbus.Variant{"desktop-entry": dbus.MakeVariant(name), "image-data": dbus.MakeVariant(b.n.icon)}
	const serverDecides = int32(-1) // how long it is shown
	var id uint32
	err := b.obj.CallWithContext(ctx, notifyName+".Notify", 0, title, replaces, "", notice.Title, text,
		[]string{"default", "Open"}, hints, serverDecides).Store(&id)
	if err != nil {
		return fmt.Errorf("show notification: %w", err)
	}
	delete(b.shown, replaces)
	b.shown[id] = notice
	return nil
}

// heard returns the notice that a signal says was clicked. Signals are for
// everybody's notifications.
func (b *board) heard(s *dbus.Signal) (ui.Notice, bool) {
	if len(s.Body) < 2 {
		return ui.Notice{}, false
	}
	id, _ := s.Body[0].(uint32)
	notice, ours := b.shown[id]
	if !ours {
		return ui.Notice{}, false
	}
	switch s.Name {
	case notifyName + ".NotificationClosed":
		delete(b.shown, id)
	case notifyName + ".ActionInvoked":
		return notice, true
	}
	return ui.Notice{}, false
}

// imageData is a picture as the specification's image-data hint.
type imageData struct {
	Width, Height, Stride int32
	Alpha                 bool
	Bits, Channels        int32
	Data                  []byte
}

func imageOf(img image.Image) imageData {
	b := img.Bounds()
	m := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(m, m.Bounds(), img, b.Min, draw.Src)
	return imageData{int32(b.Dx()), int32(b.Dy()), int32(m.Stride), true, 8, 4, m.Pix}
}
