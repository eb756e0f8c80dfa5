package e2e

import (
	"context"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"foldpost/app"
	"foldpost/mail/mailtest"
)

// A line is a device's way to its mail server. When its router has another
// address the server knows nothing of the connections any more.
type line struct{ epoch atomic.Int64 }

type lineConn struct {
	net.Conn
	l     *line
	epoch int64
}

func (c lineConn) Write(b []byte) (int, error) {
	if c.l.epoch.Load() != c.epoch {
		_ = c.Close()
		return 0, syscall.ECONNRESET
	}
	return c.Conn.Write(b)
}

// line puts a device's connections to mail servers on a line from now on.
func (d *device) line() *line {
	l := &line{}
	under := *d.dial.Load()
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := under(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return lineConn{c, l, l.epoch.Load()}, nil
	}
	d.dial.Store(&dial)
	return l
}

// wrote is how many mails a device has sent.
func (d *device) wrote() int {
	d.w.t.Helper()
	list, err := d.Mails(d.w.t.Context())
	d.w.must(err)
	n := 0
	for _, m := range list {
		if m.Direction == app.Sent {
			n++
		}
	}
	return n
}

// TestRenumberedAtNight: a provider gives a router another public address while
// both computers are on. Nothing in them changes, and nothing waits.
func TestRenumberedAtNight(t *testing.T) {
	for _, tt := range []struct {
		name  string
		bob   string // his router's address afterwards
		mails int    // at most
	}{
		{"one of the two", "203.0.113.2", 1},
		{"both in one night", "203.0.113.99", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				ada, bob := w.deviceAt("ada", "192.168.1.2:4001"), w.deviceAt("bob", "192.168.2.2:4002")
				w.homes(map[*device]string{ada: "198.51.100.1", bob: "203.0.113.2"})
				lines := map[*device]*line{}
				for _, d := range []*device{ada, bob} {
					d.mailbox()
					lines[d] = d.line()
					d.restart() // its connections are on the line
				}
				inv := ada.invite(bob)
				bob.eventually("invited", time.Hour, invited)
				w.must(bob.accept(inv.Words))
				bob.eventually("linked", time.Minute, connected)
				s := w.share("Photos", ada, bob)
				s.wait(ada, time.Minute)
				s.wait(bob, time.Minute)
				w.mail.SetFaults(mailtest.Faults{Delay: 2 * time.Second})
				time.Sleep(3 * time.Hour)

				lines[ada].epoch.Add(1)
				if tt.bob != "203.0.113.2" {
					lines[bob].epoch.Add(1)
				}
				before := ada.wrote() + bob.wrote()
				w.homes(map[*device]string{ada: "198.51.100.77", bob: tt.bob})
				began := time.Now()
				ada.eventually("alone", time.Minute, func(s app.State) bool { return !connected(s) })
				ada.eventually("linked again", time.Hour, connected)
				bob.eventually("linked again", time.Minute, connected)
				// Up to fifty seconds until the loss is seen, fifteen until one asks, its letter, the answer.
				if took := time.Since(began); took > 75*time.Second {
					t.Errorf("linked again after %s", took)
				}
				ada.never("lost", time.Hour, func(s app.State) bool { return !connected(s) })
				if n := ada.wrote() + bob.wrote() - before; n == 0 || n > tt.mails {
					t.Errorf("%d mails, want %d at most", n, tt.mails)
				}
			})
		})
	}
}

// TestLidClosed: a computer that sleeps says nothing, either. Nobody writes to
// it: the address of the other one is what it was.
func TestLidClosed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, _ := w.acquainted()
		time.Sleep(time.Hour)
		seeking := w.postman()
		w.unplug(bob, true)
		ada.eventually("alone", time.Minute, func(s app.State) bool { return !connected(s) })
		ada.never("linked", 8*time.Hour, connected)
		if n := seeking.count(); n > 1 { // bob's, whose mailbox is not unplugged
			t.Errorf("%d mails to a computer that sleeps: %s", n, seeking)
		}
		w.unplug(bob, false)
		ada.eventually("linked again", 2*time.Minute, connected)
	})
}
