package e2e

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"foldpost/app"
	"foldpost/app/node"
)

// benchRelayed is the size of the file that goes through a relay.
const benchRelayed = 64 << 20

// BenchmarkRelay measures one file between two nodes on loopback that are
// linked directly, and between two that know no address of each other and link
// through a third one. All three share the processor.
func BenchmarkRelay(b *testing.B) {
	var t benchTable
	content := randomBytes(3, benchRelayed)
	transfer := func(from, to *computer) float64 {
		dir := b.TempDir()
		benchMust(b, os.WriteFile(filepath.Join(dir, "large"), content, 0o600))
		f := from.share(dir, to)
		return benchRelayed / 1e6 / to.join(from, f, 1).Seconds()
	}
	direct := transfer(benchPair(b))
	ada, bob, cem := newComputer(b), newComputer(b), newComputer(b)
	for name, c := range map[string]*computer{"ada": ada, "bob": bob, "cem": cem} {
		benchMust(b, c.SetConfig(b.Context(), "name", name))
	}
	for _, p := range [][2]*computer{{ada, bob}, {ada, cem}, {bob, cem}} {
		p[0].knows(p[1])
	}
	benchMust(b, cem.Relay(b.Context(), ada.State().Device.ID, true))
	for _, limit := range []string{"relay-rate", "relay-limit"} {
		benchMust(b, cem.SetConfig(b.Context(), limit, "0"))
	}
	ada.hide("192.0.2.1:4001")
	bob.hide("192.0.2.2:4002")
	began := time.Now()
	for _, c := range []*computer{ada, bob} {
		c.until("linked through the third", func(s app.State) bool {
			return slices.ContainsFunc(s.Devices, func(d app.Device) bool { return d.Link == "relay" })
		})
	}
	linked := time.Since(began)
	through := transfer(ada, bob)
	b.ReportMetric(through, "MB/s")
	t.rate("64 MiB file through a relay: join to confirmed", through, "MB/s", "direct link", direct)
	t.alone("both on to linked through a relay", short(linked), "")
	fmt.Printf("\n%s\n", t.String())
}

// knows pairs two computers by a link.
func (c *computer) knows(o *computer) {
	inv, err := c.Invite(c.b.Context(), app.InviteRequest{})
	benchMust(c.b, err)
	_, err = o.Accept(c.b.Context(), app.AcceptRequest{Input: inv.Link})
	benchMust(c.b, err)
	c.until("asked", func(s app.State) bool {
		i := slices.IndexFunc(s.Questions, func(q app.Question) bool { return q.Kind == app.AskPairing })
		if i >= 0 {
			benchMust(c.b, c.Answer(c.b.Context(), s.Questions[i].ID, app.ChoiceYes))
		}
		return i >= 0
	})
	for _, p := range [][2]*computer{{c, o}, {o, c}} {
		p[0].until("connected", func(s app.State) bool {
			return slices.ContainsFunc(s.Devices, func(d app.Device) bool { return d.ID == p[1].State().Device.ID && d.Connected })
		})
	}
}

// hide starts a computer at another port, and has it tell everybody an address
// that is not its own.
func (c *computer) hide(addr string) {
	c.end()
	c.start(node.Config{
		Listen:    []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		Addresses: func() []netip.AddrPort { return []netip.AddrPort{netip.MustParseAddrPort(addr)} },
	})
}
