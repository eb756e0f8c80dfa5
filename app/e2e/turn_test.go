package e2e

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"

	"foldpost/app"
)

// Where the world's TURN server is, and who may use it.
const (
	turnAddress  = "192.0.2.200:3478"
	turnUser     = "ada"
	turnPassword = "relay me"
)

// turnSockets gives a TURN server ports of the simulated network.
type turnSockets struct {
	w    *world
	host netip.Addr
	port uint16
}

func (*turnSockets) Validate() error { return nil }

func (s *turnSockets) AllocatePacketConn(turn.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	s.port++
	addr := netip.AddrPortFrom(s.host, 49152+s.port)
	c, end := s.w.socket(addr)
	return ending{c, end}, net.UDPAddrFromAddrPort(addr), nil
}

func (*turnSockets) AllocateListener(turn.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errors.ErrUnsupported
}

func (*turnSockets) AllocateConn(turn.AllocateConnConfig) (net.Conn, error) {
	return nil, errors.ErrUnsupported
}

// ending is a socket that is unplugged when it is closed.
type ending struct {
	net.PacketConn
	end func()
}

func (e ending) Close() error { e.end(); return nil }

// turnServer starts a TURN server.
func (w *world) turnServer() {
	w.t.Helper()
	addr := netip.MustParseAddrPort(turnAddress)
	c, end := w.socket(addr)
	s, err := turn.NewServer(turn.ServerConfig{
		Realm: "example.org", LoggerFactory: &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled},
		AuthHandler: func(a *turn.RequestAttributes) (string, []byte, bool) {
			return a.Username, turn.GenerateAuthKey(a.Username, a.Realm, turnPassword), a.Username == turnUser
		},
		PacketConnConfigs: []turn.PacketConnConfig{{PacketConn: ending{c, end}, RelayAddressGenerator: &turnSockets{w: w, host: addr.Addr()}}},
	})
	w.must(err)
	w.t.Cleanup(func() { s.Close() })
}

// usesTURN has a device ask the server.
func (d *device) usesTURN(password string) {
	d.w.t.Helper()
	for k, v := range map[string]string{"turn": "turn:" + turnAddress, "turn-user": turnUser, app.SettingTURNPassword: password} {
		d.w.must(d.SetConfig(d.w.t.Context(), k, v))
	}
}

// TestTURN: routers that nobody finds a way through, no device that relays, but
// one of the two has a TURN server. They pair, sync, meet again and leave it
// when they can.
func TestTURN(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.turnServer()
		ada, bob := w.deviceAt("ada", "192.168.1.2:4001"), w.deviceAt("bob", "10.2.0.2:4002")
		w.hardHomes(ada, bob)
		ada.usesTURN(turnPassword)
		time.Sleep(5 * time.Second)
		ada.mailbox()
		bob.mailbox()
		inv := ada.invite(bob)
		bob.eventually("invited", time.Hour, invited)
		w.must(bob.accept(inv.Words))
		ada.eventually("linked by the server", time.Minute, by("relay", "bob"))
		bob.eventually("linked by the server", time.Minute, by("relay", "ada"))
		s := w.share("Photos", ada, bob)
		s.on(ada).Write("new.txt", "of ada")
		w.must(ada.Rescan(t.Context(), s.id))
		s.wait(ada, time.Minute)
		s.wait(bob, time.Minute)
		ada.never("lost", 2*time.Hour, without("bob"))
		seeking := w.postman()
		ada.restart() // and gets another address of the server
		ada.eventually("linked again", 2*time.Minute, by("relay", "bob"))
		if n := seeking.count(); n > 2 {
			t.Errorf("%d mails until linked again, want 2 at most", n)
		}
		set, err := ada.Config(t.Context())
		w.must(err)
		for _, k := range set {
			if k.Value == turnPassword {
				t.Errorf("the password is shown as %s", k.Key)
			}
		}
	})
}
