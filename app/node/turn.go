package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"

	"foldpost/app"
)

// keptTURN is the server that the user has named to relay to this device
// (RFC 8656), with what it wants to know.
type keptTURN struct {
	Server   string `json:"server"` // HOST:PORT
	User     string `json:"user,omitempty"`
	Password string `json:"password,omitempty"`
}

// turning is the address at which that server takes packets for this device.
type turning struct {
	set    keptTURN // that runs; belongs to the loop
	cancel context.CancelFunc

	mu      sync.Mutex
	addr    netip.AddrPort // zero: none
	problem bool           // the server does not give one
}

// addresses returns the address, if there is one.
func (t *turning) addresses() []netip.AddrPort {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.addr.IsValid() {
		return nil
	}
	return []netip.AddrPort{t.addr}
}

func (t *turning) is(addr netip.AddrPort, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.addr, t.problem = addr, err != nil
}

// findTURN is how the server does, if one is set.
func (n *Node) findTURN() []app.Finding {
	set, t := n.keep.view().TURN, &n.turn
	t.mu.Lock()
	addr, problem := t.addr, t.problem
	t.mu.Unlock()
	switch {
	case set.Server == "":
	case addr.IsValid():
		return []app.Finding{app.Found(app.FoundTURN, "Server", shortServer(set.Server))}
	case problem:
		return []app.Finding{app.Found(app.FoundTURNBad, "Server", shortServer(set.Server))}
	}
	return nil
}

// shortServer is a server as findings name it: the address of one without a
// name is shortened.
func shortServer(server string) string {
	host, _, _ := net.SplitHostPort(server)
	if a, err := netip.ParseAddr(host); err == nil {
		return app.ShortAddr(a)
	}
	return host
}

// parseTURN reads turn:HOST:PORT, of which the first and the last part may be
// left out.
func parseTURN(text string) (string, error) {
	text = strings.TrimSpace(text)
	list, err := parseServers(strings.TrimPrefix(text, "turn:"), 1)
	switch {
	case err != nil || strings.HasPrefix(text, "turns:"):
		return "", fmt.Errorf("%q is no server: it looks like turn:turn.example.org:3478", text)
	case len(list) == 0:
		return "", nil
	}
	return list[0], nil
}

func setTURN(s *kept, text string) error {
	server, err := parseTURN(text)
	if err != nil {
		return app.Errorf(app.CodeUsage, "%v", err)
	}
	s.TURN.Server = server
	return nil
}

// matchTURN has the server that is set relay to this device, and no other.
func (n *Node) matchTURN(ctx context.Context) {
	set := n.keep.view().TURN
	if set == n.turn.set {
		return
	}
	if n.turn.cancel != nil {
		n.turn.cancel()
		n.turn.cancel = nil
	}
	n.turn.set = set
	if set.Server == "" {
		return
	}
	ctx, n.turn.cancel = context.WithCancel(ctx)
	n.tasks.Go(func() {
		n.keepTrying(ctx, "relay by a server", func() error { return n.relayedBy(ctx, set) })
	})
}

// relayedBy serves an address of a server for as long as that works.
func (n *Node) relayedBy(ctx context.Context, set keptTURN) (err error) {
	defer func() {
		n.turn.is(netip.AddrPort{}, err)
		n.kick()
	}()
	server, err := resolveTURN(ctx, set.Server)
	if err != nil {
		return err
	}
	socket, err := n.turnSocket(server.Addr().Is4())
	if err != nil {
		return fmt.Errorf("open a socket for %s: %w", set.Server, err)
	}
	defer socket.Close()
	quiet := logging.NewDefaultLoggerFactory()
	quiet.Writer, quiet.DefaultLogLevel = io.Discard, logging.LogLevelDisabled
	client, err := turn.NewClient(&turn.ClientConfig{
		TURNServerAddr: server.String(), STUNServerAddr: server.String(), Username: set.User, Password: set.Password, Conn: socket, LoggerFactory: quiet,
	})
	if err != nil {
		return fmt.Errorf("ask %s: %w", set.Server, err)
	}
	defer client.Close()
	if err := client.Listen(); err != nil {
		return fmt.Errorf("ask %s: %w", set.Server, err)
	}
	allocating, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	conn, err := client.AllocateWithContext(allocating)
	if err != nil {
		return fmt.Errorf("ask %s for an address: %w", set.Server, err)
	}
	defer conn.Close()
	local, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok {
		return fmt.Errorf("ask %s for an address: got %v", set.Server, conn.LocalAddr())
	}
	addr := local.AddrPort()
	addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	n.turn.is(addr, nil)
	n.kick()
	n.log.Info("a server relays to this device", "server", set.Server)
	serving, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() { n.letThrough(serving, client, addr.Addr().Is4()) })
	return n.endpoint.ServeRelayed(serving, conn)
}

// turnAlive is how often the server hears from us, so that routers on the way
// do not forget where its packets go: some do after 30 s.
const turnAlive = 15 * time.Second

// letThrough tells the server from which addresses it may take packets: those
// at which somebody might be whom we look for.
func (n *Node) letThrough(ctx context.Context, client *turn.Client, ip4 bool) {
	told, spoke := map[netip.Addr]bool{}, time.Now()
	tick := time.NewTicker(lookAgain / 2)
	defer tick.Stop()
	for {
		for _, a := range n.endpoint.Sought() {
			if a.Is4() != ip4 || told[a] || ctx.Err() != nil {
				continue
			}
			told[a] = true
			if err := client.CreatePermission(&net.UDPAddr{IP: a.AsSlice()}); err != nil {
				n.log.Debug("let an address through the server", "err", err)
			}
		}
		if time.Since(spoke) >= turnAlive {
			spoke = time.Now()
			if _, err := client.SendBindingRequest(); err != nil {
				n.log.Debug("keep a server's way here open", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (n *Node) turnSocket(ip4 bool) (net.PacketConn, error) {
	if n.cfg.TURNSocket != nil {
		return n.cfg.TURNSocket()
	}
	network := "udp6"
	if ip4 {
		network = "udp4"
	}
	return net.ListenPacket(network, ":0")
}

func resolveTURN(ctx context.Context, server string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(server)
	if err != nil {
		return netip.AddrPort{}, err
	}
	p, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return netip.AddrPortFrom(a.Unmap(), uint16(p)), nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if len(found) == 0 {
		return netip.AddrPort{}, errors.New("the server's name has no address")
	}
	return netip.AddrPortFrom(found[0].Unmap(), uint16(p)), nil
}
